#!/usr/bin/env python3
"""Reads of secondary indexes: what is in them, in what order, by any pages, what it costs, what is refused.

A cluster feeds global indexes a moment after the write; a test that writes first waits until the index holds what it
will hold, never for a time.
"""

import random
import time
import unittest

from api_client import ApiTest, call, wait_until

DEADLINE_S = 30


def s(value):
    return {"S": value}


def n(value):
    return {"N": str(value)}


def index(name, keys, projection="ALL", attributes=None):
    arguments = {
        "IndexName": name,
        "KeySchema": [{"AttributeName": key, "KeyType": role} for key, role in zip(keys, ("HASH", "RANGE"))],
        "Projection": {"ProjectionType": projection},
    }
    if attributes:
        arguments["Projection"]["NonKeyAttributes"] = attributes
    return arguments


def wait_for_index(db, table, name, count):
    """Until it holds so many rows.  cleave local answers a write when its indexes hold it."""

    def found():
        pages = db.get_paginator("scan").paginate(TableName=table, IndexName=name, Select="COUNT")
        return sum(page["Count"] for page in pages)

    wait_until(lambda: found() == count, lambda: f"{name} holds {found()} rows and not {count}")


class IndexTest(ApiTest):
    """Table "pk" S, "sk" N with local and global indexes of every projection; "big" is never projected but by ALL."""

    count = 90

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = cls.make_indexed_table()
        cls.fill()
        cls.wait_for_indexes()

    @classmethod
    def make_indexed_table(cls):
        types = {"pk": "S", "sk": "N", "l": "N", "t": "S", "g": "S", "h": "N"}
        return cls.make_table(
            [("pk", "HASH", "S"), ("sk", "RANGE", "N")],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in types.items()],
            LocalSecondaryIndexes=[
                index("local-all", ("pk", "l")),
                index("local-keys", ("pk", "l"), "KEYS_ONLY"),
                index("local-some", ("pk", "t"), "INCLUDE", ["u"]),
            ],
            GlobalSecondaryIndexes=[
                index("global-all", ("g", "h")),
                index("global-keys", ("g", "h"), "KEYS_ONLY"),
                index("global-some", ("g", "sk"), "INCLUDE", ["u"]),
                index("global-hash", ("g",)),
                index("global-turned", ("sk", "pk")),
            ],
        )

    @staticmethod
    def item(number):
        """Index keys repeat, and every seventh item lacks those of the global indexes."""
        item = {
            "pk": s("abc"[number % 3]),
            "sk": n(number),
            "l": n(number // 7 - 5),
            "t": s("t" * (number % 5) + "x"),
            "u": s(f"u{number}"),
            "big": s("x" * 100),
        }
        if number % 7:
            item["g"] = s("pq"[number % 2])
            item["h"] = n(number % 4)
        return item

    @classmethod
    def fill(cls):
        numbers = list(range(cls.count))
        random.Random(5).shuffle(numbers)
        for number in numbers:
            cls.db.put_item(TableName=cls.table, Item=cls.item(number))

    @classmethod
    def items_of(cls, name):
        """What an index of all attributes holds: the items that have its key."""
        key = ORDER[name][0]
        return [item for item in map(cls.item, range(cls.count)) if key in item]

    @classmethod
    def wait_for_indexes(cls):
        for name in ("global-all", "global-keys", "global-some", "global-hash", "global-turned"):
            wait_for_index(cls.db, cls.table, name, len(cls.items_of(name)))

    def pages(self, operation, **arguments):
        arguments = {"TableName": self.table, **arguments}
        while True:
            page = getattr(self.db, operation)(**arguments)
            yield page
            if "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def items(self, operation, **arguments):
        return [item for page in self.pages(operation, **arguments) for item in page["Items"]]

    def query(self, name, key, value, **arguments):
        """All items of one index partition key."""
        return self.items(
            "query",
            IndexName=name,
            KeyConditions={key: {"ComparisonOperator": "EQ", "AttributeValueList": [value]}},
            **arguments,
        )

    def refused(self, message, operation="scan", **arguments):
        with self.assertRaises(self.db.exceptions.ClientError) as caught:
            getattr(self.db, operation)(TableName=self.table, **arguments)
        error = caught.exception.response["Error"]
        self.assertEqual((error["Code"], error["Message"]), ("ValidationException", message))


ORDER = {
    "local-all": ("pk", "l"),
    "local-keys": ("pk", "l"),
    "local-some": ("pk", "t"),
    "global-all": ("g", "h"),
    "global-keys": ("g", "h"),
    "global-some": ("g", "sk"),
    "global-hash": ("g", None),
    "global-turned": ("sk", "pk"),
}
PROJECTED = {
    "local-keys": {"pk", "sk", "l"},
    "local-some": {"pk", "sk", "t", "u"},
    "global-keys": {"pk", "sk", "g", "h"},
    "global-some": {"pk", "sk", "g", "u"},
}


def project(name, item):
    return {key: value for key, value in item.items() if key in PROJECTED.get(name, item)}


def order_of(name, item):
    """Within one index partition: the index's sort key, then the table's keys."""
    sort = ORDER[name][1]
    value = 0 if sort is None else float(item[sort]["N"]) if "N" in item[sort] else item[sort]["S"]
    return (value, item["pk"]["S"], int(item["sk"]["N"]))


class Content(IndexTest):
    def test_scans_hold_what_has_the_key_and_what_is_projected(self):
        for name in ORDER:
            found = sorted(self.items("scan", IndexName=name), key=lambda item: int(item["sk"]["N"]))
            self.assertEqual(found, [project(name, item) for item in self.items_of(name)], name)

    def test_queries_hold_one_partition_key_in_order(self):
        for name, (key, _) in ORDER.items():
            for value in {str(item[key]): item[key] for item in self.items_of(name)}.values():
                expected = sorted(
                    (item for item in self.items_of(name) if item[key] == value),
                    key=lambda item: order_of(name, item),
                )
                expected = [project(name, item) for item in expected]
                self.assertEqual(self.query(name, key, value), expected, name)
                self.assertEqual(self.query(name, key, value, ScanIndexForward=False), expected[::-1], name)

    def test_conditions_on_the_sort_key(self):
        cases = [
            ("=", lambda value: value == 2),
            ("<", lambda value: value < 2),
            ("<=", lambda value: value <= 2),
            (">", lambda value: value > 2),
            (">=", lambda value: value >= 2),
            ("BETWEEN", lambda value: 2 <= value <= 3),
        ]
        for name, key, value in (("local-all", "pk", "b"), ("global-all", "g", "q")):
            sort = ORDER[name][1]
            for operator, holds in cases:
                values = {":p": s(value), ":x": n(2)}
                if operator == "BETWEEN":
                    values[":y"] = n(3)
                found = self.items(
                    "query",
                    IndexName=name,
                    KeyConditionExpression=f"{key} = :p AND {sort} {operator} :x" + " AND :y" * (len(values) - 2),
                    ExpressionAttributeValues=values,
                )
                expected = [
                    item
                    for item in self.items_of(name)
                    if item[key] == s(value) and holds(int(item[sort]["N"]))
                ]
                self.assertEqual(found, sorted(expected, key=lambda item: order_of(name, item)), (name, operator))

    def test_the_beginning_of_a_sort_key(self):
        found = self.items(
            "query",
            IndexName="local-some",
            KeyConditionExpression="pk = :p AND begins_with(t, :t)",
            ExpressionAttributeValues={":p": s("a"), ":t": s("ttt")},
        )
        self.assertEqual({item["t"]["S"] for item in found}, {"tttx", "ttttx"})
        self.assertEqual(len(found), sum(number % 5 > 2 for number in range(0, self.count, 3)))

    def test_whole_items_beside_local_indexes(self):
        whole = self.query("local-all", "pk", s("a"))
        self.assertEqual(self.query("local-keys", "pk", s("a"), Select="ALL_ATTRIBUTES"), whole)
        self.assertEqual(
            self.query("local-keys", "pk", s("a"), AttributesToGet=["big", "sk"]),
            [{"big": item["big"], "sk": item["sk"]} for item in whole],
        )
        self.assertEqual(
            sorted(item["u"]["S"] for item in self.items("scan", IndexName="local-keys", Select="ALL_ATTRIBUTES")),
            sorted(f"u{number}" for number in range(self.count)),
        )

    def test_a_filter_sees_what_a_local_index_does_not_project(self):
        found = self.items(
            "query",
            IndexName="local-keys",
            KeyConditionExpression="pk = :p",
            FilterExpression="u IN (:a, :b)",
            ExpressionAttributeValues={":p": s("a"), ":a": s("u6"), ":b": s("u33")},
        )
        self.assertEqual(found, [project("local-keys", self.item(number)) for number in (6, 33)])

    def test_filters_of_global_indexes(self):
        page = self.db.query(
            TableName=self.table,
            IndexName="global-some",
            KeyConditionExpression="g = :g AND sk < :s",
            FilterExpression="u = :u",
            ExpressionAttributeValues={":g": s("q"), ":s": n(12), ":u": s("u5")},
        )
        self.assertEqual((page["Count"], page["ScannedCount"]), (1, 5))
        page = self.db.scan(
            TableName=self.table, IndexName="global-keys", FilterExpression="attribute_exists(u)", Select="COUNT"
        )
        self.assertEqual((page["Count"], page["ScannedCount"]), (0, len(self.items_of("global-keys"))))

    def test_strong_reads_of_local_indexes(self):
        table = self.make_indexed_table()
        for number in range(20):
            self.db.put_item(TableName=table, Item=self.item(3 * number))
            found = self.db.query(
                TableName=table,
                IndexName="local-all",
                KeyConditionExpression="pk = :p",
                ExpressionAttributeValues={":p": s("a")},
                ConsistentRead=True,
            )
            self.assertEqual(found["Count"], number + 1)


class Pages(IndexTest):
    def test_pages_of_any_size_are_the_whole(self):
        for name, (key, _) in ORDER.items():
            value = self.items_of(name)[1][key]
            for forward in (True, False):
                whole = self.query(name, key, value, ScanIndexForward=forward)
                for limit in (1, 2, 3, 7, len(whole), len(whole) + 1):
                    paged = self.query(name, key, value, ScanIndexForward=forward, Limit=limit)
                    self.assertEqual(paged, whole, (name, forward, limit))
            whole = self.items("scan", IndexName=name)
            for limit in (1, 4, 50, len(whole)):
                self.assertEqual(self.items("scan", IndexName=name, Limit=limit), whole, (name, limit))

    def test_a_page_ends_with_the_keys_of_index_and_table(self):
        for name, keys in ORDER.items():
            page = self.db.scan(TableName=self.table, IndexName=name, Limit=5)
            last = page["Items"][-1]
            self.assertEqual(page["LastEvaluatedKey"], {key: last[key] for key in {"pk", "sk", *keys} - {None}})

    def test_pages_begin_behind_rows_that_are_not_there(self):
        start = {"pk": s("a"), "sk": n("1.5"), "l": n("-4.5")}
        found = self.items(
            "query",
            IndexName="local-all",
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": s("a")},
            ExclusiveStartKey=start,
        )
        self.assertEqual(found, [item for item in self.query("local-all", "pk", s("a")) if int(item["l"]["N"]) > -5])

    def test_segments_together_are_the_whole(self):
        for name in ORDER:
            whole = self.items("scan", IndexName=name)
            for total in (2, 3, 16):
                parts = [
                    self.items("scan", IndexName=name, Segment=segment, TotalSegments=total, Limit=7)
                    for segment in range(total)
                ]
                self.assertEqual([item for part in parts for item in part], whole, (name, total))

    def test_paginators(self):
        arguments = {
            "TableName": self.table,
            "IndexName": "global-all",
            "KeyConditionExpression": "g = :g",
            "ExpressionAttributeValues": {":g": s("p")},
        }
        pages = self.db.get_paginator("query").paginate(**arguments, PaginationConfig={"PageSize": 4})
        self.assertEqual([item for page in pages for item in page["Items"]], self.query("global-all", "g", s("p")))
        pages = self.db.get_paginator("scan").paginate(
            TableName=self.table, IndexName="local-keys", PaginationConfig={"PageSize": 9}
        )
        self.assertEqual(len([item for page in pages for item in page["Items"]]), self.count)

    def test_random_reads(self):
        generator = random.Random(11)
        for _ in range(25):
            name = generator.choice(list(ORDER))
            key = ORDER[name][0]
            value = generator.choice(self.items_of(name))[key]
            arguments = {"ScanIndexForward": generator.random() < 0.5}
            whole = self.query(name, key, value, **arguments)
            limit = generator.randrange(1, 2 + len(whole))
            self.assertEqual(self.query(name, key, value, Limit=limit, **arguments), whole, (name, value, limit))


class Capacity(ApiTest):
    """Sizes that are known to the byte."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = cls.make_table(
            [("pk", "HASH", "S"), ("sk", "RANGE", "S")],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk", "l", "g")],
            LocalSecondaryIndexes=[
                index("local-all", ("pk", "l")),
                index("local-keys", ("pk", "l"), "KEYS_ONLY"),
            ],
            GlobalSecondaryIndexes=[index("global-all", ("g",)), index("global-keys", ("g",), "KEYS_ONLY")],
        )
        for number in range(4):  # 5000 bytes each, 200 of them projected as keys
            item = {"pk": s("p"), "sk": s(f"{number}"), "l": s("l" * 194), "g": s("g" * 194), "b": s("")}
            size = sum(len(key) + len(value["S"]) for key, value in item.items())
            item["b"] = s("b" * (5000 - size))
            cls.db.put_item(TableName=cls.table, Item=item)
        for name in ("global-all", "global-keys"):
            wait_for_index(cls.db, cls.table, name, 4)

    def capacity(self, operation, name, level="INDEXES", **arguments):
        if operation == "query":
            key, value = ("g", "g" * 194) if name.startswith("global") else ("pk", "p")
            arguments["KeyConditionExpression"] = f"{key} = :v"
            arguments["ExpressionAttributeValues"] = {":v": s(value)}
        page = getattr(self.db, operation)(
            TableName=self.table, IndexName=name, ReturnConsumedCapacity=level, **arguments
        )
        capacity = page["ConsumedCapacity"]
        self.assertEqual(capacity.pop("TableName"), self.table)
        return capacity

    def test_entries_are_summed_and_rounded_once(self):
        for operation in ("query", "scan"):
            for name, kind, units in (
                ("local-all", "LocalSecondaryIndexes", 5),  # 20000 bytes
                ("local-keys", "LocalSecondaryIndexes", 1),
                ("global-all", "GlobalSecondaryIndexes", 5),
                ("global-keys", "GlobalSecondaryIndexes", 1),
            ):
                eventual = {"CapacityUnits": units / 2}
                self.assertEqual(self.capacity(operation, name, "TOTAL"), eventual)
                expected = {**eventual, "Table": {"CapacityUnits": 0.0}, kind: {name: eventual}}
                self.assertEqual(self.capacity(operation, name), expected)
                if name.startswith("local"):
                    strong = {"CapacityUnits": float(units)}
                    expected = {**strong, "Table": {"CapacityUnits": 0.0}, kind: {name: strong}}
                    self.assertEqual(self.capacity(operation, name, ConsistentRead=True), expected)

    def test_each_fetched_item_is_rounded_by_itself(self):
        for operation in ("query", "scan"):
            for strong, factor in ((False, 0.5), (True, 1)):
                found = self.capacity(operation, "local-keys", Select="ALL_ATTRIBUTES", ConsistentRead=strong)
                expected = {
                    "CapacityUnits": (1 + 4 * 2) * factor,
                    "Table": {"CapacityUnits": 4 * 2 * factor},
                    "LocalSecondaryIndexes": {"local-keys": {"CapacityUnits": factor}},
                }
                self.assertEqual(found, expected)

    def test_filters_counts_and_projections_cost_the_same(self):
        for arguments in (
            {"FilterExpression": "b = :no"},
            {"Select": "COUNT"},
            {"ProjectionExpression": "sk"},
        ):
            if "FilterExpression" in arguments:
                arguments["ExpressionAttributeValues"] = {":no": s("no")}
            self.assertEqual(self.capacity("scan", "local-all", "TOTAL", **arguments), {"CapacityUnits": 2.5})
            self.assertEqual(self.capacity("scan", "global-all", "TOTAL", **arguments), {"CapacityUnits": 2.5})

    def test_nothing_costs_the_least(self):
        page = self.db.query(
            TableName=self.table,
            IndexName="global-keys",
            KeyConditionExpression="g = :v",
            ExpressionAttributeValues={":v": s("nobody")},
            ReturnConsumedCapacity="INDEXES",
        )
        self.assertEqual(
            page["ConsumedCapacity"],
            {
                "TableName": self.table,
                "CapacityUnits": 0.5,
                "Table": {"CapacityUnits": 0.0},
                "GlobalSecondaryIndexes": {"global-keys": {"CapacityUnits": 0.5}},
            },
        )


class Size(ApiTest):
    """A page ends at a megabyte: of entries, and of what is fetched beside them in units of 4 KB."""

    def test_a_megabyte_ends_a_page(self):
        table = self.make_table(
            [("pk", "HASH", "S"), ("sk", "RANGE", "N")],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "N"},
                {"AttributeName": "l", "AttributeType": "N"},
            ],
            LocalSecondaryIndexes=[index("local-all", ("pk", "l")), index("local-keys", ("pk", "l"), "KEYS_ONLY")],
        )
        for number in range(12):
            item = {"pk": s("p"), "sk": n(number), "l": n(-number), "b": s("b" * 100 * 1024)}
            self.db.put_item(TableName=table, Item=item)
        for name, select, count in (
            ("local-all", "ALL_PROJECTED_ATTRIBUTES", 11),
            ("local-keys", "ALL_PROJECTED_ATTRIBUTES", 12),
            ("local-keys", "ALL_ATTRIBUTES", 10),  # 26 units each
        ):
            for forward in (True, False):
                arguments = {
                    "TableName": table,
                    "IndexName": name,
                    "Select": select,
                    "ScanIndexForward": forward,
                    "KeyConditionExpression": "pk = :p",
                    "ExpressionAttributeValues": {":p": s("p")},
                    "ConsistentRead": True,
                }
                page = self.db.query(**arguments)
                self.assertEqual(page["Count"], count, (name, select))
                self.assertEqual("LastEvaluatedKey" in page, count < 12)
                items = page["Items"]
                if count < 12:
                    rest = self.db.query(**arguments, ExclusiveStartKey=page["LastEvaluatedKey"])
                    self.assertNotIn("LastEvaluatedKey", rest)
                    items += rest["Items"]
                numbers = [int(item["sk"]["N"]) for item in items]
                self.assertEqual(numbers, sorted(range(12), reverse=forward))


class Online(ApiTest):
    """An index that is made while its table is in use, and deleted again."""

    def index_status(self, table):
        described = self.db.describe_table(TableName=table)["Table"]
        return [index["IndexStatus"] for index in described.get("GlobalSecondaryIndexes", [])]

    def wait_for_status(self, table, wanted):
        wait_until(lambda: self.index_status(table) == wanted, lambda: self.index_status(table))

    def test_an_index_is_read_once_it_is_filled(self):
        count = 200
        table = self.make_table([("pk", "HASH", "S")])
        for number in range(count):
            self.db.put_item(TableName=table, Item={"pk": s(f"{number}"), "g": s("ab"[number % 2])})
        self.db.update_table(
            TableName=table,
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "g")],
            GlobalSecondaryIndexUpdates=[{"Create": index("by-g", ("g", "pk"))}],
        )
        query = {
            "TableName": table,
            "IndexName": "by-g",
            "KeyConditionExpression": "g = :g",
            "ExpressionAttributeValues": {":g": s("a")},
        }
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                self.db.query(**query)
                break
            except self.db.exceptions.ClientError as error:
                self.assertEqual(
                    error.response["Error"]["Message"], "Cannot read from backfilling global secondary index: by-g"
                )
                self.assertLess(time.monotonic(), deadline)
        wait_for_index(self.db, table, "by-g", count)  # a replica may be a moment behind
        page = self.db.query(**query)
        self.assertEqual([item["pk"]["S"] for item in page["Items"]], sorted(map(str, range(0, count, 2))))
        self.wait_for_status(table, ["ACTIVE"])
        self.db.update_table(TableName=table, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-g"}}])
        self.wait_for_status(table, [])
        self.assert_fails("ValidationException", "does not have the specified index: by-g", self.db.query, **query)


class Refusals(IndexTest):
    count = 0

    INVALID = "One or more parameter values were invalid: "

    def query_refused(self, message, name, key, **arguments):
        self.refused(
            message,
            "query",
            **{
                "IndexName": name,
                "KeyConditionExpression": f"{key} = :v",
                "ExpressionAttributeValues": {":v": s("a")},
                **arguments,
            },
        )

    def test_unknown_indexes(self):
        self.refused("The table does not have the specified index: nobody", IndexName="nobody")
        self.query_refused("The table does not have the specified index: nobody", "nobody", "pk")

    def test_strong_reads_of_global_indexes(self):
        message = "Consistent reads are not supported on global secondary indexes"
        self.refused(message, IndexName="global-all", ConsistentRead=True)
        self.query_refused(message, "global-all", "g", ConsistentRead=True)

    def test_what_a_global_index_does_not_hold(self):
        select = (
            self.INVALID + "Select type ALL_ATTRIBUTES is not supported for global secondary index global-some "
            "because its projection type is not ALL"
        )
        self.refused(select, IndexName="global-some", Select="ALL_ATTRIBUTES")
        self.query_refused(select, "global-some", "g", Select="ALL_ATTRIBUTES")
        attributes = self.INVALID + "Global secondary index global-some does not project [big, l]"
        self.refused(attributes, IndexName="global-some", ProjectionExpression="u, big, pk, l")
        self.query_refused(attributes, "global-some", "g", ProjectionExpression="u, big, pk, l")
        self.query_refused(
            self.INVALID + "Secondary index global-some does not project one or more filter attributes: [big]",
            "global-some",
            "g",
            FilterExpression="attribute_exists(big) OR attribute_exists(u)",
        )

    def test_filters_by_keys(self):
        for name, key, sort in (("local-all", "pk", "l"), ("global-all", "g", "h")):
            for attribute in (key, sort):
                self.query_refused(
                    "Filter Expression can only contain non-primary key attributes: "
                    f"Primary key attribute: {attribute}",
                    name,
                    key,
                    FilterExpression=f"attribute_exists({attribute})",
                )
        self.db.query(  # a key of the table alone is an attribute as any other
            TableName=self.table,
            IndexName="global-all",
            KeyConditionExpression="g = :v",
            FilterExpression="pk = :v",
            ExpressionAttributeValues={":v": s("a")},
        )

    def test_key_conditions(self):
        self.query_refused("Query condition missed key schema element: g", "global-all", "pk")
        self.query_refused("Query condition missed key schema element: pk", "local-all", "g")
        self.query_refused(
            "Query condition missed key schema element: l",
            "local-all",
            "pk",
            KeyConditionExpression="pk = :v AND sk = :v",
        )
        self.query_refused("Query key condition not supported", "global-hash", "g", KeyConditionExpression="g > :v")

    def test_start_keys(self):
        keys = {"pk": s("a"), "sk": n(1), "g": s("a"), "h": n(1)}
        invalid = "The provided starting key is invalid"
        schema = "The provided key element does not match the schema"
        cases = [
            (invalid, {"pk": s("a"), "sk": n(1)}),
            (invalid, {"g": s("a"), "h": n(1)}),
            (invalid, {**keys, "l": n(1)}),
            (schema, {**keys, "g": n(1)}),
            (f"{invalid}: {schema}", {**keys, "sk": s("1")}),
        ]
        for message, key in cases:
            self.refused(message, IndexName="global-all", ExclusiveStartKey=key)
            self.query_refused(message, "global-all", "g", ExclusiveStartKey=key)
        self.query_refused(
            "The provided starting key is outside query boundaries based on provided conditions",
            "global-all",
            "g",
            ExclusiveStartKey={**keys, "g": s("b")},
        )
        self.db.scan(TableName=self.table, IndexName="global-all", ExclusiveStartKey=keys)

    def test_inside_of_keys(self):
        self.refused(
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: h",
            ProjectionExpression="h.x",
        )

    def test_nobody_sees_the_table_behind_an_index(self):
        names = [name for page in self.db.get_paginator("list_tables").paginate(Limit=3) for name in page["TableNames"]]
        self.assertIn(self.table, names)
        self.assertFalse([name for name in names if name.startswith("index")])
        for operation, more in (
            ("DescribeTable", {}),
            ("DeleteTable", {}),
            ("Scan", {}),
            ("GetItem", {"Key": {"pk": s("a")}}),
            ("PutItem", {"Item": {"pk": s("a")}}),
        ):
            for name in ("index/9", "index/1001"):
                answer = call(operation, {"TableName": name, **more})
                self.assert_refused(answer, "ValidationException")


if __name__ == "__main__":
    unittest.main()
