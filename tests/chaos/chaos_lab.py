"""A lab for chaos runs: as tests/cluster's, but quick to kill and start, and where possible on a network of its own."""

import http.client
import os
import re
import shutil
import signal
import sys
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.append(os.path.join(ROOT, "tests", "cluster"))

# pylint: disable=wrong-import-position
import chaos_net  # noqa: E402
from cluster_lab import BINARIES, Lab, wait_for  # noqa: E402

LOOPBACK = re.compile(r"127\.0\.0\.1:(\d+)")


def program(name):
    """A program of the tests, from beside the binaries."""
    return os.path.join(BINARIES, "tests", name)


class ChaosLab(Lab):
    """Starts and kills its processes itself; deploy/lab makes the lab and stops it at the end."""

    def __init__(self, folder, seed, coordinators=2, on_network=True, nodes_per_zone=1):
        super().__init__(folder, nodes_per_zone=nodes_per_zone, coordinators=coordinators)
        self.seed = seed
        self.network = None
        self.on_network = on_network
        self.flags = {}  # more flags of a process
        self.expected = set()  # names of what must be running

    def names(self):
        return [*self.node_names(), *self.coordinator_names()]

    def up(self):
        super().up()
        self.remember_commands()
        if self.on_network:
            self.down()
            self.forget_data()
            self.move_to_network()
            self.start_all()
        self.expected = set(self.names())

    def forget_data(self):
        """A new cluster: the old one's catalog holds addresses that are gone."""
        for name in self.node_names():
            for entry in os.listdir(self.path("data", name)):
                path = self.path("data", name, entry)
                shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)

    def move_to_network(self):
        self.network = chaos_net.Network(program("chaos_switch"), self.names(), self.seed)
        addresses = {}
        for name in self.names():
            for flag in ("--listen", "--status"):
                addresses[self.argument(name, flag).rsplit(":", 1)[1]] = self.network.addresses[name]

        def moved(text):
            return LOOPBACK.sub(lambda match: f"{addresses[match.group(1)]}:{match.group(1)}", text)

        self.commands = {name: [moved(word) for word in self.commands[name]] for name in self.names()}
        with open(self.path("lab.env"), encoding="utf-8") as file:
            text = moved(file.read())
        with open(self.path("lab.env"), "w", encoding="utf-8") as file:
            file.write(text)

    def command(self, name):
        """As deploy/lab started it first, moved to the network; flags are added at each start."""
        return self.commands[name] if name in self.commands else super().command(name)

    def inside(self, name):
        return self.network.inside(name) if self.network else []

    # --- processes ---

    def start(self, name):
        if not self.is_running(name):
            self.spawn(name, [*self.command(name), *self.flags.get(name, [])])
        self.expected.add(name)

    def start_all(self):
        for name in self.names():
            self.start(name)
        for name in self.names():
            self.wait_healthy(name)

    def signal(self, name, number):
        os.kill(self.pid(name), number)

    def kill(self, name):
        self.kill_all_at_once([name])

    def kill_all_at_once(self, names):
        running = [name for name in names if self.is_running(name)]
        self.expected -= set(running)
        for name in running:
            self.signal(name, signal.SIGKILL)
        wait_for(lambda: not any(self.is_running(name) for name in running), f"{running} are gone", interval_s=0.002)

    def pause(self, name):
        self.signal(name, signal.SIGSTOP)

    def resume(self, name):
        self.signal(name, signal.SIGCONT)

    def died(self):
        """Processes that ended without having been killed by us."""
        return sorted(name for name in self.expected if not self.is_running(name))

    def found_again(self):
        """A new cluster without data, with the flags and the environment of now: some flags hold from the start or never."""
        self.kill_all_at_once(self.names())
        self.forget_data()
        self.start_all()

    def start_and_wait(self, name):
        """Until it answers; it may be unhealthy, for its disk is full or it sees no quorum."""
        self.start(name)
        wait_for(lambda: self.health(name), f"{name} answers", interval_s=0.02)

    def wait_healthy(self, name, timeout_s=30):
        wait_for(lambda: self.is_healthy(name), f"{name} is healthy", timeout_s, interval_s=0.02)

    def is_healthy(self, name):
        return self.health(name) == 200

    def health(self, name):
        """The status of its health page; None while it does not answer."""
        connection = http.client.HTTPConnection(self.argument(name, "--status"), timeout=1)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    def stop_nodes(self, timeout_s=30):
        """A clean end of all nodes."""
        self.expected -= set(self.node_names())
        running = self.running_nodes()
        for name in running:
            self.signal(name, signal.SIGTERM)
        wait_for(lambda: not any(self.is_running(name) for name in running), "all nodes ended", timeout_s)

    def close(self):
        for client in self.clients:
            client.close()
        for name in self.names():
            if self.is_running(name):
                self.signal(name, signal.SIGKILL)
        if self.network:
            self.network.close()

    # --- what it looks like ---

    def try_replicas(self, name):
        """A node's own words about its replicas; empty while it does not say."""
        if not self.is_awake(name):
            return {}
        try:
            return self.replicas(name)
        except OSError:
            return {}

    def status(self):
        """{partition id: {node name: replica}} of all nodes that answer."""
        found = {}
        for name in self.node_names():
            for partition_id, replica in self.try_replicas(name).items():
                found.setdefault(partition_id, {})[name] = replica
        return found

    def leaders(self):
        """{partition id: node name}; a partition that nobody leads is left out."""
        led = {}
        for partition_id, replicas in self.status().items():
            claims = {name: each["term"] for name, each in replicas.items() if each["state"] == "leader"}
            if claims:
                led[partition_id] = max(claims, key=claims.get)
        return led

    def wait_converged(self, timeout_s=60):
        """Until every partition is led and every replica has applied what any had applied when asked; the seconds it took."""
        began = time.monotonic()
        target = {}

        def is_converged():
            status = self.status()
            for partition_id, replicas in status.items():
                highest = max(each["applied_index"] for each in replicas.values())
                target.setdefault(partition_id, highest)
            led = all(any(each["state"] == "leader" for each in replicas.values()) for replicas in status.values())
            whole = all(
                len(replicas) == len(self.node_names())
                and all(each["applied_index"] >= target[partition_id] for each in replicas.values())
                for partition_id, replicas in status.items()
            )
            return led and whole and status

        wait_for(is_converged, "every replica has caught up", timeout_s, interval_s=0.1)
        return time.monotonic() - began
