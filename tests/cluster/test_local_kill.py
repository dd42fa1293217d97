#!/usr/bin/env python3
"""Local indexes while nodes are killed: an entry is there with its item, at every moment and on every replica.

Writers move items within their collections' indexes, take the keys away, delete and make items anew, and read what they
wrote through an index, strongly. Nodes are killed one after the other; in the end the indexes are what the items say.
"""

import os
import random
import threading
import unittest

from cluster_lab import SEED, ClusterTest, say, table_status, wait_for

ROUNDS = int(os.environ.get("CLEAVE_LOCAL_KILL_ROUNDS", "6"))
WRITERS = 6
COLLECTIONS = 8
SORT_KEYS = 20
SETTLED_S = 60
INDEXES = {"by-a": ("a", "ALL"), "by-b": ("b", "KEYS_ONLY")}


class Writer(threading.Thread):
    """The only one who writes to its own sort keys, so it knows what it must find."""

    def __init__(self, db, table, number):
        super().__init__(daemon=True)
        self.db, self.table, self.number = db, table, number
        self.dice = random.Random(SEED + number)
        self.is_stopping = threading.Event()
        self.count = 0
        self.errors = []

    def new_attributes(self):
        attributes = {"v": {"S": "v" * self.dice.randrange(1000)}}
        for name in "ab":
            if self.dice.random() < 0.7:
                attributes[name] = {"S": f"{name}-{self.dice.randrange(10)}"}
        return attributes

    def write(self):
        """The item as it must be then; None: deleted."""
        key = {
            "pk": {"S": f"collection-{self.dice.randrange(COLLECTIONS)}"},
            "sk": {"S": f"{self.number}-{self.dice.randrange(SORT_KEYS)}"},
        }
        if self.dice.random() < 0.2:
            self.db.delete_item(TableName=self.table, Key=key)
            return key, None
        item = {**key, **self.new_attributes()}
        if self.dice.random() < 0.5:
            self.db.put_item(TableName=self.table, Item=item)
            return key, item
        answer = self.db.update_item(
            TableName=self.table,
            Key=key,
            UpdateExpression="SET a = :a, v = :v REMOVE b",
            ExpressionAttributeValues={":a": {"S": f"a-{self.dice.randrange(10)}"}, ":v": item["v"]},
            ReturnValues="ALL_NEW",
        )
        return key, answer["Attributes"]

    def check(self, key, item):
        """The strong read of the index that projects all tells of this write."""
        pages = self.db.get_paginator("query").paginate(
            TableName=self.table,
            IndexName="by-a",
            ConsistentRead=True,
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": key["pk"]},
        )
        found = [entry for page in pages for entry in page["Items"] if entry["sk"] == key["sk"]]
        wanted = [item] if item is not None and "a" in item else []
        if found != wanted:
            raise AssertionError(f"{key}: {found} instead of {wanted}")

    def run(self):
        while not self.is_stopping.is_set():
            try:
                key, item = self.write()
                if self.count % 4 == 0:
                    self.check(key, item)
                self.count += 1
            except Exception as error:  # what it was is told by the test
                self.errors.append(error)


class LocalKillTest(ClusterTest):
    def rows(self, db, table, **more):
        pages = db.get_paginator("scan").paginate(TableName=table, **more)
        items = [item for page in pages for item in page["Items"]]
        return sorted(items, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))

    def make_table_with_indexes(self, db, table):
        db.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "a", "b")],
            LocalSecondaryIndexes=[
                {
                    "IndexName": name,
                    "KeySchema": [
                        {"AttributeName": "pk", "KeyType": "HASH"},
                        {"AttributeName": key, "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": kind},
                }
                for name, (key, kind) in INDEXES.items()
            ],
        )
        wait_for(lambda: table_status(db, table) == "ACTIVE", "the table is active")

    def assert_exact(self, db, table):
        items = self.rows(db, table, ConsistentRead=True)
        self.assertGreater(len(items), COLLECTIONS * SORT_KEYS // 2)
        for name, (key, kind) in INDEXES.items():
            wanted = [
                item if kind == "ALL" else {part: item[part] for part in ("pk", "sk", key)}
                for item in items
                if key in item
            ]
            self.assertEqual(self.rows(db, table, IndexName=name, ConsistentRead=True), wanted)
            # And so does every replica in the end; each read asks another's.
            for _ in range(6):
                wait_for(lambda: self.rows(db, table, IndexName=name) == wanted, f"{name} everywhere", SETTLED_S)

    def test_entries_are_there_with_their_items(self):
        lab = self.start_lab()
        db = lab.client()
        table = "local-kill"
        self.make_table_with_indexes(db, table)
        writers = [Writer(lab.client(), table, number) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        for number in range(ROUNDS):
            victim = f"node-{number % 3 + 1}"
            before = sum(writer.count for writer in writers)
            lab.kill(victim)
            wait_for(lambda: sum(writer.count for writer in writers) > before + 200, "writers go on")
            lab.start(victim)
        for writer in writers:
            writer.is_stopping.set()
        for writer in writers:
            writer.join()
        say(f"  {sum(writer.count for writer in writers)} writes, seed {SEED}")
        self.assertEqual([error for writer in writers for error in writer.errors], [])
        self.assert_exact(db, table)


if __name__ == "__main__":
    unittest.main()
