#!/usr/bin/env python3
"""Tables: create, describe, list, change, delete, and what is wrong with bad definitions."""

import re
import time
import unittest

from api_client import HASH_S, HASH_S_RANGE_S, PATIENCE_S, REGION, ApiTest, call, new_name, table_arguments


class CreateAndDelete(ApiTest):
    def life_of(self, keys, **more):
        """Create, wait, describe, delete, wait: the description in between."""
        name = new_name()
        created = self.db.create_table(**table_arguments(name, keys, **more))["TableDescription"]
        self.assertIn(created["TableStatus"], ("CREATING", "ACTIVE"))
        self.wait_exists(name)
        table = self.db.describe_table(TableName=name)["Table"]
        deleted = self.db.delete_table(TableName=name)["TableDescription"]
        self.assertEqual(deleted["TableStatus"], "DELETING")
        self.wait_gone(name)
        self.assert_fails(
            "ResourceNotFoundException", f"Table: {name} not found", self.db.describe_table, TableName=name
        )
        return table

    def test_hash_key_of_each_type(self):
        for kind in "SNB":
            with self.subTest(kind=kind):
                table = self.life_of([("id", "HASH", kind)])
                self.assertEqual(table["KeySchema"], [{"AttributeName": "id", "KeyType": "HASH"}])
                self.assertEqual(table["AttributeDefinitions"], [{"AttributeName": "id", "AttributeType": kind}])

    def test_hash_and_range_key(self):
        table = self.life_of([("owner", "HASH", "S"), ("at", "RANGE", "N")])
        self.assertEqual(
            table["KeySchema"],
            [{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        )

    def test_a_table_may_be_made_again_under_its_old_name_and_is_empty(self):
        name = new_name()
        for _ in range(2):
            self.db.create_table(**table_arguments(name, HASH_S))
            self.wait_exists(name)
            self.assertNotIn("Item", self.db.get_item(TableName=name, Key={"pk": {"S": "a"}}, ConsistentRead=True))
            self.db.put_item(TableName=name, Item={"pk": {"S": "a"}})
            self.db.delete_table(TableName=name)
            self.wait_gone(name)

    def test_two_tables_of_one_name_are_refused(self):
        name = self.make_table()
        self.assert_fails("ResourceInUseException", name, self.db.create_table, **table_arguments(name, HASH_S))

    def test_deleting_what_is_not_there_is_refused(self):
        self.assert_fails(
            "ResourceNotFoundException",
            "Requested resource not found: Table: nowhere-1 not found",
            self.db.delete_table,
            TableName="nowhere-1",
        )

    def test_deletion_protection_holds_until_it_is_lifted(self):
        """By hand: Debian's boto3 is older than this setting."""
        name = new_name()
        answer = call("CreateTable", {**table_arguments(name, HASH_S), "DeletionProtectionEnabled": True})
        self.assertEqual(answer.status, 200, answer.body)
        self.wait_exists(name)
        self.assertIs(call("DescribeTable", {"TableName": name}).json()["Table"]["DeletionProtectionEnabled"], True)
        self.assert_refused(
            call("DeleteTable", {"TableName": name}), "ValidationException", "protected against deletion"
        )
        call("UpdateTable", {"TableName": name, "DeletionProtectionEnabled": False})
        self.wait_exists(name)
        self.db.delete_table(TableName=name)
        self.wait_gone(name)


class Describe(ApiTest):
    def test_shape_of_an_on_demand_table(self):
        name = self.make_table(HASH_S_RANGE_S)
        table = self.db.describe_table(TableName=name)["Table"]
        self.assertEqual(table["TableName"], name)
        self.assertEqual(table["TableStatus"], "ACTIVE")
        self.assertRegex(table["TableArn"], rf"^arn:aws:dynamodb:{re.escape(REGION)}:\d{{12}}:table/{name}$")
        self.assertRegex(table["TableId"], r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
        self.assertEqual(table["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST")
        self.assertEqual(table["ProvisionedThroughput"]["ReadCapacityUnits"], 0)
        self.assertEqual(table["ProvisionedThroughput"]["NumberOfDecreasesToday"], 0)
        self.assertEqual((table["ItemCount"], table["TableSizeBytes"]), (0, 0))
        self.assertIsNotNone(table["CreationDateTime"].tzinfo)

    def test_shape_of_a_provisioned_table(self):
        name = self.make_table(ProvisionedThroughput={"ReadCapacityUnits": 7, "WriteCapacityUnits": 3})
        throughput = self.db.describe_table(TableName=name)["Table"]["ProvisionedThroughput"]
        self.assertEqual((throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]), (7, 3))

    def test_an_unknown_table(self):
        self.assert_fails(
            "ResourceNotFoundException",
            "Requested resource not found: Table: nowhere-2 not found",
            self.db.describe_table,
            TableName="nowhere-2",
        )


class ListTables(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.names = sorted(cls.make_table() for _ in range(5))

    def test_pages_hold_every_table_once_in_order(self):
        for size in (1, 2, 100):
            with self.subTest(size=size):
                pages = self.db.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": size})
                seen = [name for page in pages for name in page["TableNames"]]
                self.assertEqual(seen, sorted(set(seen)))
                self.assertEqual([name for name in seen if name in self.names], self.names)

    def test_a_full_page_names_the_last_of_its_tables(self):
        page = self.db.list_tables(Limit=2)
        self.assertEqual(len(page["TableNames"]), 2)
        self.assertEqual(page["LastEvaluatedTableName"], page["TableNames"][-1])

    def test_a_page_starts_after_a_name_that_need_not_exist(self):
        page = self.db.list_tables(ExclusiveStartTableName=self.names[0] + "-")
        self.assertNotIn(self.names[0], page["TableNames"])
        page = self.db.list_tables(ExclusiveStartTableName=self.names[-2], Limit=100)
        self.assertIn(self.names[-1], page["TableNames"])
        self.assertNotIn(self.names[-2], page["TableNames"])

    def test_limits_are_checked(self):
        for limit in (0, 101):
            answer = call("ListTables", {"Limit": limit})
            self.assert_refused(answer, "ValidationException", "'limit' failed to satisfy constraint")


class UpdateTable(ApiTest):
    def billing(self, name):
        return self.db.describe_table(TableName=name)["Table"]

    def test_billing_mode_and_throughput(self):
        name = self.make_table()
        units = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6}
        self.db.update_table(TableName=name, BillingMode="PROVISIONED", ProvisionedThroughput=units)
        self.wait_exists(name)
        self.assertEqual(self.billing(name)["ProvisionedThroughput"]["WriteCapacityUnits"], 6)
        units = {"ReadCapacityUnits": 50, "WriteCapacityUnits": 60}
        self.db.update_table(TableName=name, ProvisionedThroughput=units)
        self.wait_exists(name)
        self.assertEqual(self.billing(name)["ProvisionedThroughput"]["ReadCapacityUnits"], 50)
        self.db.update_table(TableName=name, BillingMode="PAY_PER_REQUEST")
        self.wait_exists(name)
        self.assertEqual(self.billing(name)["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST")

    def follow(self, name, answered):
        """The table as each answer shows it, from that of the change to the first that is ACTIVE."""
        seen = [answered["TableDescription"]]
        deadline = time.monotonic() + PATIENCE_S
        while seen[-1]["TableStatus"] != "ACTIVE":
            self.assertLess(time.monotonic(), deadline, "never active")
            seen.append(self.billing(name))
        self.assertEqual({table["TableStatus"] for table in seen[:-1]}, {"UPDATING"})
        return seen

    @staticmethod
    def units_of(described):
        throughput = described["ProvisionedThroughput"]
        return throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]

    def test_units_from_before_show_until_the_change_is_done(self):
        name = self.make_table(ProvisionedThroughput={"ReadCapacityUnits": 10, "WriteCapacityUnits": 5})
        units = {"ReadCapacityUnits": 30, "WriteCapacityUnits": 15}
        *during, after = self.follow(name, self.db.update_table(TableName=name, ProvisionedThroughput=units))
        self.assertEqual({self.units_of(table) for table in during}, {(10, 5)})
        self.assertEqual(self.units_of(after), (30, 15))
        began = during[0]["ProvisionedThroughput"]
        self.assertNotIn("LastDecreaseDateTime", began)
        self.assertGreater(after["ProvisionedThroughput"]["LastIncreaseDateTime"], began["LastIncreaseDateTime"])

        units = {"ReadCapacityUnits": 20, "WriteCapacityUnits": 15}
        *during, after = self.follow(name, self.db.update_table(TableName=name, ProvisionedThroughput=units))
        self.assertEqual({self.units_of(table) for table in during}, {(30, 15)})
        self.assertEqual(self.units_of(after), (20, 15))
        began = during[0]["ProvisionedThroughput"]
        self.assertEqual(began["NumberOfDecreasesToday"], 0)
        self.assertEqual(after["ProvisionedThroughput"]["NumberOfDecreasesToday"], 1)
        self.assertGreater(after["ProvisionedThroughput"]["LastDecreaseDateTime"], began["LastDecreaseDateTime"])

    def make_indexed(self):
        index = {
            "IndexName": "by-g",
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
            "ProvisionedThroughput": {"ReadCapacityUnits": 4, "WriteCapacityUnits": 3},
        }
        arguments = table_arguments(
            new_name(),
            [*HASH_S, ("g", "HASH", "S")],
            ProvisionedThroughput={"ReadCapacityUnits": 10, "WriteCapacityUnits": 5},
            GlobalSecondaryIndexes=[index],
        )
        arguments["KeySchema"] = arguments["KeySchema"][:1]
        self.db.create_table(**arguments)
        self.addCleanup(self.db.delete_table, TableName=arguments["TableName"])
        self.wait_exists(arguments["TableName"])
        return arguments["TableName"]

    def test_an_index_shows_its_units_from_before_too(self):
        name = self.make_indexed()
        update = {"IndexName": "by-g", "ProvisionedThroughput": {"ReadCapacityUnits": 2, "WriteCapacityUnits": 9}}
        answered = self.db.update_table(TableName=name, GlobalSecondaryIndexUpdates=[{"Update": update}])
        *during, after = self.follow(name, answered)
        for table in during:
            index = table["GlobalSecondaryIndexes"][0]
            self.assertEqual((index["IndexStatus"], self.units_of(index)), ("UPDATING", (4, 3)))
            self.assertEqual(self.units_of(table), (10, 5))
        index = after["GlobalSecondaryIndexes"][0]
        self.assertEqual((index["IndexStatus"], self.units_of(index)), ("ACTIVE", (2, 9)))
        self.assertEqual(self.units_of(after), (10, 5))

    def test_another_billing_mode_shows_at_once(self):
        name = self.make_indexed()
        *during, after = self.follow(name, self.db.update_table(TableName=name, BillingMode="PAY_PER_REQUEST"))
        for table in during:
            self.assertEqual(table["BillingModeSummary"], {"BillingMode": "PAY_PER_REQUEST"})
            self.assertEqual(self.units_of(table), (0, 0))
            index = table["GlobalSecondaryIndexes"][0]
            self.assertEqual((index["IndexStatus"], self.units_of(index)), ("UPDATING", (0, 0)))
        since = after["BillingModeSummary"]["LastUpdateToPayPerRequestDateTime"]
        self.assertGreater(since, after["CreationDateTime"])
        self.assertEqual(after["GlobalSecondaryIndexes"][0]["IndexStatus"], "ACTIVE")

        units = {"ReadCapacityUnits": 7, "WriteCapacityUnits": 8}
        answered = self.db.update_table(
            TableName=name,
            BillingMode="PROVISIONED",
            ProvisionedThroughput=units,
            GlobalSecondaryIndexUpdates=[{"Update": {"IndexName": "by-g", "ProvisionedThroughput": units}}],
        )
        for table in self.follow(name, answered):
            self.assertEqual(
                table["BillingModeSummary"],
                {"BillingMode": "PROVISIONED", "LastUpdateToPayPerRequestDateTime": since},
            )
            self.assertEqual(self.units_of(table), (7, 8))
            self.assertEqual(self.units_of(table["GlobalSecondaryIndexes"][0]), (7, 8))

    def test_nothing_to_change_is_refused(self):
        name = self.make_table()
        self.assert_fails("ValidationException", "At least one of", self.db.update_table, TableName=name)

    def test_an_unknown_table_is_refused(self):
        self.assert_fails(
            "ResourceNotFoundException",
            "Requested resource not found",
            self.db.update_table,
            TableName="nowhere-3",
            BillingMode="PAY_PER_REQUEST",
        )


class BadDefinitions(ApiTest):
    def refused(self, document, message):
        self.assert_refused(call("CreateTable", document), "ValidationException", message)

    def arguments(self, **changes):
        return {**table_arguments(new_name(), HASH_S), **changes}

    def test_names(self):
        for name in ("ab", "a" * 256, "a b c", "näme"):
            with self.subTest(name=name):
                self.assert_refused(
                    call("CreateTable", self.arguments(TableName=name)), "ValidationException"
                )

    def test_a_missing_name(self):
        document = self.arguments()
        del document["TableName"]
        self.refused(document, "TableName")

    def test_a_key_without_a_definition(self):
        document = self.arguments(AttributeDefinitions=[{"AttributeName": "other", "AttributeType": "S"}])
        self.assert_refused(call("CreateTable", document), "ValidationException")

    def test_a_definition_that_no_key_uses(self):
        document = self.arguments()
        document["AttributeDefinitions"].append({"AttributeName": "more", "AttributeType": "S"})
        self.assert_refused(call("CreateTable", document), "ValidationException")

    def test_a_first_key_that_is_not_the_hash_key(self):
        document = self.arguments(KeySchema=[{"AttributeName": "pk", "KeyType": "RANGE"}])
        self.refused(document, "The first KeySchemaElement is not a HASH key type")

    def test_a_key_type_that_does_not_exist(self):
        document = self.arguments(KeySchema=[{"AttributeName": "pk", "KeyType": "SORT"}])
        self.refused(document, "keySchema.1.member.keyType' failed to satisfy constraint: Member must satisfy enum")

    def test_an_attribute_type_that_does_not_exist(self):
        document = self.arguments(AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "X"}])
        self.refused(document, "attributeDefinitions.1.member.attributeType' failed to satisfy constraint")

    def test_a_provisioned_table_without_throughput(self):
        document = self.arguments(BillingMode="PROVISIONED")
        self.assert_refused(call("CreateTable", document), "ValidationException")


class Service(ApiTest):
    def test_describe_limits(self):
        limits = self.db.describe_limits()
        for name in ("Account", "Table"):
            for kind in ("Read", "Write"):
                self.assertGreater(limits[f"{name}Max{kind}CapacityUnits"], 0)

    def test_describe_endpoints(self):
        endpoints = self.db.describe_endpoints()["Endpoints"]
        self.assertEqual(len(endpoints), 1)
        self.assertTrue(endpoints[0]["Address"])
        self.assertEqual(endpoints[0]["CachePeriodInMinutes"], 1440)


if __name__ == "__main__":
    unittest.main()
