#!/usr/bin/env python3
"""Request smuggling: heads and bodies that two parties could read differently.

A proxy in front of us and we must agree where each request ends; who makes us disagree slips a request of his own into
somebody else's connection. Whatever has two readings is refused and the connection closed, and what follows it on the
connection is never read: each case is one PutItem, spoiled in one way, with a second PutItem right behind it, and neither item
may be there afterwards.
"""

import json
import unittest
import urllib.parse

import api_client
from api_client import CONTENT_TYPE, TARGET_PREFIX, ApiTest, connect, signed_headers

HOST = urllib.parse.urlsplit(api_client.ENDPOINT).netloc


class Request:
    """A signed PutItem, to be written to the wire in ways that its signer did not think of."""

    def __init__(self, table, key):
        self.key = key
        self.body = json.dumps({"TableName": table, "Item": {"pk": {"S": key}}}).encode()
        headers = {"Content-Type": CONTENT_TYPE, "X-Amz-Target": TARGET_PREFIX + "PutItem"}
        self.headers = signed_headers(self.body, headers)

    def wire(self, line="POST / HTTP/1.1", host="Host: " + HOST, framing=None, extra=(), body=None, end="\r\n"):
        """The bytes; framing: the lines that say how long the body is."""
        body = self.body if body is None else body
        lines = [line] + ([host] if host is not None else [])
        lines += [f"{name}: {value}" for name, value in self.headers.items()] + list(extra)
        lines += [f"Content-Length: {len(body)}"] if framing is None else list(framing)
        return (end.join(lines) + 2 * end).encode("latin-1") + body


def chunked(body, size="{:x}", after_size="\r\n", after_data="\r\n", tail="0\r\n\r\n"):
    return size.format(len(body)).encode() + after_size.encode() + body + (after_data + tail).encode()


# Each: a title, and how to write a request. The comments say what the class is.


def lengths(put):
    """A length that one party takes for a number and another does not, or takes for another number."""
    size = len(put.body)
    values = (
        f"+{size}", f"-{size}", f"0x{size:x}", f"{size}_0", f"{str(size)[0]}_{str(size)[1:]}", f"{size}.0", f"{size}e0",
        f"{size} {size}", f"{size}, {size}", f"{size},", f"{size};", f"{size}a", "", f"\x0b{size}", f'"{size}"', f"{2**32 + size}",
        f"{2**64 + size}", "9" * 40, "-1", "0b1", "NaN",
    )  # fmt: skip
    for value in values:
        yield f"Content-Length: {value!r}", put.wire(framing=[f"Content-Length: {value}"])


def several_lengths(put):
    """One party believes the first, another the last."""
    size = len(put.body)
    yield "the same length twice", put.wire(framing=[f"Content-Length: {size}"] * 2)
    yield "none, then the length", put.wire(framing=["Content-Length: 0", f"Content-Length: {size}"])
    yield "the length, then none", put.wire(framing=[f"Content-Length: {size}", "Content-Length: 0"])
    yield "in another case", put.wire(framing=[f"Content-Length: {size}", "content-length: 5"])


def length_and_chunks(put):
    """CL.TE and TE.CL: one party goes by the length, another by the chunks."""
    body = chunked(put.body)
    te = "Transfer-Encoding: chunked"
    yield "length first", put.wire(framing=[f"Content-Length: {len(body)}", te], body=body)
    yield "chunks first", put.wire(framing=[te, f"Content-Length: {len(body)}"], body=body)
    yield "a short length", put.wire(framing=["Content-Length: 4", te], body=body)
    yield "no length", put.wire(framing=["Content-Length: 0", te], body=body)
    hidden = put.wire()
    yield "a request behind the last chunk", put.wire(
        framing=[f"Content-Length: {5 + len(hidden)}", te], body=b"0\r\n\r\n" + hidden
    )


