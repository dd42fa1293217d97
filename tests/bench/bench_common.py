"""What all of tests/bench shares: processes that are always ended, free ports, CPU time, medians."""

import atexit
import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BINARIES = os.path.abspath(os.environ.get("CLEAVE_BIN", os.path.join(ROOT, "build", "release")))
FOLDER = os.environ.get("CLEAVE_BENCH_DIR", os.path.join(ROOT, "build", "bench"))
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")
STOP_S = 10


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def wait_for(condition, what, timeout_s=30, interval_s=0.02):
    """The first true value of condition(); an error that says what did not come true in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout_s} s: {what}")
        time.sleep(interval_s)


def free_ports(count):
    """So many different free ports on the loopback address."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def is_listening(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


# --- processes ---

_started = []


class Server:
    """A process in the background with a log; ended with us, whatever happens."""

    def __init__(self, name, command, env=None):
        os.makedirs(os.path.join(FOLDER, "logs"), exist_ok=True)
        self.name = name
        self.command = command
        self.env = env
        self.log_path = os.path.join(FOLDER, "logs", f"{name}.log")
        self.process = None
        self.start()
        _started.append(self)

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env={**os.environ, **(self.env or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def pid(self):
        return self.process.pid

    def check_runs(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended: see {self.log_path}")
        return True

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process.poll() is not None:
            return
        self.process.terminate()
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()


@atexit.register
def stop_servers():
    for server in reversed(_started):
        server.stop()
    _started.clear()


# SIGTERM ends us like an exception does: what was started is stopped.
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def run_timed(command, timeout_s, env=None):
    """Run a client to its end: (stdout, its own CPU seconds)."""
    process = subprocess.Popen(
        command,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    before = os.times()
    try:
        output, errors = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    after = os.times()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:3])} ... failed ({process.returncode}):\n{errors}{output}")
    spent_s = after.children_user + after.children_system - before.children_user - before.children_system
    return output, spent_s


# --- /proc ---


def _stat_fields(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rsplit(")", 1)[1].split()


def cpu_s(pids):
    """User and system time of all these processes, with all their threads."""
    return sum(int(fields[11]) + int(fields[12]) for fields in map(_stat_fields, pids)) / TICKS_PER_S


def rss_bytes(pids):
    return sum(int(_stat_fields(pid)[21]) * PAGE_SIZE for pid in pids)


def context_switches(pids):
    """Of all threads, wanted and not."""
    total = 0
    for pid in pids:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii", errors="replace") as file:
                total += sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)
    return total


def load_average():
    return os.getloadavg()[0]


# --- figures ---


def percentile(values, per_mille):
    """The value that so many thousandths of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * per_mille // 1000) - 1)]


def median(values):
    return statistics.median(values)
