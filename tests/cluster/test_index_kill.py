#!/usr/bin/env python3
"""Global indexes while nodes are killed: in the end each holds exactly what the table's items say.

Writers move items from one index key to another, take the key away, delete and make items anew; nodes are killed one
after the other; one index is there from the start and queried meanwhile, one is made in the middle of it.
"""

import json
import os
import random
import threading
import unittest
import urllib.request

from cluster_lab import SEED, ClusterTest, say, wait_for

ROUNDS = int(os.environ.get("CLEAVE_INDEX_KILL_ROUNDS", "6"))
WRITERS = 6
KEYS = 200
INDEX_KEYS = 15
CONVERGED_S = 60


def index(name, *keys, **projection):
    kinds = ("HASH", "RANGE")
    return {
        "IndexName": name,
        "KeySchema": [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, kinds)],
        "Projection": projection or {"ProjectionType": "ALL"},
    }


DEFINITIONS = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "g")]


class Writer(threading.Thread):
    """Random writes until it is told to stop; a refusal would be a client's error, and is kept."""

    def __init__(self, db, table, seed):
        super().__init__(daemon=True)
        self.db, self.table, self.dice = db, table, random.Random(seed)
        self.is_stopping = threading.Event()
        self.count = 0
        self.errors = []

    def write(self):
        key = {"pk": {"S": f"item-{self.dice.randrange(KEYS)}"}}
        group = {"S": f"group-{self.dice.randrange(INDEX_KEYS)}"}
        value = {"N": str(self.dice.randrange(10**9))}
        choice = self.dice.random()
        if choice < 0.2:
            self.db.delete_item(TableName=self.table, Key=key)
        elif choice < 0.35:
            self.db.put_item(TableName=self.table, Item={**key, "v": value})
        elif choice < 0.7:
            self.db.put_item(TableName=self.table, Item={**key, "v": value, "g": group})
        else:
            self.db.update_item(
                TableName=self.table,
                Key=key,
                UpdateExpression="SET g = :g, v = :v",
                ExpressionAttributeValues={":g": group, ":v": value},
            )

    def run(self):
        while not self.is_stopping.is_set():
            try:
                self.write()
                self.count += 1
            except Exception as error:  # what it was is told by the test
                self.errors.append(error)


class Reader(threading.Thread):
    """Queries one group of an index after the other: what is answered belongs to it, and each item once."""

    def __init__(self, db, table, name, seed):
        super().__init__(daemon=True)
        self.db, self.table, self.name, self.dice = db, table, name, random.Random(seed)
        self.is_stopping = threading.Event()
        self.count = 0
        self.errors = []

    def read(self):
        group = f"group-{self.dice.randrange(INDEX_KEYS)}"
        pages = self.db.get_paginator("query").paginate(
            TableName=self.table,
            IndexName=self.name,
            KeyConditionExpression="g = :g",
            ExpressionAttributeValues={":g": {"S": group}},
            PaginationConfig={"PageSize": 7},
        )
        items = [item for page in pages for item in page["Items"]]
        if any(item["g"]["S"] != group or "v" not in item for item in items):
            raise AssertionError(f"of {group}: {items}")
        keys = [item["pk"]["S"] for item in items]
        if len(keys) != len(set(keys)):
            raise AssertionError(f"of {group}, twice the same: {keys}")

    def run(self):
        while not self.is_stopping.is_set():
            try:
                self.read()
                self.count += 1
            except Exception as error:  # as above
                self.errors.append(error)


