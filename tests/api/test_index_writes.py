#!/usr/bin/env python3
"""Writes to tables with secondary indexes: what gets into an index, what may not, what it costs."""

import random
import unittest

from api_client import HASH_S_RANGE_S, ApiTest

LOCALS = {"by-a": ("a", "ALL", None), "by-b": ("b", "INCLUDE", ["x"]), "by-c": ("c", "KEYS_ONLY", None)}
TYPES = {"pk": "S", "sk": "S", "a": "S", "b": "N", "c": "B", "g": "S"}
ROUNDS = 300


def projection(kind, names):
    return {"ProjectionType": kind, **({"NonKeyAttributes": names} if names else {})}


def indexes(is_global):
    """Arguments of CreateTable beside those of the base table."""
    more = {
        "LocalSecondaryIndexes": [
            {
                "IndexName": name,
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": key, "KeyType": "RANGE"},
                ],
                "Projection": projection(kind, names),
            }
            for name, (key, kind, names) in LOCALS.items()
        ],
    }
    used = {"pk", "sk", "a", "b", "c"}
    if is_global:
        used.add("g")
        more["GlobalSecondaryIndexes"] = [
            {
                "IndexName": "all-by-g",
                "KeySchema": [
                    {"AttributeName": "g", "KeyType": "HASH"},
                    {"AttributeName": "a", "KeyType": "RANGE"},
                ],
                "Projection": projection("ALL", None),
            }
        ]
    more["AttributeDefinitions"] = [{"AttributeName": name, "AttributeType": TYPES[name]} for name in sorted(used)]
    return more


class IndexWrites(ApiTest):
    IS_GLOBAL = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = cls.make_table(HASH_S_RANGE_S, **indexes(cls.IS_GLOBAL))

    def put(self, pk, sk, **more):
        attributes = more.pop("attributes", {})
        item = {"pk": {"S": pk}, "sk": {"S": sk}, **attributes}
        return self.db.put_item(TableName=self.table, Item=item, **more)

    def update(self, pk, sk, expression, values=None, **more):
        if values:
            more["ExpressionAttributeValues"] = values
        return self.db.update_item(
            TableName=self.table,
            Key={"pk": {"S": pk}, "sk": {"S": sk}},
            UpdateExpression=expression,
            **more,
        )

    def delete(self, pk, sk, **more):
        return self.db.delete_item(TableName=self.table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, **more)

    def entries(self, index, pk):
        pages = self.db.get_paginator("query").paginate(
            TableName=self.table,
            IndexName=index,
            ConsistentRead=True,
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {"S": pk}},
        )
        return [item for page in pages for item in page["Items"]]


