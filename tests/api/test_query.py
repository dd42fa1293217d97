#!/usr/bin/env python3
"""Query: key conditions, order, paging, filters, projections, what it costs and what is refused."""

import random
import unittest

from api_client import HASH_S, ApiTest, call, table_arguments

NUMBERS = [-1000, -10.5, -10, -1, -0.001, 0, 0.001, 1, 1.5, 2, 10, 11, 100, 1e20]
BYTES = [b"a", b"a\x00", b"a\x00\xff", b"a\x01", b"a\xff", b"a\xff\xff", b"ab", b"b", b"\x00", b"\xff"]


def number(value):
    return {"N": repr(value)}


def name(value):
    """A sort key as something to compare by."""
    return float(value["N"]) if "N" in value else value.get("S", value.get("B"))


class QueryTest(ApiTest):
    """A table, and queries of partition key "p" read to their end by pages of some size."""

    keys = [("pk", "HASH", "S"), ("sk", "RANGE", "S")]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = cls.make_table(cls.keys)

    @classmethod
    def put(cls, pk, sk, **attributes):
        cls.db.put_item(TableName=cls.table, Item={"pk": {"S": pk}, "sk": sk, **attributes})

    def pages(self, condition="pk = :p", values=None, pk="p", **arguments):
        values = {":p": {"S": pk}, **(values or {})}
        arguments = {"ConsistentRead": True, **arguments}
        while True:
            page = self.db.query(
                TableName=self.table,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                **arguments,
            )
            yield page
            if "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def items(self, *condition, **arguments):
        return [item for page in self.pages(*condition, **arguments) for item in page["Items"]]

    def sort_keys(self, *condition, **arguments):
        return [name(item["sk"]) for item in self.items(*condition, **arguments)]

    def assert_refused_query(self, message, **arguments):
        arguments = {
            "KeyConditionExpression": "pk = :p",
            "ExpressionAttributeValues": {":p": {"S": "p"}},
            **arguments,
        }
        arguments = {key: value for key, value in arguments.items() if value is not None}
        with self.assertRaises(self.db.exceptions.ClientError) as caught:
            self.db.query(TableName=self.table, **arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], "ValidationException")
        self.assertEqual(caught.exception.response["Error"]["Message"], message)


class Conditions:
    """What is true of sort keys of every type: subclasses have the values, ascending."""

    values = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for pk in ("o", "p", "q"):
            for value in random.sample(cls.values, len(cls.values)):
                cls.put(pk, value)

    def both_ways(self, expected, condition, **values):
        values = {f":{key}": value for key, value in values.items()}
        expected = [name(value) for value in expected]
        for size in (1, 3, 100):
            self.assertEqual(self.sort_keys(condition, values, Limit=size), expected)
            self.assertEqual(
                self.sort_keys(condition, values, Limit=size, ScanIndexForward=False), expected[::-1]
            )

    def test_all_sort_keys_come_in_their_order(self):
        self.both_ways(self.values, "pk = :p")

    def test_each_comparison_cuts_at_each_value(self):
        for index, value in enumerate(self.values):
            with self.subTest(value=value):
                self.both_ways(self.values[index : index + 1], "pk = :p AND sk = :v", v=value)
                self.both_ways(self.values[:index], "pk = :p AND sk < :v", v=value)
                self.both_ways(self.values[: index + 1], "sk <= :v AND pk = :p", v=value)
                self.both_ways(self.values[index + 1 :], "pk = :p AND :v < sk", v=value)
                self.both_ways(self.values[index:], "(pk = :p) AND (sk >= :v)", v=value)

    def test_between_takes_both_ends(self):
        for first in range(0, len(self.values), 3):
            for last in range(first, len(self.values), 3):
                self.both_ways(
                    self.values[first : last + 1],
                    "pk = :p AND sk BETWEEN :a AND :b",
                    a=self.values[first],
                    b=self.values[last],
                )

    def test_a_partition_key_without_items(self):
        self.assertEqual(self.sort_keys(pk="nobody"), [])


class TextKeys(Conditions, QueryTest):
    values = [{"S": text} for text in ("!", "A", "Z", "a", "a!", "a\x00", "aa", "ab", "b", "ä", "\U0001f600")]
    values.sort(key=lambda value: value["S"].encode())

    def test_begins_with(self):
        for prefix in ("a", "aa", "ab", "ä", "zz"):
            expected = [value for value in self.values if value["S"].startswith(prefix)]
            self.both_ways(expected, "pk = :p AND begins_with(sk, :v)", v={"S": prefix})


