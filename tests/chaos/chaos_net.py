"""A network of namespaces whose links can be cut, slowed and made lossy one direction at a time. Root and TUN only.

enter() moves this process into a network namespace of its own; a Network gives every process of a lab another one, and
joins them with chaos_switch. Nothing of the machine's own network is touched, and nothing is left of it after close().
"""

import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000
PREFIX = "cleave-chaos"
CLIENTS = "clients"  # the port at which this process itself stands
MILLION = 1_000_000
MTU = "9000"


def why_not():
    """Why there can be no such network here; empty if there can."""
    if os.geteuid() != 0:
        return "only root can make network namespaces"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "there is no /dev/net/tun"
    return ""


def enter():
    """Leave the machine's network for one of our own; before any thread is started."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare of the network namespace")
    _ip("link", "set", "lo", "up")


def _ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


def _is_alive(pid):
    return os.path.exists(f"/proc/{pid}")


def sweep():
    """Take away the namespaces of runs that were killed before they could."""
    listed = subprocess.run(["ip", "netns", "list"], check=False, capture_output=True, text=True).stdout
    for name in (line.split()[0] for line in listed.splitlines() if line.startswith(PREFIX)):
        if not _is_alive(name.removeprefix(PREFIX).split("-")[1]):
            _ip("netns", "del", name)


class Network:
    """One namespace for each name, one address each, a link between every two."""

    def __init__(self, switch, names, seed):
        sweep()
        self.names = list(names)
        self.addresses = {name: f"10.99.0.{10 + number}" for number, name in enumerate(self.names)}
        self.addresses[CLIENTS] = "10.99.0.1"
        ports = [f"{name}={address}" for name, address in self.addresses.items()]
        self.process = subprocess.Popen(
            [switch, str(seed), *ports], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.expect("ready")
        self.configure([], CLIENTS)
        for name in self.names:
            _ip("netns", "add", self.namespace(name))
            _ip("link", "set", name, "netns", self.namespace(name))
            self.configure(["-n", self.namespace(name)], name)

    def namespace(self, name):
        return f"{PREFIX}-{os.getpid()}-{name}"

    def configure(self, where, name):
        _ip(*where, "link", "set", "lo", "up")
        _ip(*where, "addr", "add", f"{self.addresses[name]}/24", "dev", name)
        _ip(*where, "link", "set", name, "mtu", MTU, "up")

    def inside(self, name):
        """The words that run a program in a process's namespace."""
        return ["nsenter", f"--net=/run/netns/{self.namespace(name)}"]

    def expect(self, word):
        answer = self.process.stdout.readline().strip()
        if answer != word:
            raise RuntimeError(f"chaos_switch says '{answer}', not '{word}'")

    def tell(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.expect("ok")

    def set_link(self, source, target, loss=0.0, delay_ms=0.0, jitter_ms=0.0, duplicates=0.0):
        """The packets from source to target, from now on; the other direction is another link."""
        chances = int(loss * MILLION), int(duplicates * MILLION)
        self.tell("link", source, target, chances[0], int(delay_ms * 1000), int(jitter_ms * 1000), chances[1])

    def heal(self):
        self.tell("heal")

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()
        for name in self.names:
            subprocess.run(["ip", "netns", "del", self.namespace(name)], check=False, capture_output=True)
