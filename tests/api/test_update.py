#!/usr/bin/env python3
"""UpdateItem: every action, what is returned, counters under concurrency, the old parameters, what is refused."""

import concurrent.futures
import unittest

from api_client import HASH_S_RANGE_S, ApiTest, call, client

THREADS = 8
PER_THREAD = 200
KEY = {"pk": {"S": "k"}}
LIST = {"L": [{"N": "0"}, {"N": "1"}, {"N": "2"}]}


class Update(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = cls.make_table()

    def setUp(self):
        self.db.delete_item(TableName=self.table, Key=KEY)

    def start(self, **attributes):
        self.db.put_item(TableName=self.table, Item={**KEY, **attributes})

    def update(self, expression=None, values=None, names=None, **more):
        if expression is not None:
            more["UpdateExpression"] = expression
        if values:
            more["ExpressionAttributeValues"] = values
        if names:
            more["ExpressionAttributeNames"] = names
        return self.db.update_item(TableName=self.table, Key=KEY, **more)

    def get(self):
        answer = self.db.get_item(TableName=self.table, Key=KEY, ConsistentRead=True)
        item = answer.get("Item")
        if item is None:
            return None
        self.assertEqual(item.pop("pk"), KEY["pk"])
        for value in item.values():
            for kind in ("SS", "NS", "BS"):
                if kind in value:
                    value[kind].sort()
        return item

    def becomes(self, wanted, expression, values=None, names=None):
        self.update(expression, values, names)
        self.assertEqual(self.get(), wanted)

    def refused(self, message, expression=None, values=None, names=None, **more):
        before = self.get()
        self.assert_fails(
            "ValidationException",
            message,
            self.update,
            expression=expression,
            values=values,
            names=names,
            **more,
        )
        self.assertEqual(self.get(), before)


class Actions(Update):
    def test_an_update_of_nothing_makes_the_item(self):
        self.update()
        self.assertEqual(self.get(), {})
        self.start(a={"S": "stays"})
        self.update()
        self.assertEqual(self.get(), {"a": {"S": "stays"}})

    def test_set(self):
        one = {":v": {"N": "1"}}
        self.becomes({"a": {"N": "1"}}, "SET a = :v", one)
        self.becomes({"a": {"N": "1"}, "b": {"N": "1"}}, "SET b = a")
        self.becomes({"a": {"N": "2"}, "b": {"N": "1"}}, "SET a = b + :v", one)
        self.becomes({"a": {"N": "1"}, "b": {"N": "2"}}, "SET a = b, b = a")  # both sides as they were
        self.becomes({"a": {"N": "0"}, "b": {"N": "2"}}, "SET #a = #a - :v", one, {"#a": "a"})
        self.becomes({"a": {"N": "0"}, "b": {"N": "2"}, "status": {"N": "1"}}, "SET #s = :v", one, {"#s": "status"})

    def test_numbers_are_exact(self):
        self.start(n={"N": "0.1"})
        self.becomes({"n": {"N": "0.3"}}, "SET n = n + :v", {":v": {"N": "0.2"}})
        self.start(n={"N": "99999999999999999999999999999999999998"})
        self.becomes({"n": {"N": "99999999999999999999999999999999999999"}}, "ADD n :v", {":v": {"N": "1"}})
        self.refused("38 significant digits", "ADD n :v", {":v": {"N": "0.1"}})

    def test_nested_paths_and_lists(self):
        self.start(m={"M": {"a": {"M": {}}}}, l=LIST)
        value = {":v": {"S": "x"}}
        self.update("SET m.a.b = :v, l[1] = :v, l[9] = :v", value)
        self.assertEqual(
            self.get(), {"m": {"M": {"a": {"M": {"b": {"S": "x"}}}}}, "l": {"L": [{"N": "0"}, {"S": "x"}, {"N": "2"}, {"S": "x"}]}}
        )
        self.update("REMOVE m.a.b, l[0], l[3]")
        self.assertEqual(self.get(), {"m": {"M": {"a": {"M": {}}}}, "l": {"L": [{"S": "x"}, {"N": "2"}]}})
        self.refused("The document path provided in the update expression is invalid for update", "SET x.y = :v", value)

    def test_functions(self):
        self.becomes({"a": {"N": "7"}}, "SET a = if_not_exists(a, :v)", {":v": {"N": "7"}})
        self.becomes({"a": {"N": "7"}}, "SET a = if_not_exists(a, :v)", {":v": {"N": "8"}})
        new = {":new": {"L": [{"S": "n"}]}, ":none": {"L": []}}
        append = "SET l = list_append(if_not_exists(l, :none), :new)"
        self.becomes({"a": {"N": "7"}, "l": {"L": [{"S": "n"}]}}, append, new)
        self.becomes({"a": {"N": "7"}, "l": {"L": [{"S": "n"}, {"S": "n"}]}}, append, new)

    def test_add_and_delete(self):
        self.becomes({"n": {"N": "-5"}}, "ADD n :v", {":v": {"N": "-5"}})
        self.update("REMOVE n")
        self.becomes({"s": {"SS": ["a", "b"]}}, "ADD s :v", {":v": {"SS": ["b", "a"]}})
        self.becomes({"s": {"SS": ["a", "b", "c"]}}, "ADD s :v", {":v": {"SS": ["b", "c"]}})
        self.becomes({"s": {"SS": ["b"]}}, "DELETE s :v", {":v": {"SS": ["a", "c", "z"]}})
        self.becomes({}, "DELETE s :v", {":v": {"SS": ["b"]}})  # no set is empty
        self.refused("Incorrect operand type", "ADD s :v", {":v": {"S": "a"}})
        self.start(s={"S": "text"})
        self.refused("An operand in the update expression has an incorrect data type", "ADD s :v", {":v": {"N": "1"}})

    def test_all_sections_at_once(self):
        self.start(a={"N": "1"}, b={"S": "x"}, n={"N": "1"}, s={"SS": ["p", "q"]})
        self.becomes(
            {"a": {"N": "3"}, "n": {"N": "3"}, "s": {"SS": ["p"]}},
            "SET a = :two + n REMOVE b ADD n :two DELETE s :q",
            {":two": {"N": "2"}, ":q": {"SS": ["q"]}},
        )

    def test_an_item_may_grow_to_its_limit(self):
        text = "x" * (409600 - len("pk") - len("k") - len("a"))
        self.update("SET a = :v", {":v": {"S": text}})
        self.assertEqual(self.get(), {"a": {"S": text}})
        self.refused("Item size to update has exceeded the maximum allowed size", "SET b = :v", {":v": {"S": ""}})


class Returned(Update):
    def returned(self, what, expression, values=None, **more):
        answer = self.update(expression, values, ReturnValues=what, **more)
        return answer.get("Attributes")

    def test_what_is_returned(self):
        wanted = {
            "NONE": None,
            "ALL_OLD": {**KEY, "a": {"N": "1"}, "b": {"M": {"c": {"N": "2"}, "d": {"N": "3"}}}},
            "ALL_NEW": {**KEY, "a": {"N": "9"}, "b": {"M": {"c": {"N": "9"}, "d": {"N": "3"}}}},
            "UPDATED_OLD": {"a": {"N": "1"}, "b": {"M": {"c": {"N": "2"}}}},
            "UPDATED_NEW": {"a": {"N": "9"}, "b": {"M": {"c": {"N": "9"}}}},
        }
        for what, attributes in wanted.items():
            with self.subTest(what=what):
                self.start(a={"N": "1"}, b={"M": {"c": {"N": "2"}, "d": {"N": "3"}}})
                self.assertEqual(self.returned(what, "SET a = :v, b.c = :v", {":v": {"N": "9"}}), attributes)

    def test_of_an_item_that_was_not_there(self):
        wanted = {
            "NONE": None,
            "ALL_OLD": None,
            "ALL_NEW": {**KEY, "a": {"N": "9"}},
            "UPDATED_OLD": None,
            "UPDATED_NEW": {"a": {"N": "9"}},
        }
        for what, attributes in wanted.items():
            with self.subTest(what=what):
                self.setUp()
                self.assertEqual(self.returned(what, "SET a = :v", {":v": {"N": "9"}}), attributes)

    def test_what_was_removed_is_not_new(self):
        self.start(a={"N": "1"}, b={"N": "2"})
        self.assertIsNone(self.returned("UPDATED_NEW", "REMOVE a"))
        self.assertEqual(self.returned("UPDATED_OLD", "REMOVE b"), {"b": {"N": "2"}})

    def test_capacity(self):
        def cost(expression, values, kind="TOTAL"):
            return self.update(expression, values, ReturnConsumedCapacity=kind)["ConsumedCapacity"]

        self.assertEqual(cost(None, None), {"TableName": self.table, "CapacityUnits": 1})
        grow = ("SET a = :v", {":v": {"S": "x" * 3000}})
        self.assertEqual(cost(*grow)["CapacityUnits"], 3)
        self.assertEqual(cost("REMOVE a", None)["CapacityUnits"], 3)
        self.assertEqual(
            cost(*grow, "INDEXES"), {"TableName": self.table, "CapacityUnits": 3, "Table": {"CapacityUnits": 3}}
        )
        self.assertNotIn("ConsumedCapacity", self.update(*grow, ReturnConsumedCapacity="NONE"))

    def test_collection_metrics_are_for_tables_with_local_indexes(self):
        self.assertNotIn("ItemCollectionMetrics", self.update(ReturnItemCollectionMetrics="SIZE"))


class Conditional(Update):
    def test_an_update_that_must_find_its_item(self):
        arguments = ("SET a = :v", {":v": {"N": "1"}})
        with self.assertRaises(self.db.exceptions.ConditionalCheckFailedException):
            self.update(*arguments, ConditionExpression="attribute_exists(pk)")
        self.assertIsNone(self.get())
        self.start()
        self.update(*arguments, ConditionExpression="attribute_exists(pk)")
        self.assertEqual(self.get(), {"a": {"N": "1"}})

    def test_placeholders_serve_both_expressions(self):
        self.start(a={"N": "1"})
        both = {"ConditionExpression": "#a = :one", "names": {"#a": "a"}}
        self.update("SET #a = #a + :one", {":one": {"N": "1"}}, **both)
        self.assertEqual(self.get(), {"a": {"N": "2"}})
        with self.assertRaises(self.db.exceptions.ConditionalCheckFailedException):
            self.update("SET #a = #a + :one", {":one": {"N": "1"}}, **both)
        self.assertEqual(self.get(), {"a": {"N": "2"}})

    def test_a_bounded_stock_is_never_oversold(self):
        self.start(stock={"N": "37"})

        def buy(_):
            db = client()
            sold = 0
            for _ in range(10):
                try:
                    db.update_item(
                        TableName=self.table,
                        Key=KEY,
                        UpdateExpression="SET stock = stock - :one",
                        ConditionExpression="stock > :none",
                        ExpressionAttributeValues={":one": {"N": "1"}, ":none": {"N": "0"}},
                    )
                    sold += 1
                except db.exceptions.ConditionalCheckFailedException:
                    pass
            return sold

        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            sold = sum(pool.map(buy, range(THREADS)))
        self.assertEqual((sold, self.get()), (37, {"stock": {"N": "0"}}))


class Counter(Update):
    def test_every_increment_counts_once(self):
        def count(_):
            db = client()
            seen = []
            for _ in range(PER_THREAD):
                answer = db.update_item(
                    TableName=self.table,
                    Key=KEY,
                    UpdateExpression="ADD n :one",
                    ExpressionAttributeValues={":one": {"N": "1"}},
                    ReturnValues="UPDATED_NEW",
                )
                seen.append(int(answer["Attributes"]["n"]["N"]))
            return seen

        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            per_thread = list(pool.map(count, range(THREADS)))
        for seen in per_thread:
            self.assertEqual(seen, sorted(seen))
        total = THREADS * PER_THREAD
        self.assertEqual(sorted(sum(per_thread, [])), list(range(1, total + 1)))
        self.assertEqual(self.get(), {"n": {"N": str(total)}})

    def test_every_element_is_appended_once(self):
        def append(number):
            db = client()
            for turn in range(20):
                db.update_item(
                    TableName=self.table,
                    Key=KEY,
                    UpdateExpression="SET l = list_append(if_not_exists(l, :none), :new)",
                    ExpressionAttributeValues={":none": {"L": []}, ":new": {"L": [{"S": f"{number}-{turn}"}]}},
                )

        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(append, range(THREADS)))
        elements = [element["S"] for element in self.get()["l"]["L"]]
        self.assertEqual(sorted(elements), sorted(f"{number}-{turn}" for number in range(THREADS) for turn in range(20)))


