#!/usr/bin/env python3
"""BatchGetItem: many keys of many tables, projections, what has no room, what it costs and what is refused."""

import unittest

from api_client import HASH_S_RANGE_S, ApiTest, call


def key(index):
    return {"pk": {"S": f"p{index}"}}


class BatchGet(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = cls.make_table()
        cls.other = cls.make_table(HASH_S_RANGE_S)
        for index in range(60):
            cls.db.put_item(TableName=cls.table, Item={**key(index), "v": {"N": str(index)}, "t": {"S": "x" * 100}})
            cls.db.put_item(TableName=cls.other, Item={**key(index % 4), "sk": {"S": str(index)}})

    def get(self, items, **arguments):
        return self.db.batch_get_item(RequestItems=items, **arguments)

    def test_keys_of_two_tables_found_and_not(self):
        keys = [key(index) for index in range(30, 90)]
        others = [{**key(index % 4), "sk": {"S": str(index)}} for index in range(20, 40)]
        answer = self.get(
            {
                self.table: {"Keys": keys, "ConsistentRead": True},
                self.other: {"Keys": others, "ConsistentRead": True},
            }
        )
        self.assertEqual(answer["UnprocessedKeys"], {})
        found = sorted(int(item["v"]["N"]) for item in answer["Responses"][self.table])
        self.assertEqual(found, list(range(30, 60)))
        self.assertEqual(
            sorted(answer["Responses"][self.other], key=lambda item: int(item["sk"]["S"])),
            sorted(others, key=lambda item: int(item["sk"]["S"])),
        )

    def test_a_hundred_keys_is_the_most(self):
        answer = self.get({self.table: {"Keys": [key(index) for index in range(100)], "ConsistentRead": True}})
        self.assertEqual(len(answer["Responses"][self.table]), 60)

    def test_projections(self):
        projections = (
            {"ProjectionExpression": "#v", "ExpressionAttributeNames": {"#v": "v"}},
            {"AttributesToGet": ["v", "nothing"]},
        )
        for projection in projections:
            answer = self.get({self.table: {"Keys": [key(7)], "ConsistentRead": True, **projection}})
            self.assertEqual(answer["Responses"][self.table], [{"v": {"N": "7"}}])

    def test_each_item_is_rounded_up_by_itself(self):
        self.db.put_item(TableName=self.table, Item={"pk": {"S": "big"}, "v": {"S": "x" * 9000}})
        keys = [key(1), key(2), {"pk": {"S": "nobody"}}, {"pk": {"S": "big"}}]
        for consistent, units in ((True, 6.0), (False, 3.0)):
            answer = self.get(
                {self.table: {"Keys": keys, "ConsistentRead": consistent, "ProjectionExpression": "pk"}},
                ReturnConsumedCapacity="INDEXES",
            )
            if not consistent and len(answer["Responses"][self.table]) < 3:
                continue  # a replica that is behind
            self.assertEqual(
                answer["ConsumedCapacity"],
                [{"TableName": self.table, "CapacityUnits": units, "Table": {"CapacityUnits": units}}],
            )

    def test_what_has_no_room_comes_back_and_can_be_sent_again(self):
        table = self.make_table()
        for index in range(50):
            self.db.put_item(TableName=table, Item={**key(index), "v": {"S": "x" * 390_000}})
        request = {
            table: {
                "Keys": [key(index) for index in range(50)],
                "ConsistentRead": True,
                "ProjectionExpression": "#k, v",
                "ExpressionAttributeNames": {"#k": "pk"},
            }
        }
        found, rounds = [], 0
        while request:
            answer = self.get(request)
            rounds += 1
            items = answer["Responses"][table]
            self.assertLessEqual(sum(len(item["v"]["S"]) for item in items), 16 * 1024 * 1024)
            found += [item["pk"]["S"] for item in items]
            request = answer["UnprocessedKeys"]
            if request:
                self.assertEqual(request[table]["ProjectionExpression"], "#k, v")
                self.assertTrue(request[table]["ConsistentRead"])
        self.assertEqual(sorted(found), sorted(f"p{index}" for index in range(50)))
        self.assertEqual(rounds, 2)

    def test_the_resource_api(self):
        import boto3

        from api_client import ENDPOINT, KEY_ID, REGION, SECRET

        resource = boto3.resource(
            "dynamodb",
            endpoint_url=ENDPOINT,
            region_name=REGION,
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
        )
        answer = resource.batch_get_item(RequestItems={self.table: {"Keys": [{"pk": "p3"}], "ConsistentRead": True}})
        self.assertEqual(int(answer["Responses"][self.table][0]["v"]), 3)

    def test_refused(self):
        too_many = [key(index) for index in range(101)]
        for document, message in (
            (
                {"RequestItems": {}},
                "1 validation error detected: Value at 'RequestItems' failed to satisfy constraint: Member must "
                "have length greater than or equal to 1",
            ),
            (
                {"RequestItems": {self.table: {"Keys": []}}},
                f"1 validation error detected: Value at 'RequestItems.{self.table}.member.Keys' failed to satisfy "
                "constraint: Member must have length greater than or equal to 1",
            ),
            (
                {"RequestItems": {self.table: {"Keys": too_many}}},
                f"1 validation error detected: Value at 'RequestItems.{self.table}.member.Keys' failed to satisfy "
                "constraint: Member must have length less than or equal to 100",
            ),
            (
                {"RequestItems": {self.table: {"Keys": too_many[:60]}, self.other: {"Keys": too_many[:60]}}},
                "Too many items requested for the BatchGetItem call",
            ),
            (
                {"RequestItems": {self.table: {"Keys": [key(1), key(2), key(1)]}}},
                "Provided list of item keys contains duplicates",
            ),
            (
                {"RequestItems": {self.other: {"Keys": [{**key(1), "sk": {"S": "a"}}, {"sk": {"S": "a"}, **key(1)}]}}},
                "Provided list of item keys contains duplicates",
            ),
            (
                {"RequestItems": {self.other: {"Keys": [key(1)]}}},
                "The provided key element does not match the schema",
            ),
            (
                {"RequestItems": {self.table: {"Keys": [key(1)], "ProjectionExpression": "a, a"}}},
                "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite "
                "one of these paths; path one: [a], path two: [a]",
            ),
            (
                {
                    "RequestItems": {
                        self.table: {"Keys": [key(1)], "ProjectionExpression": "a"},
                        self.other: {"Keys": [key(1)], "AttributesToGet": ["a"]},
                    }
                },
                "Can not use both expression and non-expression parameters in the same request: Non-expression "
                "parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}",
            ),
        ):
            with self.subTest(message=message):
                answer = call("BatchGetItem", document)
                self.assert_refused(answer, "ValidationException")
                self.assertEqual(answer.message(), message)

    def test_one_missing_table_fails_all(self):
        items = {self.table: {"Keys": [key(1)]}, "nobody-made-this": {"Keys": [key(1)]}}
        self.assert_fails(
            "ResourceNotFoundException", "Requested resource not found", self.get, items=items
        )


class GetItemOptions(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = cls.make_table()
        cls.item = {**key(1), "m": {"M": {"a": {"S": "x"}, "l": {"L": [{"N": "1"}, {"N": "2"}]}}}, "t": {"S": "y" * 5000}}
        cls.db.put_item(TableName=cls.table, Item=cls.item)

    def get(self, **arguments):
        return self.db.get_item(TableName=self.table, Key=key(1), ConsistentRead=True, **arguments)

    def test_projections(self):
        for arguments, expected in (
            ({"ProjectionExpression": "m.a, m.l[1]"}, {"m": {"M": {"a": {"S": "x"}, "l": {"L": [{"N": "2"}]}}}}),
            ({"ProjectionExpression": "#p", "ExpressionAttributeNames": {"#p": "pk"}}, key(1)),
            ({"ProjectionExpression": "nothing"}, {}),
            ({"AttributesToGet": ["m", "nothing"]}, {"m": self.item["m"]}),
        ):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.get(**arguments)["Item"], expected)

    def test_a_projection_does_not_make_it_cheaper(self):
        answer = self.get(ProjectionExpression="pk", ReturnConsumedCapacity="INDEXES")
        self.assertEqual(
            answer["ConsumedCapacity"],
            {"TableName": self.table, "CapacityUnits": 2.0, "Table": {"CapacityUnits": 2.0}},
        )

    def test_refused(self):
        for arguments, message in (
            ({"ProjectionExpression": ""}, "Invalid ProjectionExpression: The expression can not be empty;"),
            ({"ExpressionAttributeNames": {"#a": "a"}}, "ExpressionAttributeNames can only be specified when using expressions"),
            ({"ProjectionExpression": "pk[1]"}, "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: pk"),
        ):
            with self.subTest(arguments=arguments):
                self.assert_fails("ValidationException", message, self.get, **arguments)


if __name__ == "__main__":
    unittest.main()
