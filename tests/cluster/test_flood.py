#!/usr/bin/env python3
"""Clients that mean no good, in numbers: too many, too slow, too greedy, gone without a word.

One process (`cleave local`), plain sockets on loopback, at most some four thousand at once. A good client works all the while and
must be served; when the crowd has gone, so are its descriptors and its memory. Times are printed, and judged only where a
stated deadline is to be kept.
"""

import contextlib
import os
import resource
import socket
import statistics
import struct
import subprocess
import sys
import time
import unittest

import cluster_lab
from cluster_lab import ROOT, wait_for

BINARIES = os.environ.get("CLEAVE_BIN", os.path.join(ROOT, "build", "release"))
CROWD = int(os.environ.get("CLEAVE_FLOOD_SOCKETS", "1500"))
CONNECTIONS_MAX = 4096
HEADER_DEADLINE_S = 10
SWEEP_S = 2  # twice the interval: a write that was refused is seen at the second look
IDLE_KB_MAX = 64
HEALTH = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: DynamoDB_20120810.ListTables\r\nContent-Type: application/x-amz-json-1.0\r\n"


class Server:
    """`cleave local` in memory."""

    def __init__(self, files_max=None):
        self.port = int(cluster_lab.Lab.free_port())
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files_max, files_max))) if files_max else None
        command = [os.path.join(BINARIES, "cleave"), "local", "--port", str(self.port), "--memory", "--auth", "open"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=limit)
        wait_for(self.answers, "cleave local answers")
        self.idle_fds = self.fds()

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=30)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def answers(self):
        with contextlib.suppress(OSError), self.connect() as connection:
            connection.sendall(HEALTH)
            return connection.recv(100).startswith(b"HTTP/1.1 200 ")
        return False

    def fds(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident_kb(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize() // 1024

    def crowd(self, count, words=b""):
        connections = []
        for _ in range(count):
            connection = self.connect()
            if words:
                connection.sendall(words)
            connections.append(connection)
        return connections

    def p99_ms(self, count=200):
        """Of a good client that makes a request at a time on one connection."""
        times = []
        with self.connect() as connection:
            for _ in range(count):
                begin = time.monotonic()
                connection.sendall(HEALTH)
                answer = connection.recv(4096)
                times.append(1000 * (time.monotonic() - begin))
                assert answer.startswith(b"HTTP/1.1 200 "), answer
        return statistics.quantiles(times, n=100)[98]


def close_all(connections):
    for connection in connections:
        connection.close()


def reset_all(connections):
    for connection in connections:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


def is_closed(connection):
    connection.settimeout(0)
    try:
        return connection.recv(65536) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def report(*words):
    print("  ", *words, file=sys.stderr, flush=True)


class FloodTest(unittest.TestCase):
    def start(self, **options):
        server = Server(**options)
        self.addCleanup(server.process.wait)
        self.addCleanup(server.process.kill)
        return server

    def assert_recovered(self, server, begin, what, within_s):
        wait_for(lambda: server.fds() <= server.idle_fds, f"{what}: descriptors are given back", timeout_s=within_s)
        report(f"{what}: all descriptors back after {time.monotonic() - begin:.2f} s")
        self.assertTrue(server.answers())

    def test_the_idle_and_the_slow(self):
        server = self.start()
        quiet_ms, quiet_kb = server.p99_ms(), server.resident_kb()
        begin = time.monotonic()
        crowds = {
            "idle": server.crowd(CROWD, HEALTH),
            "slow head": server.crowd(CROWD // 3, b"POST / HTTP/1.1\r\nHost: x\r\nX-A: "),
            "slow body": server.crowd(CROWD // 3, POST + b"Content-Length: 100000\r\n\r\n{"),
            "slow reader": server.crowd(CROWD // 3, HEALTH * 20),
        }
        count = sum(map(len, crowds.values()))
        kb_each = (server.resident_kb() - quiet_kb) / count
        busy_ms = min(server.p99_ms() for _ in range(3))  # at first it still answers the crowd
        report(f"{count} sockets: {kb_each:.1f} KB each; a good client's p99 {quiet_ms:.2f} ms, then {busy_ms:.2f} ms")
        self.assertLess(kb_each, IDLE_KB_MAX)
        while time.monotonic() - begin < HEADER_DEADLINE_S + SWEEP_S + 1:
            for connection in crowds["slow head"]:
                with contextlib.suppress(OSError):
                    connection.send(b"a")  # a byte now and then is not a head
            server.p99_ms(50)
            time.sleep(0.5)
        for kind in ("slow head", "slow body"):
            with self.subTest(kind=kind):
                wait_for(lambda: all(map(is_closed, crowds[kind])), f"{kind}: all cut off", timeout_s=HEADER_DEADLINE_S)
        report(f"the slow were cut off within {time.monotonic() - begin:.1f} s")
        for connection in crowds["idle"][:50]:
            connection.recv(4096)
            connection.sendall(HEALTH)
            self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 200 "), "an idle connection is kept")
        begin = time.monotonic()
        for connections in crowds.values():
            close_all(connections)
        self.assert_recovered(server, begin, "the idle and the slow", 10)
        self.assertEqual(server.stop(), 0)

    def test_who_leaves_is_noticed(self):
        server = self.start()
        whole = POST + b"Content-Length: 2\r\n\r\n{}"
        ways = {
            "silent": b"",
            "served": HEALTH,
            "half a head": b"POST / HT",
            "half a body": POST + b"Content-Length: 100\r\n\r\n{",
            "at work": whole * 3,
        }
        for leave in (close_all, reset_all, lambda ones: [one.shutdown(socket.SHUT_WR) for one in ones]):
            for title, words in ways.items():
                with self.subTest(title=title):
                    connections = server.crowd(300, words)
                    begin = time.monotonic()
                    leave(connections)
                    self.assert_recovered(server, begin, title, HEADER_DEADLINE_S)
                    close_all(connections)
        self.assertEqual(server.stop(), 0)

    def test_more_than_may_connect(self):
        server = self.start()
        connections = server.crowd(CONNECTIONS_MAX + 100)
        wait_for(lambda: sum(map(is_closed, connections[-100:])) >= 99, "those over the limit are sent away")
        with self.assertRaises((AssertionError, OSError)):
            server.p99_ms(1)
        # Who was there before still has his place.
        connections[0].settimeout(10)
        connections[0].sendall(HEALTH)
        self.assertTrue(connections[0].recv(4096).startswith(b"HTTP/1.1 200 "))
        begin = time.monotonic()
        reset_all(connections)
        self.assert_recovered(server, begin, "a flood of connections", 10)
        self.assertEqual(server.stop(), 0)

    def test_no_descriptors_left(self):
        server = self.start(files_max=120)
        connections = server.crowd(300)
        time.sleep(0.2)  # it goes on accepting and failing; nothing to wait for
        self.assertIsNone(server.process.poll())
        begin = time.monotonic()
        close_all(connections)
        self.assert_recovered(server, begin, "no descriptors left", 10)
        wait_for(server.answers, "it serves again")
        self.assertEqual(server.stop(), 0)

    def test_connections_that_come_and_go(self):
        server = self.start()
        begin = time.monotonic()
        for _ in range(20):
            reset_all(server.crowd(100, HEALTH))
            reset_all(server.crowd(100))
        report(f"4000 connections came and went in {time.monotonic() - begin:.1f} s")
        self.assert_recovered(server, time.monotonic(), "a storm of resets", 10)
        self.assertLess(server.p99_ms(), 1000)
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
