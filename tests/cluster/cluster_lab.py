"""Labs for tests: a cluster of real processes through deploy/lab, clients for it, and what to do to it.

A test class derives from ClusterTest and takes its lab from start_lab(): a folder and ports of its own, always taken
down, with the logs kept and named when the test fails. Nothing waits for a fixed time: wait_for() waits for a condition.
"""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import boto3
import botocore.config
import history
import linear
import peer

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
LAB = os.path.join(ROOT, "deploy", "lab")
PORTS = os.path.join(ROOT, "deploy", "lab.d", "ports.py")
SPAWN = os.path.join(ROOT, "deploy", "lab.d", "spawn.py")
BINARIES = os.path.abspath(os.environ.get("CLEAVE_BIN", os.path.join(ROOT, "build", "release")))
KEPT_LOGS = os.environ.get("CLEAVE_TEST_KEEP", os.path.join(ROOT, "build", "cluster-logs"))
SEED = int(os.environ.get("CLEAVE_TEST_SEED", time.time_ns() % 1_000_000_000))

PYTHON = sys.executable
WAIT_S = 30
LAB_COMMAND_S = 120
# A strong read or a write may take the coordinator's 10 s before it is given up.
READ_TIMEOUT_S = 12


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def wait_for(condition, what, timeout_s=WAIT_S, interval_s=0.05):
    """The first true value of condition(); an error that says what did not come true in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout_s} s: {what}")
        time.sleep(interval_s)


def bytes_at_the_door(port):
    """Bytes that wait unread in each connection to a local port: what a paused process will find when it wakes up."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        rows = [line.split() for line in file.readlines()[1:]]
    mine = [row for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01"]
    return [size for size in (int(row[4].split(":")[1], 16) for row in mine) if size > 0]


@dataclasses.dataclass(frozen=True)
class Partition:
    """A partition as `cleave partitions --json` shows it; leader is a node's name or None."""

    partition_id: int
    table: str
    leader: object
    nodes: tuple

    def followers(self):
        return [name for name in self.nodes if name != self.leader]


class Lab:
    """One lab in a folder of its own."""

    def __init__(self, folder, nodes_per_zone=1, coordinators=1):
        self.folder = folder
        self.port = self.free_port()
        self.shape = ["--nodes-per-zone", str(nodes_per_zone), "--coordinators", str(coordinators)]
        self.coordinator_count = coordinators
        self.clients = []  # to be closed with the lab
        self.known = {}  # partitions of tables made here, by table
        self.environment = {}  # more environment of a process
        self.commands = {}  # each process's command line as it was started last

    @staticmethod
    def free_port():
        return int(subprocess.run([PYTHON, PORTS, "one"], check=True, capture_output=True, text=True).stdout)

    # --- deploy/lab ---

    def run(self, *words, check=True):
        answer = subprocess.run(
            [LAB, *words, "--dir", self.folder],
            env={**os.environ, "CLEAVE_BIN": BINARIES},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LAB_COMMAND_S,
            check=False,
        )
        if check and answer.returncode != 0:
            raise RuntimeError(f"deploy/lab {' '.join(words)} failed:\n{answer.stderr}")
        return answer

    def up(self):
        self.run("up", "--port", str(self.port), *self.shape)

    def down(self):
        self.run("down")

    def kill(self, name):
        self.run("kill", name)

    def start(self, name):
        self.run("start", name)

    def pause(self, name):
        self.run("pause", name)

    def resume(self, name):
        self.run("resume", name)

    def zone_down(self, zone):
        self.run("zone-down", zone)

    def zone_up(self, zone):
        self.run("zone-up", zone)

    def kill_all_at_once(self, names):
        """SIGKILL without a pause between them; deploy/lab would take its time for each."""
        for pid in [self.pid(name) for name in names]:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not any(self.is_running(name) for name in names), "all processes are gone")

    def start_with(self, name, *flags):
        """Start a stopped process again with more flags."""
        self.spawn(name, [*self.command(name), *flags])
        wait_for(lambda: "started" in self.log_since_start(name), f"{name} has started")

    def restart_nodes_with(self, *flags):
        """All nodes, one after the other, with more flags."""
        for name in self.node_names():
            self.kill(name)
            self.start_with(name, *flags)

    def found_again_with(self, *flags):
        """A new cluster in the same lab: without data, its nodes with more flags. Some flags hold for ever from the start."""
        self.kill_all_at_once([*self.node_names(), *self.coordinator_names()])
        for name in self.node_names():
            shutil.rmtree(self.path("data", name))
            os.mkdir(self.path("data", name))
            self.start_with(name, *flags)
        self.up()

    def spawn(self, name, command):
        run = os.path.join(self.folder, "run", name)
        log = self.path("logs", f"{name}.log")
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"--- {name} starts with {command[-2:]}\n")
        variables = [f"{key}={value}" for key, value in self.environment.get(name, {}).items()]
        spawn = [PYTHON, SPAWN, f"{run}.pid", f"{run}.cmd", log, *variables, *command]
        subprocess.run([*self.inside(name), *spawn], check=True)

    def inside(self, _name):
        """What stands before a command that runs where a process does; for labs with a network of their own."""
        return []

    # --- what it consists of ---

    def path(self, *words):
        return os.path.join(self.folder, *words)

    def layout(self):
        with open(self.path("layout"), encoding="utf-8") as file:
            return dict(line.rstrip("\n").split("=", 1) for line in file)

    def node_names(self):
        layout = self.layout()
        return [f"node-{n}" for n in range(1, int(layout["zones"]) * int(layout["nodes_per_zone"]) + 1)]

    def zone_of(self, name):
        return self.argument(name, "--zone")

    def command(self, name):
        """A process's command line, as it was started last; kept for after a kill."""
        try:
            with open(self.path("run", f"{name}.cmd"), "rb") as file:
                words = [word.decode() for word in file.read().split(b"\0")[:-1]]
        except FileNotFoundError:
            return self.commands[name]
        self.commands[name] = words
        return words

    def remember_commands(self):
        """deploy/lab forgets the command line of what it kills."""
        for name in [*self.node_names(), *self.coordinator_names()]:
            self.command(name)

    def coordinator_names(self):
        return [f"coordinator-{number}" for number in range(1, self.coordinator_count + 1)]

    def argument(self, name, flag):
        words = self.commands[name]
        return words[words.index(flag) + 1]

    def node_port(self, name):
        return int(self.argument(name, "--listen").rsplit(":", 1)[1])

    def coordinator_port(self, name):
        return int(self.argument(name, "--listen").rsplit(":", 1)[1])

    def cluster_id(self):
        return bytes.fromhex(self.layout()["cluster_id"])

    def pid(self, name):
        with open(self.path("run", f"{name}.pid"), encoding="ascii") as file:
            return int(file.read())

    def process_state(self, name):
        """The letter that /proc shows, or X for a process that is gone."""
        try:
            with open(f"/proc/{self.pid(name)}/stat", encoding="ascii") as file:
                return file.read().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return "X"

    def is_running(self, name):
        return self.process_state(name) not in "ZX"

    def is_awake(self, name):
        return self.process_state(name) not in "ZXT"

    def running_nodes(self):
        return [name for name in self.node_names() if self.is_running(name)]

    def log(self, name):
        with open(self.path("logs", f"{name}.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def log_since_start(self, name):
        return self.log(name).rsplit(f"--- {name} starts", 1)[-1]

    # --- the operator's tool ---

    def tool(self, *words, check=True):
        answer = subprocess.run(
            [os.path.join(BINARIES, "cleave"), *words, "--lab", self.path("lab.env")],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        if check and answer.returncode != 0:
            raise RuntimeError(f"cleave {' '.join(words)} failed:\n{answer.stderr}{answer.stdout}")
        return answer

    def partitions(self, table=None):
        document = json.loads(self.tool("partitions", "--json").stdout)
        found = [
            Partition(
                each["partition_id"],
                each["table"],
                f"node-{each['leader_node_id']}" if each["leader_node_id"] else None,
                tuple(f"node-{replica['node_id']}" for replica in each["replicas"]),
            )
            for each in document["partitions"]
        ]
        return [each for each in found if table in (None, each.table)]

    def only_partition(self, table):
        """The one partition of a table made by make_table(), once it has a leader."""
        if table not in self.known:
            found = self.partitions(table)
            if len(found) != 1:
                raise AssertionError(f"{table} has {len(found)} partitions, not one")
            self.known[table] = found[0]
        known = self.known[table]
        leader = wait_for(lambda: self.leader_of(known), f"the partition of {table} has a leader")
        return dataclasses.replace(known, leader=leader)

    def leader_of(self, partition):
        """Who says so with the highest term, asked directly: quicker than the tool while nodes are down."""
        replicas = {name: self.try_replica(name, partition.partition_id) for name in partition.nodes}
        leaders = {name: each["term"] for name, each in replicas.items() if each and each["state"] == "leader"}
        return max(leaders, key=leaders.get, default=None)

    def lead_from(self, table, name):
        """Let a node lead the only partition of a table."""

        def try_it():
            partition = self.only_partition(table)
            if partition.leader == name:
                return True
            words = ["--partition", str(partition.partition_id), "--to", name.removeprefix("node-")]
            self.tool("transfer", *words, check=False)
            return False

        wait_for(try_it, f"{name} leads {table}")

    def set_fault(self, name, point, *flags):
        """Arm a fault point of a node; without flags, clear it."""
        self.tool("fault", point, "--node", name.removeprefix("node-"), *flags)

    def replica(self, name, partition_id):
        """A node's own words about its replica of a partition."""
        return self.replicas(name)[partition_id]

    def replicas(self, name):
        """The same of all its replicas, by partition."""
        files = [self.path("tls", file) for file in ("ca.crt", "tool.crt", "tool.key")]
        host, port = self.argument(name, "--listen").rsplit(":", 1)
        return peer.node_status(int(port), self.cluster_id(), *files, host=host)

    def try_replica(self, name, partition_id):
        """The same, or None while the node does not say."""
        if not self.is_awake(name):
            return None
        try:
            return self.replica(name, partition_id)
        except (OSError, KeyError):
            return None

    def applied_index(self, name, partition_id):
        """How far a replica is; -1 while the node does not say."""
        replica = self.try_replica(name, partition_id)
        return replica["applied_index"] if replica else -1

    def wait_rejoined(self, table, timeout_s=WAIT_S):
        """Until every replica of a table's partition has applied what any of them has applied now: all count again."""
        partition = self.only_partition(table)
        target = max(self.applied_index(name, partition.partition_id) for name in partition.nodes)
        for name in partition.nodes:
            wait_for(
                lambda name=name: self.applied_index(name, partition.partition_id) >= target,
                f"{name} has caught up in {table}",
                timeout_s,
            )

    # --- clients ---

    def client(self, coordinator=1, attempts=5):
        """A boto3 client; attempts=1 for one that never retries."""
        with open(self.path("credentials"), encoding="ascii") as file:
            key_id, secret = file.read().split()
        config = botocore.config.Config(
            retries={"total_max_attempts": attempts, "mode": "standard"},
            connect_timeout=2,
            read_timeout=READ_TIMEOUT_S,
            proxies={},
            parameter_validation=False,
        )
        client = boto3.client(
            "dynamodb",
            endpoint_url=self.endpoint(coordinator),
            region_name="us-east-1",
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            config=config,
        )
        self.clients.append(client)
        return client

    def endpoint(self, coordinator=1):
        return "http://" + self.argument(f"coordinator-{coordinator}", "--listen")

    def make_table(self, name):
        """A table of one partition, active and led."""
        client = self.client()
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            ProvisionedThroughput={"ReadCapacityUnits": 1000, "WriteCapacityUnits": 600},
        )
        wait_for(lambda: table_status(client, name) == "ACTIVE", f"table {name} is active")
        return name

    def load(self, table, client_count=6, coordinators=(1,), **options):
        """Clients at work; the load must be stopped."""
        clients = [self.client(coordinators[i % len(coordinators)], attempts=1) for i in range(client_count)]
        return history.Load(clients, table, SEED, **options).start()


def table_status(client, name):
    return client.describe_table(TableName=name)["Table"]["TableStatus"]


class ClusterTest(unittest.TestCase):
    """Base of the scenarios: labs that go away, logs that stay when something failed, loads that are judged."""

    maxDiff = None

    def run(self, result=None):
        self.result = result
        return super().run(result)

    def setUp(self):
        say(f"\n{self.id()}: seed {SEED} (repeat with CLEAVE_TEST_SEED={SEED})")
        self.scratch = tempfile.mkdtemp(prefix="cleave-cluster.")
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)

    def start_lab(self, name="lab", **shape):
        lab = Lab(os.path.join(self.scratch, name), **shape)
        self.addCleanup(self.end_lab, lab)
        lab.up()
        lab.remember_commands()
        return lab

    def end_lab(self, lab):
        if self.has_failed():
            self.keep_logs(lab)
        for client in lab.clients:
            client.close()
        if os.path.exists(lab.path("layout")):
            lab.run("down", check=False)

    def has_failed(self):
        return any(getattr(test, "test_case", test) is self for test, _ in [*self.result.failures, *self.result.errors])

    def keep_logs(self, lab):
        kept = os.path.join(KEPT_LOGS, self.id().split(".", 1)[-1], os.path.basename(lab.folder))
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(lab.path("logs"), kept)
        say(f"the logs of the failed test are in {kept}")

    def start_load(self, lab, table, **options):
        load = lab.load(table, **options)
        self.addCleanup(load.stop)
        self.wait_progress(load)
        return load

    def wait_progress(self, load, writes=20, timeout_s=WAIT_S):
        """Until so many more writes were acknowledged: clients go on."""
        target = load.acknowledged_count() + writes
        wait_for(
            lambda: load.acknowledged_count() >= target or load.problems, f"{writes} more acknowledged writes", timeout_s
        )
        self.assertEqual(load.problems, [])

    def judge(self, load, client, may_fail=False):
        """End the load: a linearizable history, no acknowledged write lost, no surprises for the clients.

        may_fail: clients may meet errors, because their coordinator dies or a quorum is away."""
        load.stop()
        self.assertEqual(load.problems, [])
        self.assertEqual(load.lost_writes(client), [])
        verdict = linear.check_keys(load.operations)
        self.assertEqual(verdict.status, linear.OK, verdict.explanation)
        say(
            f"  {load.acknowledged_count()} writes acknowledged, {load.read_count()} strong reads,"
            f" {load.unknown_count()} outcomes unknown, the slowest took {load.slowest_s():.2f} s,"
            f" {verdict.step_count} steps to prove the order"
        )
        self.assert_judge_can_fail(load)
        for error in load.open_errors[:5]:
            say(f"  a client was told: {error}")
        if not may_fail:
            self.assertEqual(load.open_errors, [])

    def assert_judge_can_fail(self, load):
        """The same judgement on a copy with one acknowledged write forgotten must fail."""
        seen = {each.old for each in load.operations if each.is_known()}
        for index, each in enumerate(load.operations):
            if each.kind == linear.PUT and each.is_known() and each.value in seen:
                rest = load.operations[:index] + load.operations[index + 1 :]
                self.assertEqual(linear.check_keys(linear.by_key(rest)[each.key]).status, linear.BAD)
                return
        self.fail("the history shows no put that another write replaced: the load was too thin")
