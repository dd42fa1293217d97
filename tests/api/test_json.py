#!/usr/bin/env python3
"""JSON as RFC 8259 has it: what must be read, what must not, what may; and documents made to hurt.

Each value stands under a name that no operation looks at, so it is read and skipped, and also in the place of an attribute,
where it is read and understood.
"""

import unittest

import api_client
from api_client import ApiTest, call

REFUSED = ("SerializationException", "ValidationException")
MIB = 1024 * 1024

MUST_READ = (
    b"0", b"-0", b"1", b"-1", b"10", b"1.5", b"0.5", b"-0.5", b"1e5", b"1E5", b"1e+5", b"1e-5", b"1.5e5", b"0e0", b"0E+1",
    b"123456789012345678901234567890", b"1e400", b"-1e-400", b"true", b"false", b"null", b'""', b'"a"', b'" "', b"[]", b"{}",
    b"[1]", b"[1,2]", b"[ ]", b"{ }", b"[[]]", b"[{}]", b'{"a":1}', b'{"":0}', b'{"a":{"a":{}}}', b'{"a":[1,{"b":null}]}',
    b" 1 ", b"\t1\n", b"\r[\r\n1 ,\t2 ]", b'{ "a" : 1 , "b" : 2 }', b'"\\""', b'"\\\\"', b'"\\/"', b'"\\b\\f\\n\\r\\t"', b'"\\u0041"',
    b'"\\u00e9"', b'"\\u00E9"', b'"\\u20ac"', b'"\\ud83d\\ude00"', b'"\\uDBFF\\uDFFF"', b'"\\u0000"', b'"\\uFFFF"', b'"\\u007f"',
    b'"\x7f"', b'"\xc3\xa9"', b'"\xe2\x82\xac"', b'"\xf0\x9f\x98\x80"', b'"\xf4\x8f\xbf\xbf"', b'"\xef\xbf\xbf"', b'"\xed\x9f\xbf"',
    b'"\xee\x80\x80"', b'"\xc2\x80"', b'"\xe0\xa0\x80"', b'"/"', b'"\'"', b'"//not a comment"', b'"/* nor this */"', b'"\xe2\x80\xa8"',
)  # fmt: skip

MUST_NOT_READ = (
    b"", b" ", b"01", b"-01", b"00", b"+1", b"-", b"--1", b"1.", b".5", b"-.5", b"1.e5", b"1e", b"1e+", b"1e1.5", b"1.5.5", b"0x1",
    b"0b1", b"1_000", b"1,", b"1 2", b"1a", b"Infinity", b"-Infinity", b"NaN", b"nan", b"1f", b"\xef\xbc\x91", b"True", b"FALSE",
    b"nul", b"nulll", b"tru", b"truee", b"undefined", b"a", b"'a'", b'"', b'"a', b'a"', b'"a""b"', b'"\\"', b'"\\a"', b'"\\x41"',
    b'"\\u"', b'"\\u1"', b'"\\u12"', b'"\\u123"', b'"\\u123g"', b'"\\U00000041"', b'"\\\n"', b'"\\0"', b'"\x00"', b'"\x01"', b'"\n"',
    b'"\t"', b'"\r"', b'"\x1f"', b"[", b"]", b"[1", b"1]", b"[1,", b"[,1]", b"[1,,2]", b"[1,]", b"[,]", b"[1 2]", b"[1:2]", b"[1}", b"[1;2]",
    b"[1,\n", b"[a]", b"[-]", b"{", b"}", b"{]", b'{"a"', b'{"a":', b'{"a":1', b'{"a":1,', b'{"a":1,}', b'{,"a":1}', b'{"a":1,,"b":2}',
    b'{"a" 1}', b'{"a",1}', b'{"a"::1}', b'{"a":}', b'{:1}', b"{a:1}", b"{1:1}", b"{null:1}", b"{'a':1}", b'{"a":1 "b":2}', b'{"a":1]',
    b'{"a":1}}', b'{"a":"b}', b'{["a"]:1}', b"/* */ 1", b"1 /* */", b"1 // x", b"# x\n1", b"\xef\xbb\xbf1", b"\xa01", b"1\x0c", b"\x0b1",
    b"1\x00", b"\xe2\x81\xa01", b'"\xff"', b'"\xfe"', b'"\xc0\x80"', b'"\xc1\xbf"', b'"\xc3"', b'"\xc3("', b'"\xe2\x82"', b'"\xe0\x80\x80"',
    b'"\xe0\x9f\xbf"', b'"\xed\xa0\x80"', b'"\xed\xbf\xbf"', b'"\xf0\x80\x80\x80"', b'"\xf0\x8f\xbf\xbf"', b'"\xf4\x90\x80\x80"',
    b'"\xf5\x80\x80\x80"', b'"\xf8\x88\x80\x80\x80"', b'"\x80"', b'"\xbf"', b'"\xf0\x9f\x98"', b"\x00", b"\xff\xfe1\x00", b"<1>", b"(1)",
    b"`1`", b"1;", b"=1", b"*", b"\\u0031", b'\\"a"', b"{}{}", b"[][]", b"{} x", b"[1]]",
)  # fmt: skip

# The standard leaves it open; DynamoDB's strings are UTF-8, so that half a pair has no place in them.
MAY_READ = (
    b'"\\ud800"', b'"\\udc00"', b'"\\ud800\\ud800"', b'"\\ud800a"', b'"\\udc00\\ud800"', b'"\\ud83d\\u0041"', b'"\\ud83d"', b'"\\uDEAD\\uBEEF"',
    b'{"a":1,"a":2}', b'{"a":1,"\\u0061":2}', b"1e999999999999", b"-1e-999999999999", b"1" * 1000, b"0." + b"1" * 1000,
)  # fmt: skip