class Entries(IndexWrites):
    IS_GLOBAL = False

    def test_an_index_holds_what_has_its_key_and_what_it_projects(self):
        attributes = {"a": {"S": "a"}, "b": {"N": "1"}, "x": {"S": "x"}, "y": {"S": "y"}}
        self.put("entry", "1", attributes=attributes)
        keys = {"pk": {"S": "entry"}, "sk": {"S": "1"}}
        self.assertEqual(self.entries("by-a", "entry"), [{**keys, **attributes}])
        self.assertEqual(self.entries("by-b", "entry"), [{**keys, "b": {"N": "1"}, "x": {"S": "x"}}])
        self.assertEqual(self.entries("by-c", "entry"), [])
        self.update("entry", "1", "SET c = :c REMOVE b, x", {":c": {"B": b"c"}})
        self.assertEqual(self.entries("by-b", "entry"), [])
        self.assertEqual(self.entries("by-c", "entry"), [{**keys, "c": {"B": b"c"}}])
        self.delete("entry", "1")
        for index in LOCALS:
            self.assertEqual(self.entries(index, "entry"), [])

    def test_entries_stand_in_the_order_of_their_key_then_of_the_sort_key(self):
        for sk, value in (("1", "10"), ("2", "9"), ("3", "-1"), ("4", "9"), ("5", "0.5")):
            self.put("order", sk, attributes={"b": {"N": value}})
        self.assertEqual([item["sk"]["S"] for item in self.entries("by-b", "order")], ["3", "5", "2", "4", "1"])
        self.update("order", "1", "SET b = :b", {":b": {"N": "-2"}})
        self.assertEqual([item["sk"]["S"] for item in self.entries("by-b", "order")], ["1", "3", "5", "2", "4"])

    def test_any_writes_leave_exactly_the_entries_of_the_items(self):
        rng = random.Random(5)
        items = {}
        for _ in range(ROUNDS):
            sk = str(rng.randrange(8))
            choice = rng.randrange(4)
            if choice == 0:
                self.delete("any", sk)
                items.pop(sk, None)
                continue
            attributes = {
                name: value
                for name, value in (
                    ("a", {"S": rng.choice("aab")}),
                    ("b", {"N": str(rng.randrange(3))}),
                    ("c", {"B": bytes([rng.randrange(2)])}),
                    ("x", {"S": rng.choice("xy")}),
                    ("y", {"S": "y" * rng.randrange(2000)}),
                )
                if rng.randrange(3)
            }
            if choice == 1 and attributes:
                expression = "SET " + ", ".join(f"{name} = :{name}" for name in attributes)
                self.update("any", sk, expression, {f":{name}": value for name, value in attributes.items()})
                items.setdefault(sk, {"pk": {"S": "any"}, "sk": {"S": sk}}).update(attributes)
            else:
                self.put("any", sk, attributes=attributes)
                items[sk] = {"pk": {"S": "any"}, "sk": {"S": sk}, **attributes}
        for index, (key, kind, names) in LOCALS.items():
            wanted = {"pk", "sk", key, *(names or [])}
            expected = [
                item if kind == "ALL" else {name: value for name, value in item.items() if name in wanted}
                for item in items.values()
                if key in item
            ]
            found = self.entries(index, "any")
            self.assertCountEqual(found, expected)
            order = [(float(item[key]["N"]) if key == "b" else list(item[key].values())[0], item["sk"]["S"])
                     for item in found]
            self.assertEqual(order, sorted(order))


