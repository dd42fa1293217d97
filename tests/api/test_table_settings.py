#!/usr/bin/env python3
"""What a table has beside its keys: tags, its ARN, encryption, class, on-demand limits, definitions of indexes."""

import unittest

from api_client import HASH_S, HASH_S_RANGE_S, REGION, ApiTest, call, new_name, table_arguments

ACCOUNT = "000000000000"


def arn_of(name, region=REGION, account=ACCOUNT):
    return f"arn:aws:dynamodb:{region}:{account}:table/{name}"


class Tags(ApiTest):
    def tags_of(self, name):
        tags = self.db.list_tags_of_resource(ResourceArn=arn_of(name))["Tags"]
        return {tag["Key"]: tag["Value"] for tag in tags}

    def put(self, name, **tags):
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        self.db.tag_resource(ResourceArn=arn_of(name), Tags=pairs)

    def test_tags_come_with_the_table_change_and_go(self):
        name = self.make_table(Tags=[{"Key": "team", "Value": "blue"}, {"Key": "empty", "Value": ""}])
        self.assertEqual(self.tags_of(name), {"team": "blue", "empty": ""})
        self.put(name, team="red", cost="7")
        self.assertEqual(self.tags_of(name), {"team": "red", "empty": "", "cost": "7"})
        self.assertEqual(self.db.describe_table(TableName=name)["Table"]["TableStatus"], "ACTIVE")
        self.db.untag_resource(ResourceArn=arn_of(name), TagKeys=["team", "nothing"])
        self.assertEqual(self.tags_of(name), {"empty": "", "cost": "7"})

    def test_tags_outlive_other_changes(self):
        name = self.make_table(Tags=[{"Key": "a", "Value": "1"}])
        self.db.update_table(
            TableName=name,
            BillingMode="PROVISIONED",
            ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
        )
        self.wait_exists(name)
        self.assertEqual(self.tags_of(name), {"a": "1"})

    def test_letters_of_all_kinds(self):
        name = self.make_table()
        key, value = "k\u00e9\u20ac\U0001f600" * 25, "v\u00e9\u20ac\U0001f600" * 51
        self.put(name, **{key: value})
        self.assertEqual(self.tags_of(name), {key: value})

    def test_fifty_tags_and_no_more(self):
        name = self.make_table()
        self.put(name, **{f"k{index}": "v" * 256 for index in range(50)})
        self.assertEqual(len(self.tags_of(name)), 50)
        self.put(name, k0="another value of one that is there")
        self.assert_fails("ValidationException", "exceed the current limit", self.put, name=name, k50="v")
        self.assertEqual(len(self.tags_of(name)), 50)

    def test_the_answer_of_a_change_has_no_body(self):
        name = self.make_table()
        document = {"ResourceArn": arn_of(name), "Tags": [{"Key": "a", "Value": "b"}]}
        answer = call("TagResource", document)
        self.assertEqual((answer.status, answer.raw_body), (200, b""))
        self.assertEqual(answer.headers["x-amz-crc32"], "0")

    def test_refused(self):
        name = self.make_table()
        missing = arn_of("nowhere-tags")
        for operation, document, error, message in (
            ("TagResource", {}, "ValidationException", "Invalid TableArn"),
            ("TagResource", {"ResourceArn": "x"}, "AccessDeniedException", "perform: dynamodb:TagResource on resource: x"),
            (
                "TagResource",
                {"ResourceArn": arn_of(name), "Tags": [{"Key": "aws:a", "Value": ""}]},
                "ValidationException",
                "Tag Key cannot be prefixed with aws:, Key: aws:a",
            ),
            (
                "TagResource",
                {"ResourceArn": missing, "Tags": [{"Key": "a", "Value": ""}]},
                "ResourceNotFoundException",
                f"Requested resource not found: ResourcArn: {missing} not found",
            ),
            (
                "UntagResource",
                {"ResourceArn": missing, "TagKeys": ["a"]},
                "ResourceNotFoundException",
                "Requested resource not found",
            ),
            (
                "ListTagsOfResource",
                {"ResourceArn": missing},
                "ResourceNotFoundException",
                f"Requested resource not found: ResourcArn: {missing} not found",
            ),
            (
                "ListTagsOfResource",
                {"ResourceArn": arn_of(name) + "/index/abc"},
                "ValidationException",
                "only table or stream is accepted",
            ),
        ):
            with self.subTest(operation=operation, document=document):
                self.assert_refused(call(operation, document), error, message)