class Legacy(Update):
    def test_actions(self):
        self.update(AttributeUpdates={"a": {"Value": {"S": "x"}}, "n": {"Action": "ADD", "Value": {"N": "2"}}})
        self.assertEqual(self.get(), {"a": {"S": "x"}, "n": {"N": "2"}})
        self.update(
            AttributeUpdates={
                "a": {"Action": "DELETE"},
                "n": {"Action": "ADD", "Value": {"N": "-3"}},
                "s": {"Action": "ADD", "Value": {"SS": ["p", "q"]}},
                "l": {"Action": "ADD", "Value": {"L": [{"S": "1"}]}},
            }
        )
        self.update(
            AttributeUpdates={
                "s": {"Action": "DELETE", "Value": {"SS": ["q"]}},
                "l": {"Action": "ADD", "Value": {"L": [{"S": "2"}]}},
                "m": {"Action": "PUT", "Value": {"M": {}}},
            }
        )
        self.assertEqual(
            self.get(), {"n": {"N": "-1"}, "s": {"SS": ["p"]}, "l": {"L": [{"S": "1"}, {"S": "2"}]}, "m": {"M": {}}}
        )

    def test_expected_and_returned(self):
        self.start(a={"N": "1"}, b={"N": "1"})
        change = {"a": {"Value": {"N": "2"}}}
        answer = self.update(AttributeUpdates=change, Expected={"a": {"Value": {"N": "1"}}}, ReturnValues="UPDATED_OLD")
        self.assertEqual(answer["Attributes"], {"a": {"N": "1"}})
        with self.assertRaises(self.db.exceptions.ConditionalCheckFailedException):
            self.update(AttributeUpdates=change, Expected={"a": {"Value": {"N": "1"}}})

    def test_refused(self):
        entry = "One or more parameter values were invalid: "
        self.refused(entry + "Only DELETE action is allowed", AttributeUpdates={"a": {"Action": "PUT"}})
        self.refused(
            entry + "DELETE action with value is not supported for the type N",
            AttributeUpdates={"a": {"Action": "DELETE", "Value": {"N": "1"}}},
        )
        self.refused(
            entry + "ADD action is not supported for the type S",
            AttributeUpdates={"a": {"Action": "ADD", "Value": {"S": "x"}}},
        )
        self.refused("attributeUpdates.a.member.action", AttributeUpdates={"a": {"Action": "SET"}})
        self.refused("Cannot update attribute pk", AttributeUpdates={"pk": {"Value": {"S": "x"}}})
        self.refused(
            "Non-expression parameters: {AttributeUpdates} Expression parameters: {UpdateExpression}",
            "REMOVE a",
            AttributeUpdates={},
        )
        self.start(a={"S": "x"})
        self.refused("Type mismatch for attribute to update", AttributeUpdates={"a": {"Action": "ADD", "Value": {"N": "1"}}})