class Refused(IndexWrites):
    EMPTY = (
        "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
        "The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s"
    )
    UPDATE_EMPTY = (
        "One or more parameter values are not valid. The update expression attempted to update a secondary index "
        "key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty %s value."
    )
    TYPE = "One or more parameter values were invalid: Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s"
    SIZE = (
        "One or more parameter values were invalid: Size limit exceeded for Index Key %s Actual Size: %d bytes "
        "Max Size: %d bytes IndexName: %s"
    )

    def assert_invalid(self, message, function, *arguments, **more):
        with self.assertRaises(self.db.exceptions.ClientError) as caught:
            function(*arguments, **more)
        error = caught.exception.response["Error"]
        self.assertEqual(error["Code"], "ValidationException")
        self.assertEqual(error["Message"], message)

    def assert_nothing(self, pk):
        self.assertNotIn("Item", self.db.get_item(TableName=self.table, Key={"pk": {"S": pk}, "sk": {"S": "1"}}))

    def test_a_put_of_another_type(self):
        self.assert_invalid(
            self.TYPE % ("b", "N", "S", "by-b"), self.put, "type", "1", attributes={"b": {"S": "1"}}
        )
        # The key of two indexes: the first by name is told.
        self.assert_invalid(
            self.TYPE % ("a", "S", "L", "all-by-g"), self.put, "type", "1", attributes={"a": {"L": [{"S": "x"}]}}
        )
        # A type before an empty value.
        self.assert_invalid(
            self.TYPE % ("b", "N", "BOOL", "by-b"),
            self.put,
            "type",
            "1",
            attributes={"b": {"BOOL": True}, "a": {"S": ""}},
        )
        self.assert_nothing("type")

    def test_a_put_of_an_empty_value(self):
        self.assert_invalid(
            self.EMPTY % ("string", "all-by-g", "a"), self.put, "empty", "1", attributes={"a": {"S": ""}}
        )
        self.assert_invalid(
            self.EMPTY % ("binary", "by-c", "c"), self.put, "empty", "1", attributes={"c": {"B": b""}}
        )
        self.assert_nothing("empty")

    def test_a_put_of_a_value_that_is_too_long(self):
        self.assert_invalid(
            self.SIZE % ("c", 1025, 1024, "by-c"), self.put, "long", "1", attributes={"c": {"B": b"x" * 1025}}
        )
        self.assert_invalid(
            self.SIZE % ("g", 2049, 2048, "all-by-g"), self.put, "long", "1", attributes={"g": {"S": "x" * 2049}}
        )
        self.assert_nothing("long")
        self.put("long", "1", attributes={"c": {"B": b"x" * 1024}, "g": {"S": "x" * 2048}})

    def test_an_update_whose_expression_says_it(self):
        self.assert_invalid(
            self.TYPE % ("a", "S", "N", "all-by-g"), self.update, "static", "1", "SET a = :v", {":v": {"N": "1"}}
        )
        self.assert_invalid(
            self.TYPE % ("b", "N", "NS", "by-b"), self.update, "static", "1", "ADD b :v", {":v": {"NS": ["1"]}}
        )
        self.assert_invalid(
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: a",
            self.update,
            "static",
            "1",
            "SET a.b = :v",
            {":v": {"N": "1"}},
        )
        self.assert_nothing("static")

    def test_an_update_that_only_the_item_can_judge(self):
        self.put("dynamic", "1", attributes={"a": {"S": "a"}, "m": {"M": {"n": {"N": "5"}}}, "e": {"S": ""}})
        self.assert_invalid(self.TYPE % ("a", "S", "M", "all-by-g"), self.update, "dynamic", "1", "SET a = m")
        self.assert_invalid(self.TYPE % ("a", "S", "N", "all-by-g"), self.update, "dynamic", "1", "SET a = m.n")
        self.assert_invalid(self.UPDATE_EMPTY % "string", self.update, "dynamic", "1", "SET a = e")
        self.assert_invalid(
            self.UPDATE_EMPTY % "binary", self.update, "dynamic", "1", "SET c = :v", {":v": {"B": b""}}
        )
        self.assert_invalid(
            self.SIZE % ("c", 2000, 1024, "by-c"), self.update, "dynamic", "1", "SET c = :v", {":v": {"B": b"x" * 2000}}
        )
        found = self.entries("by-a", "dynamic")
        self.assertEqual([item["a"] for item in found], [{"S": "a"}])
        self.assertEqual(self.entries("by-c", "dynamic"), [])

    def test_a_batch_is_refused_as_a_whole(self):
        requests = [
            {"PutRequest": {"Item": {"pk": {"S": "batch"}, "sk": {"S": "1"}}}},
            {"PutRequest": {"Item": {"pk": {"S": "batch"}, "sk": {"S": "2"}, "b": {"S": "no number"}}}},
        ]
        self.assert_invalid(
            self.TYPE % ("b", "N", "S", "by-b"), self.db.batch_write_item, RequestItems={self.table: requests}
        )
        self.assert_nothing("batch")