class Arns(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.name = cls.make_table()
        cls.arn = arn_of(cls.name)

    def test_every_operation_takes_the_arn(self):
        key = {"pk": {"S": "a"}}
        self.assertEqual(self.db.describe_table(TableName=self.arn)["Table"]["TableArn"], self.arn)
        self.db.put_item(TableName=self.arn, Item={**key, "v": {"N": "1"}})
        updated = self.db.update_item(
            TableName=self.arn,
            Key=key,
            UpdateExpression="ADD v :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnConsumedCapacity="TOTAL",
        )
        self.assertEqual(updated["ConsumedCapacity"]["TableName"], self.arn)
        self.assertEqual(self.db.get_item(TableName=self.name, Key=key, ConsistentRead=True)["Item"]["v"], {"N": "2"})
        self.assertEqual(self.db.get_item(TableName=self.arn, Key=key, ConsistentRead=True)["Item"]["v"], {"N": "2"})
        self.assertEqual(self.db.scan(TableName=self.arn, ConsistentRead=True)["Count"], 1)
        queried = self.db.query(
            TableName=self.arn,
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {"S": "a"}},
            ConsistentRead=True,
        )
        self.assertEqual(queried["Count"], 1)
        got = self.db.batch_get_item(RequestItems={self.arn: {"Keys": [key], "ConsistentRead": True}})
        self.assertEqual(len(got["Responses"][self.arn]), 1)
        self.db.batch_write_item(RequestItems={self.arn: [{"DeleteRequest": {"Key": key}}]})
        self.db.delete_item(TableName=self.arn, Key=key)
        self.assertEqual(self.db.scan(TableName=self.name, ConsistentRead=True)["Count"], 0)

    def test_a_table_is_made_and_deleted_by_its_arn(self):
        name = new_name()
        created = self.db.create_table(**table_arguments(arn_of(name), HASH_S))["TableDescription"]
        self.assertEqual(created["TableName"], name)
        self.wait_exists(name)
        self.db.delete_table(TableName=arn_of(name))
        self.wait_gone(name)

    def test_refused(self):
        for arn, error, message in (
            (self.arn + "/index/abc", "ValidationException", "Invalid resource type in"),
            (arn_of(self.name, region="xx-nowhere-1"), "ValidationException", "Invalid AWS region in"),
            (arn_of(self.name, account="123456789012"), "AccessDeniedException", "is not authorized to perform"),
            (arn_of("nowhere-arn"), "ResourceNotFoundException", "Requested resource not found"),
        ):
            for operation, document in (
                ("GetItem", {"TableName": arn, "Key": {"pk": {"S": "a"}}}),
                ("PutItem", {"TableName": arn, "Item": {"pk": {"S": "a"}}}),
                ("DescribeTable", {"TableName": arn}),
                ("Scan", {"TableName": arn}),
                ("BatchGetItem", {"RequestItems": {arn: {"Keys": [{"pk": {"S": "a"}}]}}}),
                ("BatchWriteItem", {"RequestItems": {arn: [{"PutRequest": {"Item": {"pk": {"S": "a"}}}}]}}),
            ):
                with self.subTest(operation=operation, arn=arn):
                    self.assert_refused(call(operation, document), error, message)


