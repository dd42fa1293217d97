#!/usr/bin/env python3
"""Items: put, get, delete; the ten types and their edges; what is returned and what it costs."""

import time
import unittest

from api_client import HASH_S_RANGE_S, ApiTest, call

KEY = {"S": "k"}

VALUES = {
    "text": {"S": "grün, \U0001f600, \x00 and \"quotes\""},
    "empty_text": {"S": ""},
    "number": {"N": "-12.5"},
    "bytes": {"B": bytes(range(256))},
    "empty_bytes": {"B": b""},
    "yes": {"BOOL": True},
    "no": {"BOOL": False},
    "nothing": {"NULL": True},
    "list": {"L": [{"S": "a"}, {"N": "1"}, {"L": []}, {"M": {}}, {"NULL": True}]},
    "empty_list": {"L": []},
    "map": {"M": {"": {"S": "an empty name"}, "inner": {"M": {"deep": {"BOOL": False}}}}},
    "empty_map": {"M": {}},
    "texts": {"SS": ["a", "b", "c"]},
    "numbers": {"NS": ["-1", "0", "2.5"]},
    "byte_strings": {"BS": [b"\x00", b"\x01\x02"]},
}
SETS = ("SS", "NS", "BS")

# As sent, and as it comes back.
NUMBERS = (
    ("0", "0"),
    ("-0", "0"),
    ("1.0", "1"),
    ("0001.500", "1.5"),
    ("1e3", "1000"),
    ("-1.5E-3", "-0.0015"),
    ("9" * 38, "9" * 38),
    ("0." + "1" * 38, "0." + "1" * 38),
    ("0000000000000000000000000000000000000000000001", "1"),
)
EXTREME_NUMBERS = ("1E-130", "-1E-130", "9.9999999999999999999999999999999999999E+125", "-9.9E+125")


def nested(depth, innermost=None):
    """A value of maps within maps; innermost itself for 0."""
    value = innermost or {"S": "x"}
    for _ in range(depth):
        value = {"M": {"a": value}}
    return value


