"""The rows that are more than a load: failures, many partitions, restarts. Each returns ([(Row, [ratios])], details)."""

import base64
import json
import os
import signal
import subprocess
import time

import bench_gap
import bench_load
import signed_request
from bench_common import BINARIES, cpu_s, median, rss_bytes, say, wait_for
from bench_rows import Row

IDLE_S = 10
MANY_PARTITIONS = 500
PARTITIONS_OF_A_TABLE = 4
GROUPS = 256
FOLLOWER_RATE_PER_S = 1000
SLOW_SYNC_MS = 500
RESTART_KEYS = 1_000_000
RESTART_TRIALS = 3
TXN_PUTS = 100
S_US = 1_000_000


def row(name, what, gate, goal, is_lower_better=True, is_judged=True):
    return Row(name, what, gate, goal, (), None, is_lower_better, is_judged)


# --- P11, P12: the leader dies, or stops ---


def gaps(name, number, verb, bounds):
    def measure(world, asked):
        pairs = bench_gap.measure(world, number, asked.trials)
        of_median, of_max = bench_gap.summary(pairs)
        rows = [
            (row(name, f"write gap after {verb} of the leader / etcd's, median", *bounds[0]), [of_median]),
            (row(name, "  the same, longest", *(bounds[1] or (0, 0)), True, bounds[1] is not None), [of_max]),
            (row(name, "  own gap, ms", 0, 0, True, False), [1000 * own for own, _ in pairs]),
            (row(name, "  etcd's gap, ms", 0, 0, True, False), [1000 * peer for _, peer in pairs]),
        ]
        return rows, {"pairs_s": pairs}

    return measure


# --- P16: what an idle partition costs ---


def idle(lab):
    """(CPU seconds per second, resident bytes) of all nodes, with nothing to do."""
    before, began = cpu_s(lab.node_pids), time.monotonic()
    time.sleep(IDLE_S)  # a time to measure, not a condition to wait for
    spent = cpu_s(lab.node_pids) - before
    return spent / (time.monotonic() - began), rss_bytes(lab.node_pids)


def create_table(lab, name):
    """Seconds from the call until the table is active."""
    began = time.monotonic()
    signed_request.call(
        lab,
        "CreateTable",
        {
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        },
    )
    bench_gap.wait_active(lab, name)
    return time.monotonic() - began


