#!/usr/bin/env python3
"""Scan: all items once, by any pages and any segments; filters, what it costs and what is refused."""

import random
import unittest

from api_client import HASH_S_RANGE_S, ApiTest, call


class ScanTest(ApiTest):
    count = 300

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = cls.make_table([("pk", "HASH", "S"), ("sk", "RANGE", "N")])
        for index in range(cls.count):
            cls.db.put_item(TableName=cls.table, Item=cls.item(index))

    @staticmethod
    def item(index):
        """Some partition keys have many items, most have one."""
        pk = f"many-{index % 3}" if index % 2 == 0 else f"one-{index}"
        return {"pk": {"S": pk}, "sk": {"N": str(index)}, "digit": {"N": str(index % 10)}, "text": {"S": "x" * 50}}

    def pages(self, **arguments):
        arguments = {"ConsistentRead": True, **arguments}
        while True:
            page = self.db.scan(TableName=self.table, **arguments)
            yield page
            if "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def items(self, **arguments):
        return [item for page in self.pages(**arguments) for item in page["Items"]]


class Whole(ScanTest):
    def test_every_item_comes_once(self):
        items = self.items()
        by_number = {int(item["sk"]["N"]): item for item in items}
        self.assertEqual(len(items), self.count)
        self.assertEqual(by_number, {index: self.item(index) for index in range(self.count)})

    def test_items_of_one_partition_key_are_neighbours_in_order(self):
        seen, last = set(), None
        for item in self.items():
            pk, sk = item["pk"]["S"], int(item["sk"]["N"])
            if last is not None and last[0] == pk:
                self.assertLess(last[1], sk)
            else:
                self.assertNotIn(pk, seen)
            seen.add(pk)
            last = (pk, sk)

    def test_pages_together_are_the_whole_for_any_limit(self):
        whole = self.items()
        for limit in (1, 2, 7, 50, self.count - 1, self.count, self.count + 1):
            pages = list(self.pages(Limit=limit))
            self.assertEqual([item for page in pages for item in page["Items"]], whole)
            self.assertEqual(len(pages), self.count // limit + 1)

    def test_segments_together_are_the_whole_for_any_number(self):
        whole = self.items()
        for total in (1, 2, 3, 5, 8, 64, 1000):
            parts = [self.items(Segment=segment, TotalSegments=total, Limit=40) for segment in range(total)]
            self.assertEqual([item for part in parts for item in part], whole, total)

    def test_random_limits_segments_and_filters(self):
        generator = random.Random(3)
        for _ in range(8):
            total, limit = generator.randrange(1, 12), generator.randrange(1, 120)
            digit = {"N": str(generator.randrange(10))}
            found = []
            for segment in range(total):
                for page in self.pages(
                    Segment=segment,
                    TotalSegments=total,
                    Limit=limit,
                    FilterExpression="digit < :d",
                    ExpressionAttributeValues={":d": digit},
                ):
                    self.assertLessEqual(page["ScannedCount"], limit)
                    self.assertEqual(page["Count"], len(page["Items"]))
                    found += [int(item["sk"]["N"]) for item in page["Items"]]
            self.assertEqual(sorted(found), [i for i in range(self.count) if i % 10 < int(digit["N"])])

    def test_the_paginator(self):
        pages = self.db.get_paginator("scan").paginate(
            TableName=self.table, ConsistentRead=True, PaginationConfig={"PageSize": 17}
        )
        self.assertEqual([item for page in pages for item in page["Items"]], self.items())


class Parts(ScanTest):
    def test_counting(self):
        pages = list(self.pages(Select="COUNT", Limit=100))
        self.assertEqual(sum(page["Count"] for page in pages), self.count)
        self.assertTrue(all("Items" not in page for page in pages))

    def test_filters_and_projections(self):
        items = self.items(
            FilterExpression="#d IN (:a, :b) AND begins_with(pk, :p)",
            ProjectionExpression="sk, nothing.here",
            ExpressionAttributeNames={"#d": "digit"},
            ExpressionAttributeValues={":a": {"N": "1"}, ":b": {"N": "3"}, ":p": {"S": "one"}},
        )
        expected = [{"sk": {"N": str(i)}} for i in range(self.count) if i % 10 in (1, 3)]
        self.assertEqual(sorted(items, key=lambda item: int(item["sk"]["N"])), expected)

    def test_legacy_parameters(self):
        items = self.items(
            ScanFilter={
                "digit": {"ComparisonOperator": "EQ", "AttributeValueList": [{"N": "4"}]},
                "sk": {"ComparisonOperator": "LT", "AttributeValueList": [{"N": "20"}]},
            },
            ConditionalOperator="AND",
            AttributesToGet=["sk"],
        )
        self.assertEqual(sorted(item["sk"]["N"] for item in items), ["14", "4"])
        self.assertTrue(all(set(item) == {"sk"} for item in items))

    def test_capacity_is_of_all_that_was_looked_at(self):
        size = 0
        for index in range(self.count):
            item = self.item(index)
            digits = len(str(index)) if index % 10 or index == 0 else len(str(index).rstrip("0"))
            size += 2 + len(item["pk"]["S"]) + 2 + 1 + (digits + 1) // 2 + 5 + (2 if index % 10 else 1) + 54
        self.assertEqual(
            next(self.pages(ReturnConsumedCapacity="TOTAL", Select="COUNT"))["ConsumedCapacity"]["CapacityUnits"],
            -(-size // 4096),
        )

    def test_an_empty_table(self):
        table = self.make_table()
        page = self.db.scan(TableName=table, ReturnConsumedCapacity="TOTAL")
        self.assertEqual((page["Items"], page["Count"], page["ScannedCount"]), ([], 0, 0))
        self.assertEqual(page["ConsumedCapacity"]["CapacityUnits"], 0.5)
        self.assertNotIn("LastEvaluatedKey", page)


class Big(ApiTest):
    def test_a_megabyte_ends_a_page_over_all_partitions(self):
        table = self.make_table(HASH_S_RANGE_S)
        for index in range(12):
            item = {"pk": {"S": f"p{index:02}"}, "sk": {"S": "s"}, "v": {"S": "z" * 200_000}}
            self.db.put_item(TableName=table, Item=item)
        found, pages, arguments = [], 0, {}
        while True:
            page = self.db.scan(TableName=table, ConsistentRead=True, **arguments)
            pages += 1
            found += [item["pk"]["S"] for item in page["Items"]]
            self.assertLessEqual(page["Count"], 6)
            if "LastEvaluatedKey" not in page:
                break
            self.assertEqual(page["Count"], 6)
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        self.assertEqual(sorted(found), [f"p{i:02}" for i in range(12)])
        self.assertIn(pages, (2, 3))


class Refused(ScanTest):
    count = 0

    def refused(self, message, **arguments):
        with self.assertRaises(self.db.exceptions.ClientError) as caught:
            self.db.scan(TableName=self.table, **arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], "ValidationException")
        self.assertEqual(caught.exception.response["Error"]["Message"], message)

    def test_segments(self):
        for arguments, message in (
            (
                {"Segment": 1},
                "The TotalSegments parameter is required but was not present in the request when Segment parameter "
                "is present",
            ),
            (
                {"TotalSegments": 1},
                "The Segment parameter is required but was not present in the request when parameter TotalSegments "
                "is present",
            ),
            (
                {"Segment": 4, "TotalSegments": 4},
                "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 4 is "
                "not less than TotalSegments: 4",
            ),
        ):
            with self.subTest(arguments=arguments):
                self.refused(message, **arguments)

    def test_a_start_key_belongs_to_one_segment(self):
        key = {"pk": {"S": "p"}, "sk": {"N": "1"}}
        answers = []
        for segment in range(4):
            try:
                self.db.scan(TableName=self.table, Segment=segment, TotalSegments=4, ExclusiveStartKey=key)
                answers.append("")
            except self.db.exceptions.ClientError as error:
                answers.append(error.response["Error"]["Message"])
        self.assertEqual(answers.count(""), 1)
        for segment, answer in enumerate(answers):
            if answer:
                self.assertEqual(
                    answer,
                    "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey "
                    f"with correct Segment. TotalSegments: 4 Segment: {segment}",
                )

    def test_start_keys(self):
        prefix = "The provided starting key is invalid: "
        for key, message in (
            ({"pk": {"S": "p"}}, "The provided key element does not match the schema"),
            ({"pk": {"S": "p"}, "sk": {"S": "1"}}, "The provided key element does not match the schema"),
            (
                {"pk": {"S": ""}, "sk": {"N": "1"}},
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain "
                "an empty string value. Key: pk",
            ),
            ({"pk": {"SS": []}, "sk": {"N": "1"}}, "One or more parameter values were invalid: An string set  may not be empty"),
        ):
            with self.subTest(key=key):
                self.refused(prefix + message, ExclusiveStartKey=key)
        self.refused(
            "The parameter cannot be converted to a numeric value: x",
            ExclusiveStartKey={"pk": {"S": "p"}, "sk": {"N": "x"}},
        )

    def test_select_and_mixed_parameters(self):
        for arguments, message in (
            (
                {"Select": "SPECIFIC_ATTRIBUTES"},
                "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
            ),
            (
                {"Select": "COUNT", "AttributesToGet": ["a"]},
                "Cannot specify the AttributesToGet when choosing to get only the Count",
            ),
            (
                {"AttributesToGet": ["a"], "ProjectionExpression": "a"},
                "Can not use both expression and non-expression parameters in the same request: Non-expression "
                "parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}",
            ),
            (
                {"ExpressionAttributeValues": {":a": {"S": "x"}}},
                "ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null",
            ),
            (
                {"ExpressionAttributeNames": {"#a": "x"}},
                "ExpressionAttributeNames can only be specified when using expressions",
            ),
            (
                {"FilterExpression": "a = :a", "ExpressionAttributeValues": {":a": {"N": "x"}}},
                "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric "
                "value: x for key :a",
            ),
            (
                {"AttributesToGet": ["a", "b", "a"]},
                "One or more parameter values were invalid: Duplicate value in attribute name: a",
            ),
        ):
            with self.subTest(arguments=arguments):
                self.refused(message, **arguments)

    def test_all_broken_constraints_at_once(self):
        answer = call(
            "Scan",
            {"TableName": "a;", "Select": "hi", "TotalSegments": 0, "Segment": -1, "Limit": 0, "ReturnConsumedCapacity": "hi"},
        )
        self.assert_refused(answer, "ValidationException")
        self.assertTrue(answer.message().startswith("7 validation errors detected: Value 'hi' at 'select' failed"))
        for part in (
            "Value '0' at 'totalSegments' failed to satisfy constraint: Member must have value greater than or equal to 1",
            "Value '-1' at 'segment' failed to satisfy constraint: Member must have value greater than or equal to 0",
            "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
            "Value 'a;' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3",
        ):
            self.assertIn(part, answer.message())

    def test_no_such_table(self):
        self.assert_fails(
            "ResourceNotFoundException", "Requested resource not found", self.db.scan, TableName="nobody-made-this"
        )


if __name__ == "__main__":
    unittest.main()