class Types(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = cls.make_table()

    def round_trip(self, value):
        """What comes back for a value that was put."""
        self.db.put_item(TableName=self.table, Item={"pk": KEY, "v": value})
        return self.db.get_item(TableName=self.table, Key={"pk": KEY}, ConsistentRead=True)["Item"]["v"]

    def assert_same(self, value, returned):
        kind = next(iter(value))
        if kind in SETS:
            value, returned = {kind: sorted(value[kind])}, {kind: sorted(returned[kind])}
        self.assertEqual(value, returned)

    def test_each_type_comes_back_as_it_was_put(self):
        for name, value in VALUES.items():
            with self.subTest(name=name):
                self.assert_same(value, self.round_trip(value))

    def test_all_types_in_one_item(self):
        item = {"pk": KEY, **VALUES}
        self.db.put_item(TableName=self.table, Item=item)
        returned = self.db.get_item(TableName=self.table, Key={"pk": KEY}, ConsistentRead=True)["Item"]
        self.assertEqual(set(returned), set(item))
        for name, value in item.items():
            self.assert_same(value, returned[name])

    def test_numbers_come_back_normalised(self):
        for sent, expected in NUMBERS:
            with self.subTest(number=sent):
                self.assertEqual(self.round_trip({"N": sent}), {"N": expected})

    def test_numbers_at_the_edges_of_the_range(self):
        for number in EXTREME_NUMBERS:
            with self.subTest(number=number):
                self.assertEqual(float(self.round_trip({"N": number})["N"]), float(number))

    def test_numbers_outside_are_refused(self):
        for number, message in (
            ("1" * 39, "more than 38 significant digits"),
            ("1." + "1" * 38, "more than 38 significant digits"),
            ("1E126", "Number overflow"),
            ("-1E126", "Number overflow"),
            ("1E-131", "Number underflow"),
            ("abc", "The parameter cannot be converted to a numeric value"),
            ("", "The parameter cannot be converted to a numeric value"),
            ("1e", "The parameter cannot be converted to a numeric value"),
            ("NaN", "The parameter cannot be converted to a numeric value"),
            ("0x10", "The parameter cannot be converted to a numeric value"),
        ):
            with self.subTest(number=number):
                self.assert_put_fails({"N": number}, message)

    def test_numbers_in_sets_follow_the_same_rules(self):
        self.assertEqual(sorted(self.round_trip({"NS": ["1.0", "2e0"]})["NS"]), ["1", "2"])
        self.assert_put_fails({"NS": ["1", "1" * 39]}, "more than 38 significant digits")

    def test_values_that_are_no_values_are_refused(self):
        for value, message in (
            ({"SS": []}, "set  may not be empty"),
            ({"NS": []}, "set  may not be empty"),
            ({"BS": []}, "Binary sets should not be empty"),
            ({"SS": ["a", "a"]}, "contains duplicates"),
            ({"NS": ["1", "1.0"]}, "contains duplicates"),
            ({"NULL": False}, "Null attribute value types must have the value of true"),
        ):
            with self.subTest(value=value):
                self.assert_put_fails(value, message)

    def test_a_value_has_exactly_one_type(self):
        for value, message in (
            ({}, "must contain exactly one of the supported datatypes"),
            ({"S": "a", "N": "1"}, "more than one datatypes set"),
        ):
            document = {"TableName": self.table, "Item": {"pk": KEY, "v": value}}
            self.assert_refused(call("PutItem", document), "ValidationException", message)

    def test_nesting_up_to_32_levels(self):
        value = nested(31)
        self.assertEqual(self.round_trip(value), value)
        self.assert_put_fails(nested(33), "")

    def assert_put_fails(self, value, message):
        self.assert_fails(
            "ValidationException", message, self.db.put_item, TableName=self.table, Item={"pk": KEY, "v": value}
        )


class Sizes(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = cls.make_table()

    def item_of(self, size_bytes):
        """An item that counts exactly this many bytes: two names of two and one letters, a key of one."""
        return {"pk": KEY, "v": {"S": "x" * (size_bytes - len("pk") - len("k") - len("v"))}}

    def test_an_item_of_400_kb_fits(self):
        item = self.item_of(400 * 1024)
        self.db.put_item(TableName=self.table, Item=item)
        returned = self.db.get_item(TableName=self.table, Key={"pk": KEY}, ConsistentRead=True)
        self.assertEqual(returned["Item"], item)

    def test_one_byte_more_does_not(self):
        self.assert_fails(
            "ValidationException",
            "Item size has exceeded the maximum allowed size",
            self.db.put_item,
            TableName=self.table,
            Item=self.item_of(400 * 1024 + 1),
        )


class Keys(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = cls.make_table(HASH_S_RANGE_S)

    def refused(self, function, message, **arguments):
        self.assert_fails("ValidationException", message, function, TableName=self.table, **arguments)

    def test_keys_of_each_type(self):
        for kind, values in (("S", ["a", "ä", "a b"]), ("N", ["0", "-1.5", "1E+100"]), ("B", [b"\0", b"\xff"])):
            table = self.make_table([("pk", "HASH", kind), ("sk", "RANGE", kind)])
            for value in values:
                with self.subTest(kind=kind, value=value):
                    key = {"pk": {kind: value}, "sk": {kind: value}}
                    self.db.put_item(TableName=table, Item={**key, "v": {"S": "here"}})
                    found = self.db.get_item(TableName=table, Key=key, ConsistentRead=True)
                    self.assertEqual(found["Item"]["v"], {"S": "here"})

    def test_equal_numbers_are_one_key(self):
        table = self.make_table([("pk", "HASH", "N")])
        self.db.put_item(TableName=table, Item={"pk": {"N": "1.0"}, "v": {"S": "first"}})
        old = self.db.put_item(TableName=table, Item={"pk": {"N": "1"}}, ReturnValues="ALL_OLD")["Attributes"]
        self.assertEqual(old["v"], {"S": "first"})

    def test_items_differ_by_their_range_key(self):
        for sk in ("1", "2"):
            self.db.put_item(TableName=self.table, Item={"pk": KEY, "sk": {"S": sk}, "v": {"S": sk}})
        for sk in ("1", "2"):
            found = self.db.get_item(TableName=self.table, Key={"pk": KEY, "sk": {"S": sk}}, ConsistentRead=True)
            self.assertEqual(found["Item"]["v"], {"S": sk})

    def test_the_key_given_must_be_the_schema_s(self):
        message = "The provided key element does not match the schema"
        for key in (
            {"pk": KEY},
            {"pk": KEY, "other": KEY},
            {"pk": KEY, "sk": {"N": "1"}},
            {"pk": KEY, "sk": KEY, "more": KEY},
        ):
            with self.subTest(key=key):
                for function in (self.db.get_item, self.db.delete_item):
                    self.refused(function, message, Key=key)

    def test_a_put_needs_the_whole_key(self):
        self.refused(self.db.put_item, "Missing the key sk in the item", Item={"pk": KEY})
        self.refused(
            self.db.put_item,
            "Type mismatch for key sk expected: S actual: N",
            Item={"pk": KEY, "sk": {"N": "1"}},
        )

    def test_keys_are_not_empty(self):
        self.refused(
            self.db.put_item, "cannot contain an empty string value. Key: pk", Item={"pk": {"S": ""}, "sk": KEY}
        )
        self.refused(self.db.get_item, "empty string value", Key={"pk": {"S": ""}, "sk": KEY})

    def test_keys_have_limits(self):
        self.db.put_item(TableName=self.table, Item={"pk": {"S": "x" * 2048}, "sk": {"S": "y" * 1024}})
        self.refused(self.db.put_item, "2048 bytes", Item={"pk": {"S": "x" * 2049}, "sk": KEY})
        self.refused(self.db.put_item, "1024 bytes", Item={"pk": KEY, "sk": {"S": "y" * 1025}})

    def test_an_unknown_table(self):
        for function, argument in (
            (self.db.get_item, "Key"),
            (self.db.delete_item, "Key"),
            (self.db.put_item, "Item"),
        ):
            arguments = {"TableName": "nowhere-4", argument: {"pk": KEY}}
            self.assert_fails("ResourceNotFoundException", "Requested resource not found", function, **arguments)


class Returned(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = cls.make_table()

    def put(self, version, **more):
        return self.db.put_item(TableName=self.table, Item={"pk": KEY, "v": {"N": version}}, **more)

    def delete(self, **more):
        return self.db.delete_item(TableName=self.table, Key={"pk": KEY}, **more)

    def setUp(self):
        self.delete()

    def test_a_put_returns_what_it_replaced(self):
        self.assertNotIn("Attributes", self.put("1", ReturnValues="ALL_OLD"))
        old = self.put("2", ReturnValues="ALL_OLD")["Attributes"]
        self.assertEqual(old, {"pk": KEY, "v": {"N": "1"}})
        self.assertNotIn("Attributes", self.put("3", ReturnValues="NONE"))
        self.assertNotIn("Attributes", self.put("4"))

    def test_a_delete_returns_what_it_took_away(self):
        self.put("1")
        self.assertEqual(self.delete(ReturnValues="ALL_OLD")["Attributes"], {"pk": KEY, "v": {"N": "1"}})
        self.assertNotIn("Attributes", self.delete(ReturnValues="ALL_OLD"))

    def test_other_return_values_are_refused(self):
        for value in ("ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"):
            with self.assertRaises(self.db.exceptions.ClientError) as caught:
                self.put("1", ReturnValues=value)
            self.assertEqual(caught.exception.response["Error"]["Code"], "ValidationException")

    def test_a_strong_read_sees_the_write_before_it(self):
        for version in range(30):
            self.put(str(version))
            found = self.db.get_item(TableName=self.table, Key={"pk": KEY}, ConsistentRead=True)
            self.assertEqual(found["Item"]["v"], {"N": str(version)})

    def test_a_missing_item_has_no_item(self):
        for consistent in (True, False):
            found = self.db.get_item(TableName=self.table, Key={"pk": {"S": "none"}}, ConsistentRead=consistent)
            self.assertNotIn("Item", found)


class Capacity(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = cls.make_table()

    def units(self, answer):
        capacity = answer["ConsumedCapacity"]
        self.assertEqual(capacity["TableName"], self.table)
        return capacity["CapacityUnits"]

    def put(self, size):
        return self.db.put_item(
            TableName=self.table, Item={"pk": KEY, "v": {"S": "x" * size}}, ReturnConsumedCapacity="TOTAL"
        )

    def get(self, consistent):
        return self.db.get_item(
            TableName=self.table, Key={"pk": KEY}, ConsistentRead=consistent, ReturnConsumedCapacity="TOTAL"
        )

    def delete(self):
        return self.db.delete_item(TableName=self.table, Key={"pk": KEY}, ReturnConsumedCapacity="TOTAL")

    def test_a_write_costs_by_the_larger_of_old_and_new(self):
        self.delete()
        self.assertEqual(self.units(self.put(10)), 1)
        self.assertEqual(self.units(self.put(1020)), 1)  # 1024 bytes with its names and key
        self.assertEqual(self.units(self.put(1021)), 2)
        self.assertEqual(self.units(self.put(4000)), 4)
        self.assertEqual(self.units(self.put(10)), 4)
        self.put(3000)
        self.assertEqual(self.units(self.delete()), 3)
        self.assertEqual(self.units(self.delete()), 1)

    def test_a_read_costs_by_4_kb_and_half_when_eventual(self):
        self.put(9000)
        self.assertEqual(self.units(self.get(True)), 3)
        self.assertEqual(self.units(self.eventual_get(found=True)), 1.5)
        self.delete()
        self.assertEqual(self.units(self.get(True)), 1)
        self.assertEqual(self.units(self.eventual_get(found=False)), 0.5)

    def eventual_get(self, found):
        """An eventual read may be behind the write: ask until it is not."""
        deadline = time.monotonic() + 10
        while True:
            answer = self.get(False)
            if ("Item" in answer) == found:
                return answer
            self.assertLess(time.monotonic(), deadline, "eventual reads never caught up")

    def test_nothing_is_said_unless_asked(self):
        answer = self.db.get_item(TableName=self.table, Key={"pk": KEY})
        self.assertNotIn("ConsumedCapacity", answer)


if __name__ == "__main__":
    unittest.main()
