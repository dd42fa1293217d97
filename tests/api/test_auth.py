#!/usr/bin/env python3
"""Who may ask: signatures that are wrong, old, early, incomplete or missing."""

import hashlib
import hmac
import unittest
import urllib.parse

import api_client
from api_client import CONTENT_TYPE, IS_STRICT, TARGET_PREFIX, ApiTest, call, connect, signed_headers
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

TARGET = TARGET_PREFIX + "ListTables"
OPERATIONS = (
    "BatchWriteItem CreateTable DeleteItem DeleteTable DescribeEndpoints DescribeLimits DescribeTable GetItem ListTables PutItem"
    " UpdateItem UpdateTable"
).split()
AUTH_ERRORS = (
    "MissingAuthenticationTokenException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "UnrecognizedClientException",
)


def send(headers, body=b"{}", path="/", method="POST", connection=None):
    """headers: a dict, or pairs where a name comes twice."""
    own = connection is None
    connection = connection or connect()
    pairs = list(headers.items() if isinstance(headers, dict) else headers)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in [("Host", urllib.parse.urlsplit(api_client.ENDPOINT).netloc), ("Content-Length", str(len(body)))] + pairs:
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = api_client.Answer(connection.getresponse())
    if own:
        connection.close()
    return answer


def headers_signed(target=TARGET, body=b"{}", extra_headers=None, **signing):
    headers = {"Content-Type": CONTENT_TYPE, "X-Amz-Target": target, **(extra_headers or {})}
    return signed_headers(body, headers, **signing)


def presigned_path(target=TARGET, secret=api_client.SECRET, expires=60):
    """The path and query of a presigned POST with an empty body, to be sent with X-Amz-Target."""
    request = AWSRequest("POST", api_client.ENDPOINT + "/", headers={"X-Amz-Target": target})
    SigV4QueryAuth(Credentials(api_client.KEY_ID, secret), "dynamodb", api_client.REGION, expires=expires).add_auth(request)
    return "/?" + urllib.parse.urlsplit(request.url).query


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

    def test_a_repeated_header_that_decides(self):
        headers = headers_signed()
        for name in ("Authorization", "X-Amz-Date", "X-Amz-Target"):
            with self.subTest(name=name):
                pairs = list(headers.items()) + [(name, headers[name])]
                self.assert_refused(send(pairs), "InvalidSignatureException", "must be given once")

    def test_a_presigned_request(self):
        extra = {"Content-Type": CONTENT_TYPE, "X-Amz-Target": TARGET}
        # What is signed is an empty body, which is no document: past the gate, and then refused.
        self.assert_refused(send(extra, b"", presigned_path()), "SerializationException")
        self.assert_refused(send(extra, b"{}", presigned_path()), "InvalidSignatureException")
        self.assert_refused(send(extra, b"", presigned_path(secret="other")), "InvalidSignatureException")
        other = {**extra, "X-Amz-Target": TARGET_PREFIX + "DescribeLimits"}
        self.assert_refused(send(other, b"", presigned_path()), "InvalidSignatureException")