class Refused(Update):
    def test_bad_expressions(self):
        one = {":v": {"N": "1"}}
        self.refused("Invalid UpdateExpression: The expression can not be empty;", "")
        self.refused("Invalid UpdateExpression: Syntax error; token: ", "SET a", None)
        self.refused("Two document paths overlap", "SET a = :v, a.b = :v", one)
        self.refused("attribute value: :w", "SET a = :w", one)
        self.refused("unused in expressions: keys: {:v}", "REMOVE a", one)
        self.refused("reserved keyword: name", "REMOVE name")
        self.refused("UpdateExpression and ConditionExpression are null", None, one)
        self.refused(
            "Incorrect operand type for operator or function", "SET a = list_append(:v, :v)", one
        )

    def test_the_key_stays(self):
        self.refused("Cannot update attribute pk. This attribute is part of the key", "SET pk = :v", {":v": {"S": "k"}})
        self.refused("Cannot update attribute pk. This attribute is part of the key", "REMOVE a, pk")

    def test_what_is_not_there(self):
        message = "The provided expression refers to an attribute that does not exist in the item"
        self.refused(message, "SET a = b")
        self.refused(message, "SET a = a + :v", {":v": {"N": "1"}})
        self.start(a={"S": "x"})
        self.refused("An operand in the update expression has an incorrect data type", "SET a = a + :v", {":v": {"N": "1"}})

    def test_bad_parameters(self):
        answer = call("UpdateItem", {"TableName": self.table, "Key": KEY, "ReturnValues": "SOME"})
        self.assert_refused(
            answer, "ValidationException", "Value 'SOME' at 'returnValues' failed to satisfy constraint: Member must satisfy"
        )
        answer = call("UpdateItem", {"TableName": self.table, "Key": KEY, "UpdateExpression": 5})
        self.assert_refused(answer, "SerializationException")
        self.assert_fails(
            "ValidationException",
            "The provided key element does not match the schema",
            self.db.update_item,
            TableName=self.table,
            Key={**KEY, "sk": {"S": "x"}},
        )
        self.assert_fails(
            "ResourceNotFoundException", "Requested resource not found", self.db.update_item, TableName="nowhere-6", Key=KEY
        )


class SortKey(ApiTest):
    def test_neighbours_are_left_alone(self):
        table = self.make_table(HASH_S_RANGE_S)
        for sk in ("a", "b", "c"):
            self.db.put_item(TableName=table, Item={"pk": {"S": "k"}, "sk": {"S": sk}, "n": {"N": "0"}})
        self.db.update_item(
            TableName=table,
            Key={"pk": {"S": "k"}, "sk": {"S": "b"}},
            UpdateExpression="ADD n :v",
            ExpressionAttributeValues={":v": {"N": "1"}},
        )
        found = self.db.query(
            TableName=table,
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {"S": "k"}},
            ConsistentRead=True,
        )["Items"]
        self.assertEqual([item["n"]["N"] for item in found], ["0", "1", "0"])


if __name__ == "__main__":
    unittest.main()