class Cost(IndexWrites):
    def units(self, answer):
        """(total, table, {local index: units}, {global index: units})"""
        used = answer["ConsumedCapacity"]
        if isinstance(used, list):
            self.assertEqual(len(used), 1)
            used = used[0]
        self.assertEqual(used["TableName"], self.table)
        each = [
            {name: index["CapacityUnits"] for name, index in used.get(member, {}).items()}
            for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes")
        ]
        table = used["Table"]["CapacityUnits"]
        self.assertEqual(used["CapacityUnits"], table + sum(each[0].values()) + sum(each[1].values()))
        return used["CapacityUnits"], table, *each

    def test_puts_that_insert_change_move_and_leave_alone(self):
        ask = {"ReturnConsumedCapacity": "INDEXES"}
        attributes = {"a": {"S": "a"}, "b": {"N": "1"}, "g": {"S": "g"}, "x": {"S": "x"}}
        answer = self.put("cost", "1", attributes=attributes, **ask)
        self.assertEqual(self.units(answer), (4, 1, {"by-a": 1, "by-b": 1}, {"all-by-g": 1}))
        answer = self.put("cost", "1", attributes=attributes, **ask)  # nothing changes
        self.assertEqual(self.units(answer), (1, 1, {}, {}))
        attributes["y"] = {"S": "y" * 3000}  # not in by-b
        answer = self.put("cost", "1", attributes=attributes, **ask)
        self.assertEqual(self.units(answer), (9, 3, {"by-a": 3}, {"all-by-g": 3}))
        attributes["a"] = {"S": "b"}  # moves: the old entry and the new
        answer = self.put("cost", "1", attributes=attributes, **ask)
        self.assertEqual(self.units(answer), (15, 3, {"by-a": 6}, {"all-by-g": 6}))
        answer = self.put("cost", "1", **ask)  # leaves all
        self.assertEqual(self.units(answer), (10, 3, {"by-a": 3, "by-b": 1}, {"all-by-g": 3}))

    def test_updates_and_deletes(self):
        ask = {"ReturnConsumedCapacity": "INDEXES"}
        self.put("change", "1", attributes={"b": {"N": "1"}, "x": {"S": "x"}})
        answer = self.update("change", "1", "SET x = :x", {":x": {"S": "y"}}, **ask)
        self.assertEqual(self.units(answer), (2, 1, {"by-b": 1}, {}))
        answer = self.update("change", "1", "ADD b :one", {":one": {"N": "1"}}, **ask)
        self.assertEqual(self.units(answer), (3, 1, {"by-b": 2}, {}))
        answer = self.update("change", "1", "SET z = :z", {":z": {"S": "z"}}, **ask)
        self.assertEqual(self.units(answer), (1, 1, {}, {}))
        answer = self.delete("change", "1", **ask)
        self.assertEqual(self.units(answer), (2, 1, {"by-b": 1}, {}))
        answer = self.delete("change", "1", **ask)
        self.assertEqual(self.units(answer), (1, 1, {}, {}))

    def test_the_total_alone(self):
        answer = self.put("total", "1", attributes={"a": {"S": "a"}}, ReturnConsumedCapacity="TOTAL")
        self.assertEqual(answer["ConsumedCapacity"], {"TableName": self.table, "CapacityUnits": 2.0})

    def test_a_batch_adds_up(self):
        requests = [
            {"PutRequest": {"Item": {"pk": {"S": "batch"}, "sk": {"S": sk}, "a": {"S": "a"}, "g": {"S": sk}}}}
            for sk in "123"
        ]
        answer = self.db.batch_write_item(RequestItems={self.table: requests}, ReturnConsumedCapacity="INDEXES")
        self.assertEqual(self.units(answer), (9, 3, {"by-a": 3}, {"all-by-g": 3}))


class Metrics(IndexWrites):
    def check(self, metrics, pk):
        self.assertEqual(metrics, {"ItemCollectionKey": {"pk": {"S": pk}}, "SizeEstimateRangeGB": [0.0, 1.0]})

    def test_each_write_tells_of_its_collection(self):
        ask = {"ReturnItemCollectionMetrics": "SIZE"}
        self.check(self.put("metric", "1", **ask)["ItemCollectionMetrics"], "metric")
        self.check(self.update("metric", "1", "REMOVE x", **ask)["ItemCollectionMetrics"], "metric")
        self.check(self.delete("metric", "1", **ask)["ItemCollectionMetrics"], "metric")
        self.check(self.delete("metric", "1", **ask)["ItemCollectionMetrics"], "metric")
        self.assertNotIn("ItemCollectionMetrics", self.put("metric", "1", ReturnItemCollectionMetrics="NONE"))
        self.assertNotIn("ItemCollectionMetrics", self.put("metric", "1"))

    def test_a_batch_tells_of_each_collection_once(self):
        requests = [
            {"PutRequest": {"Item": {"pk": {"S": pk}, "sk": {"S": sk}}}} for pk, sk in ("p1", "p2", "q1")
        ]
        answer = self.db.batch_write_item(RequestItems={self.table: requests}, ReturnItemCollectionMetrics="SIZE")
        metrics = answer["ItemCollectionMetrics"]
        self.assertEqual(list(metrics), [self.table])
        self.assertEqual(len(metrics[self.table]), 2)
        for one, pk in zip(metrics[self.table], "pq"):
            self.check(one, pk)

    def test_a_table_without_local_indexes_has_none(self):
        table = self.make_table()
        answer = self.db.put_item(TableName=table, Item={"pk": {"S": "x"}}, ReturnItemCollectionMetrics="SIZE")
        self.assertNotIn("ItemCollectionMetrics", answer)


if __name__ == "__main__":
    unittest.main()
