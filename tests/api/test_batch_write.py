#!/usr/bin/env python3
"""BatchWriteItem: puts and deletes over tables, duplicates, limits, what it costs, what is refused."""

import concurrent.futures
import unittest

import boto3
from api_client import HASH_S_RANGE_S, ApiTest, call, client

THREADS = 8


def put(pk, **more):
    return {"PutRequest": {"Item": {"pk": {"S": pk}, **more}}}


def delete(pk, **more):
    return {"DeleteRequest": {"Key": {"pk": {"S": pk}, **more}}}


class BatchWrite(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = cls.make_table()
        cls.other = cls.make_table(HASH_S_RANGE_S)

    def write(self, *requests, **more):
        return self.db.batch_write_item(RequestItems={self.table: list(requests)}, **more)

    def items(self, table=None):
        """All items of a table by their partition keys."""
        table = table or self.table
        pages = self.db.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return {item["pk"]["S"]: item for page in pages for item in page["Items"]}

    def setUp(self):
        for table in (self.table, self.other):
            for item in self.items(table).values():
                key = {name: item[name] for name in ("pk", "sk") if name in item}
                self.db.delete_item(TableName=table, Key=key)


class Written(BatchWrite):
    def test_puts_and_deletes_of_many_tables(self):
        self.db.put_item(TableName=self.table, Item={"pk": {"S": "goes"}})
        self.db.put_item(TableName=self.table, Item={"pk": {"S": "changes"}, "old": {"BOOL": True}})
        answer = self.db.batch_write_item(
            RequestItems={
                self.table: [delete("goes"), put("changes", new={"N": "1"}), put("comes"), delete("never")],
                self.other: [put("a", sk={"S": "1"}), put("b", sk={"S": "1"})],
            }
        )
        self.assertEqual(answer["UnprocessedItems"], {})
        self.assertNotIn("ConsumedCapacity", answer)
        self.assertEqual(
            self.items(), {"changes": {"pk": {"S": "changes"}, "new": {"N": "1"}}, "comes": {"pk": {"S": "comes"}}}
        )
        self.assertEqual(set(self.items(self.other)), {"a", "b"})

    def test_twenty_five(self):
        self.write(*(put(str(number)) for number in range(25)))
        self.assertEqual(len(self.items()), 25)
        self.write(*(delete(str(number)) for number in range(25)))
        self.assertEqual(self.items(), {})

    def test_large_items(self):
        """Near the limit of a request's body."""
        text = "x" * 400000
        self.write(*(put(str(number), v={"S": text}) for number in range(25)))
        self.assertEqual({item["v"]["S"] for item in self.items().values()}, {text})

    def test_the_resource_s_writer(self):
        resource = boto3.resource(
            "dynamodb",
            endpoint_url=self.db.meta.endpoint_url,
            region_name=self.db.meta.region_name,
            aws_access_key_id=self.db._request_signer._credentials.access_key,
            aws_secret_access_key=self.db._request_signer._credentials.secret_key,
        )
        with resource.Table(self.table).batch_writer(overwrite_by_pkeys=["pk"]) as batch:
            for number in range(110):
                batch.put_item(Item={"pk": f"r{number % 100}", "n": number})
            batch.delete_item(Key={"pk": "r99"})
        items = self.items()
        self.assertEqual(set(items), {f"r{number}" for number in range(99)})
        self.assertEqual(items["r5"]["n"], {"N": "105"})

    def test_capacity(self):
        self.db.put_item(TableName=self.table, Item={"pk": {"S": "big"}, "v": {"S": "x" * 3000}})
        answer = self.db.batch_write_item(
            RequestItems={
                self.table: [delete("big"), put("small"), delete("none"), put("two", v={"S": "x" * 1500})],
                self.other: [put("a", sk={"S": "1"})],
            },
            ReturnConsumedCapacity="TOTAL",
        )
        costs = {entry["TableName"]: entry for entry in answer["ConsumedCapacity"]}
        self.assertEqual(costs[self.table], {"TableName": self.table, "CapacityUnits": 7})
        self.assertEqual(costs[self.other], {"TableName": self.other, "CapacityUnits": 1})
        answer = self.write(put("small"), ReturnConsumedCapacity="INDEXES", ReturnItemCollectionMetrics="SIZE")
        self.assertEqual(
            answer["ConsumedCapacity"],
            [{"TableName": self.table, "CapacityUnits": 1, "Table": {"CapacityUnits": 1}}],
        )
        self.assertNotIn("ItemCollectionMetrics", answer)

    def test_batches_at_once(self):
        def fill(thread):
            db = client()
            for start in range(0, 100, 25):
                requests = [put(f"{thread}-{number}") for number in range(start, start + 25)]
                while requests:
                    answer = db.batch_write_item(RequestItems={self.table: requests})
                    requests = answer["UnprocessedItems"].get(self.table)

        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(fill, range(THREADS)))
        self.assertEqual(
            set(self.items()), {f"{thread}-{number}" for thread in range(THREADS) for number in range(100)}
        )