def idle_partitions(world, asked):
    del asked
    lab = world.fresh_lab("lab-idle")
    try:
        create_table(lab, "idle-0")
        lab.wait_whole()
        few_cpu, few_rss = idle(lab)
        tables = range(1, MANY_PARTITIONS // PARTITIONS_OF_A_TABLE)
        created = [create_table(lab, f"idle-{number}") for number in tables]
        lab.wait_whole()
        many_cpu, many_rss = idle(lab)
    finally:
        lab.stop()
    replicas = len(tables) * PARTITIONS_OF_A_TABLE * lab.NODE_COUNT
    rows = [
        (row("P16", "idle CPU per replica, us/s", 50, 10), [(many_cpu - few_cpu) * S_US / replicas]),
        (row("P16", "memory per replica, KB", 128, 32), [(many_rss - few_rss) / 1024 / replicas]),
        (row("P16", "CreateTable until active, ms", 200, 50), [1000 * each for each in created]),
    ]
    detail = {"few": [few_cpu, few_rss], "many": [many_cpu, many_rss], "replicas": replicas, "created_s": created}
    return rows, detail


# --- P17: many groups against one ---


def many_groups(world, asked):
    lab = world.fresh_lab("lab-groups", CLEAVE_ON_DEMAND_PARTITIONS=str(GROUPS))
    ratios, cpu_ratios, detail = [], [], []
    flags = ["--op", "put", "--keys", str(bench_load.KEY_COUNT)]
    try:
        bench_gap.make_table(lab, "groups-one")
        create_table(lab, "groups-many")
        if len(lab.partitions("groups-many")) != GROUPS:
            raise RuntimeError(f"there are not {GROUPS} groups")
        lab.wait_whole()
        for number in range(asked.rounds):
            loads = ((flags, "groups-one"), (flags, "groups-many"))
            one, many = bench_load.in_slices(lab, asked.seconds, asked.seed + number, *loads)
            say(f"  one group {one.ops_per_s:.0f} /s {one.cpu_us:.0f} us, {GROUPS} {many.ops_per_s:.0f} /s {many.cpu_us:.0f} us")
            ratios.append(many.ops_per_s / one.ops_per_s)
            cpu_ratios.append(many.cpu_us / one.cpu_us)
            detail.append([one.ops_per_s, one.cpu_us, many.ops_per_s, many.cpu_us])
    finally:
        lab.stop()
    rows = [
        (row("P17", f"put/s over {GROUPS} groups / one group", 0.7, 0.95, False), ratios),
        (row("P17", "  CPU per put, the same", 0, 0, True, False), cpu_ratios),
    ]
    return rows, detail


# --- I2: a put with a condition against one without ---


def conditional_put(world, asked):
    lab = world.lab
    ratios, cpu_ratios, detail = [], [], []
    keys = ("--keys", str(lab.key_count))
    loads = ((("--op", "put", *keys), "bench"), (("--op", "put-if", *keys), "bench"))
    for number in range(asked.rounds):
        plain, conditional = bench_load.in_slices(lab, asked.seconds, asked.seed + number, *loads)
        figures = [plain.ops_per_s, plain.cpu_us, conditional.ops_per_s, conditional.cpu_us]
        say("  plain {:.0f} /s {:.0f} us, conditional {:.0f} /s {:.0f} us".format(*figures))
        ratios.append(conditional.ops_per_s / plain.ops_per_s)
        cpu_ratios.append(conditional.cpu_us / plain.cpu_us)
        detail.append(figures)
    rows = [
        (row("I2", "conditional PutItem / plain PutItem", 0.9, 0.97, False), ratios),
        (row("I2", "  CPU per put, the same", 0, 0, True, False), cpu_ratios),
    ]
    return rows, detail


# --- P18: a follower that is slow or paused ---


def follower_load(lab, asked, seed):
    flags = ["--op", "put", "--keys", str(bench_load.KEY_COUNT), "--rate", str(FOLLOWER_RATE_PER_S)]
    return bench_load.cleave_bench(lab, asked.seconds, *flags, seed=seed, table="follower").p50_us


def bad_follower(world, asked):
    lab = world.lab_bare
    if not lab.partitions("follower"):
        bench_gap.make_table(lab, "follower")
    paused, slow, detail = [], [], []
    for number in range(asked.rounds):
        lab.wait_whole()
        leader = bench_gap.leader_of(lab, "follower")
        follower = next(name for name in lab.node_names if name != leader)
        seed = asked.seed + number
        healthy = follower_load(lab, asked, seed)
        lab.tool("fault", "engine-sync", "--node", follower.removeprefix("node-"), "--delay-ms", str(SLOW_SYNC_MS))
        try:
            with_slow = follower_load(lab, asked, seed)
        finally:
            lab.tool("fault", "--node", follower.removeprefix("node-"))
        lab.wait_whole()
        os.kill(lab.pid(follower), signal.SIGSTOP)
        try:
            with_paused = follower_load(lab, asked, seed)
        finally:
            os.kill(lab.pid(follower), signal.SIGCONT)
        say(f"  p50 healthy {healthy} us, follower slow {with_slow} us, paused {with_paused} us")
        slow.append(with_slow / healthy)
        paused.append(with_paused / healthy)
        detail.append([healthy, with_slow, with_paused])
    what = f"p50 of puts at {FOLLOWER_RATE_PER_S}/s, one follower"
    rows = [
        (row("P18", f"{what} syncs in {SLOW_SYNC_MS} ms / healthy", 1.5, 1.1), slow),
        (row("P18", f"{what} paused / healthy", 1.5, 1.1), paused),
    ]
    return rows, detail


# --- P19: everything restarts with a gigabyte ---


def load_etcd(etcd):
    """The same keys and sizes as ours, many to a transaction."""
    value = base64.b64encode(base64.b64encode(os.urandom(bench_load.VALUE_SIZE * 3 // 4))).decode()
    for first in range(0, RESTART_KEYS, TXN_PUTS):
        keys = [base64.b64encode(bench_load.etcd_key(first + i)).decode() for i in range(TXN_PUTS)]
        puts = [{"requestPut": {"key": key, "value": value}} for key in keys]
        etcd.ask(etcd.client_ports[0], "/v3/kv/txn", {"success": puts}, 30)


def restart_etcd(etcd):
    """Kill all, start all: seconds until one serves a strong read of an item."""
    for member in etcd.members:
        member.process.kill()
    for member in etcd.members:
        member.process.wait()
    key = {"key": base64.b64encode(bench_load.etcd_key(RESTART_KEYS - 1)).decode()}
    began = time.monotonic()
    for member in etcd.members:
        member.start()

    def serves():
        answer = etcd.try_ask(etcd.client_ports[0], "/v3/kv/range", key, 0.5)
        return answer is not None and int(answer.get("count", 0)) == 1

    wait_for(serves, "etcd serves again", 120, 0.01)
    return time.monotonic() - began


def restart_own(lab):
    """The same for our nodes; the coordinator stays, as a client of etcd does."""
    commands = {name: lab.command(name) for name in lab.node_names}
    pids = lab.node_pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: lab.reap() or not any(os.path.exists(f"/proc/{pid}") for pid in pids), "all nodes are gone")
    key = {"TableName": "bench", "Key": {"pk": {"S": f"key-{RESTART_KEYS - 1:012d}"}}, "ConsistentRead": True}
    began = time.monotonic()
    for name, command in commands.items():
        lab.spawn(name, command)

    def serves():
        try:
            return "Item" in signed_request.call(lab, "GetItem", key, 0.5)
        except (OSError, RuntimeError):
            return False

    wait_for(serves, "the cluster serves again", 120, 0.01)
    return time.monotonic() - began


def restart(world, asked):
    lab, etcd = world.fresh_lab("lab-restart"), world.etcd3
    try:
        say("  loading a gigabyte into both")
        command = [os.path.join(BINARIES, "cleave"), "bench", "--target", lab.url, "--load", "--keys", str(RESTART_KEYS)]
        command += ["--duration", "100ms", "--warmup", "0ms", "--seed", str(asked.seed), "--json"]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **lab.env})
        if json.loads(done.stdout)["loaded_items"] != RESTART_KEYS:
            raise RuntimeError("not every item was loaded")
        load_etcd(etcd)
        pairs = []
        for trial in range(RESTART_TRIALS):
            pairs.append((restart_own(lab), restart_etcd(etcd)))
            say(f"  trial {trial + 1}: own {pairs[-1][0]:.2f} s, etcd {pairs[-1][1]:.2f} s")
            lab.wait_whole()
    finally:
        lab.stop()
    rows = [
        (row("P19", "all nodes restart with 1 GB: time to serve / etcd x3", 1.0, 0.5), [own / peer for own, peer in pairs]),
        (row("P19", "  own, s", 0, 0, True, False), [own for own, _ in pairs]),
        (row("P19", "  etcd's, s", 0, 0, True, False), [peer for _, peer in pairs]),
    ]
    return rows, {"pairs_s": pairs, "median_s": [median([own for own, _ in pairs]), median([peer for _, peer in pairs])]}


ROWS = {
    "P11": gaps("P11", signal.SIGKILL, "SIGKILL", ((1.0, 0.35), (1.0, 0.6))),
    "P12": gaps("P12", signal.SIGSTOP, "SIGSTOP", ((1.0, 0.6), None)),
    "P16": idle_partitions,
    "P17": many_groups,
    "P18": bad_follower,
    "P19": restart,
    "I2": conditional_put,
}
