#!/usr/bin/env python3
"""Global indexes whose keys have several attributes: made with a table and online, what is in them and in what order,
every form of key condition, pages, segments, projections, and what is refused.

A cluster feeds global indexes a moment after the write; a test that writes first waits until the index holds what it
will hold, never for a time.
"""

import random
import unittest

from api_client import ApiTest, call, new_name, wait_until

HASH_EQUALITY = "HASH key attributes {} must have equality conditions specified in the query"
RANGE_EQUALITY = (
    "RANGE key attributes {} must have equality conditions specified in the query "
    "because a condition is present on key attribute {}"
)


def s(value):
    return {"S": value}


def n(value):
    return {"N": str(value)}


def b(value):
    return {"B": value}


def key_schema(keys):
    """Roles and names, "H:a R:b", as KeySchema."""
    roles = {"H": "HASH", "R": "RANGE"}
    return [{"AttributeName": key[2:], "KeyType": roles[key[0]]} for key in keys.split()]


def index(name, keys, projection="ALL", attributes=None):
    arguments = {"IndexName": name, "KeySchema": key_schema(keys), "Projection": {"ProjectionType": projection}}
    if attributes:
        arguments["Projection"]["NonKeyAttributes"] = attributes
    return arguments


def definitions(types):
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


class TupleTest(ApiTest):
    def all_items(self, operation, **arguments):
        items = []
        while True:
            page = getattr(self.db, operation)(**arguments)
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                return items
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def wait_for_rows(self, table, name, wanted):
        """Until the index holds exactly these items, in any order."""

        def by_key(item):
            return sorted((key, str(value)) for key, value in item.items())

        wanted = sorted(wanted, key=by_key)
        wait_until(
            lambda: sorted(self.all_items("scan", TableName=table, IndexName=name), key=by_key) == wanted,
            f"{name} does not hold what the items say",
        )


# Two and three attributes of all types.  The table's own sort key is in the index's key too.
TYPES = {"pk": "S", "sk": "N", "g": "S", "h": "N", "r": "S", "m": "B"}
KEYS = "H:g H:h R:r R:sk R:m"
SORT = ("r", "sk", "m")