def transfer_encodings(put):
    """TE.TE: a coding that one party knows and another does not recognise."""
    body = chunked(put.body)
    values = (
        "xchunked", "chunkedx", "chunked, identity", "identity", "identity, chunked", "chunked, chunked", "gzip, chunked",
        "chunked;q=1", "\x0bchunked", "chunked\x0b", '"chunked"', "cow", "", ",chunked", "chunked,", "[chunked]",
    )  # fmt: skip
    for value in values:
        yield f"Transfer-Encoding: {value!r}", put.wire(framing=[f"Transfer-Encoding: {value}"], body=body)
    both = ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"]
    yield "two codings", put.wire(framing=both, body=body)
    yield "two codings, the other way round", put.wire(framing=both[::-1], body=body)
    yield "chunks of HTTP/1.0", put.wire("POST / HTTP/1.0", framing=both[:1], body=body)
    for line in ("Transfer-Encoding : chunked", "Transfer-Encoding:\r\n chunked", " Transfer-Encoding: chunked", "Transfer-Encoding\t:chunked"):
        yield f"line {line!r}", put.wire(framing=[line], body=body)


def chunks(put):
    """The parser takes any framing of chunks, so that no chunked body is taken at all, not even a sound one."""
    for title, body in (
        ("sound", chunked(put.body)),
        ("an extension", chunked(put.body, size="{:x};name=value")),
        ("a long extension", chunked(put.body, size="{:x};" + "a" * 100_000)),
        ("bare LF after the size", chunked(put.body, after_size="\n")),
        ("bare LF in an extension", chunked(put.body, after_size=";a\n")),
        ("bare LF after the data", chunked(put.body, after_data="\n")),
        ("bare CR after the size", chunked(put.body, after_size="\r")),
        ("0x", chunked(put.body, size="0x{:x}")),
        ("+", chunked(put.body, size="+{:x}")),
        ("-", chunked(put.body, size="-{:x}")),
        ("_", chunked(put.body, size="0_{:x}")),
        ("a space before the size", chunked(put.body, size=" {:x}")),
        ("a space behind the size", chunked(put.body, size="{:x} ")),
        ("many zeros", chunked(put.body, size="0" * 30 + "{:x}")),
        ("2**64 more", chunked(put.body, size="1" + "{:016x}")),
        ("too little data", chunked(put.body[:-1], size=f"{len(put.body):x}")),
        ("too much data", chunked(put.body + b"XX", size=f"{len(put.body):x}")),
        ("no size", chunked(put.body, size="")),
        ("a trailer", chunked(put.body, tail="0\r\nContent-Length: 5\r\n\r\n")),
        ("bare LF in the last chunk", chunked(put.body, tail="0\n\n")),
        ("no end of the data", chunked(put.body, after_data="")),
    ):
        yield title, put.wire(framing=["Transfer-Encoding: chunked"], body=body)


def line_ends(put):
    """Where a line ends, and with it a header and the head."""
    yield "bare LF everywhere", put.wire(end="\n")
    yield "bare CR everywhere", put.wire(end="\r")
    yield "bare LF in a value", put.wire(extra=["X-A: b\nContent-Length: 0"])
    yield "bare CR in a value", put.wire(extra=["X-A: b\rContent-Length: 0"])
    yield "CR CR LF", put.wire(extra=["X-A: b\r"])
    yield "LF at the end of the head", put.wire().replace(b"\r\n\r\n", b"\r\n\n", 1)
    yield "two empty lines before", b"\r\n\r\n" + put.wire()
    yield "a bare LF before", b"\n" + put.wire()
    yield "a folded value", put.wire(extra=["X-A: b\r\n c"])
    yield "a folded value with a header in it", put.wire(extra=["X-A: b\r\n\tContent-Length: 0"])
    yield "a folded length", put.wire(framing=[f"Content-Length:\r\n {len(put.body)}"])
    yield "a fold before the first header", put.wire("POST / HTTP/1.1\r\n X-A: b")


def names_and_values(put):
    """A header that one party sees and another overlooks."""
    for line in (
        "X-A : b", "X-A\t: b", "Content-Length : 0", "Content-Length\t: 0", "Content-Length\x0b: 0", "no colon", ": b", " X-A: b",
        "X A: b", "X(A: b", "X\x00A: b", "X-A: b\x00c", "X-A: b\x01c", "X-A: b\x7fc", "X-\xe9: b", "X-A: \x1b[0m", '"X-A": b',
    ):  # fmt: skip
        yield f"line {line!r}", put.wire(extra=[line])