class Refused(BatchWrite):
    def refused(self, message, *requests):
        before = self.items()
        answer = call("BatchWriteItem", {"RequestItems": {self.table: list(requests)}})
        self.assert_refused(answer, "ValidationException", message)
        self.assertEqual(self.items(), before)

    def test_duplicates(self):
        message = "Provided list of item keys contains duplicates"
        self.refused(message, put("a"), put("b"), put("a", v={"N": "1"}))
        self.refused(message, put("a"), delete("a"))
        self.refused(message, delete("a"), delete("a"))
        table = self.make_table([("pk", "HASH", "N")])
        answer = call(
            "BatchWriteItem",
            {
                "RequestItems": {
                    table: [
                        {"PutRequest": {"Item": {"pk": {"N": "1"}}}},
                        {"DeleteRequest": {"Key": {"pk": {"N": "1.0"}}}},
                    ]
                }
            },
        )
        self.assert_refused(answer, "ValidationException", message)

    def test_numbers_of_items(self):
        self.refused("Member must have length less than or equal to 25", *(put(str(number)) for number in range(26)))
        self.refused("Member must have length greater than or equal to 1")
        answer = call(
            "BatchWriteItem",
            {
                "RequestItems": {
                    self.table: [put(str(number)) for number in range(13)],
                    self.other: [put(str(number), sk={"S": "1"}) for number in range(13)],
                }
            },
        )
        self.assert_refused(answer, "ValidationException", "Too many items requested for the BatchWriteItem call")

    def test_one_bad_item_stops_all(self):
        schema = "The provided key element does not match the schema"
        self.refused(schema, put("a"), {"PutRequest": {"Item": {"v": {"S": "no key"}}}})
        self.refused(schema, put("a"), {"PutRequest": {"Item": {"pk": {"N": "1"}}}})
        self.refused(schema, put("a"), delete("b", more={"S": "x"}))
        self.refused("Item size has exceeded the maximum allowed size", put("a"), put("b", v={"S": "x" * 409600}))
        self.refused("cannot be converted to a numeric value", put("a"), put("b", v={"N": "x"}))
        self.refused("must contain exactly one of the supported datatypes", put("a"), {})
        self.refused("must contain exactly one of the supported datatypes", {**put("a"), **delete("b")})
        self.refused("putRequest.item", {"PutRequest": {}})

    def test_one_missing_table_stops_all(self):
        self.assert_fails(
            "ResourceNotFoundException",
            "Requested resource not found",
            self.db.batch_write_item,
            RequestItems={self.table: [put("a")], "nowhere-7": [put("a")]},
        )
        self.assertEqual(self.items(), {})

    def test_nothing(self):
        self.assert_refused(call("BatchWriteItem", {}), "ValidationException", "'requestItems'")
        self.assert_refused(call("BatchWriteItem", {"RequestItems": {}}), "ValidationException", "'requestItems'")
        self.assert_refused(call("BatchWriteItem", {"RequestItems": []}), "SerializationException")


if __name__ == "__main__":
    unittest.main()