class Reads(TupleTest):
    count = 120

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = cls.make_table(
            [("pk", "HASH", "S"), ("sk", "RANGE", "N")],
            AttributeDefinitions=definitions(TYPES),
            GlobalSecondaryIndexes=[
                index("all", KEYS),
                index("keys", KEYS, "KEYS_ONLY"),
                index("some", KEYS, "INCLUDE", ["u"]),
                index("hash", "H:h H:g"),
            ],
        )
        numbers = list(range(cls.count))
        random.Random(3).shuffle(numbers)
        for number in numbers:
            cls.db.put_item(TableName=cls.table, Item=cls.item(number))
        cls.indexed = [item for item in map(cls.item, range(cls.count)) if all(key in item for key in TYPES)]

    def setUp(self):
        self.wait_for_rows(self.table, "all", self.indexed)

    @staticmethod
    def item(number):
        """Values repeat at each place of the key; now and then one of the attributes is not there."""
        item = {
            "pk": s(f"p{number}"),
            "sk": n(number % 4 - 1),
            "g": s("xy"[number % 2]),
            "h": n(number % 3),
            "r": s(("a", "ab", "b", "a\0")[number // 2 % 4]),
            "m": b(bytes([number % 5, 0, 255])),
            "u": s(f"u{number}"),
            "big": s("x" * 50),
        }
        lacking = ("g", "h", "r", "m")
        if number % 6 == 5:
            del item[lacking[number // 6 % 4]]
        return item

    @staticmethod
    def order(item):
        """By the sort key, attribute by attribute; then by the table's key, which is the order of nothing here."""
        return (item["r"]["S"].encode(), int(item["sk"]["N"]), bytes(item["m"]["B"]))

    def wanted(self, is_met, g="x", h=1):
        return sorted(
            (item for item in self.indexed if item["g"] == s(g) and item["h"] == n(h) and is_met(item)),
            key=self.order,
        )

    def arguments(self, condition, values, g="x", h=1, name="all"):
        values = {":g": s(g), ":h": n(h), **values}
        return {
            "TableName": self.table,
            "IndexName": name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": {"#m": "m"} if "#m" in condition else None,
            "ExpressionAttributeValues": {key: value for key, value in values.items() if key in condition},
        }

    def query(self, condition, values=None, **more):
        arguments = self.arguments(condition, values or {})
        if arguments["ExpressionAttributeNames"] is None:
            del arguments["ExpressionAttributeNames"]
        return self.all_items("query", **arguments, **more)

    CASES = [
        ("g = :g AND h = :h", {}, lambda i: True),
        ("h = :h AND :g = g", {}, lambda i: True),
        ("g = :g AND h = :h AND r = :r", {":r": s("a")}, lambda i: i["r"] == s("a")),
        ("r > :r AND g = :g AND h = :h", {":r": s("a")}, lambda i: i["r"]["S"].encode() > b"a"),
        ("r <= :r AND h = :h AND g = :g", {":r": s("ab")}, lambda i: i["r"]["S"].encode() <= b"ab"),
        ("begins_with(r, :r) AND g = :g AND h = :h", {":r": s("a")}, lambda i: i["r"]["S"].startswith("a")),
        (
            "g = :g AND h = :h AND r BETWEEN :r AND :q",
            {":r": s("a\0"), ":q": s("ab")},
            lambda i: b"a\0" <= i["r"]["S"].encode() <= b"ab",
        ),
        (
            "sk = :k AND r = :r AND g = :g AND h = :h",
            {":r": s("a"), ":k": n(0)},
            lambda i: (i["r"], i["sk"]) == (s("a"), n(0)),
        ),
        (
            "g = :g AND h = :h AND r = :r AND sk >= :k",
            {":r": s("a"), ":k": n(0)},
            lambda i: i["r"] == s("a") and int(i["sk"]["N"]) >= 0,
        ),
        (
            "g = :g AND h = :h AND r = :r AND sk < :k",
            {":r": s("b"), ":k": n(2)},
            lambda i: i["r"] == s("b") and int(i["sk"]["N"]) < 2,
        ),
        (
            "begins_with(#m, :m) AND g = :g AND h = :h AND r = :r AND sk = :k",
            {":r": s("a"), ":k": n(0), ":m": b(b"\1")},
            lambda i: (i["r"], i["sk"]) == (s("a"), n(0)) and bytes(i["m"]["B"])[:1] == b"\1",
        ),
        (
            "g = :g AND h = :h AND r = :r AND sk = :k AND #m > :m",
            {":r": s("a"), ":k": n(0), ":m": b(b"\1\0\377")},
            lambda i: (i["r"], i["sk"]) == (s("a"), n(0)) and bytes(i["m"]["B"]) > b"\1\0\377",
        ),
    ]

    def assert_same_rows(self, found, wanted, what):
        """In the order of the sort key; items that have the same one may come in any order."""
        self.assertEqual([self.order(item) for item in found], [self.order(item) for item in wanted], what)
        names = [sorted(item["pk"]["S"] for item in items) for items in (found, wanted)]
        self.assertEqual(names[0], names[1], what)

    def test_each_form_of_condition_gives_the_items_in_order(self):
        total = 0
        for condition, values, is_met in self.CASES:
            wanted = self.wanted(is_met)
            total += len(wanted)
            forward = self.query(condition, values)
            self.assert_same_rows(forward, wanted, condition)
            self.assertEqual(self.query(condition, values, ScanIndexForward=False), forward[::-1], condition)
        self.assertGreater(total, 30)

    def test_pages_of_any_size_are_the_whole(self):
        for condition, values, _ in self.CASES:
            whole = self.query(condition, values)
            for limit in (1, 2, 5):
                for forward in (True, False):
                    paged = self.query(condition, values, Limit=limit, ScanIndexForward=forward)
                    self.assertEqual(paged, whole if forward else whole[::-1], (condition, limit))

    def test_a_page_ends_at_all_attributes_of_both_keys(self):
        arguments = self.arguments("g = :g AND h = :h", {})
        del arguments["ExpressionAttributeNames"]
        page = self.db.query(**arguments, Limit=2)
        self.assertEqual(set(page["LastEvaluatedKey"]), set(TYPES))
        self.assertEqual(page["LastEvaluatedKey"], {key: page["Items"][-1][key] for key in TYPES})
        page = self.db.scan(TableName=self.table, IndexName="hash", Limit=3)
        self.assertEqual(set(page["LastEvaluatedKey"]), {"pk", "sk", "g", "h"})

    def test_key_conditions_ask_the_same(self):
        def term(operator, *values):
            return {"ComparisonOperator": operator, "AttributeValueList": list(values)}

        start = {"g": term("EQ", s("x")), "h": term("EQ", n(1))}
        cases = [
            ({}, lambda i: True),
            ({"r": term("EQ", s("a"))}, lambda i: i["r"] == s("a")),
            ({"r": term("BEGINS_WITH", s("a"))}, lambda i: i["r"]["S"].startswith("a")),
            (
                {"sk": term("BETWEEN", n(0), n(1)), "r": term("EQ", s("a"))},
                lambda i: i["r"] == s("a") and 0 <= int(i["sk"]["N"]) <= 1,
            ),
            (
                {"r": term("EQ", s("a")), "sk": term("EQ", n(0)), "m": term("GE", b(b"\1"))},
                lambda i: (i["r"], i["sk"]) == (s("a"), n(0)) and bytes(i["m"]["B"]) >= b"\1",
            ),
        ]
        for conditions, is_met in cases:
            found = self.all_items(
                "query", TableName=self.table, IndexName="all", KeyConditions={**start, **conditions}
            )
            self.assert_same_rows(found, self.wanted(is_met), conditions)

    def test_the_order_of_the_partition_attributes_is_the_index_s_own(self):
        found = self.all_items(
            "query",
            TableName=self.table,
            IndexName="hash",
            KeyConditionExpression="g = :g AND h = :h",
            ExpressionAttributeValues={":g": s("y"), ":h": n(2)},
        )
        wanted = [i for i in map(self.item, range(self.count)) if i.get("g") == s("y") and i.get("h") == n(2)]
        self.assertEqual(
            sorted(item["pk"]["S"] for item in found), sorted(item["pk"]["S"] for item in wanted)
        )

    def test_scans_and_their_segments_hold_each_entry_once(self):
        whole = self.all_items("scan", TableName=self.table, IndexName="all")
        self.assertEqual(len(whole), len(self.indexed))
        for limit in (1, 7, 1000):
            paged = self.all_items("scan", TableName=self.table, IndexName="all", Limit=limit)
            self.assertEqual(paged, whole)
        parts = []
        for segment in range(4):
            parts += self.all_items(
                "scan", TableName=self.table, IndexName="all", Segment=segment, TotalSegments=4, Limit=3
            )
        self.assertEqual(parts, whole)

    def test_an_index_projects_all_attributes_of_its_key(self):
        keys = [{key: item[key] for key in TYPES} for item in self.indexed]
        self.wait_for_rows(self.table, "keys", keys)
        self.wait_for_rows(self.table, "some", [{**key, "u": i["u"]} for key, i in zip(keys, self.indexed)])
        found = self.query("g = :g AND h = :h", ProjectionExpression="r, sk")
        self.assertEqual([set(item) for item in found], [{"r", "sk"}] * len(found))
        counted = self.db.scan(TableName=self.table, IndexName="keys", Select="COUNT")
        self.assertEqual(counted["Count"], len(self.indexed))

    def test_a_filter_names_no_attribute_of_the_key(self):
        for name in ("g", "h", "r", "sk", "m"):
            arguments = self.arguments("g = :g AND h = :h", {})
            arguments["ExpressionAttributeNames"] = {"#f": name}
            self.assert_fails(
                "ValidationException",
                f"Filter Expression can only contain non-primary key attributes: Primary key attribute: {name}",
                self.db.query,
                **arguments,
                FilterExpression="attribute_exists(#f)",
            )
        some = self.query("g = :g AND h = :h")[0]
        arguments = self.arguments("g = :g AND h = :h", {})
        arguments["ExpressionAttributeNames"] = {"#f": "pk"}
        arguments["ExpressionAttributeValues"][":f"] = some["pk"]
        self.assertEqual(self.db.query(**arguments, FilterExpression="#f = :f")["Items"], [some])
        scanned = self.all_items(
            "scan",
            TableName=self.table,
            IndexName="all",
            FilterExpression="r = :f",
            ExpressionAttributeValues={":f": s("ab")},
        )
        self.assertEqual(len(scanned), sum(item["r"] == s("ab") for item in self.indexed))

    def test_conditions_that_leave_gaps_are_refused(self):
        v = {":g": s("x"), ":h": n(1), ":r": s("a"), ":k": n(0), ":m": b(b"a")}
        cases = [
            ("g = :g", HASH_EQUALITY.format("h")),
            ("h = :h AND r = :r", HASH_EQUALITY.format("g")),
            ("g = :g AND h > :h", HASH_EQUALITY.format("h")),
            ("begins_with(g, :g) AND h = :h", HASH_EQUALITY.format("g")),
            ("g = :g AND h = :h AND sk = :k", RANGE_EQUALITY.format("r", "sk")),
            ("g = :g AND h = :h AND r = :r AND m = :m", RANGE_EQUALITY.format("sk", "m")),
            ("g = :g AND h = :h AND r > :r AND sk = :k", RANGE_EQUALITY.format("r", "sk")),
            ("sk < :k AND begins_with(r, :r) AND g = :g AND h = :h", RANGE_EQUALITY.format("r", "sk")),
            ("g = :g AND h = :h AND x = :r", "Query condition missed key schema element: r"),
            ("g = :h AND h = :h", "Condition parameter type does not match schema type"),
            ("g = :g AND h = :h AND r = :k", "Condition parameter type does not match schema type"),
        ]
        for condition, message in cases:
            self.assert_fails(
                "ValidationException",
                message,
                self.db.query,
                TableName=self.table,
                IndexName="all",
                KeyConditionExpression=condition,
                ExpressionAttributeValues={key: value for key, value in v.items() if key in condition},
            )
        self.assert_fails(
            "ValidationException",
            RANGE_EQUALITY.format("r", "sk"),
            self.db.query,
            TableName=self.table,
            IndexName="all",
            KeyConditions={
                name: {"ComparisonOperator": "EQ", "AttributeValueList": [value]}
                for name, value in (("g", s("x")), ("h", n(1)), ("sk", n(0)))
            },
        )
        # A table's key has two attributes, whatever its indexes have.
        self.assert_fails(
            "ValidationException",
            "Conditions can be of length 1 or 2 only",
            self.db.query,
            TableName=self.table,
            KeyConditionExpression="pk = :g AND sk = :k AND r = :r",
            ExpressionAttributeValues={":g": s("x"), ":k": n(0), ":r": s("a")},
        )

    def test_start_keys_that_are_not_whole_are_refused(self):
        last = self.db.scan(TableName=self.table, IndexName="all", Limit=1)["LastEvaluatedKey"]
        for name in TYPES:
            cut = {key: value for key, value in last.items() if key != name}
            self.assert_fails(
                "ValidationException",
                "The provided starting key is invalid",
                self.db.scan,
                TableName=self.table,
                IndexName="all",
                ExclusiveStartKey=cut,
            )
        arguments = self.arguments("g = :g AND h = :h", {})
        del arguments["ExpressionAttributeNames"]
        self.assert_fails(
            "ValidationException",
            "The provided starting key is outside query boundaries",
            self.db.query,
            **arguments,
            ExclusiveStartKey={**last, "g": s("x"), "h": n(77)},
        )

    def test_no_strong_reads(self):
        arguments = self.arguments("g = :g AND h = :h", {})
        del arguments["ExpressionAttributeNames"]
        self.assert_fails(
            "ValidationException",
            "Consistent reads are not supported on global secondary indexes",
            self.db.query,
            **arguments,
            ConsistentRead=True,
        )


class Writes(TupleTest):
    """What writes leave in an index of two and two, and which they may not make."""

    TYPES = {"pk": "S", "a": "S", "b": "N", "c": "S", "d": "B"}
    WHOLE = {"a": s("a"), "b": n(1), "c": s("c"), "d": b(b"d")}

    def make(self):
        return self.make_table(
            AttributeDefinitions=definitions(self.TYPES),
            GlobalSecondaryIndexes=[index("far", "H:a H:b R:c R:d")],
        )

    def test_an_item_has_an_entry_while_it_has_all_attributes(self):
        table = self.make()
        key = {"pk": s("one")}
        marker = {"pk": s("marker"), **self.WHOLE}
        self.db.put_item(TableName=table, Item=marker)
        self.db.put_item(TableName=table, Item={**key, **self.WHOLE})
        self.wait_for_rows(table, "far", [marker, {**key, **self.WHOLE}])
        for names in (["a"], ["b"], ["c"], ["d"], ["a", "b"], ["c", "d"], ["b", "c"]):
            self.db.update_item(TableName=table, Key=key, UpdateExpression="REMOVE " + ", ".join(names))
            self.wait_for_rows(table, "far", [marker])
            self.db.update_item(
                TableName=table,
                Key=key,
                UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in names),
                ExpressionAttributeValues={f":{name}": self.WHOLE[name] for name in names},
            )
            self.wait_for_rows(table, "far", [marker, {**key, **self.WHOLE}])
        self.db.delete_item(TableName=table, Key=key)
        self.wait_for_rows(table, "far", [marker])

    def test_an_entry_moves_with_each_attribute(self):
        table = self.make()
        item = {"pk": s("one"), **self.WHOLE}
        self.db.put_item(TableName=table, Item=item)
        for name, value in (("a", s("a2")), ("b", n(2)), ("c", s("c\0")), ("d", b(b"\377"))):
            item[name] = value
            answer = self.db.update_item(
                TableName=table,
                Key={"pk": s("one")},
                UpdateExpression=f"SET {name} = :v",
                ExpressionAttributeValues={":v": value},
                ReturnConsumedCapacity="INDEXES",
            )
            # The old entry and the new one.
            self.assertEqual(
                answer["ConsumedCapacity"]["GlobalSecondaryIndexes"]["far"]["CapacityUnits"], 2.0
            )
            self.wait_for_rows(table, "far", [item])

    def test_no_attribute_of_the_key_may_be_anything_else(self):
        table = self.make()
        faults = [
            ({"a": n(1)}, "Type mismatch for Index Key a Expected: S Actual: N IndexName: far"),
            ({"b": s("1")}, "Type mismatch for Index Key b Expected: N Actual: S IndexName: far"),
            ({"c": {"BOOL": True}}, "Type mismatch for Index Key c Expected: S Actual: BOOL IndexName: far"),
            ({"d": s("d")}, "Type mismatch for Index Key d Expected: B Actual: S IndexName: far"),
            ({"c": s("")}, "cannot contain an empty string value. IndexName: far, IndexKey: c"),
            ({"d": b(b"")}, "cannot contain an empty binary value. IndexName: far, IndexKey: d"),
            (
                {"a": s("x" * 2049)},
                "Size limit exceeded for Index Key a Actual Size: 2049 bytes Max Size: 2048 bytes IndexName: far",
            ),
            (
                {"d": b(b"x" * 1025)},
                "Size limit exceeded for Index Key d Actual Size: 1025 bytes Max Size: 1024 bytes IndexName: far",
            ),
        ]
        for fault, message in faults:
            item = {"pk": s("bad"), **self.WHOLE, **fault}
            self.assert_fails("ValidationException", message, self.db.put_item, TableName=table, Item=item)
            requests = [
                {"PutRequest": {"Item": {"pk": s("good"), **self.WHOLE}}},
                {"PutRequest": {"Item": item}},
            ]
            self.assert_fails(
                "ValidationException", "", self.db.batch_write_item, RequestItems={table: requests}
            )
            (name,) = fault
            self.assert_fails(
                "ValidationException",
                "",
                self.db.update_item,
                TableName=table,
                Key={"pk": s("bad")},
                UpdateExpression=f"SET {name} = :v",
                ExpressionAttributeValues={":v": fault[name]},
            )
        self.assertEqual(self.db.scan(TableName=table, ConsistentRead=True)["Items"], [])

    def test_the_longest_values_have_room(self):
        table = self.make_table(
            AttributeDefinitions=definitions({"pk": "S", **{name: "S" for name in "abcdefgh"}}),
            GlobalSecondaryIndexes=[index("far", "H:a H:b H:c H:d R:e R:f R:g R:h")],
        )
        item = {"pk": s("p" * 2048)}
        for name in "abcdefgh":
            item[name] = s("\0" * (2048 if name < "e" else 1024))
        self.db.put_item(TableName=table, Item=item)
        self.wait_for_rows(table, "far", [item])
        last = self.db.scan(TableName=table, IndexName="far", Limit=1)["LastEvaluatedKey"]
        self.assertEqual(last, item)
        found = self.db.query(
            TableName=table,
            IndexName="far",
            KeyConditionExpression=" AND ".join(f"{name} = :{name}" for name in "hgfedcba"),
            ExpressionAttributeValues={f":{name}": item[name] for name in "abcdefgh"},
        )
        self.assertEqual(found["Items"], [item])
        rest = self.db.scan(TableName=table, IndexName="far", ExclusiveStartKey=last)
        self.assertEqual(rest["Items"], [])


class Online(TupleTest):
    def describe_index(self, table, name):
        found = self.db.describe_table(TableName=table)["Table"].get("GlobalSecondaryIndexes", [])
        return next((each for each in found if each["IndexName"] == name), None)

    def test_an_index_is_made_of_the_items_that_are_there_and_of_those_that_come(self):
        table = self.make_table()
        dice = random.Random(8)

        def put(number):
            item = {"pk": s(f"p{number}"), "a": s(f"a{dice.randrange(3)}"), "c": s(f"c{dice.randrange(9)}")}
            if dice.randrange(5):
                item["b"] = n(dice.randrange(3))
            if dice.randrange(6) == 0:
                item["c"] = n(5)  # not of the index's type: it has no entry
            self.db.put_item(TableName=table, Item=item)

        for number in range(100):
            put(number)
        self.db.update_table(
            TableName=table,
            AttributeDefinitions=definitions({"a": "S", "b": "N", "c": "S"}),
            GlobalSecondaryIndexUpdates=[{"Create": index("far", "H:a H:b R:c")}],
        )
        description = self.describe_index(table, "far")
        self.assertEqual(description["KeySchema"], key_schema("H:a H:b R:c"))
        for _ in range(60):
            number = dice.randrange(100)
            if dice.randrange(4):
                # A value of another type is refused from now on.
                self.db.put_item(
                    TableName=table,
                    Item={"pk": s(f"p{number}"), "a": s("a1"), "b": n(dice.randrange(3)), "c": s("new")},
                )
            else:
                self.db.delete_item(TableName=table, Key={"pk": s(f"p{number}")})
        wait_until(lambda: self.describe_index(table, "far")["IndexStatus"] == "ACTIVE", "never active")
        items = self.all_items("scan", TableName=table, ConsistentRead=True)
        wanted = [item for item in items if "b" in item and "S" in item["c"]]
        self.assertGreater(len(wanted), 20)
        self.assertLess(len(wanted), len(items))
        self.wait_for_rows(table, "far", wanted)
        # Gone, and with it what it asked of its key.
        self.db.update_table(
            TableName=table, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "far"}}]
        )
        wait_until(lambda: self.describe_index(table, "far") is None, "never gone")
        self.db.put_item(TableName=table, Item={"pk": s("free"), "a": n(1), "b": s("b")})


