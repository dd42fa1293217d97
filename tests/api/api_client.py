"""What the API tests share: clients, raw signed requests, tables with names of their own.

The server under test is named by the environment: CLEAVE_ENDPOINT, the AWS_* variables for key, secret, region and
authority, and CLEAVE_AUTH (strict or open).
"""

import datetime
import gzip
import http.client
import itertools
import json
import os
import ssl
import time
import unittest
import urllib.parse
import uuid
import zlib

import boto3
import botocore.config
import botocore.exceptions
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ENDPOINT = os.environ.get("CLEAVE_ENDPOINT", "http://127.0.0.1:8000")
REGION = os.environ.get("AWS_DEFAULT_REGION", "us-east-1")
KEY_ID = os.environ.get("AWS_ACCESS_KEY_ID", "AKIATESTTESTTESTTEST")
SECRET = os.environ.get("AWS_SECRET_ACCESS_KEY", "secret")
IS_STRICT = os.environ.get("CLEAVE_AUTH", "strict") == "strict"
CONTENT_TYPE = "application/x-amz-json-1.0"
TARGET_PREFIX = "DynamoDB_20120810."
PATIENCE_S = 30
PATIENCE = {"Delay": 0.05, "MaxAttempts": 20 * PATIENCE_S}  # of waiters, in seconds

_run = uuid.uuid4().hex[:8]
_numbers = itertools.count(1)


def new_name(kind="table"):
    """A table name that no other test uses, in this run or another."""
    return f"api-{kind}-{_run}-{next(_numbers)}"


def client():
    """A boto3 client that never retries, so that a test sees the first answer."""
    config = botocore.config.Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60)
    return boto3.client(
        "dynamodb",
        endpoint_url=ENDPOINT,
        region_name=REGION,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        config=config,
    )


def connect():
    """A plain HTTP connection to the endpoint."""
    parts = urllib.parse.urlsplit(ENDPOINT)
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE"))
        return http.client.HTTPSConnection(parts.hostname, parts.port or 443, timeout=60, context=context)
    return http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=60)


class _ShiftedAuth(SigV4Auth):
    """Signs as if the client's clock were wrong by shift_s."""

    def __init__(self, credentials, service, region, shift_s):
        super().__init__(credentials, service, region)
        self.shift_s = shift_s

    def add_auth(self, request):
        moment = datetime.datetime.utcnow() + datetime.timedelta(seconds=self.shift_s)
        request.context["timestamp"] = moment.strftime("%Y%m%dT%H%M%SZ")
        # As the base class does, which would put its own clock's reading in.
        self._modify_request_before_signing(request)
        canonical = self.canonical_request(request)
        to_sign = self.string_to_sign(request, canonical)
        self._inject_signature_to_request(request, self.signature(to_sign, request))


def signed_headers(body, headers, key_id=KEY_ID, secret=SECRET, shift_s=0, region=REGION):
    """The headers of POST / with a signature over them."""
    request = AWSRequest("POST", ENDPOINT + "/", data=body, headers=headers)
    _ShiftedAuth(Credentials(key_id, secret), "dynamodb", region, shift_s).add_auth(request)
    return dict(request.headers.items())


class Answer:
    """A raw HTTP answer; raw_body is what was sent, body what it means."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.raw_body = response.read()
        encoding = self.headers.get("content-encoding", "identity")
        self.body = gzip.decompress(self.raw_body) if encoding == "gzip" else self.raw_body

    def json(self):
        return json.loads(self.body)

    def error_type(self):
        """The error's name without its prefix."""
        return self.json()["__type"].split("#")[-1]

    def message(self):
        document = self.json()
        return document.get("message", document.get("Message", ""))


def raw_request(body, target, connection=None, extra_headers=None, **signing):
    """Send bytes as they are, signed; target None leaves the header out."""
    headers = {"Content-Type": CONTENT_TYPE}
    if target is not None:
        headers["X-Amz-Target"] = target
    headers.update(extra_headers or {})
    own = connection is None
    connection = connection or connect()
    try:
        connection.request("POST", "/", body=body, headers=signed_headers(body, headers, **signing))
        return Answer(connection.getresponse())
    finally:
        if own:
            connection.close()


def call(operation, document, **options):
    """One operation by hand: a document, or bytes that need not be one."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return raw_request(body, TARGET_PREFIX + operation, **options)


def crc32_text(data):
    return str(zlib.crc32(data) & 0xFFFFFFFF)


HASH_S = [("pk", "HASH", "S")]
HASH_S_RANGE_S = [("pk", "HASH", "S"), ("sk", "RANGE", "S")]


def table_arguments(name, keys, **more):
    """The arguments of CreateTable; keys is a list of (attribute, HASH or RANGE, type)."""
    arguments = {
        "TableName": name,
        "KeySchema": [{"AttributeName": attribute, "KeyType": role} for attribute, role, _ in keys],
        "AttributeDefinitions": [
            {"AttributeName": attribute, "AttributeType": kind} for attribute, _, kind in keys
        ],
    }
    if "ProvisionedThroughput" not in more:
        arguments["BillingMode"] = "PAY_PER_REQUEST"
    arguments.update(more)
    return arguments


def wait_until(is_true, what):
    """Until the condition holds; what is said if it never does may be a function."""
    end = time.monotonic() + PATIENCE_S
    while not is_true():
        if time.monotonic() > end:
            raise AssertionError(what() if callable(what) else what)
        time.sleep(0.03)


class ApiTest(unittest.TestCase):
    """Base of all API tests: one client per class, tables that go away, errors that are looked at."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.db = client()

    @classmethod
    def make_table(cls, keys=None, **more):
        """A table that is active now and deleted after the class's last test."""
        name = new_name()
        cls.db.create_table(**table_arguments(name, keys or HASH_S, **more))
        cls.addClassCleanup(cls.db.delete_table, TableName=name)
        cls.wait_exists(name)
        return name

    @classmethod
    def wait_exists(cls, name):
        cls.db.get_waiter("table_exists").wait(TableName=name, WaiterConfig=PATIENCE)

    @classmethod
    def wait_gone(cls, name):
        cls.db.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig=PATIENCE)

    def assert_fails(self, error, message, function, **arguments):
        """The call fails with this error and a message that contains these words."""
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            function(**arguments)
        answer = caught.exception.response
        self.assertEqual(answer["Error"]["Code"], error, answer)
        self.assertIn(message, answer["Error"]["Message"])
        self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], 400)

    def assert_refused(self, answer, error, message="", status=400):
        """A raw answer is this error."""
        self.assertEqual(answer.status, status, answer.body[:500])
        errors = (error,) if isinstance(error, str) else error
        self.assertIn(answer.error_type(), errors, answer.body[:500])
        self.assertIn(message, answer.message())