class NumberKeys(Conditions, QueryTest):
    keys = [("pk", "HASH", "S"), ("sk", "RANGE", "N")]
    values = [number(value) for value in NUMBERS]


class ByteKeys(Conditions, QueryTest):
    keys = [("pk", "HASH", "S"), ("sk", "RANGE", "B")]
    values = [{"B": value} for value in sorted(BYTES)]

    def test_begins_with(self):
        for prefix in (b"a", b"a\x00", b"a\xff", b"\xff", b"c"):
            expected = [value for value in self.values if value["B"].startswith(prefix)]
            self.both_ways(expected, "pk = :p AND begins_with(sk, :v)", v={"B": prefix})


class Pages(QueryTest):
    keys = [("pk", "HASH", "S"), ("sk", "RANGE", "N")]
    count = 60

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for index in range(cls.count):
            cls.put("p", number(index), third={"BOOL": index % 3 == 0}, text={"S": "x" * 90})

    def test_pages_together_are_the_whole_for_any_limit(self):
        whole = self.items()
        self.assertEqual(len(whole), self.count)
        for limit in (*range(1, 12), self.count - 1, self.count, self.count + 1):
            for forward in (True, False):
                pages = list(self.pages(Limit=limit, ScanIndexForward=forward))
                items = [item for page in pages for item in page["Items"]]
                self.assertEqual(items, whole if forward else whole[::-1], limit)
                # A page that a limit ended has a key to go on from, even if nothing is left.
                self.assertEqual(len(pages), self.count // limit + 1)

    def test_a_limit_counts_what_was_looked_at(self):
        pages = list(self.pages(values={":t": {"BOOL": True}}, FilterExpression="third = :t", Limit=10))
        self.assertEqual([page["ScannedCount"] for page in pages], [10] * 6 + [0])
        self.assertEqual(sum(page["Count"] for page in pages), 20)

    def test_a_filter_may_empty_a_page_that_goes_on(self):
        page = next(self.pages(FilterExpression="attribute_exists(nothing)", Limit=10))
        self.assertEqual((page["Items"], page["ScannedCount"]), ([], 10))
        self.assertEqual(page["LastEvaluatedKey"], {"pk": {"S": "p"}, "sk": {"N": "9"}})

    def test_a_start_key_may_name_an_item_that_is_gone(self):
        for start, forward, expected in ((10.5, True, range(11, 60)), (10.5, False, range(10, -1, -1))):
            key = {"pk": {"S": "p"}, "sk": number(start)}
            self.assertEqual(
                self.sort_keys(ExclusiveStartKey=key, ScanIndexForward=forward), [float(i) for i in expected]
            )

    def test_counting(self):
        page = next(self.pages(Select="COUNT"))
        self.assertEqual((page["Count"], page["ScannedCount"]), (self.count, self.count))
        self.assertNotIn("Items", page)

    def test_projections(self):
        self.assertEqual(
            self.items(ProjectionExpression="third, nothing", Limit=40)[:2],
            [{"third": {"BOOL": True}}, {"third": {"BOOL": False}}],
        )
        self.assertEqual(self.items(ProjectionExpression="sk", Select="SPECIFIC_ATTRIBUTES")[0], {"sk": {"N": "0"}})

    def test_capacity_is_of_all_that_was_looked_at(self):
        # pk 2+1, sk 2+2 (1 for 0 and 2 for the others), third 5+1, text 4+90
        size = sum(3 + (3 if i == 0 else 4) + 6 + 94 for i in range(self.count))
        units = -(-size // 4096)
        for consistent, factor in ((True, 1), (False, 0.5)):
            page = next(
                self.pages(
                    ConsistentRead=consistent,
                    ReturnConsumedCapacity="INDEXES",
                    FilterExpression="attribute_exists(nothing)",
                )
            )
            if not consistent and page["ScannedCount"] < self.count:
                continue  # a replica that is behind
            expected = {"CapacityUnits": units * factor}
            self.assertEqual(
                page["ConsumedCapacity"], {"TableName": self.table, "Table": expected, **expected}
            )
        page = next(self.pages(pk="nobody", ReturnConsumedCapacity="TOTAL"))
        self.assertEqual(page["ConsumedCapacity"], {"TableName": self.table, "CapacityUnits": 1.0})

    def test_the_paginator(self):
        pages = self.db.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {"S": "p"}},
            ConsistentRead=True,
            PaginationConfig={"PageSize": 7, "MaxItems": 30},
        )
        self.assertEqual([name(item["sk"]) for page in pages for item in page["Items"]], [float(i) for i in range(30)])


