#!/usr/bin/env python3
"""Conditional writes: expressions and their old parameters, what is said of a failure, races with one winner."""

import concurrent.futures
import threading
import unittest

import boto3.dynamodb.conditions
from api_client import HASH_S_RANGE_S, ApiTest, call, client
from botocore.exceptions import ClientError

THREADS = 8
ITEM = {
    "pk": {"S": "k"},
    "n": {"N": "5"},
    "s": {"S": "abc"},
    "b": {"B": b"\x01\x02"},
    "l": {"L": [{"N": "1"}, {"M": {"deep": {"S": "x"}}}]},
    "m": {"M": {"a": {"N": "7"}}},
    "ss": {"SS": ["x", "y"]},
    "yes": {"BOOL": True},
    "nothing": {"NULL": True},
}
VALUES = {
    ":five": {"N": "5.0"},
    ":four": {"N": "4"},
    ":nine": {"N": "9"},
    ":abc": {"S": "abc"},
    ":ab": {"S": "ab"},
    ":x": {"S": "x"},
    ":number": {"S": "N"},
    ":yes": {"BOOL": True},
    ":bytes": {"B": b"\x01"},
}

# A condition, and whether ITEM meets it; an item that is not there.
CONDITIONS = (
    ("attribute_exists(pk)", True, False),
    ("attribute_not_exists(pk)", False, True),
    ("n = :five", True, False),
    ("n <> :five", False, True),
    ("n < :nine AND n > :four", True, False),
    ("n BETWEEN :four AND :nine", True, False),
    ("n IN (:four, :five)", True, False),
    ("n IN (:four, :nine)", False, False),
    ("begins_with(s, :ab)", True, False),
    ("begins_with(b, :bytes)", True, False),
    ("contains(s, :ab)", True, False),
    ("contains(ss, :x)", True, False),
    ("contains(ss, :ab)", False, False),
    ("attribute_type(n, :number)", True, False),
    ("attribute_type(s, :number)", False, False),
    ("size(s) < :four", True, False),
    ("size(ss) > :four", False, False),
    ("m.a > :five", True, False),
    ("l[1].deep = :x", True, False),
    ("l[2].deep = :x", False, False),
    ("NOT (n = :five)", False, True),
    ("NOT n = :four AND yes = :yes", True, False),
    ("n = :four OR s = :abc", True, False),
    ("attribute_not_exists(#gone) OR n = :four", True, True),
    ("n < s", False, False),
)