class Settings(ApiTest):
    def describe(self, name):
        return call("DescribeTable", {"TableName": name}).json()["Table"]

    def change(self, name, **settings):
        answer = call("UpdateTable", {"TableName": name, **settings})
        self.assertEqual(answer.status, 200, answer.body)
        self.wait_exists(name)
        return self.describe(name)

    def test_encryption_is_described(self):
        name = self.make_table(SSESpecification={"Enabled": True})
        self.assertEqual(
            self.describe(name)["SSEDescription"],
            {
                "Status": "ENABLED",
                "SSEType": "KMS",
                "KMSMasterKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/dynamodb",
            },
        )
        specification = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "alias/mine"}
        table = self.change(name, SSESpecification=specification)
        self.assertEqual(
            table["SSEDescription"]["KMSMasterKeyArn"], f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/mine"
        )
        self.assertNotIn("SSEDescription", self.change(name, SSESpecification={"Enabled": False}))
        self.assert_refused(
            call("UpdateTable", {"TableName": name, "SSESpecification": {"Enabled": False}}),
            "ValidationException",
            "already encrypted by default",
        )

    def test_class_and_protection_change_alone(self):
        name = self.make_table()
        self.assertEqual(
            self.change(name, TableClass="STANDARD_INFREQUENT_ACCESS")["TableClassSummary"]["TableClass"],
            "STANDARD_INFREQUENT_ACCESS",
        )
        self.assertIs(self.change(name, DeletionProtectionEnabled=True)["DeletionProtectionEnabled"], True)
        self.assertIs(self.change(name, DeletionProtectionEnabled=False)["DeletionProtectionEnabled"], False)
        for settings, what in (
            ({"TableClass": "STANDARD", "DeletionProtectionEnabled": True}, "TableClass modification"),
            ({"SSESpecification": {"Enabled": True}, "TableClass": "STANDARD"}, "Server-Side Encryption modification"),
            ({"TableClass": "GOLD"}, "Please try again with a valid table-class value"),
        ):
            with self.subTest(settings=settings):
                answer = call("UpdateTable", {"TableName": name, **settings})
                self.assert_refused(answer, "ValidationException", what)

    def test_on_demand_limits(self):
        name = new_name()
        limits = {"MaxReadRequestUnits": 100, "MaxWriteRequestUnits": 50}
        answer = call("CreateTable", {**table_arguments(name, HASH_S), "OnDemandThroughput": limits})
        self.assertEqual(answer.status, 200, answer.body)
        self.addCleanup(self.db.delete_table, TableName=name)
        self.wait_exists(name)
        self.assertEqual(self.describe(name)["OnDemandThroughput"], limits)
        table = self.change(name, OnDemandThroughput={"MaxReadRequestUnits": -1})
        self.assertEqual(table["OnDemandThroughput"], {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": 50})

    def test_streams_are_refused_by_name(self):
        name = self.make_table()
        answer = call(
            "UpdateTable",
            {"TableName": name, "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}},
        )
        self.assert_refused(answer, "ValidationException", "StreamSpecification is not supported yet")
        answer = call("UpdateTable", {"TableName": name, "StreamSpecification": {"StreamEnabled": False}})
        self.assert_refused(answer, "ValidationException", "Table has no stream to disable")


class IndexDefinitions(ApiTest):
    KEYS = [*HASH_S_RANGE_S, ("owner", "HASH", "S"), ("at", "HASH", "N")]

    def arguments(self, name, **more):
        arguments = table_arguments(name, self.KEYS, **more)
        arguments["KeySchema"] = arguments["KeySchema"][:2]
        return arguments

    @staticmethod
    def index(name, *keys, **projection):
        roles = ("HASH", "RANGE")
        return {
            "IndexName": name,
            "KeySchema": [{"AttributeName": key, "KeyType": role} for key, role in zip(keys, roles)],
            "Projection": projection or {"ProjectionType": "ALL"},
        }

    def test_indexes_are_described_as_they_were_defined(self):
        name = new_name()
        local = self.index("near", "pk", "at", ProjectionType="INCLUDE", NonKeyAttributes=["a", "b"])
        far = self.index("far", "owner", "at", ProjectionType="KEYS_ONLY")
        self.db.create_table(**self.arguments(name, LocalSecondaryIndexes=[local], GlobalSecondaryIndexes=[far]))
        self.addCleanup(self.db.delete_table, TableName=name)
        self.wait_exists(name)
        table = self.db.describe_table(TableName=name)["Table"]
        self.assertEqual(
            table["LocalSecondaryIndexes"],
            [{**local, "IndexSizeBytes": 0, "ItemCount": 0, "IndexArn": arn_of(name) + "/index/near"}],
        )
        described = table["GlobalSecondaryIndexes"][0]
        self.assertEqual({key: described[key] for key in far}, far)
        self.assertEqual(described["IndexArn"], arn_of(name) + "/index/far")
        self.assertIn(described["IndexStatus"], ("CREATING", "ACTIVE"))
        self.assertEqual(
            described["ProvisionedThroughput"],
            {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
        )
        self.assertEqual(
            {entry["AttributeName"]: entry["AttributeType"] for entry in table["AttributeDefinitions"]},
            {"pk": "S", "sk": "S", "owner": "S", "at": "N"},
        )
        self.assertNotIn("index/", " ".join(self.db.list_tables()["TableNames"]))

    def test_refused(self):
        far = self.index("far", "owner", "at")
        for indexes, message in (
            ({"GlobalSecondaryIndexes": [far, far]}, "Duplicate index name: far"),
            ({"GlobalSecondaryIndexes": [self.index("far", "owner")]}, "Some AttributeDefinitions are not used"),
            ({"LocalSecondaryIndexes": [self.index("near", "owner", "at")]}, "same leading hash key"),
            (
                {"GlobalSecondaryIndexes": [self.index("far", "owner", "at", ProjectionType="INCLUDE")]},
                "ProjectionType is INCLUDE, but NonKeyAttributes is not specified",
            ),
            (
                {"GlobalSecondaryIndexes": [self.index("f", "owner", "at")]},
                "Value 'f' at 'globalSecondaryIndexes.1.member.indexName' failed to satisfy constraint",
            ),
        ):
            with self.subTest(message=message):
                answer = call("CreateTable", self.arguments(new_name(), **indexes))
                self.assert_refused(answer, "ValidationException", message)


if __name__ == "__main__":
    unittest.main()
