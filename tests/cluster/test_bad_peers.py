#!/usr/bin/env python3
"""Strangers on a node's port, and data directories that are not what they should be: refused, with a clear word."""

import os
import random
import shutil
import ssl
import subprocess
import unittest

import peer
from cluster_lab import ROOT, SEED, ClusterTest, wait_for
from history import put_item, value_of

EXIT_FAILED, EXIT_FORGOTTEN = 1, 3
FUZZ_ROUNDS = 60


class StrangersTest(ClusterTest):
    def setUp(self):
        super().setUp()
        self.lab = self.start_lab()
        self.node = "node-1"
        self.port = self.lab.node_port(self.node)
        self.cluster_id = self.lab.cluster_id()
        self.pids = {name: self.lab.pid(name) for name in self.lab.node_names()}

    def connect_as(self, name, folder=None):
        """A TLS connection with one of the lab's certificates, or of another authority's in folder."""
        tls = folder or self.lab.path("tls")
        files = [os.path.join(tls, f"{name}.{ending}") for ending in ("crt", "key")]
        connection = peer.tls_connection(self.port, self.lab.path("tls", "ca.crt"), *files)
        self.addCleanup(connection.close)
        return connection

    def connect_plain(self):
        connection = peer.plain_connection(self.port)
        self.addCleanup(connection.close)
        return connection

    def connect_without_certificate(self):
        connection = peer.tls_connection(self.port)
        self.addCleanup(connection.close)
        return connection

    def trusted(self):
        """A connection of the operator's tool whose hello was accepted."""
        connection = self.connect_as("tool")
        connection.sendall(peer.hello(self.cluster_id, peer.ROLE_TOOL))
        self.assertEqual(peer.read_frame(connection)[2], peer.ST_OK)
        return connection

    def assert_cut(self, connect, data, word):
        """These bytes end a connection made by connect(), and the log says why."""
        before = len(self.lab.log(self.node))
        connection = connect()
        try:
            connection.sendall(data)
        except (ConnectionError, ssl.SSLError):
            pass  # cut even earlier
        self.assertTrue(peer.is_closed_by_peer(connection))
        wait_for(lambda: word in self.lab.log(self.node)[before:], f"the log says {word}", timeout_s=5)

    def assert_hello_refused(self, connection, hello, status):
        connection.sendall(hello)
        answer = peer.read_frame(connection)
        self.assertIsNotNone(answer)
        self.assertEqual((answer[0], answer[2]), (peer.HELLO, status))
        self.assertTrue(peer.is_closed_by_peer(connection))

    def assert_unharmed(self):
        self.trusted()
        self.assertEqual({name: self.lab.pid(name) for name in self.lab.node_names()}, self.pids)
        self.assertEqual(self.lab.running_nodes(), self.lab.node_names())

    def other_authority(self):
        """A folder with certificates under the same names by an authority of its own."""
        folder = os.path.join(self.scratch, "other")
        os.mkdir(folder)
        script = f"""set -euo pipefail
            . {ROOT}/deploy/lab.d/certificates.sh
            authority_create {folder}
            certificate_create {folder} node-2 node-2 DNS:node-2"""
        subprocess.run(["bash", "-c", script], check=True, capture_output=True)
        return folder

    def test_strangers_are_refused(self):
        hello = peer.hello(self.cluster_id, peer.ROLE_TOOL)
        folder = self.other_authority()
        self.assert_unharmed()
        with self.subTest("garbage"):
            self.assert_cut(self.connect_plain, random.Random(SEED).randbytes(4096), "broken")
        with self.subTest("plaintext"):
            self.assert_cut(self.connect_plain, hello, "broken")
        with self.subTest("http"):
            self.assert_cut(self.connect_plain, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "broken")
        with self.subTest("no certificate"):
            self.assert_cut(self.connect_without_certificate, hello, "broken")
        with self.subTest("a certificate of another authority"):
            self.assert_cut(lambda: self.connect_as("node-2", folder), hello, "broken")
        with self.subTest("silence"):
            self.assert_cut(lambda: self.connect_as("tool"), b"", "hello-timeout")
        with self.subTest("silence without TLS"):
            self.assert_cut(self.connect_plain, b"", "hello-timeout")
        self.assert_unharmed()

    def test_false_hellos_are_refused(self):
        lab_id = self.cluster_id
        as_node_2 = peer.hello(lab_id, peer.ROLE_NODE, 2, b"\1" * 16)
        cases = (
            ("another protocol version", "tool", {"protocol_version": 2}, peer.ST_VERSION),
            ("a coordinator as a node", "coordinator", {"role": peer.ROLE_NODE, "node_id": 2}, peer.ST_DENIED),
            ("a coordinator as a tool", "coordinator", {}, peer.ST_DENIED),
            ("a tool as a node", "tool", {"role": peer.ROLE_NODE, "node_id": 2}, peer.ST_DENIED),
            ("node 3 as node 2", "node-3", {"role": peer.ROLE_NODE, "node_id": 2}, peer.ST_DENIED),
        )
        for title, certificate, fields, status in cases:
            with self.subTest(title):
                hello = peer.hello(lab_id, **{"role": peer.ROLE_TOOL, **fields})
                self.assert_hello_refused(self.connect_as(certificate), hello, status)
        with self.subTest("another cluster"):
            hello = peer.hello(b"\7" * 16, peer.ROLE_TOOL)
            self.assert_hello_refused(self.connect_as("tool"), hello, peer.ST_WRONG_CLUSTER)
        with self.subTest("node 2 with another data directory"):
            self.assert_hello_refused(self.connect_as("node-2"), as_node_2, peer.ST_FORGOTTEN)
        self.assert_unharmed()

    def test_bad_frames_end_the_connection(self):
        request = {"kind": peer.REQUEST, "method": peer.METHOD_NODE_STATUS}
        before_hello = (
            ("a request before the hello", peer.frame(**request), "unexpected-frame"),
            ("a long hello", peer.frame(peer.HELLO, peer.METHOD_HELLO, bytes(2000)), "bad-frame"),
            ("a hello of nonsense", peer.frame(peer.HELLO, peer.METHOD_HELLO, b"\xff" * 40), "refused"),
            ("another frame version", peer.frame(peer.HELLO, peer.METHOD_HELLO, version=2), "bad-frame"),
            ("garbage inside TLS", random.Random(SEED).randbytes(500), "bad-frame"),
        )
        after_hello = (
            ("a frame too long", peer.frame(**request, announced=peer.BODY_SIZE_MAX + 1), "bad-frame"),
            ("the longest length there is", peer.frame(**request, announced=0xFFFFFFFF), "bad-frame"),
            ("a spoiled checksum", peer.frame(**request, spoiled=True), "bad-frame"),
            ("another frame version", peer.frame(**request, version=9), "bad-frame"),
            ("another magic number", peer.frame(**request, magic=0x1234), "bad-frame"),
            ("an unknown type", peer.frame(200, peer.METHOD_NODE_STATUS), "bad-frame"),
            ("a second hello", peer.hello(self.cluster_id, peer.ROLE_TOOL), "unexpected-frame"),
        )
        for title, data, word in before_hello:
            with self.subTest(title):
                self.assert_cut(lambda: self.connect_as("tool"), data, word)
        for title, data, word in after_hello:
            with self.subTest(title):
                self.assert_cut(self.trusted, data, word)
        self.assert_unharmed()

    def test_nonsense_in_valid_frames_crashes_nothing(self):
        rng = random.Random(SEED)
        table = self.lab.make_table("nonsense")
        client = self.lab.client()
        client.put_item(TableName=table, Item=put_item("k", "v"))
        for _ in range(FUZZ_ROUNDS):
            with self.trusted() as connection:
                for call in range(10):
                    kind = rng.choice((peer.REQUEST, peer.ONE_WAY))
                    body = rng.randbytes(rng.choice((0, 1, 7, 60, 3000)))
                    connection.sendall(peer.frame(kind, rng.randrange(70), body, call_id=call))
        self.assert_unharmed()
        answer = client.get_item(TableName=table, Key={"pk": {"S": "k"}}, ConsistentRead=True)
        self.assertEqual(value_of(answer.get("Item")), "v")