class Megabyte(QueryTest):
    def test_a_megabyte_ends_a_page(self):
        for index in range(30):
            self.put("p", {"S": f"{index:02}"}, v={"S": "x" * 50_000})
        pages = list(self.pages())
        size = 3 + 4 + 50_001
        self.assertEqual([page["ScannedCount"] for page in pages], [-(-1024 * 1024 // size), 30 - -(-1024 * 1024 // size)])
        self.assertEqual([name(item["sk"]) for page in pages for item in page["Items"]], [f"{i:02}" for i in range(30)])

    def test_random_sizes_and_limits_both_ways(self):
        generator = random.Random(7)
        for index in range(40):
            self.put("r", {"S": f"{index:02}"}, v={"S": "y" * generator.choice((1, 100, 5_000, 200_000))})
        expected = [f"{i:02}" for i in range(40)]
        for _ in range(6):
            limit = generator.randrange(1, 41)
            self.assertEqual(self.sort_keys(pk="r", Limit=limit), expected)
            self.assertEqual(self.sort_keys(pk="r", Limit=limit, ScanIndexForward=False), expected[::-1])


class HashOnly(QueryTest):
    keys = HASH_S

    def test_one_item_or_none(self):
        self.db.put_item(TableName=self.table, Item={"pk": {"S": "p"}, "v": {"N": "1"}})
        self.db.put_item(TableName=self.table, Item={"pk": {"S": "pp"}})
        self.assertEqual(self.items(), [{"pk": {"S": "p"}, "v": {"N": "1"}}])
        self.assertEqual(self.items(pk="nobody"), [])
        pages = list(self.pages(Limit=1))
        self.assertEqual([page["Count"] for page in pages], [1, 0])


class Legacy(QueryTest):
    keys = [("pk", "HASH", "S"), ("sk", "RANGE", "N")]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for index in range(10):
            cls.put("p", number(index), v={"N": str(index % 4)})

    def query(self, **arguments):
        conditions = {"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "p"}]}}
        conditions.update(arguments.pop("KeyConditions", {}))
        return self.db.query(TableName=self.table, KeyConditions=conditions, ConsistentRead=True, **arguments)

    def test_key_conditions(self):
        page = self.query(
            KeyConditions={"sk": {"ComparisonOperator": "BETWEEN", "AttributeValueList": [number(2), number(4)]}}
        )
        self.assertEqual([item["sk"]["N"] for item in page["Items"]], ["2", "3", "4"])

    def test_query_filter_and_operator(self):
        condition = {"ComparisonOperator": "EQ", "AttributeValueList": [number(3)]}
        gone = {"ComparisonOperator": "NULL"}
        page = self.query(QueryFilter={"v": condition, "w": gone}, ConditionalOperator="AND", AttributesToGet=["sk"])
        self.assertEqual(page["Items"], [{"sk": {"N": "3"}}, {"sk": {"N": "7"}}])
        page = self.query(QueryFilter={"v": condition, "w": gone}, ConditionalOperator="OR")
        self.assertEqual(page["Count"], 10)

    def test_expressions_beside_key_conditions(self):
        page = self.query(FilterExpression="v = :v", ExpressionAttributeValues={":v": number(0)})
        self.assertEqual(page["Count"], 3)

    def test_refused(self):
        for arguments, message in (
            (
                {"KeyConditions": {"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"N": "1"}]}}},
                "One or more parameter values were invalid: Condition parameter type does not match schema type",
            ),
            (
                {"KeyConditions": {"sk": {"ComparisonOperator": "NULL"}}},
                "Attempted conditional constraint is not an indexable operation",
            ),
            (
                {"QueryFilter": {"sk": {"ComparisonOperator": "NULL"}}},
                "QueryFilter can only contain non-primary key attributes: Primary key attribute: sk",
            ),
        ):
            self.assert_fails("ValidationException", message, self.query, **arguments)


class Refused(QueryTest):
    values = {":p": {"S": "p"}, ":v": {"S": "v"}}

    def refused(self, message, condition="pk = :p AND sk > :v", **arguments):
        self.assert_refused_query(
            message, KeyConditionExpression=condition, ExpressionAttributeValues=self.values, **arguments
        )

    def test_without_a_condition(self):
        self.assert_refused_query(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
            KeyConditionExpression=None,
            ExpressionAttributeValues=None,
        )

    def test_conditions_that_no_key_can_be_searched_by(self):
        for condition, message in (
            ("sk = :v AND sk = :p", "KeyConditionExpressions must only contain one condition per key"),
            ("pk > :p AND sk = :v", "Query key condition not supported"),
            ("pk = :p OR sk = :v", "Invalid operator used in KeyConditionExpression: OR"),
            ("attr1 = :p AND sk = :v", "Query condition missed key schema element: pk"),
            ("pk = :p AND attr1 = :v", "Query condition missed key schema element: sk"),
        ):
            with self.subTest(condition=condition):
                self.refused(message, condition)

    def test_start_keys_outside_the_query(self):
        for key, message in (
            ({"pk": {"S": "p"}}, "The provided starting key is invalid"),
            ({"bad": {"S": "p"}, "sk": {"S": "z"}}, "The provided starting key is invalid"),
            ({"pk": {"S": "p"}, "sk": {"N": "1"}}, "The provided key element does not match the schema"),
            ({"pk": {"S": "p"}, "sk": {"S": "a"}}, "The provided starting key does not match the range key predicate"),
            ({"pk": {"S": "q"}, "sk": {"S": "a"}}, "The provided starting key does not match the range key predicate"),
            ({"pk": {"S": "q"}, "sk": {"S": "z"}}, "The query can return at most one row and cannot be restarted"),
        ):
            with self.subTest(key=key):
                self.refused(message, ExclusiveStartKey=key)
        self.assert_refused_query(
            "The provided starting key is outside query boundaries based on provided conditions",
            ExclusiveStartKey={"pk": {"S": "q"}, "sk": {"S": "z"}},
        )

    def test_select(self):
        for arguments, message in (
            (
                {"Select": "SPECIFIC_ATTRIBUTES"},
                "1 validation error detected: Must specify the AttributesToGet or ProjectionExpression when "
                "choosing to get SPECIFIC_ATTRIBUTES",
            ),
            (
                {"Select": "ALL_ATTRIBUTES", "ProjectionExpression": "sk"},
                "Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES",
            ),
            (
                {"Select": "COUNT", "ProjectionExpression": "sk"},
                "Cannot specify the ProjectionExpression when choosing to get only the Count",
            ),
            (
                {"Select": "ALL_PROJECTED_ATTRIBUTES"},
                "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
            ),
        ):
            with self.subTest(arguments=arguments):
                self.refused(message, **arguments)

    def test_a_filter_may_not_name_the_keys(self):
        self.refused(
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk",
            FilterExpression="sk = :v",
        )

    def test_keys_have_no_inside(self):
        self.refused(
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: pk",
            ProjectionExpression="pk.a",
        )

    def test_placeholders(self):
        for arguments, message in (
            ({"FilterExpression": "a = :x"}, "Invalid FilterExpression: An expression attribute value used in expression is not defined; attribute value: :x"),
            ({"ExpressionAttributeNames": {"#u": "u"}}, "Value provided in ExpressionAttributeNames unused in expressions: keys: {#u}"),
        ):
            with self.subTest(arguments=arguments):
                self.refused(message, **arguments)

    def test_constraints_by_hand(self):
        for document, message in (
            (
                {"Limit": 0, "KeyConditionExpression": "pk = :p"},
                "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value "
                "greater than or equal to 1",
            ),
            (
                {"Select": "hi", "KeyConditions": {"pk": {}}},
                "2 validation errors detected: Value 'hi' at 'select' failed to satisfy constraint: Member must "
                "satisfy enum value set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]; "
                "Value null at 'keyConditions.pk.member.comparisonOperator' failed to satisfy constraint: Member "
                "must not be null",
            ),
        ):
            answer = call("Query", {"TableName": self.table, **document})
            self.assert_refused(answer, "ValidationException")
            self.assertEqual(answer.message(), message)

    def test_no_such_table(self):
        self.assert_fails(
            "ResourceNotFoundException",
            "Requested resource not found",
            self.db.query,
            TableName="nobody-made-this",
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {"S": "p"}},
        )

    def test_a_table_made_anew_under_its_old_name(self):
        table = self.make_table()
        self.db.put_item(TableName=table, Item={"pk": {"S": "p"}})
        query = {
            "TableName": table,
            "KeyConditionExpression": "pk = :p",
            "ExpressionAttributeValues": {":p": {"S": "p"}},
            "ConsistentRead": True,
        }
        self.assertEqual(self.db.query(**query)["Count"], 1)
        self.db.delete_table(TableName=table)
        self.wait_gone(table)
        self.assert_fails("ResourceNotFoundException", "", self.db.query, **query)
        self.db.create_table(**table_arguments(table, HASH_S))
        self.wait_exists(table)
        self.assertEqual(self.db.query(**query)["Count"], 0)


if __name__ == "__main__":
    unittest.main()
