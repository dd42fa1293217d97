#!/usr/bin/env python3
"""What goes over the wire besides the documents: headers, checksums, compression, connections, and bytes that are no request."""

import gzip
import json
import unittest

import api_client
from api_client import CONTENT_TYPE, TARGET_PREFIX, ApiTest, call, connect, crc32_text, raw_request

SERIALIZATION = "SerializationException"
# A value of the wrong kind is found while reading or while checking.
READ_OR_CHECKED = ("SerializationException", "ValidationException")


class Headers(ApiTest):
    def test_every_answer_carries_an_id_and_the_checksum_of_its_body(self):
        for answer in (call("ListTables", {}), call("DescribeTable", {"TableName": "nowhere-5"})):
            self.assertRegex(answer.headers["x-amzn-requestid"], r"^[A-Z0-9]{52}$")
            self.assertEqual(answer.headers["x-amz-crc32"], crc32_text(answer.raw_body))
            self.assertEqual(answer.headers["content-type"], CONTENT_TYPE)
            self.assertEqual(answer.headers["content-length"], str(len(answer.raw_body)))
            self.assertIn("date", answer.headers)

    def test_request_ids_differ(self):
        ids = {call("ListTables", {}).headers["x-amzn-requestid"] for _ in range(5)}
        self.assertEqual(len(ids), 5)

    def test_errors_name_their_type_with_its_prefix(self):
        error = call("DescribeTable", {"TableName": "nowhere-6"}).json()
        self.assertEqual(error["__type"], "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException")
        error = call("NoSuchOperation", {}).json()
        self.assertEqual(error["__type"], "com.amazon.coral.service#UnknownOperationException")
        error = call("ListTables", {"Limit": 0}).json()
        self.assertEqual(error["__type"].split("#")[-1], "ValidationException")

    def test_the_health_page(self):
        connection = connect()
        connection.request("GET", "/")
        answer = api_client.Answer(connection.getresponse())
        connection.close()
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.body.decode(), f"healthy: dynamodb.{api_client.REGION}.amazonaws.com ")


class Connections(ApiTest):
    def test_one_connection_serves_many_requests(self):
        connection = connect()
        connection.connect()
        socket = connection.sock
        for _ in range(10):
            answer = call("ListTables", {}, connection=connection)
            self.assertEqual(answer.status, 200)
            self.assertIs(connection.sock, socket)
            self.assertNotEqual(answer.headers.get("connection", "keep-alive").lower(), "close")
        connection.close()

    def test_a_refused_request_does_not_end_the_connection(self):
        connection = connect()
        connection.connect()
        socket = connection.sock
        self.assertEqual(call("ListTables", b"{", connection=connection).status, 400)
        self.assertEqual(call("ListTables", {}, connection=connection).status, 200)
        self.assertIs(connection.sock, socket)
        connection.close()