class DirectoriesTest(ClusterTest):
    def ends(self, lab, name, **changes):
        """Run a node in the foreground with some flags changed; (exit code, what it said)."""
        command = list(lab.commands[name])
        for flag, value in changes.items():
            command[command.index("--" + flag.replace("_", "-")) + 1] = value
        answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        return answer.returncode, answer.stderr + answer.stdout

    def assert_refused(self, answer, exit_code, *words):
        self.assertEqual(answer[0], exit_code, answer[1])
        for word in words:
            self.assertIn(word, answer[1])

    def test_a_directory_that_does_not_fit_is_refused(self):
        lab = self.start_lab()
        table = lab.make_table("directories")
        client = lab.client()
        client.put_item(TableName=table, Item=put_item("k", "v"))
        ports = {flag: f"127.0.0.1:{lab.free_port()}" for flag in ("listen", "status")}
        answer = self.ends(lab, "node-1", **ports)
        self.assert_refused(answer, EXIT_FAILED, "in use by another process", "--dir")
        lab.kill("node-3")
        answer = self.ends(lab, "node-3", cluster_id="07" * 16)
        self.assert_refused(answer, EXIT_FAILED, "belongs to another cluster", "--cluster-id")
        answer = self.ends(lab, "node-3", node_id="9")
        self.assert_refused(answer, EXIT_FAILED, "belongs to node 3", "--node-id")
        self.refuse_emptied(lab)
        lab.start("node-3")
        lab.wait_rejoined(table)

    def refuse_emptied(self, lab):
        data = lab.path("data", "node-3")
        shutil.move(data, data + ".away")
        os.mkdir(data)
        answer = self.ends(lab, "node-3")
        self.assert_refused(answer, EXIT_FORGOTTEN, "another data directory", "--node-id that was never used")
        shutil.rmtree(data)
        shutil.move(data + ".away", data)


if __name__ == "__main__":
    unittest.main()
