#!/usr/bin/env python3
"""The `cleave` tool: the database in one process, and the commands that look at a cluster and act on it.

Runs the binaries of $CLEAVE_BIN, or those of build/release, on free ports and folders of its own.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import boto3
import botocore.config
import botocore.exceptions

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BINARIES = os.environ.get("CLEAVE_BIN", os.path.join(ROOT, "build", "release"))
CLUSTER_ID = "00112233445566778899aabbccddeeff"
DEADLINE_S = 30


def binary(name):
    return os.path.join(BINARIES, name)


def environment():
    """Without settings that flags could come from."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CLEAVE_")}


def cleave(*words, timeout_s=DEADLINE_S, **more):
    return subprocess.run(
        [binary("cleave"), *words],
        env={**environment(), **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(condition, what):
    """Wait for a condition that other processes bring about."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {DEADLINE_S} s: {what}")
        time.sleep(0.05)


def client(endpoint, key_id="any", secret="any", verify=None):
    config = botocore.config.Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60, proxies={})
    return boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        verify=verify,
        region_name="us-east-1",
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        config=config,
    )


def make_table(db, name):
    db.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    until(lambda: db.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE", f"table {name} is active")


def put(db, table, key, value):
    db.put_item(TableName=table, Item={"pk": {"S": key}, "v": {"N": str(value)}})


def get(db, table, key):
    """The value, None if there is no item."""
    item = db.get_item(TableName=table, Key={"pk": {"S": key}}, ConsistentRead=True).get("Item")
    return item and int(item["v"]["N"])


class ToolTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cleave-tool.")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def spawn(self, *words, **more):
        process = subprocess.Popen(words, env=environment(), stdin=subprocess.DEVNULL, text=True, **more)
        self.addCleanup(self.reap, process)
        return process

    @staticmethod
    def reap(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()

    def start_local(self, *words):
        """A `cleave local` that is ready; its endpoint is in .endpoint, its first line in .line."""
        process = self.spawn(binary("cleave"), "local", "--port=0", *words, stdout=subprocess.PIPE)
        process.line = process.stdout.readline()
        self.assertIn("cleave local: ready on http://127.0.0.1:", process.line)
        process.endpoint = process.line.split(" ready on ")[1].split()[0]
        return process

    def stop(self, process, number=signal.SIGTERM):
        process.send_signal(number)
        return process.wait(DEADLINE_S)

    def assert_refused(self, answer, code, *parts):
        self.assertEqual(answer.returncode, code, answer.stderr)
        for part in parts:
            self.assertIn(part, answer.stderr)
        self.assertEqual(answer.stdout, "")


class CommandLine(ToolTest):
    COMMANDS = ("local", "status", "nodes", "tables", "partitions", "transfer", "fault", "member")

    def test_help_names_every_command(self):
        for words in (["help"], ["--help"], ["-h"]):
            answer = cleave(*words)
            self.assertEqual(answer.returncode, 0)
            for command in self.COMMANDS:
                self.assertIn(command, answer.stdout)

    def test_each_command_explains_itself(self):
        for command in self.COMMANDS:
            for words in ([command, "--help"], ["help", command]):
                answer = cleave(*words)
                self.assertEqual(answer.returncode, 0, answer.stderr)
                self.assertIn(f"usage: cleave {command} ", answer.stdout)

    def test_version(self):
        answer = cleave("--version")
        self.assertEqual(answer.returncode, 0)
        self.assertRegex(answer.stdout, r"^cleave \d+\.\d+\.\d+\n$")

    def test_an_unknown_command_is_refused(self):
        self.assert_refused(cleave("drop-everything"), 2, "there is no command 'drop-everything'", "cleave help")
        self.assert_refused(cleave("help", "nothing"), 2, "there is no command 'nothing'")

    def test_nothing_at_all_prints_the_help_and_fails(self):
        self.assert_refused(cleave(), 2, "usage: cleave COMMAND")

    def test_flags_that_are_wrong(self):
        self.assert_refused(cleave("local", "--prot=1"), 2, "--prot")
        self.assert_refused(cleave("local", "--port=70000"), 2, "--port", "65535")
        self.assert_refused(cleave("local", "--memory", f"--dir={self.path('d')}"), 2, "--dir and --memory")
        self.assert_refused(cleave("local", "--auth=strict"), 2, "--credentials")
        self.assert_refused(cleave("local", "--auth=perhaps"), 2, "--auth")
        self.assert_refused(cleave("local", "--host=name.example", "--port=0"), 2, "--host")
        self.assert_refused(cleave("local", "--https-listen=127.0.0.1:0"), 2, "--https-cert")
        self.assert_refused(cleave("local", "--log-level=loud"), 2, "--log-level")

    def test_a_cluster_must_be_named(self):
        self.assert_refused(cleave("status"), 2, "--lab", "CLEAVE_SEEDS")
        named = ("--seeds=1@127.0.0.1:1", f"--cluster-id={CLUSTER_ID}")
        self.assert_refused(cleave("status", *named), 2, "--tls-ca", "CLEAVE_TLS_CA")
        self.assert_refused(cleave("status", "--insecure", "--seeds=x", named[1]), 1, "--seeds is a list like")
        self.assert_refused(cleave("status", "--insecure", named[0], "--cluster-id=12"), 1, "32 hexadecimal")

    def test_a_lab_file_must_be_one(self):
        self.assert_refused(cleave("status", f"--lab={self.path('none')}"), 2, "cannot read", "none")
        with open(self.path("bad"), "w", encoding="utf-8") as file:
            file.write("no such line\n")
        self.assert_refused(cleave("status", f"--lab={self.path('bad')}"), 2, "is not a lab's file")

    def test_acting_needs_its_subject(self):
        self.assert_refused(cleave("transfer"), 2, "--partition is missing")
        self.assert_refused(cleave("fault"), 2, "--node is missing")
        self.assert_refused(cleave("member", "--partition=1", "--replica=1", "--node=1"), 2, "--action is missing")


class Local(ToolTest):
    def test_it_serves_from_memory_and_says_so(self):
        process = self.start_local()
        self.assertIn("(in memory", process.line)
        db = client(process.endpoint)
        make_table(db, "songs")
        put(db, "songs", "a", 1)
        self.assertEqual(get(db, "songs", "a"), 1)
        db.delete_item(TableName="songs", Key={"pk": {"S": "a"}})
        self.assertIsNone(get(db, "songs", "a"))
        self.assertEqual(self.stop(process), 0)

    def test_an_interrupt_is_a_clean_end_too(self):
        self.assertEqual(self.stop(self.start_local("--memory"), signal.SIGINT), 0)

    def test_a_stop_with_open_connections_is_prompt_and_clean(self):
        process = self.start_local()
        with contextlib.closing(socket.create_connection(("127.0.0.1", int(process.endpoint.split(":")[2])))) as idle:
            idle.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
            self.assertEqual(self.stop(process), 0)

    def test_a_directory_keeps_what_was_written(self):
        folder = self.path("data")
        process = self.start_local(f"--dir={folder}")
        self.assertIn(f"(data in {folder})", process.line)
        db = client(process.endpoint)
        make_table(db, "songs")
        for key in range(50):
            put(db, "songs", str(key), key)
        self.assertEqual(self.stop(process), 0)
        process = self.start_local(f"--dir={folder}")
        db = client(process.endpoint)
        self.assertEqual(db.list_tables()["TableNames"], ["songs"])
        self.assertEqual([get(db, "songs", str(key)) for key in range(50)], list(range(50)))

    def test_what_was_acknowledged_survives_a_kill(self):
        folder = self.path("data")
        for life in range(3):
            process = self.start_local(f"--dir={folder}")
            db = client(process.endpoint)
            if life == 0:
                make_table(db, "songs")
            for key in range(20 * life):
                self.assertEqual(get(db, "songs", str(key)), key)
            for key in range(20 * life, 20 * life + 20):
                put(db, "songs", str(key), key)
            self.assertEqual(self.stop(process, signal.SIGKILL), -signal.SIGKILL)

    def test_a_collection_grows_to_its_limit_and_no_further(self):
        folder = self.path("data")
        process = self.start_local(f"--dir={folder}", "--collection-limit=4MB")
        db = client(process.endpoint)
        db.create_table(
            TableName="collections",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "a")],
            LocalSecondaryIndexes=[
                {
                    "IndexName": "by-a",
                    "KeySchema": [
                        {"AttributeName": "pk", "KeyType": "HASH"},
                        {"AttributeName": "a", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        db.get_waiter("table_exists").wait(TableName="collections", WaiterConfig={"Delay": 0.05, "MaxAttempts": 600})

        def put_large(db, pk, sk):
            item = {"pk": {"S": pk}, "sk": {"S": str(sk)}, "a": {"S": "a"}, "x": {"B": b"x" * 200 * 1024}}
            db.put_item(TableName="collections", Item=item)

        # Each item counts twice, being in the index as well: ten fit.
        for sk in range(10):
            put_large(db, "full", sk)
        with self.assertRaises(db.exceptions.ItemCollectionSizeLimitExceededException) as caught:
            put_large(db, "full", 10)
        self.assertEqual(caught.exception.response["Error"]["Message"], "Collection size exceeded.")
        self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 400)
        put_large(db, "another", 0)
        put_large(db, "full", 3)  # as large as before
        # It is known after a restart too, and room comes back.
        self.assertEqual(self.stop(process, signal.SIGKILL), -signal.SIGKILL)
        process = self.start_local(f"--dir={folder}", "--collection-limit=4MB")
        db = client(process.endpoint)
        with self.assertRaises(db.exceptions.ItemCollectionSizeLimitExceededException):
            put_large(db, "full", 10)
        key = {"pk": {"S": "full"}, "sk": {"S": "3"}}
        shrink = {"TableName": "collections", "Key": key, "UpdateExpression": "REMOVE x"}
        db.update_item(**shrink)
        put_large(db, "full", 10)

    def test_a_directory_belongs_to_one_process(self):
        folder = self.path("data")
        self.start_local(f"--dir={folder}")
        answer = cleave("local", "--port=0", f"--dir={folder}")
        self.assert_refused(answer, 1, f"another process uses the data in {folder}", "choose another --dir")

    def test_a_port_in_use_is_refused(self):
        port = self.start_local().endpoint.split(":")[2]
        self.assert_refused(cleave("local", f"--port={port}"), 1, "the port is in use", "--port")
        self.assert_refused(cleave("local", "--port=0", f"--status=127.0.0.1:{port}"), 1, f"--status on 127.0.0.1:{port}")

    def test_a_directory_that_cannot_be_made_is_refused(self):
        with open(self.path("file"), "w", encoding="utf-8"):
            pass
        self.assert_refused(cleave("local", "--port=0", f"--dir={self.path('file')}"), 1, "cannot open", "file")

    def test_the_directory_of_a_node_is_refused_and_the_other_way_round(self):
        folder, port = self.path("node"), free_port()
        node_words = (
            "--insecure", f"--cluster-id={CLUSTER_ID}", "--node-id=1", "--zone=z",
            f"--listen=127.0.0.1:{port}", f"--seeds=1@127.0.0.1:{port}",
        )  # fmt: skip
        node = self.spawn(binary("cleave-node"), *node_words, f"--dir={folder}", stderr=subprocess.DEVNULL)
        until(lambda: cleave("status", "--insecure", f"--cluster-id={CLUSTER_ID}", node_words[-1]).stdout, "the node answers")
        self.assertEqual(self.stop(node), 0)
        self.assert_refused(cleave("local", "--port=0", f"--dir={folder}"), 1, "data directory of a cluster's node", folder)
        ours = self.path("local")
        self.stop(self.start_local(f"--dir={ours}"))
        answer = subprocess.run(
            [binary("cleave-node"), *node_words, f"--dir={ours}"], env=environment(), capture_output=True, text=True, timeout=DEADLINE_S
        )
        self.assertEqual(answer.returncode, 1)
        self.assertIn("belongs to another cluster", answer.stderr)

    def test_strict_checks_who_asks(self):
        with open(self.path("credentials"), "w", encoding="utf-8") as file:
            file.write("AKIATESTTESTTESTTEST the-secret-of-forty-characters-0123456789\n")
        process = self.start_local("--auth=strict", f"--credentials={self.path('credentials')}")
        good = client(process.endpoint, "AKIATESTTESTTESTTEST", "the-secret-of-forty-characters-0123456789")
        self.assertEqual(good.list_tables()["TableNames"], [])
        with self.assertRaises(botocore.exceptions.ClientError):
            client(process.endpoint, "AKIATESTTESTTESTTEST", "wrong").list_tables()

    def test_https_serves_and_bears_a_client_that_says_nothing(self):
        key, certificate = self.path("key.pem"), self.path("certificate.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-keyout", key, "-out", certificate, "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
            check=True, capture_output=True,
        )  # fmt: skip
        port = free_port()
        words = (f"--https-listen=127.0.0.1:{port}", f"--https-cert={certificate}", f"--https-key={key}")
        process = self.start_local(*words)
        self.assertIn(f" and https://127.0.0.1:{port} ", process.line)
        db = client(f"https://127.0.0.1:{port}", verify=certificate)
        self.assertEqual(db.list_tables()["TableNames"], [])
        with contextlib.closing(socket.create_connection(("127.0.0.1", port))):
            with self.assertRaises(subprocess.TimeoutExpired):
                process.wait(2.5)  # longer than the server's sweep for idle connections
        self.assertEqual(db.list_tables()["TableNames"], [])
        self.assertEqual(self.stop(process), 0)

    def test_the_status_page_tells_health(self):
        port = free_port()
        self.start_local(f"--status=127.0.0.1:{port}")
        with contextlib.closing(socket.create_connection(("127.0.0.1", port))) as page:
            page.sendall(b"GET /health HTTP/1.0\r\n\r\n")
            self.assertIn(b" 200 ", page.recv(4096))


class Cluster(ToolTest):
    """Three nodes in three zones and a coordinator, without certificates."""

    def setUp(self):
        super().setUp()
        self.ports = [free_port() for _ in range(3)]
        self.seeds = ",".join(f"{number}@127.0.0.1:{port}" for number, port in enumerate(self.ports, 1))
        self.named = ("--insecure", f"--cluster-id={CLUSTER_ID}", f"--seeds={self.seeds}")
        self.nodes = {number: self.start_node(number) for number in (1, 2, 3)}
        self.http_port = free_port()
        self.spawn(
            binary("cleave-coordinator"), *self.named, "--zone=z1", f"--listen=127.0.0.1:{self.http_port}",
            "--auth=open", stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.wait_healthy()
        self.db = client(f"http://127.0.0.1:{self.http_port}")
        make_table(self.db, "songs")

    def start_node(self, number):
        place = f"127.0.0.1:{self.ports[number - 1]}"
        return self.spawn(
            binary("cleave-node"), *self.named, f"--dir={self.path(f'node-{number}')}", f"--node-id={number}",
            f"--zone=z{number}", f"--listen={place}", stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def tool(self, *words):
        return cleave(*words, *self.named)

    def json(self, *words):
        return json.loads(self.tool(*words, "--json").stdout)

    def wait_healthy(self):
        def is_healthy():
            answer = self.tool("status", "--json")
            return answer.returncode == 0 and json.loads(answer.stdout)["nodes"]["ready"] == 3

        until(is_healthy, "the cluster is healthy")

    def test_looking_at_a_healthy_cluster(self):
        answer = self.tool("status")
        self.assertEqual(answer.returncode, 0, answer.stdout)
        self.assertEqual(answer.stdout.splitlines()[0], "healthy")
        status = self.json("status")
        self.assertEqual((status["healthy"], status["problems"]), (True, []))
        self.assertEqual(status["nodes"], {"total": 3, "reachable": 3, "ready": 3})
        nodes = self.json("nodes")["nodes"]
        self.assertEqual([(node["node_id"], node["zone"], node["port"]) for node in nodes],
                         [(number, f"z{number}", self.ports[number - 1]) for number in (1, 2, 3)])  # fmt: skip
        self.assertEqual({node["state"] for node in nodes}, {"ready"})
        self.assertEqual(sum(node["leaders"] for node in nodes), status["partitions"]["total"] + 1)
        table = self.json("tables")["tables"][0]
        self.assertEqual((table["name"], table["state"], table["billing_mode"]), ("songs", "ACTIVE", "PAY_PER_REQUEST"))

    def test_partitions_cover_the_tokens_in_order(self):
        partitions = self.json("partitions", "--table=songs")["partitions"]
        self.assertEqual(partitions[0]["range_start_token"], "0" * 16)
        self.assertIsNone(partitions[-1]["range_end_token"])
        for left, right in zip(partitions, partitions[1:]):
            self.assertEqual(left["range_end_token"], right["range_start_token"])
        for partition in partitions:
            self.assertEqual({replica["node_id"] for replica in partition["replicas"]}, {1, 2, 3})
            leaders = [r["node_id"] for r in partition["replicas"] if r["state"] == "leader"]
            self.assertEqual(leaders, [partition["leader_node_id"]])

    def test_text_is_aligned_and_names_what_json_names(self):
        for command in ("nodes", "tables", "partitions"):
            lines = self.tool(command).stdout.splitlines()
            self.assertGreaterEqual(len(lines), 2)
            starts = [at for at in range(1, len(lines[0])) if lines[0][at - 1] == " " and lines[0][at] != " "]
            for at in starts[:2]:
                self.assertTrue(all(line[at - 1] == " " for line in lines if len(line) > at), command)

    def test_an_unknown_table_is_said_to_be_unknown(self):
        answer = self.tool("partitions", "--table=none")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("there is no table none", answer.stderr)

    def test_a_dead_node_is_named_and_the_status_fails(self):
        self.stop(self.nodes[3], signal.SIGKILL)
        answer = self.tool("status")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("WRONG", answer.stdout.splitlines()[0])
        self.assertIn(f"node 3 at 127.0.0.1:{self.ports[2]} (z3) cannot be reached", answer.stdout)
        self.assertEqual([node["state"] for node in self.json("nodes")["nodes"]], ["ready", "ready", "unreachable"])
        self.nodes[3] = self.start_node(3)
        self.wait_healthy()

    def test_leadership_moves_where_it_is_told_to(self):
        for partition in [self.json("partitions")["catalog"], *self.json("partitions")["partitions"][:2]]:
            number = partition["partition_id"]
            target = partition["leader_node_id"] % 3 + 1
            answer = self.tool("transfer", f"--partition={number}", f"--to={target}")
            self.assertEqual(answer.returncode, 0, answer.stderr)
            self.assertIn(f"led by node {target} now", answer.stdout)
            self.assertIn("leads it already", self.tool("transfer", f"--partition={number}", f"--to={target}").stdout)
        self.assert_refused(self.tool("transfer", "--partition=999999"), 1, "there is no partition 999999")

    def test_faults_are_armed_and_cleared(self):
        answer = self.tool("fault", "--node=2", "apply-delay", "--delay-ms=1")
        self.assertEqual((answer.returncode, answer.stderr), (0, ""))
        self.assertIn("apply-delay is armed", answer.stdout)
        self.assertIn("apply-delay is cleared", self.tool("fault", "--node=2", "apply-delay").stdout)
        self.assertIn("all fault points are cleared", self.tool("fault", "--node=2").stdout)
        self.assert_refused(self.tool("fault", "--node=2", "nonsense"), 2, "there is no point 'nonsense'", "apply-delay")
        self.assert_refused(self.tool("fault", "--node=77"), 1, "there is no node 77")

    def test_a_disk_that_is_full_is_seen(self):
        self.assertEqual(self.tool("fault", "--node=1", "disk-full", "--per-million=1000000").returncode, 0)
        until(lambda: "node 1 " in self.tool("status").stdout and "disk is full" in self.tool("status").stdout, "seen")
        self.assertEqual(self.tool("fault", "--node=1").returncode, 0)
        self.wait_healthy()

    def test_members_are_changed_one_step_at_a_time(self):
        partition = self.json("partitions", "--table=songs")["partitions"][0]
        number = f"--partition={partition['partition_id']}"
        victim = next(r for r in partition["replicas"] if r["node_id"] != partition["leader_node_id"])
        replica = f"--replica={victim['replica_id']}"
        other = victim["node_id"] % 3 + 1
        slip = self.tool("member", number, "--action=remove", replica, f"--node={other}")
        self.assert_refused(slip, 1, f"is on node {victim['node_id']}")
        answer = self.tool("member", number, "--action=remove", replica, f"--node={victim['node_id']}")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertIn("was accepted", answer.stdout)
        self.assert_refused(self.tool("member", number, "--action=promote", "--replica=987654", "--node=1"), 1, "ST_NOT_FOUND")

    def test_a_lab_file_names_the_cluster(self):
        with open(self.path("lab.env"), "w", encoding="utf-8") as file:
            file.write(f"# a comment\n\nCLEAVE_SEEDS={self.seeds}\nCLEAVE_CLUSTER_ID={CLUSTER_ID}\nOTHER=1\n")
        answer = cleave("status", "--insecure", f"--lab={self.path('lab.env')}", CLEAVE_SEEDS="9@127.0.0.1:9")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        by_environment = {"CLEAVE_SEEDS": self.seeds, "CLEAVE_CLUSTER_ID": CLUSTER_ID, "CLEAVE_INSECURE": "true"}
        self.assertEqual(cleave("status", **by_environment).returncode, 0)

    def test_another_cluster_is_refused_at_once_and_why(self):
        answer = cleave("status", "--insecure", f"--seeds={self.seeds}", "--cluster-id=" + "ff" * 16)
        self.assert_refused(answer, 1, "node 1 at", "node 3 at", "belongs to another cluster")

    def test_nobody_there_is_said_with_the_address(self):
        place = f"127.0.0.1:{free_port()}"
        answer = cleave("nodes", "--insecure", f"--seeds=1@{place}", f"--cluster-id={CLUSTER_ID}")
        self.assert_refused(answer, 1, "the catalog could not be read", f"node 1 at {place}: no connection")


if __name__ == "__main__":
    unittest.main()