# An entry of Expected, with the same two answers.
EXPECTED = (
    ({"n": {"Value": {"N": "5"}}}, True, False),
    ({"n": {"Exists": False}}, False, True),
    ({"n": {"Exists": True, "Value": {"N": "4"}}}, False, False),
    ({"n": {"ComparisonOperator": "GE", "AttributeValueList": [{"N": "5"}]}}, True, False),
    ({"n": {"ComparisonOperator": "LT", "Value": {"N": "5"}}}, False, False),
    ({"n": {"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"N": "1"}, {"N": "6"}]}}, True, False),
    ({"s": {"ComparisonOperator": "BEGINS_WITH", "AttributeValueList": [{"S": "ab"}]}}, True, False),
    ({"s": {"ComparisonOperator": "IN", "AttributeValueList": [{"S": "z"}, {"S": "abc"}]}}, True, False),
    ({"ss": {"ComparisonOperator": "CONTAINS", "AttributeValueList": [{"S": "x"}]}}, True, False),
    ({"ss": {"ComparisonOperator": "NOT_CONTAINS", "AttributeValueList": [{"S": "x"}]}}, False, False),
    ({"n": {"ComparisonOperator": "NOT_NULL"}}, True, False),
    ({"gone": {"ComparisonOperator": "NULL"}}, True, True),
    ({}, True, True),
)


def placeholders(condition):
    """Those of the values and names that the condition uses."""
    words = condition.replace("(", " ").replace(")", " ").replace(",", " ").split()
    used = {"ExpressionAttributeValues": {name: value for name, value in VALUES.items() if name in words}}
    if not used["ExpressionAttributeValues"]:
        used = {}
    if "#gone" in words:
        used["ExpressionAttributeNames"] = {"#gone": "gone"}
    return used


class Conditional(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = cls.make_table()

    def put(self, item=None, **more):
        return self.db.put_item(TableName=self.table, Item=item or ITEM, **more)

    def delete(self, **more):
        return self.db.delete_item(TableName=self.table, Key={"pk": ITEM["pk"]}, **more)

    def update(self, **more):
        return self.db.update_item(TableName=self.table, Key={"pk": ITEM["pk"]}, **more)

    def get(self):
        answer = self.db.get_item(TableName=self.table, Key={"pk": ITEM["pk"]}, ConsistentRead=True)
        return answer.get("Item")

    def succeeds(self, function, **arguments):
        """Whether the write's condition held; no other failure is let through."""
        try:
            function(**arguments)
        except ClientError as failure:
            self.assertEqual(failure.response["Error"]["Code"], "ConditionalCheckFailedException", failure)
            self.assertEqual(failure.response["Error"]["Message"], "The conditional request failed")
            self.assertNotIn("Item", failure.response)
            return False
        return True

    def set_up_item(self, is_there):
        if is_there:
            self.put()
        else:
            self.delete()


class Truth(Conditional):
    def test_every_kind_of_condition_on_every_write(self):
        for condition, if_there, if_not in CONDITIONS:
            for is_there, wanted in ((True, if_there), (False, if_not)):
                for function in (self.put, self.update, self.delete):
                    with self.subTest(condition=condition, is_there=is_there, function=function.__name__):
                        self.set_up_item(is_there)
                        before = self.get()
                        held = self.succeeds(
                            function, ConditionExpression=condition, **placeholders(condition)
                        )
                        self.assertEqual(held, wanted)
                        if not held:
                            self.assertEqual(self.get(), before)

    def test_expected_says_the_same_in_the_old_way(self):
        for expected, if_there, if_not in EXPECTED:
            for is_there, wanted in ((True, if_there), (False, if_not)):
                for function in (self.put, self.update, self.delete):
                    with self.subTest(expected=expected, is_there=is_there, function=function.__name__):
                        self.set_up_item(is_there)
                        self.assertEqual(self.succeeds(function, Expected=expected), wanted)

    def test_conditional_operator_joins(self):
        both = {"n": {"Value": {"N": "4"}}, "s": {"Value": {"S": "abc"}}}
        for operator, wanted in ((None, False), ("AND", False), ("OR", True)):
            more = {"ConditionalOperator": operator} if operator else {}
            self.put()
            self.assertEqual(self.succeeds(self.put, Expected=both, **more), wanted)

    def test_the_resource_s_conditions(self):
        table = self.resource()
        attribute = boto3.dynamodb.conditions.Attr
        table.put_item(Item={"pk": "r", "version": 1})
        table.put_item(Item={"pk": "r", "version": 2}, ConditionExpression=attribute("version").eq(1))
        with self.assertRaises(table.meta.client.exceptions.ConditionalCheckFailedException):
            table.put_item(Item={"pk": "r", "version": 2}, ConditionExpression=attribute("version").eq(1))
        table.delete_item(Key={"pk": "r"}, ConditionExpression=~attribute("version").lt(2) & attribute("pk").exists())

    def resource(self):
        return boto3.resource(
            "dynamodb",
            endpoint_url=self.db.meta.endpoint_url,
            region_name=self.db.meta.region_name,
            aws_access_key_id=self.db._request_signer._credentials.access_key,
            aws_secret_access_key=self.db._request_signer._credentials.secret_key,
        ).Table(self.table)


class Failure(Conditional):
    """By hand: ReturnValuesOnConditionCheckFailure is younger than some clients."""

    def failures(self, **more):
        """The answers to all three writes, which fail."""
        common = {"TableName": self.table, **more}
        answers = (
            call("PutItem", {"Item": {"pk": ITEM["pk"]}, **common}),
            call("DeleteItem", {"Key": {"pk": ITEM["pk"]}, **common}),
            call("UpdateItem", {"Key": {"pk": ITEM["pk"]}, **common}),
        )
        for answer in answers:
            self.assert_refused(answer, "ConditionalCheckFailedException", "The conditional request failed")
        return [answer.json() for answer in answers]

    def test_the_item_is_shown_when_asked_for(self):
        item = {"pk": ITEM["pk"], "v": {"L": [{"N": "1"}]}}
        self.put(item)
        conditions = (
            {"ConditionExpression": "attribute_not_exists(pk)"},
            {"Expected": {"pk": {"Exists": False}}},
        )
        for condition in conditions:
            for answer in self.failures(**condition):
                self.assertNotIn("Item", answer)
            for answer in self.failures(ReturnValuesOnConditionCheckFailure="NONE", **condition):
                self.assertNotIn("Item", answer)
            for answer in self.failures(ReturnValuesOnConditionCheckFailure="ALL_OLD", **condition):
                self.assertEqual(answer["Item"], item)

    def test_an_item_that_is_not_there_is_not_shown(self):
        self.delete()
        answers = self.failures(
            ConditionExpression="attribute_exists(pk)", ReturnValuesOnConditionCheckFailure="ALL_OLD"
        )
        for answer in answers:
            self.assertNotIn("Item", answer)

    def test_other_values_are_refused(self):
        answer = call(
            "PutItem",
            {"TableName": self.table, "Item": {"pk": ITEM["pk"]}, "ReturnValuesOnConditionCheckFailure": "ALL_NEW"},
        )
        self.assert_refused(answer, "ValidationException", "Member must satisfy enum value set: [ALL_OLD, NONE]")

    def test_on_the_wire(self):
        self.put({"pk": ITEM["pk"], "v": {"N": "1"}})
        answer = call(
            "DeleteItem",
            {
                "TableName": self.table,
                "Key": {"pk": {"S": "k"}},
                "ConditionExpression": "attribute_not_exists(pk)",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                "ReturnConsumedCapacity": "TOTAL",
            },
        )
        self.assert_refused(answer, "ConditionalCheckFailedException", "The conditional request failed")
        self.assertEqual(set(answer.json()), {"__type", "message", "Item"})
        self.assertEqual(answer.json()["Item"], {"pk": {"S": "k"}, "v": {"N": "1"}})

    def test_return_values_are_those_of_success(self):
        self.put()
        self.assertEqual(
            self.put(ConditionExpression="attribute_exists(pk)", ReturnValues="ALL_OLD")["Attributes"], self.get()
        )


class Refused(Conditional):
    def refused(self, message, function=None, **arguments):
        self.assert_fails("ValidationException", message, function or self.put, **arguments)

    def test_bad_expressions(self):
        one = {"ExpressionAttributeValues": {":v": {"N": "1"}}}
        self.refused("Invalid ConditionExpression: The expression can not be empty;", ConditionExpression="")
        self.refused("Invalid ConditionExpression: Syntax error; token: ", ConditionExpression="a = = b")
        self.refused("attribute value: :w", ConditionExpression="a = :w", **one)
        self.refused("attribute name: #a", ConditionExpression="attribute_exists(#a)")
        self.refused("reserved keyword: status", ConditionExpression="attribute_exists(status)")
        self.refused("unused in expressions: keys: {:v}", ConditionExpression="attribute_exists(a)", **one)
        self.refused("Invalid function name; function: exists", ConditionExpression="exists(a)")

    def test_old_and_new_do_not_mix(self):
        self.refused(
            "Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}",
            ConditionExpression="attribute_exists(pk)",
            Expected={"pk": {"Exists": False}},
        )
        self.refused("can only be specified when using expressions", ExpressionAttributeNames={"#a": "a"})
        self.refused("ConditionExpression is null", ExpressionAttributeValues={":a": {"S": "a"}})

    def test_bad_expectations(self):
        entry = "One or more parameter values were invalid: "
        self.refused(entry + "Value must be provided when Exists is true", Expected={"a": {"Exists": True}})
        self.refused(
            entry + "Value cannot be used when Exists is false", Expected={"a": {"Exists": False, "Value": {"S": "a"}}}
        )
        self.refused(
            entry + "Invalid number of argument(s) for the EQ ComparisonOperator",
            Expected={"a": {"ComparisonOperator": "EQ", "AttributeValueList": []}},
        )
        self.refused("expected.a.member.comparisonOperator", Expected={"a": {"ComparisonOperator": "IS"}})
        self.refused("ConditionalOperator", Expected={"a": {"Exists": False}}, ConditionalOperator="OR")
        self.refused("ConditionalOperator", ConditionalOperator="AND")

    def test_keys_have_no_inside(self):
        self.refused("Key attributes must be scalars", ConditionExpression="attribute_exists(pk.a)")

    def test_the_table_comes_after_the_request(self):
        arguments = {"TableName": "nowhere-5", "Key": {"pk": {"S": "k"}}}
        self.assert_fails(
            "ValidationException", "Syntax error", self.db.delete_item, ConditionExpression="!", **arguments
        )
        self.assert_fails(
            "ResourceNotFoundException",
            "Requested resource not found",
            self.db.delete_item,
            ConditionExpression="attribute_exists(pk)",
            **arguments,
        )


class Races(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = cls.make_table(HASH_S_RANGE_S)

    def together(self, work):
        """work(client, number) in THREADS threads that begin at once."""
        barrier = threading.Barrier(THREADS)

        def run(number):
            db = client()
            barrier.wait()
            return work(db, number)

        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(run, range(THREADS)))

    def test_only_one_creates(self):
        for round_number in range(20):
            key = {"pk": {"S": "create"}, "sk": {"S": str(round_number)}}

            def create(db, number, key=key):
                try:
                    db.put_item(
                        TableName=self.table,
                        Item={**key, "by": {"N": str(number)}},
                        ConditionExpression="attribute_not_exists(pk)",
                    )
                    return True
                except db.exceptions.ConditionalCheckFailedException:
                    return False

            winners = [number for number, won in enumerate(self.together(create)) if won]
            self.assertEqual(len(winners), 1)
            found = self.db.get_item(TableName=self.table, Key=key, ConsistentRead=True)["Item"]
            self.assertEqual(found["by"], {"N": str(winners[0])})

    def test_optimistic_locking_loses_nothing(self):
        """Each thread reads, adds, and writes if the version is still the one it read."""
        key = {"pk": {"S": "locked"}, "sk": {"S": ""}}
        key["sk"] = {"S": "1"}
        rounds = 25
        self.db.put_item(TableName=self.table, Item={**key, "total": {"N": "0"}, "version": {"N": "0"}})

        def add(db, _):
            done = retries = 0
            while done < rounds:
                item = db.get_item(TableName=self.table, Key=key, ConsistentRead=True)["Item"]
                version = int(item["version"]["N"])
                try:
                    db.put_item(
                        TableName=self.table,
                        Item={**key, "total": {"N": str(int(item["total"]["N"]) + 1)}, "version": {"N": str(version + 1)}},
                        ConditionExpression="version = :read",
                        ExpressionAttributeValues={":read": item["version"]},
                    )
                    done += 1
                except db.exceptions.ConditionalCheckFailedException:
                    retries += 1
            return retries

        self.together(add)
        item = self.db.get_item(TableName=self.table, Key=key, ConsistentRead=True)["Item"]
        self.assertEqual(item["total"], {"N": str(THREADS * rounds)})
        self.assertEqual(item["version"], {"N": str(THREADS * rounds)})

    def test_only_one_takes_away(self):
        for round_number in range(20):
            key = {"pk": {"S": "take"}, "sk": {"S": str(round_number)}}
            self.db.put_item(TableName=self.table, Item=key)

            def take(db, _, key=key):
                try:
                    db.delete_item(TableName=self.table, Key=key, ConditionExpression="attribute_exists(pk)")
                    return True
                except db.exceptions.ConditionalCheckFailedException:
                    return False

            self.assertEqual(sum(self.together(take)), 1)


if __name__ == "__main__":
    unittest.main()