class Matrix(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connection = api_client.connect()
        cls.addClassCleanup(cls.connection.close)

    def skipped(self, value):
        return call("ListTables", b'{"Other": ' + value + b"}", connection=self.connection)

    def in_an_item(self, value):
        body = b'{"TableName": "no-such-table", "Item": {"pk": {"S": "a"}, "v": ' + value + b"}}"
        return call("PutItem", body, connection=self.connection)

    def test_what_must_be_read_is_read(self):
        for value in MUST_READ:
            with self.subTest(value=value):
                self.assertEqual(self.skipped(value).status, 200)
                self.assertEqual(self.in_an_item(value).status, 400)  # read, and no attribute value

    def test_what_must_not_be_read_is_refused(self):
        for value in MUST_NOT_READ:
            with self.subTest(value=value):
                self.assert_refused(self.skipped(value), "SerializationException")
                self.assert_refused(self.in_an_item(value), REFUSED)

    def test_what_may_be_read_harms_nobody(self):
        for value in MAY_READ:
            with self.subTest(value=value):
                self.assertIn(self.skipped(value).status, (200, 400))
                self.assert_refused(self.in_an_item(value), REFUSED)

    def test_a_value_stands_alone(self):
        for body in MUST_NOT_READ:
            if not body.startswith(b"{"):
                with self.subTest(body=body):
                    self.assert_refused(call("ListTables", body, connection=self.connection), "SerializationException")


class Bombs(ApiTest):
    """Up to the limit of a body. That they cost little is measured by hand; that they are answered, here."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = cls.make_table()

    def assert_alive(self):
        self.assertEqual(call("ListTables", {}).status, 200)

    def put(self, value, name=b"v"):
        head = b'{"TableName": "' + self.table.encode() + b'", "Item": {"pk": {"S": "bomb"}, "' + name + b'": '
        return call("PutItem", head + value + b"}}")

    def test_a_million_names(self):
        names = b",".join(b'"%d":0' % number for number in range(1_000_000))
        self.assertEqual(call("ListTables", b'{"Other": {' + names + b"}}").status, 200)
        attributes = b",".join(b'"%d":{"NULL":true}' % number for number in range(600_000))
        self.assert_refused(self.put(b'{"M": {' + attributes + b"}}"), "ValidationException", "Item size")
        same = b",".join([b'"a":{"NULL":true}'] * 600_000)
        self.assert_refused(self.put(b'{"M": {' + same + b"}}"), REFUSED)
        self.assert_alive()

    def test_a_million_digits(self):
        digits = b"1" * 1_000_000
        for text in (digits, b"-" + digits, b"0." + digits, b"1e" + digits, digits + b"e-" + digits):
            with self.subTest(text=text[:3]):
                self.assertIn(call("ListTables", b'{"Limit": ' + text + b"}").status, (400,))
                self.assert_refused(self.put(b'{"N": "' + text + b'"}'), REFUSED)
        zeros = b"0" * 1_000_000
        for text in (zeros + b"1", b"1." + zeros, b"0." + zeros + b"1", b"1" + zeros):
            with self.subTest(text="zeros"):
                self.assertIn(self.put(b'{"N": "' + text + b'"}').status, (200, 400))
        self.assert_alive()

    def test_a_million_members(self):
        members = b",".join(b'"%d"' % number for number in range(1_000_000))
        for kind in (b"SS", b"NS"):
            self.assert_refused(self.put(b'{"' + kind + b'": [' + members + b"]}"), REFUSED)
        same = b",".join([b'"a"'] * 1_000_000)
        self.assert_refused(self.put(b'{"SS": [' + same + b"]}"), REFUSED)
        values = b",".join([b'{"S":""}'] * 1_000_000)
        self.assert_refused(self.put(b'{"L": [' + values + b"]}"), REFUSED)
        self.assert_alive()

    def test_a_million_levels(self):
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"}"), (b'{"L":[', b"]}"), (b'{"M":{"a":', b"}}"), (b'[{"":', b"}]")):
            for depth in (33, 100, 1000, 1_000_000):
                with self.subTest(opening=opening, depth=depth):
                    self.assertEqual(call("ListTables", b'{"Other": ' + opening * depth).status, 400)
                    value = opening * depth + b'{"S":"x"}' + closing * depth
                    if len(value) < 15 * MIB:
                        self.assert_refused(self.put(value), REFUSED)
        self.assert_alive()

    def test_long_texts(self):
        long = b"x" * (15 * MIB)
        self.assert_refused(self.put(b'{"S": "' + long + b'"}'), "ValidationException", "Item size")
        self.assert_refused(self.put(b'{"S": "v"}', name=long), REFUSED)
        escapes = b"\\u0041" * (15 * MIB // 6)
        self.assert_refused(self.put(b'{"S": "' + escapes + b'"}'), "ValidationException", "Item size")
        self.assert_refused(self.put(b'{"B": "' + b"QUJD" * (15 * MIB // 4) + b'"}'), "ValidationException", "Item size")
        self.assertEqual(call("ListTables", b"{" + b" " * (15 * MIB) + b"}").status, 200)
        self.assert_alive()


if __name__ == "__main__":
    unittest.main()
