#!/usr/bin/env python3
"""Who may ask: signatures that are wrong, old, early, incomplete or missing."""

import unittest

import api_client
from api_client import CONTENT_TYPE, IS_STRICT, ApiTest, call, connect, signed_headers

TARGET = "DynamoDB_20120810.ListTables"


def send(headers, body=b"{}", path="/"):
    connection = connect()
    connection.request("POST", path, body=body, headers=headers)
    answer = api_client.Answer(connection.getresponse())
    connection.close()
    return answer


def headers_signed(**signing):
    return signed_headers(b"{}", {"Content-Type": CONTENT_TYPE, "X-Amz-Target": TARGET}, **signing)


class Missing(ApiTest):
    def test_no_signature_at_all(self):
        answer = send({"Content-Type": CONTENT_TYPE, "X-Amz-Target": TARGET})
        self.assert_refused(answer, "MissingAuthenticationTokenException", "Request is missing Authentication Token")

    def test_both_forms_at_once(self):
        answer = send(headers_signed(), path="/?X-Amz-Algorithm=AWS4-HMAC-SHA256")
        self.assert_refused(answer, "InvalidSignatureException", "Found both 'X-Amz-Algorithm'")

    def test_a_header_without_its_parts(self):
        headers = headers_signed()
        headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=x"
        self.assert_refused(send(headers), "IncompleteSignatureException", "Authorization header requires")


@unittest.skipUnless(IS_STRICT, "an open endpoint takes any signature")
class Strict(ApiTest):
    def test_a_right_signature(self):
        self.assertEqual(send(headers_signed()).status, 200)

    def test_a_wrong_secret(self):
        answer = send(headers_signed(secret="not-the-secret"))
        self.assert_refused(
            answer, "InvalidSignatureException", "The request signature we calculated does not match the signature"
        )

    def test_an_unknown_key(self):
        answer = send(headers_signed(key_id="AKIANOBODYNOBODYNOBO"))
        self.assert_refused(
            answer, "UnrecognizedClientException", "The security token included in the request is invalid."
        )

    def test_a_changed_body(self):
        self.assert_refused(send(headers_signed(), body=b'{"Limit": 1}'), "InvalidSignatureException")

    def test_a_changed_signed_header(self):
        headers = headers_signed()
        headers["X-Amz-Target"] = "DynamoDB_20120810.DescribeLimits"
        self.assert_refused(send(headers), "InvalidSignatureException")

    def test_each_changed_digit_of_the_signature(self):
        headers = headers_signed()
        begin, signature = headers["Authorization"].rsplit("Signature=", 1)
        for position in range(0, 64, 9):
            digit = "0" if signature[position] != "0" else "1"
            changed = signature[:position] + digit + signature[position + 1 :]
            answer = send({**headers, "Authorization": begin + "Signature=" + changed})
            self.assert_refused(answer, "InvalidSignatureException")

    def test_another_region(self):
        answer = send(headers_signed(region="mars-north-1"))
        self.assert_refused(answer, "InvalidSignatureException")

    def test_a_clock_that_is_20_minutes_late(self):
        answer = call("ListTables", {}, shift_s=-20 * 60)
        self.assert_refused(answer, "InvalidSignatureException", "Signature expired: ")

    def test_a_clock_that_is_20_minutes_early(self):
        answer = call("ListTables", {}, shift_s=20 * 60)
        self.assert_refused(answer, "InvalidSignatureException", "Signature not yet current: ")

    def test_a_clock_that_is_a_little_off(self):
        for shift_s in (-120, 120):
            self.assertEqual(call("ListTables", {}, shift_s=shift_s).status, 200)


if __name__ == "__main__":
    unittest.main()