class IndexKillTest(ClusterTest):
    def progress(self, lab, name):
        found = json.loads(lab.tool("indexes", "--json", check=False).stdout)["indexes"]
        return next(each for each in found if each["index"] == name)

    def is_filled(self, lab, name):
        found = self.progress(lab, name)
        self.assertLessEqual(found["partitions_fed"], found["partitions"])
        return found["state"] == "ACTIVE" and found["backfilled_percent"] == 100 and found["partitions_fed"] == found["partitions"]

    def metric(self, lab, name):
        """The sum over all nodes."""
        total = 0
        for node in lab.node_names():
            port = lab.argument(node, "--status").rsplit(":", 1)[1]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                lines = answer.read().decode().splitlines()
            total += sum(float(line.split()[1]) for line in lines if line.split()[0] == name)
        return total

    def rows(self, db, table, **more):
        pages = db.get_paginator("scan").paginate(TableName=table, **more)
        items = [item for page in pages for item in page["Items"]]
        return sorted(items, key=lambda item: item["pk"]["S"])

    def is_active(self, db, table):
        found = db.describe_table(TableName=table)["Table"]
        states = [each["IndexStatus"] for each in found["GlobalSecondaryIndexes"]]
        return found["TableStatus"] == "ACTIVE" and set(states) == {"ACTIVE"}

    def add_index(self, db, table, name):
        db.update_table(
            TableName=table,
            AttributeDefinitions=DEFINITIONS,
            GlobalSecondaryIndexUpdates=[{"Create": index(name, "g", "pk", ProjectionType="KEYS_ONLY")}],
        )

    def test_indexes_hold_what_the_table_holds(self):
        lab = self.start_lab()
        db = lab.client()
        table = "index-kill"
        db.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=DEFINITIONS,
            GlobalSecondaryIndexes=[index("early", "g")],
        )
        wait_for(lambda: self.is_active(db, table), "the table is active")
        writers = [Writer(lab.client(), table, SEED + number) for number in range(WRITERS)]
        reader = Reader(lab.client(), table, "early", SEED)
        for each in [*writers, reader]:
            each.start()
        for number in range(ROUNDS):
            victim = f"node-{number % 3 + 1}"
            before = sum(writer.count for writer in writers)
            lab.kill(victim)
            wait_for(lambda: sum(writer.count for writer in writers) > before + 200, "writers go on")
            if number == ROUNDS // 2:
                self.add_index(db, table, "late")
                self.assertIn(self.progress(lab, "late")["state"], ("CREATING", "BACKFILLING", "ACTIVE"))
            lab.start(victim)
        for each in [*writers, reader]:
            each.is_stopping.set()
        for each in [*writers, reader]:
            each.join()
        say(f"  {sum(writer.count for writer in writers)} writes, {reader.count} queries, seed {SEED}")
        self.assertEqual(reader.errors, [])
        self.assertGreater(reader.count, ROUNDS)
        self.assertEqual([error for writer in writers for error in writer.errors], [])
        wait_for(lambda: self.is_active(db, table), "all indexes are active", CONVERGED_S)
        for name in ("early", "late"):
            wait_for(lambda name=name: self.is_filled(lab, name), f"{name} is filled", CONVERGED_S)
        wanted = [item for item in self.rows(db, table, ConsistentRead=True) if "g" in item]
        self.assertGreater(len(wanted), KEYS // 4)
        wait_for(lambda: self.rows(db, table, IndexName="early") == wanted, "the index holds all", CONVERGED_S)
        keys = [{name: item[name] for name in ("pk", "g")} for item in wanted]
        wait_for(lambda: self.rows(db, table, IndexName="late") == keys, "so does the later one", CONVERGED_S)
        self.add_index(db, table, "last")  # nobody dies now: a node that was killed has forgotten what it counted
        wait_for(lambda: self.is_active(db, table), "the last index is active", CONVERGED_S)
        wait_for(lambda: self.is_filled(lab, "last"), "it is filled", CONVERGED_S)
        wait_for(lambda: self.rows(db, table, IndexName="last") == keys, "and the last one", CONVERGED_S)
        self.assertGreaterEqual(self.metric(lab, "cleave_node_index_items_backfilled_total"), len(keys))
        self.assertEqual(self.metric(lab, "cleave_node_index_backfills"), 0)


if __name__ == "__main__":
    unittest.main()
