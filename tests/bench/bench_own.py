"""Our own systems: a cluster of three zones with signatures checked, and one process of one replica that syncs."""

import atexit
import json
import os
import secrets
import subprocess
import urllib.request

from bench_common import BINARIES, FOLDER, ROOT, Server, free_ports, wait_for
from bench_peers import fresh_folder

LAB = os.path.join(ROOT, "deploy", "lab")


def fetch_metrics(port):
    """The samples without labels of a status page: {name: value}."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return {line.split()[0]: float(line.split()[1]) for line in lines if line and "{" not in line and line[0] != "#"}


def fetch_buckets(port, name):
    """A histogram's buckets: {upper bound: how many up to it}."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        lines = [line for line in answer.read().decode().splitlines() if line.startswith(f'{name}_bucket{{le="')]
    return {float(line.split('"')[1]): float(line.split()[1]) for line in lines}


def environment(access_key, secret_key):
    return {"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret_key, "AWS_REGION": "us-east-1"}


class Lab:
    """deploy/lab with its defaults; settings are environment variables for its processes."""

    SYNCS, NODE_COUNT = "cleave_node_log_syncs_total", 3

    def __init__(self, name="lab", **settings):
        self.name = name
        self.folder = os.path.join(FOLDER, name)
        self.settings = settings
        self.is_up = False
        self.children = []  # those that spawn() started
        if os.path.exists(self.folder):
            self.run("down", "--wipe")
        self.port = free_ports(1)[0]
        self.run("up", "--port", str(self.port))
        with open(os.path.join(self.folder, "credentials"), encoding="ascii") as file:
            self.env = environment(*file.read().split())
        self.url = f"http://127.0.0.1:{self.port}"
        self.is_up = True
        atexit.register(self.stop)

    def run(self, *words):
        answer = subprocess.run(
            [LAB, *words, "--dir", self.folder],
            env={**os.environ, "CLEAVE_BIN": BINARIES, **self.settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if answer.returncode != 0:
            raise RuntimeError(f"deploy/lab {' '.join(words)} failed:\n{answer.stderr}")
        return answer.stdout

    def tool(self, *words):
        command = [os.path.join(BINARIES, "cleave"), *words, "--lab", os.path.join(self.folder, "lab.env")]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout

    def partitions(self, table):
        document = json.loads(self.tool("partitions", "--json"))
        return [each for each in document["partitions"] if each["table"] == table]

    def pid(self, name):
        with open(os.path.join(self.folder, "run", f"{name}.pid"), encoding="ascii") as file:
            return int(file.read())

    def command(self, name):
        with open(os.path.join(self.folder, "run", f"{name}.cmd"), "rb") as file:
            return [word.decode() for word in file.read().split(b"\0")[:-1]]

    @property
    def node_names(self):
        return [f"node-{number}" for number in range(1, self.NODE_COUNT + 1)]

    @property
    def node_pids(self):
        return [self.pid(name) for name in self.node_names]

    @property
    def pids(self):
        return [*self.node_pids, self.pid("coordinator-1")]

    def status_port(self, name):
        words = self.command(name)
        return int(words[words.index("--status") + 1].rsplit(":", 1)[1])

    def sync_count(self):
        """Log syncs of a node, on average."""
        return sum(fetch_metrics(self.status_port(name))[self.SYNCS] for name in self.node_names) / self.NODE_COUNT

    def index_lag(self):
        """From a write to its rows in a global index: {upper bound in seconds: count so far}, of all nodes."""
        found = {}
        for name in self.node_names:
            for bound, count in fetch_buckets(self.status_port(name), "cleave_node_index_lag_seconds").items():
                found[bound] = found.get(bound, 0) + count
        return found

    def is_whole(self):
        """Every node is up, every partition led, every replica there."""
        command = [os.path.join(BINARIES, "cleave"), "status", "--lab", os.path.join(self.folder, "lab.env")]
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0

    def wait_whole(self):
        wait_for(self.is_whole, f"all is well in {self.name}", 120, 0.2)

    def spawn(self, name, command):
        """Start a process whose command line is known, as quickly as a peer's is started."""
        run = os.path.join(self.folder, "run", name)
        with open(os.path.join(self.folder, "logs", f"{name}.log"), "ab") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.children.append(process)
        with open(f"{run}.pid", "w", encoding="ascii") as file:
            file.write(f"{process.pid}\n")

    def reap(self):
        """Forget children that ended: until then /proc shows them."""
        self.children = [child for child in self.children if child.poll() is None]

    def stop(self):
        if self.is_up:
            self.run("down", "--wipe")
        self.reap()
        self.is_up = False


class Local:
    """cleave local on disk, with signatures checked."""

    SYNCS = Lab.SYNCS

    def __init__(self):
        folder = fresh_folder("local")
        access_key, secret_key = "AKIABENCH", secrets.token_hex(20)
        self.env = environment(access_key, secret_key)
        credentials = os.path.join(folder, "credentials")
        with open(credentials, "w", encoding="ascii") as file:
            file.write(f"{access_key} {secret_key}\n")
        self.port, self.status = free_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
        words = [os.path.join(BINARIES, "cleave"), "local", "--port", str(self.port), "--dir", os.path.join(folder, "data")]
        words += ["--auth", "strict", "--credentials", credentials, "--status", f"127.0.0.1:{self.status}"]
        self.server = Server("local", words)
        wait_for(self.is_healthy, "cleave local serves")

    def is_healthy(self):
        self.server.check_runs()
        try:
            with urllib.request.urlopen(f"{self.url}/", timeout=1) as answer:
                return answer.read().startswith(b"healthy")
        except OSError:
            return False

    @property
    def pids(self):
        return [self.server.pid]

    def sync_count(self):
        return fetch_metrics(self.status)[self.SYNCS]

    def stop(self):
        self.server.stop()