def hosts(put):
    """Whom a request is for."""
    for host in (
        None, "Host: ", "Host: a, b", "Host: a b", "Host: a/b", "Host: u@a", "Host: a?b", "Host: a#b", "Host: a\\b", "Host: \x00",
        f"Host: {HOST}\r\nHost: other", f"Host: {HOST}\r\nHost: {HOST}", f"Host : {HOST}", f"Host:\r\n {HOST}",
    ):  # fmt: skip
        yield f"{host!r}", put.wire(host=host)


def request_lines(put):
    """What is asked for, and in which version."""
    for line in (
        "POST / HTTP/1.2", "POST / HTTP/2.0", "POST / HTTP/0.9", "POST / http/1.1", "POST / HTTP/1.1 ", "POST  / HTTP/1.1",
        "POST /  HTTP/1.1", "POST\t/\tHTTP/1.1", "POST / HTTP/11", "POST / HTTP/1.01", "POST / HTTP/1.", " POST / HTTP/1.1", "POST /",
        f"POST http://{HOST}/ HTTP/1.1", "POST http://other/ HTTP/1.1", "POST * HTTP/1.1", "POST x HTTP/1.1", "POST /a#b HTTP/1.1",
        "POST /\x01 HTTP/1.1", "POST /\x00 HTTP/1.1", "POST / x HTTP/1.1", "PO(ST / HTTP/1.1", "PO\x00ST / HTTP/1.1", "/ HTTP/1.1",
        "CONNECT a:80 HTTP/1.1", "POST / HTTP/1.1\x00", "POST / HTTP/1.1;", "",
    ):  # fmt: skip
        yield f"line {line!r}", put.wire(line)


def tunnels(put):
    """What makes a proxy pass on all that follows unseen."""
    upgrade = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"]
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
    yield "an upgrade to HTTP/2", put.wire(extra=upgrade) + preface
    yield "an upgrade with a second reading", put.wire(extra=upgrade, end="\n") + preface
    yield "an expectation that nobody knows", put.wire(extra=["Expect: 200-ok"])


CLASSES = (
    lengths, several_lengths, length_and_chunks, transfer_encodings, chunks, line_ends, names_and_values, hosts, request_lines,
    tunnels,
)  # fmt: skip


class Smuggling(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.table = cls.make_table()
        cls.count = 0

    def new_put(self):
        Smuggling.count += 1
        return Request(self.table, f"key-{self.count}")

    def is_there(self, put):
        found = self.db.get_item(TableName=self.table, Key={"pk": {"S": put.key}}, ConsistentRead=True)
        return "Item" in found

    def exchange(self, data):
        """All that the server says until it closes."""
        connection = connect()
        connection.timeout = 20
        connection.connect()
        said = b""
        try:
            connection.sock.sendall(data)
            while some := connection.sock.recv(65536):
                said += some
        except (ConnectionResetError, BrokenPipeError):
            pass  # it closed with some of ours unread
        finally:
            connection.close()
        return said

    def refused(self, spoiled, behind):
        """None if the answer was one refusal and the end of the connection."""
        said = self.exchange(spoiled + behind.wire())
        codes = [part[:3].decode() for part in said.split(b"HTTP/1.1 ")[1:]]
        if not set(codes) <= {"400", "411", "413", "417", "101"} or len(codes) > 1:
            return f"answers {codes}"
        return None

    def test_two_sound_requests_are_both_executed(self):
        first, second = self.new_put(), self.new_put()
        said = self.exchange(first.wire() + second.wire(extra=["Connection: close"]))
        self.assertEqual(said.count(b"HTTP/1.1 200 OK"), 2)
        self.assertTrue(self.is_there(first) and self.is_there(second))

    def test_what_has_two_readings_has_none(self):
        for make in CLASSES:
            case_count = len(list(make(self.new_put())))
            self.assertGreater(case_count, 2)
            for index in range(case_count):
                first, second = self.new_put(), self.new_put()
                title, spoiled = list(make(first))[index]
                with self.subTest(kind=make.__name__, title=title):
                    self.assertIsNone(self.refused(spoiled, second))
                    self.assertFalse(self.is_there(first), "the spoiled request was executed")
                    self.assertFalse(self.is_there(second), "what followed it was executed")


if __name__ == "__main__":
    unittest.main()