class Definitions(TupleTest):
    def create(self, keys, defined=None, name=None):
        defined = {key[2:]: "S" for key in keys.split()} if defined is None else defined
        return {
            "TableName": name or new_name(),
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": key_schema("H:pk"),
            "AttributeDefinitions": definitions({"pk": "S", **defined}),
            "GlobalSecondaryIndexes": [index("far", keys)],
        }

    def test_an_index_is_described_as_it_was_made(self):
        for keys in ("H:a H:b", "H:a R:b R:c", "H:d H:c H:b H:a R:z R:y R:x R:w", "H:a H:pk R:b"):
            arguments = self.create(keys)
            made = self.db.create_table(**arguments)["TableDescription"]
            self.addCleanup(self.db.delete_table, TableName=arguments["TableName"])
            self.assertEqual(made["GlobalSecondaryIndexes"][0]["KeySchema"], key_schema(keys))
            self.wait_exists(arguments["TableName"])
            found = self.db.describe_table(TableName=arguments["TableName"])["Table"]
            self.assertEqual(found["GlobalSecondaryIndexes"][0]["KeySchema"], key_schema(keys))
            self.assertEqual(
                sorted(each["AttributeName"] for each in found["AttributeDefinitions"]),
                sorted({"pk", *(key[2:] for key in keys.split())}),
            )

    def test_the_largest_definitions_there_can_be_are_kept(self):
        """20 indexes of 4 and 4 attributes, all with names of 255 characters, 100 projected ones, and 50 tags."""

        def long(kind, number):
            return f"{kind}{number:03}".ljust(255, "x")

        names = [long("k", number) for number in range(160)]
        arguments = self.create("H:pk", {}, new_name().ljust(255, "t"))
        arguments["AttributeDefinitions"] = definitions({"pk": "S", **{name: "S" for name in names}})
        arguments["GlobalSecondaryIndexes"] = [
            index(
                long("i", number),
                " ".join(("H:" if k < 4 else "R:") + names[8 * number + k] for k in range(8)),
                "INCLUDE",
                [long("p", k) for k in range(5)],
            )
            for number in range(20)
        ]
        letter = "\u0905"  # three bytes
        arguments["Tags"] = [{"Key": f"{k:02}" + letter * 126, "Value": letter * 256} for k in range(50)]
        self.db.create_table(**arguments)
        table = arguments["TableName"]
        self.addCleanup(self.db.delete_table, TableName=table)
        self.wait_exists(table)
        item = {"pk": s("one"), **{name: s("v") for name in names}}
        self.db.put_item(TableName=table, Item=item)
        wanted = {"pk": s("one"), **{name: s("v") for name in names[152:]}}
        self.wait_for_rows(table, long("i", 19), [wanted])
        found = self.db.describe_table(TableName=table)["Table"]
        self.assertEqual(
            {each["IndexName"]: each["KeySchema"] for each in found["GlobalSecondaryIndexes"]},
            {each["IndexName"]: each["KeySchema"] for each in arguments["GlobalSecondaryIndexes"]},
        )

    REFUSED = [
        ("H:a H:b H:c H:d H:e", "The KeySchema exceeds the maximum allowed number of HASH key attributes"),
        ("H:a R:b R:c R:d R:e R:f", "The KeySchema exceeds the maximum allowed number of RANGE key attributes"),
        ("H:a R:b H:c", "All HASH key attributes must precede RANGE key attributes in the KeySchema"),
        ("R:a R:b", "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"),
        ("R:a H:b", "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"),
        ("H:a H:a", "The KeySchema contains multiple key attributes with the same name"),
        ("H:a H:b R:a", "The KeySchema contains multiple key attributes with the same name"),
    ]

    def test_key_schemas_that_break_a_rule_are_refused(self):
        for keys, message in self.REFUSED:
            self.assert_fails("ValidationException", message, self.db.create_table, **self.create(keys))
        table = self.make_table()
        for keys, message in self.REFUSED:
            self.assert_fails(
                "ValidationException",
                message,
                self.db.update_table,
                TableName=table,
                AttributeDefinitions=definitions({key[2:]: "S" for key in keys.split()}),
                GlobalSecondaryIndexUpdates=[{"Create": index("far", keys)}],
            )

    def test_each_key_attribute_is_defined_and_each_definition_used(self):
        self.assert_fails(
            "ValidationException",
            "Some index key attributes are not defined in AttributeDefinitions. Keys: [a, b]",
            self.db.create_table,
            **self.create("H:a H:b", {"a": "S"}),
        )
        self.assert_fails(
            "ValidationException",
            "Some AttributeDefinitions are not used.",
            self.db.create_table,
            **self.create("H:a H:b", {"a": "S", "b": "S", "c": "S"}),
        )

    def test_a_table_and_a_local_index_have_no_more_than_two(self):
        arguments = self.create("H:a H:b")
        arguments["KeySchema"] = key_schema("H:pk R:a R:b")
        answer = call("CreateTable", arguments)
        self.assert_refused(answer, "ValidationException", "Member must have length less than or equal to 2")
        arguments = self.create("H:a H:b")
        arguments["KeySchema"] = key_schema("H:pk R:a")
        arguments["LocalSecondaryIndexes"] = [index("near", "H:pk R:b R:a")]
        answer = call("CreateTable", arguments)
        self.assert_refused(answer, "ValidationException", "Member must have length less than or equal to 2")


if __name__ == "__main__":
    unittest.main()
