#!/usr/bin/env python3
"""Requests signed by botocore.

Usage: make_sigv4_vectors.py > sigv4_vectors.txt        for test_sigv4_verify
       make_sigv4_vectors.py --random COUNT --seed SEED  for test_sigv4_random, which reads them as they come
The output is the same every time: the clock is fixed and the random choices are seeded.
"""

import argparse
import datetime
import hashlib
import random
import sys
import urllib.parse

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NOW = datetime.datetime(2031, 3, 1, 23, 59, 58, tzinfo=datetime.timezone.utc)
REGION = "eu-test-1"
KEYS = [
    ("AKIAVECTOR0000000001", "k9Pq/tRv+Zx0123456789abcdefghijklmnopqrs", None),
    ("AKIAVECTOR0000000002", "s", None),
    ("ASIAVECTOR0000000003", "another-secret-with-40-characters-abcdef", "FwoGZXIvYXdzE//token+with/odd=chars=="),
]


WINDOW_S = 15 * 60


class Clock:
    now = NOW


def freeze_clock():
    if hasattr(botocore.auth, "get_current_datetime"):
        botocore.auth.get_current_datetime = lambda *args, **kwargs: Clock.now
        return

    class Frozen(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return Clock.now.replace(tzinfo=None)

    class Module:
        datetime = Frozen

        def __getattr__(self, name):
            return getattr(datetime, name)

    botocore.auth.datetime = Module()


def emit(name, key, request, canonical):
    url = urllib.parse.urlsplit(request.url)
    out = sys.stdout.buffer
    lines = [
        ("name", name),
        ("key", key[0]),
        ("secret", key[1]),
        ("token", key[2] or ""),
        ("method", request.method),
        ("path", url.path),
        ("query", url.query),
    ]
    if "host" not in request.headers:
        lines.append(("header", "host:" + url.netloc))
    for header, value in request.headers.items():
        lines.append(("header", f"{header.lower()}:{value}"))
    body = request.body or b""
    if isinstance(body, str):
        body = body.encode()
    lines.append(("body", body.hex()))
    lines.append(("canonical", hashlib.sha256(canonical.encode()).hexdigest()))
    for field, value in lines:
        out.write(f"{field} {value}\n".encode())
    out.write(b"end\n")


def sign(name, key, request, signer_class=botocore.auth.SigV4Auth, **kwargs):
    signer = signer_class(Credentials(*key), "dynamodb", REGION, **kwargs)
    canonical = []
    plain = signer.canonical_request

    def remember(signed_request):
        canonical.append(plain(signed_request))
        return canonical[-1]

    signer.canonical_request = remember
    signer.add_auth(request)
    emit(name, key, request, canonical[-1])


def put_item(url="https://dynamodb.eu-test-1.amazonaws.com/", body=b'{"TableName":"t"}', method="POST"):
    return AWSRequest(
        method=method,
        url=url,
        data=body,
        headers={"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.PutItem"},
    )


def header_vectors():
    for index, key in enumerate(KEYS):
        sign(f"plain-{index}", key, put_item())
    sign("empty-body", KEYS[0], put_item(body=b""))
    sign("binary-body", KEYS[0], put_item(body=bytes(range(256))))
    sign("large-body", KEYS[0], put_item(body=b"x" * 1024))
    sign("port", KEYS[0], put_item("http://localhost:8000/"))
    sign("get", KEYS[0], put_item(method="GET", body=b""))

    request = put_item()
    request.headers["X-Amz-Meta-Odd"] = "  a   b  c   "
    request.headers["X-Tabs"] = "a\tb \t c"
    request.headers["X-Empty"] = ""
    request.headers["Quoted"] = '"a   b"'
    sign("header-blanks", KEYS[0], request)

    request = put_item()
    for value in ("z ", " a", "m  m"):
        request.headers.add_header("X-Many", value)
    sign("header-repeated", KEYS[0], request)

    request = put_item()
    request.headers["content-length"] = "17"
    request.headers["amz-sdk-invocation-id"] = "0"
    sign("content-length", KEYS[0], request)


def url_vectors():
    base = "https://dynamodb.eu-test-1.amazonaws.com"
    paths = [
        "/a/b", "/a/", "//a///b//", "/./a/../b", "/a/..", "/..", "/a%20b", "/%E2%82%AC/%7E~", "/caf\u00e9/\u4e2d",
        "/a+b=c&d@e:f,g;h", "/%2F%2f", "/a%zz", "/*'()!$",
    ]
    for index, path in enumerate(paths):
        sign(f"path-{index}", KEYS[0], put_item(base + path))
    queries = [
        "a=1", "b=2&a=1", "a=2&a=1&a=", "a", "a&b", "A=1&a=2", "a%20b=c%2Fd", "k=%E2%82%AC", "x=1&x=1",
        "a-b=1&a.b=2&a=3", "~=_-.",
    ]
    for index, query in enumerate(queries):
        sign(f"query-{index}", KEYS[0], put_item(base + "/?" + query))


def presigned_vectors():
    for index, key in enumerate(KEYS):
        for expires in (1, 900, 604800):
            sign(f"presigned-{index}-{expires}", key, put_item(body=b""), botocore.auth.SigV4QueryAuth, expires=expires)
    sign("presigned-query", KEYS[2], put_item("https://host/x?b=2&a=1", b""), botocore.auth.SigV4QueryAuth, expires=60)


def random_vectors(count):
    rng = random.Random(1)
    alphabet = "abcXYZ019-_.~/"
    for index in range(count):
        path = "/" + "".join(rng.choice(alphabet) for _ in range(rng.randrange(12)))
        # Text that starts with two slashes is a host and not a path.
        path = "/" + path.lstrip("/")
        pairs = [
            (urllib.parse.quote(chr(rng.randrange(33, 0x250)), safe="-_.~"),
             urllib.parse.quote("".join(chr(rng.randrange(32, 0x250)) for _ in range(rng.randrange(4))), safe="-_.~"))
            for _ in range(rng.randrange(5))
        ]
        url = "https://h.example" + path + ("?" + "&".join(f"{k}={v}" for k, v in pairs) if pairs else "")
        request = put_item(url, bytes(rng.randrange(256) for _ in range(rng.randrange(100))))
        for _ in range(rng.randrange(4)):
            name = "X-R-" + rng.choice("ABCDEF")
            value = "".join(rng.choice("ab  \t,;=") for _ in range(rng.randrange(10)))
            request.headers.add_header(name, value)
        sign(f"random-{index}", rng.choice(KEYS), request)


# What a URL may hold without being escaped, and what is written as an escape.
URL_LETTERS = "abcXYZ019-_.~"
PATH_LETTERS = URL_LETTERS + "/+=:@,;!$&'()*"
HEADER_LETTERS = "abcXYZ019 \t,;=\"'/"


def some_text(rng, letters, size_max):
    return "".join(rng.choices(letters, k=rng.randrange(size_max + 1)))


def some_escaped(rng, size_max):
    text = "".join(chr(rng.choice((rng.randrange(32, 127), rng.randrange(0xA1, 0x3000)))) for _ in range(rng.randrange(size_max + 1)))
    return urllib.parse.quote(text, safe="-_.~")


def some_url(rng):
    host = rng.choice(("dynamodb.eu-test-1.amazonaws.com", "localhost:8000", "h.example", "[::1]:8443"))
    path = rng.choice(("/", "/" + (some_text(rng, PATH_LETTERS, 20) + some_escaped(rng, 3)).lstrip("/")))
    pairs = [
        rng.choice(URL_LETTERS[:6]) + some_text(rng, URL_LETTERS, 5) + "=" + some_escaped(rng, 6)
        for _ in range(rng.choice((0, 0, 1, 2, 7)))
    ]
    return "https://" + host + path + ("?" + "&".join(pairs) if pairs else "")


def some_key(rng):
    key_id = "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))
    secret = "".join(rng.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/", k=40))
    if rng.random() < 0.7:
        return "AKIA" + key_id, secret, None
    return "ASIA" + key_id, secret, "".join(rng.choices("abcXYZ019+/=", k=rng.randrange(1, 400)))


def any_vectors(count, seed):
    """Unlike those above: all parts at once, the whole clock window, keys of many people."""
    rng = random.Random(seed)
    keys = [some_key(rng) for _ in range(200)]
    for index in range(count):
        Clock.now = NOW + datetime.timedelta(seconds=rng.randint(-WINDOW_S, WINDOW_S))
        is_presigned = rng.random() < 0.25
        body = b"" if is_presigned else rng.randbytes(rng.choice((0, 1, 2, 60, 200, 1500)))
        request = put_item(some_url(rng), body, rng.choice(("POST", "POST", "GET", "PUT", "PURGE")))
        for _ in range(rng.choice((0, 0, 1, 4))):
            request.headers.add_header("X-R-" + rng.choice("ABCDEF"), some_text(rng, HEADER_LETTERS, 12))
        if is_presigned:
            expires = WINDOW_S + rng.randint(0, 500000)
            sign(f"any-{index}", rng.choice(keys), request, botocore.auth.SigV4QueryAuth, expires=expires)
        else:
            sign(f"any-{index}", rng.choice(keys), request)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--random", type=int, metavar="COUNT")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    freeze_clock()
    if arguments.random is not None:
        any_vectors(arguments.random, arguments.seed)
        return
    header_vectors()
    url_vectors()
    presigned_vectors()
    random_vectors(60)


if __name__ == "__main__":
    main()