class Compression(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = cls.make_table()

    def test_a_request_may_be_compressed(self):
        item = {"pk": {"S": "zip"}, "v": {"S": "x" * 10000}}
        body = gzip.compress(json.dumps({"TableName": self.table, "Item": item}).encode())
        answer = raw_request(body, TARGET_PREFIX + "PutItem", extra_headers={"Content-Encoding": "gzip"})
        self.assertEqual(answer.status, 200, answer.body)
        found = self.db.get_item(TableName=self.table, Key={"pk": {"S": "zip"}}, ConsistentRead=True)
        self.assertEqual(found["Item"], item)

    def get_big(self, **headers):
        item = {"pk": {"S": "big"}, "v": {"S": "y" * 20000}}
        self.db.put_item(TableName=self.table, Item=item)
        document = {"TableName": self.table, "Key": {"pk": {"S": "big"}}, "ConsistentRead": True}
        return item, call("GetItem", document, extra_headers=headers)

    def test_a_big_answer_is_compressed_when_the_client_takes_it(self):
        item, answer = self.get_big(**{"Accept-Encoding": "gzip"})
        self.assertEqual(answer.headers.get("content-encoding"), "gzip")
        self.assertLess(len(answer.raw_body), 5000)
        self.assertEqual(answer.headers["x-amz-crc32"], crc32_text(answer.raw_body))
        self.assertEqual(answer.json()["Item"], item)

    def test_and_is_not_when_the_client_does_not(self):
        item, answer = self.get_big(**{"Accept-Encoding": "identity"})
        self.assertNotIn("content-encoding", answer.headers)
        self.assertEqual(answer.json()["Item"], item)

    def test_a_small_answer_is_not_compressed(self):
        answer = call("DescribeLimits", {}, extra_headers={"Accept-Encoding": "gzip"})
        self.assertNotIn("content-encoding", answer.headers)

    def test_what_is_not_what_its_encoding_says_is_refused(self):
        for encoding, body in (("gzip", b"{}"), ("br", b"{}"), ("gzip", gzip.compress(b"{}")[:-9])):
            answer = raw_request(body, TARGET_PREFIX + "ListTables", extra_headers={"Content-Encoding": encoding})
            self.assertIn(answer.status, (400, 500), encoding)
        self.assertEqual(call("ListTables", {}).status, 200)

    def test_a_bomb_is_refused_by_its_unpacked_size(self):
        body = gzip.compress(b'{"a":"' + b"x" * (64 * 1024 * 1024) + b'"}')
        answer = raw_request(body, TARGET_PREFIX + "ListTables", extra_headers={"Content-Encoding": "gzip"})
        self.assertIn(answer.status, (400, 413, 500))
        self.assertEqual(call("ListTables", {}).status, 200)


class NotARequest(ApiTest):
    def send(self, method, target="DynamoDB_20120810.ListTables", content_type=CONTENT_TYPE, body=b"{}"):
        connection = connect()
        headers = {"X-Amz-Target": target, "Content-Type": content_type}
        connection.request(method, "/", body=body, headers=api_client.signed_headers(body, headers))
        answer = api_client.Answer(connection.getresponse())
        connection.close()
        return answer

    def test_unknown_operations_and_targets(self):
        for target in (TARGET_PREFIX + "NoSuchOperation", "Other_20120810.ListTables", "ListTables", "", None):
            with self.subTest(target=target):
                self.assert_refused(raw_request(b"{}", target), "UnknownOperationException")

    def test_a_wrong_content_type(self):
        for content_type in ("text/plain", "application/xml"):
            answer = self.send("POST", content_type=content_type)
            self.assertEqual(answer.status, 404)
            self.assertEqual(answer.body, b"<UnknownOperationException/>\n")

    def test_a_wrong_method(self):
        for method in ("PUT", "DELETE"):
            self.assertEqual(self.send(method).status, 404)

    def test_broken_json(self):
        for body in (
            b"",
            b"{",
            b"[]",
            b"nothing",
            b'{"Limit": }',
            b'{"Limit": 1} x',
            b'{"Limit": 1,}',
            b"{'Limit': 1}",
            b'"text"',
            b'{"Limit": 01}',
            b'{"a": "\n"}',
            b"\xef\xbb\xbf{}",
        ):
            with self.subTest(body=body):
                self.assert_refused(call("ListTables", body), SERIALIZATION)

    def test_values_of_the_wrong_kind(self):
        for document in ({"Limit": "ten"}, {"Limit": []}, {"ExclusiveStartTableName": 5}):
            with self.subTest(document=document):
                self.assert_refused(call("ListTables", document), SERIALIZATION)

    def test_deep_nesting(self):
        for opening in (b"[", b'{"a":'):
            for depth in (200, 100000):
                with self.subTest(opening=opening, depth=depth):
                    body = b'{"Other": ' + opening * depth
                    self.assert_refused(call("ListTables", body), SERIALIZATION)

    def test_duplicate_names(self):
        body = b'{"Limit": 1, "Limit": 2}'
        self.assert_refused(call("ListTables", body), READ_OR_CHECKED)
        item = b'{"TableName": "some-table", "Item": {"pk": {"S": "a"}, "v": {"S": "b"}, "v": {"S": "c"}}}'
        self.assert_refused(call("PutItem", item), READ_OR_CHECKED)

    def test_bytes_that_are_not_utf8(self):
        for text in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"):
            with self.subTest(text=text):
                body = b'{"ExclusiveStartTableName": "abc' + text + b'"}'
                self.assert_refused(call("ListTables", body), SERIALIZATION)

    def test_half_of_a_surrogate_pair(self):
        for escape in (b"\\ud800", b"\\udc00x"):
            answer = call("ListTables", b'{"ExclusiveStartTableName": "abc' + escape + b'"}')
            self.assertEqual(answer.status, 400, answer.body)

    def test_bad_base64(self):
        table = self.make_table()
        for text in ("a", "abc", "ab=c", "!!!!", "YQ==YQ=="):
            with self.subTest(text=text):
                document = {"TableName": table, "Item": {"pk": {"S": "k"}, "v": {"B": text}}}
                self.assert_refused(call("PutItem", document), READ_OR_CHECKED)

    def test_a_body_over_16_mb(self):
        for size in (16, 20):
            with self.subTest(megabytes=size):
                body = b'{"a": "' + b"x" * (size * 1024 * 1024) + b'"}'
                answer = call("ListTables", body)  # sends all of it before it reads
                self.assertEqual(answer.status, 413)
        self.assertEqual(call("ListTables", {}).status, 200)

    def test_a_body_just_below_16_mb_is_read(self):
        filler = b"x" * (16 * 1024 * 1024 - 100)
        self.assertEqual(call("ListTables", b'{"Unknown": "' + filler + b'"}').status, 200)


if __name__ == "__main__":
    unittest.main()
