#!/usr/bin/env python3
"""Global indexes made and deleted while a table is in use, and the numbers that DescribeTable tells."""

import random
import unittest

from api_client import ApiTest, new_name, wait_until


def definitions(**types):
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


def index(name, partition_key, sort_key=None, projection=None):
    keys = [{"AttributeName": partition_key, "KeyType": "HASH"}]
    if sort_key is not None:
        keys.append({"AttributeName": sort_key, "KeyType": "RANGE"})
    return {"IndexName": name, "KeySchema": keys, "Projection": projection or {"ProjectionType": "ALL"}}


class OnlineIndexes(ApiTest):
    def make(self, **more):
        name = new_name()
        self.db.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            **more,
        )
        self.addCleanup(self.db.delete_table, TableName=name)
        self.wait_exists(name)
        return name

    def describe_index(self, table, name):
        found = self.db.describe_table(TableName=table)["Table"].get("GlobalSecondaryIndexes", [])
        return next((each for each in found if each["IndexName"] == name), None)

    def rows(self, table, **more):
        pages = self.db.get_paginator("scan").paginate(TableName=table, **more)
        items = [item for page in pages for item in page["Items"]]
        return sorted(items, key=lambda item: item["pk"]["S"])

    def change(self, table, update, **types):
        more = {"AttributeDefinitions": definitions(**types)} if types else {}
        return self.db.update_table(TableName=table, GlobalSecondaryIndexUpdates=[update], **more)

    def test_an_index_is_made_for_items_that_are_there_and_those_that_come(self):
        table = self.make(AttributeDefinitions=definitions(pk="S"))
        for i in range(120):
            item = {"pk": {"S": f"before-{i:03}"}, "n": {"N": str(i)}}
            if i % 3 != 0:
                item["g"] = {"S": f"g{i % 7}"}
            if i % 10 == 9:
                item["g"] = {"N": "1"}  # not of the index's type: it has no row
            self.db.put_item(TableName=table, Item=item)
        described = self.change(table, {"Create": index("by-g", "g")}, pk="S", g="S")["TableDescription"]
        self.assertEqual(described["GlobalSecondaryIndexes"][0]["IndexStatus"], "CREATING")
        dice = random.Random(1)
        for i in range(200):
            key = {"pk": {"S": f"before-{dice.randrange(120):03}"}}
            if i % 4 == 0:
                self.db.delete_item(TableName=table, Key=key)
            else:
                self.db.put_item(TableName=table, Item={**key, "g": {"S": f"g{dice.randrange(9)}"}})
        wait_until(lambda: self.describe_index(table, "by-g")["IndexStatus"] == "ACTIVE", "never active")
        self.assertNotIn("Backfilling", self.describe_index(table, "by-g"))
        wanted = [item for item in self.rows(table, ConsistentRead=True) if "S" in item.get("g", {})]
        wait_until(lambda: self.rows(table, IndexName="by-g") == wanted, "the index differs")

    def test_one_at_a_time_and_gone_when_deleted(self):
        table = self.make(
            AttributeDefinitions=definitions(pk="S", g="S"), GlobalSecondaryIndexes=[index("by-g", "g")]
        )
        self.db.put_item(TableName=table, Item={"pk": {"S": "a"}, "g": {"S": "b"}})
        described = self.change(table, {"Delete": {"IndexName": "by-g"}})["TableDescription"]
        self.assertEqual(described["GlobalSecondaryIndexes"][0]["IndexStatus"], "DELETING")
        wait_until(lambda: self.describe_index(table, "by-g") is None, "never gone")
        self.assert_fails(
            "ValidationException",
            "The table does not have the specified index: by-g",
            self.db.scan,
            TableName=table,
            IndexName="by-g",
        )
        self.wait_exists(table)
        self.assertEqual(self.rows(table), [{"pk": {"S": "a"}, "g": {"S": "b"}}])
        # The same name again is another index.
        self.change(table, {"Create": index("by-g", "g", projection={"ProjectionType": "KEYS_ONLY"})}, pk="S", g="S")
        wait_until(lambda: self.describe_index(table, "by-g")["IndexStatus"] == "ACTIVE", "never active")
        wait_until(lambda: len(self.rows(table, IndexName="by-g")) == 1, "no row")

    def test_tables_of_indexes_are_nobodys_business(self):
        table = self.make(
            AttributeDefinitions=definitions(pk="S", g="S"), GlobalSecondaryIndexes=[index("by-g", "g")]
        )
        names = [name for page in self.db.get_paginator("list_tables").paginate() for name in page["TableNames"]]
        self.assertIn(table, names)
        self.assertFalse([name for name in names if "/" in name])

    def test_items_are_counted(self):
        table = self.make(
            AttributeDefinitions=definitions(pk="S", g="S"),
            GlobalSecondaryIndexes=[index("by-g", "g", projection={"ProjectionType": "KEYS_ONLY"})],
        )
        for _ in range(2):  # the second time nothing is added
            for i in range(12):
                more = {"g": {"S": "x"}} if i < 5 else {}
                self.db.put_item(TableName=table, Item={"pk": {"S": f"{i:02}"}, "v": {"S": "0123456789"}, **more})

        def is_counted():
            found = self.db.describe_table(TableName=table)["Table"]
            by_g = found["GlobalSecondaryIndexes"][0]
            return (found["ItemCount"], found["TableSizeBytes"], by_g["ItemCount"], by_g["IndexSizeBytes"]) == (
                12,
                12 * (2 + 2 + 1 + 10) + 5 * 2,
                5,
                5 * (2 + 2 + 1 + 1),
            )

        wait_until(is_counted, "wrong numbers")


if __name__ == "__main__":
    unittest.main()