def hmac_chain(secret, *parts):
    key = ("AWS4" + secret).encode()
    for part in parts:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def by_hand(target, body_hash, algorithm="AWS4-HMAC-SHA256"):
    """Headers with a signature that is right but for the hash of the body and the algorithm's name."""
    headers = headers_signed(target)
    moment, host = headers["X-Amz-Date"], urllib.parse.urlsplit(api_client.ENDPOINT).netloc
    names = "content-type;host;x-amz-content-sha256;x-amz-date;x-amz-target"
    lines = [
        "content-type:" + CONTENT_TYPE,
        "host:" + host,
        "x-amz-content-sha256:" + body_hash,
        "x-amz-date:" + moment,
        "x-amz-target:" + target,
    ]
    canonical = "\n".join(["POST", "/", "", *lines, "", names, body_hash])
    scope = f"{moment[:8]}/{api_client.REGION}/dynamodb/aws4_request"
    to_sign = "\n".join([algorithm, moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = hmac_chain(api_client.SECRET, *scope.split("/"))
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return {
        **headers,
        "X-Amz-Content-Sha256": body_hash,
        "Authorization": f"{algorithm} Credential={api_client.KEY_ID}/{scope}, SignedHeaders={names}, Signature={signature}",
    }


def with_authorization(target, value):
    return {**headers_signed(target), "Authorization": value}


def without(headers, *names):
    return {name: value for name, value in headers.items() if name not in names}


def ways_around(target):
    """(title, headers, path) of requests that nobody with a key has signed so."""
    good = headers_signed(target)
    authorization = good["Authorization"]
    signature = authorization.rsplit("=", 1)[1]
    yield "nothing", without(good, "Authorization"), "/"
    for value in ("", " ", "Basic dXNlcjpwYXNz", "Bearer token", "AWS AKIA:sig", "AWS4-", "AWS4-HMAC-SHA256", "null"):
        yield f"authorization {value!r}", with_authorization(target, value), "/"
    for algorithm in ("AWS4-HMAC-SHA1", "AWS4-HMAC-SHA512", "AWS4-ECDSA-P256-SHA256", "AWS4-HMAC-SHA256-PAYLOAD", "aws4-hmac-sha256"):
        yield f"algorithm {algorithm}", by_hand(target, hashlib.sha256(b"{}").hexdigest(), algorithm), "/"
    for body_hash in (
        "UNSIGNED-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        hashlib.sha256(b"").hexdigest(),
        "",
    ):
        yield f"payload {body_hash[:20]!r}", by_hand(target, body_hash), "/"
    yield "an unsigned X-Amz-Content-Sha256", {**headers_signed(target, b"[]"), "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}, "/"
    yield "presigned for nobody", without(good, "Authorization"), "/?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    yield "presigned with another body", without(good, "Authorization", "X-Amz-Date"), presigned_path(target)
    yield "presigned by another key", without(good, "Authorization"), presigned_path(target, secret="other")
    yield "both forms", good, presigned_path(target)
    yield "10 KB of credential", with_authorization(target, authorization.replace("Credential=", "Credential=" + "A" * 10240)), "/"
    yield "10 KB of slashes", with_authorization(target, authorization.replace("Credential=", "Credential=" + "/" * 10240)), "/"
    yield "10 KB of names", with_authorization(target, authorization.replace("SignedHeaders=", "SignedHeaders=" + "a;" * 5120)), "/"
    yield "10 KB of signature", with_authorization(target, authorization + "0" * 10240), "/"
    yield "no signature", with_authorization(target, authorization.replace(signature, "")), "/"
    yield "half a signature", with_authorization(target, authorization[:-32]), "/"
    yield "the signature in capitals", with_authorization(target, authorization.replace(signature, signature.upper())), "/"
    yield "a signature of zeros", with_authorization(target, authorization.replace(signature, "0" * 64)), "/"
    yield "no signed headers", with_authorization(target, authorization.replace("content-type;host;x-amz-date;x-amz-target", "")), "/"
    yield "another path", good, "/other"
    yield "another query", good, "/?a=b"
    yield "an empty key id", headers_signed(target, key_id=""), "/"
    yield "an empty secret", headers_signed(target, secret=""), "/"


@unittest.skipUnless(IS_STRICT, "an open endpoint takes any signature")
class WaysAround(ApiTest):
    def test_no_operation_runs_for_a_stranger(self):
        connection = connect()
        for operation in OPERATIONS:
            for title, headers, path in ways_around(TARGET_PREFIX + operation):
                with self.subTest(operation=operation, title=title):
                    self.assert_refused(send(headers, path=path, connection=connection), AUTH_ERRORS)
        # The same connection still serves who has a key, and signing by hand is right but for what it gets wrong.
        self.assertEqual(send(headers_signed(), connection=connection).status, 200)
        self.assertEqual(send(by_hand(TARGET, hashlib.sha256(b"{}").hexdigest()), connection=connection).status, 200)
        connection.close()

    def test_only_the_health_page_is_for_everyone(self):
        self.assertEqual(send({}, b"", method="GET").status, 200)
        for path in ("/metrics", "/status", "/x", "//", "/?Action=ListTables"):
            with self.subTest(path=path):
                answer = send({}, b"", path, method="GET")
                if path.startswith("/?"):
                    self.assertTrue(answer.body.startswith(b"healthy: "))
                else:
                    self.assertEqual(answer.status, 404)
        for method in ("HEAD", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"):
            with self.subTest(method=method):
                self.assertEqual(send({"X-Amz-Target": TARGET, "Content-Type": CONTENT_TYPE}, b"", method=method).status, 404)
        asked = {"Access-Control-Request-Method": "POST"}
        answer = send({**asked, "Origin": "http://browser"}, b"", method="OPTIONS")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(send(asked, b"", method="OPTIONS").status, 404)


if __name__ == "__main__":
    unittest.main()
