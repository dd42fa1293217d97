"""One load on one system: each function runs it and returns a Figures.

Our own endpoint and dynalite are driven by `cleave bench`, etcd over gRPC by h2load with a prepared frame, everything else
by the fastest client that its packages have. CPU time is that of all processes of the server over the whole load.
"""

import base64
import dataclasses
import json
import os
import random
import struct

from bench_common import BINARIES, FOLDER, cpu_s, percentile, run_timed

CLIENTS = 64
VALUE_SIZE = 1024
KEY_COUNT = 100_000
ETCD_KEY_COUNT = 2_000
S_US = 1_000_000
MARGIN_S = 60


@dataclasses.dataclass
class Figures:
    """What one load has shown; times in microseconds."""

    ops_per_s: float
    cpu_us: float = 0.0  # of the server, per operation
    client_cpu_us: float = 0.0
    p50_us: float = 0.0
    p99_us: float = 0.0
    extra: dict = dataclasses.field(default_factory=dict)


def scratch(name):
    os.makedirs(os.path.join(FOLDER, "scratch"), exist_ok=True)
    return os.path.join(FOLDER, "scratch", name)


# --- cleave bench ---


def cleave_bench(system, seconds, *flags, clients=CLIENTS, warmup_s=1, seed=1, table="bench"):
    command = [os.path.join(BINARIES, "cleave"), "bench", "--target", system.url, "--json", "--table", table]
    command += ["--connections", str(clients), "--duration", f"{int(seconds * 1000)}ms", "--warmup", f"{warmup_s * 1000:.0f}ms"]
    command += ["--item-size", str(VALUE_SIZE), "--seed", str(seed)]
    command += ["--server-pids", ",".join(map(str, system.pids)), *flags]
    output, _ = run_timed(command, seconds + warmup_s + MARGIN_S + 120, system.env)
    found = json.loads(output)
    if found["missing_items"]:
        raise RuntimeError(f"{found['missing_items']} gets found no item")
    return Figures(
        found["ops_per_s"],
        found["server_cpu_us_per_op"],
        found["own_cpu_us_per_op"],
        found["latency"]["p50_us"],
        found["latency"]["p99_us"],
        {"by_pid": list(found["server_cpu_us_per_op_by_pid"].values()), "never_sent": found["never_sent"]},
    )


def item_load(system, seed, key_count=KEY_COUNT):
    """Write every key once; later loads keep to these keys."""
    system.key_count = key_count
    return cleave_bench(system, 0.1, "--op", "put", "--load", "--keys", str(key_count), warmup_s=0, seed=seed)


def item_put(system, seconds, seed, clients=CLIENTS, rate=0):
    before = system.sync_count() if hasattr(system, "sync_count") else 0
    flags = ["--op", "put", "--keys", str(system.key_count), "--rate", str(int(rate))]
    found = cleave_bench(system, seconds, *flags, clients=clients, seed=seed)
    if before:
        found.extra["syncs"] = system.sync_count() - before
        found.extra["writes_per_sync"] = found.ops_per_s * (seconds + 1) / max(1, found.extra["syncs"])
    return found


def item_get(system, seconds, seed, consistent=False, clients=CLIENTS):
    flags = ["--op", "get", "--keys", str(system.key_count), *(["--consistent"] if consistent else [])]
    return cleave_bench(system, seconds, *flags, clients=clients, seed=seed)


# --- two loads of one system ---

SLICE_S = 0.5
SLICE_WARMUP_S = 0.2
SLICES_MIN = 10


def _sum_of(slices):
    """Rates and CPU times only: percentiles of slices cannot be added."""
    operations = sum(found.ops_per_s for found in slices)
    return Figures(
        operations / len(slices),
        sum(found.cpu_us * found.ops_per_s for found in slices) / operations,
        sum(found.client_cpu_us * found.ops_per_s for found in slices) / operations,
    )


def in_slices(system, seconds, seed, first, second):
    """Two loads, each given as (flags, table), by turns of half a second, A B B A: what the host or a compaction takes
    for some seconds, it takes from both. The Figures of each."""
    slices = ([], [])
    for turn in range(max(SLICES_MIN, round(seconds / SLICE_S))):
        for side in (0, 1) if turn % 2 == 0 else (1, 0):
            flags, table = (first, second)[side]
            settings = {"warmup_s": SLICE_WARMUP_S, "seed": seed + 100 * turn, "table": table}
            slices[side].append(cleave_bench(system, SLICE_S, *flags, **settings))
    return _sum_of(slices[0]), _sum_of(slices[1])


# --- the rest of the item API, our own only ---

COLLECTION = 100  # items that a query returns
PAGE_ROWS = 1024  # of 1 KB: what a page of a scan looks at


def item_op(system, op, seconds, seed, *flags, clients=CLIENTS, table="bench"):
    return cleave_bench(system, seconds, "--op", op, *flags, clients=clients, seed=seed, table=table)


def collection_load(system, seed):
    """A table with a sort key: collections of a hundred items."""
    flags = ["--op", "put", "--load", "--collection", str(COLLECTION), "--keys", "20000"]
    return cleave_bench(system, 0.1, *flags, warmup_s=0, seed=seed, table="bench-collections")


def collection_query(system, seconds, seed):
    flags = ["--collection", str(COLLECTION), "--keys", "20000"]
    return item_op(system, "query", seconds, seed, *flags, clients=1, table="bench-collections")


def indexed_put(lab, seconds, seed):
    """Puts to a table with one global index; extra: the lag of its rows."""
    before = lab.index_lag()
    flags = ["--index", "--keys", str(lab.key_count)]
    found = item_op(lab, "put", seconds, seed, *flags, table="bench-indexed")
    found.extra["lag_p99_ms"] = quantile_ms(before, lab.index_lag(), 0.99)
    return found


def quantile_ms(before, after, share):
    """Of a histogram's growth, as the upper bound of the bucket that holds it."""
    grown = [(bound, count - before.get(bound, 0)) for bound, count in sorted(after.items())]
    total = grown[-1][1] if grown else 0
    if total == 0:
        raise RuntimeError("no row of an index was acknowledged")
    return next(bound for bound, count in grown if count >= share * total) * 1000


def rocksdb_readseq(folder, seconds):
    """RocksDB's own iterator over as many rows of the same size."""
    command = ["db_bench", "--benchmarks=fillseq,readseq,readseq,readseq", f"--db={folder}", "--seed=1", "--threads=1"]
    command += [f"--value_size={VALUE_SIZE}", f"--num={KEY_COUNT}", f"--duration={int(seconds)}"]
    output, own_s = run_timed(command, 3 * seconds + MARGIN_S)
    rates = [float(line.split("micros/op")[1].split()[0]) for line in output.splitlines() if line.startswith("readseq")]
    return Figures(sorted(rates)[len(rates) // 2], own_s)


# --- etcd over gRPC ---


def _varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def _field(number, value):
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _value(seed):
    return base64.b64encode(random.Random(seed).randbytes(VALUE_SIZE))[:VALUE_SIZE]


def etcd_frame(path, key, value=None):
    """A gRPC message: no compression, its size, a PutRequest or RangeRequest (key = 1, value = 2)."""
    message = _field(1, key) + (_field(2, value) if value is not None else b"")
    with open(path, "wb") as file:
        file.write(struct.pack(">BI", 0, len(message)) + message)
    return path


def h2load(etcd, method, frame, seconds, shape, rate=0):
    """shape: (connections, streams of each). rate: of all of them; 0 is a closed loop."""
    log = scratch("h2load.log")
    if os.path.exists(log):
        os.unlink(log)
    connections, streams = shape
    command = ["h2load", "-t", "1", "-c", str(connections), "-m", str(streams), "-D", str(int(seconds)), "-d", frame]
    command += ["-H", "content-type: application/grpc", "-H", "te: trailers", "--log-file", log]
    if rate:
        command += [f"--rps={max(1, int(rate / connections))}"]
    cpu_before = cpu_s(etcd.pids)
    output, own_s = run_timed([*command, f"http://127.0.0.1:{etcd.leader_port()}/etcdserverpb.KV/{method}"], seconds + MARGIN_S)
    spent_s = cpu_s(etcd.pids) - cpu_before
    with open(log, encoding="ascii") as file:
        rows = [line.split("\t") for line in file]
    times = [int(row[2]) for row in rows if row[1] == "200"]
    if len(times) < len(rows) or not times:
        raise RuntimeError(f"h2load: {len(rows) - len(times)} of {len(rows)} failed:\n{output}")
    return Figures(
        len(times) / seconds,
        spent_s * S_US / len(times),
        own_s * S_US / len(times),
        percentile(times, 500),
        percentile(times, 990),
        {"count": len(times)},
    )


def etcd_grpc_put(etcd, seconds, seed, shape=(CLIENTS, 1), rate=0):
    frame = etcd_frame(scratch("put.bin"), b"key-000000000042", _value(seed))
    before = etcd.revision()
    found = h2load(etcd, "Put", frame, seconds, shape, rate)
    done = etcd.revision() - before
    if done < found.extra["count"]:
        raise RuntimeError(f"etcd has {done} new revisions, h2load counted {found.extra['count']} puts")
    return found


def etcd_grpc_range(etcd, seconds, seed, shape=(CLIENTS, 1)):
    etcd_json_load(etcd, 1, seed)
    return h2load(etcd, "Range", etcd_frame(scratch("range.bin"), etcd_key(0)), seconds, shape)


# --- wrk ---

DONE_LUA = """
function done(summary, latency, requests)
    local e = summary.errors
    print(string.format("RESULT %d %d %d %d %d", summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
"""

ETCD_LUA = """
local bodies = {{}}
local value = "{value}"
local at = 0
math.randomseed({seed})
function init(args)
    wrk.headers["Content-Type"] = "application/json"
    for i = 1, {count} do
        local body = string.format({body}, keys[i])
        bodies[i] = wrk.format("POST", "{path}", nil, body)
    end
end
function request()
    return bodies[math.random({count})]
end
"""


def etcd_key(number):
    return f"key-{number:012d}".encode()


def etcd_json_load(etcd, count, seed):
    value = base64.b64encode(_value(seed)).decode()
    for number in range(count):
        etcd.ask(etcd.leader_port(), "/v3/kv/put", {"key": base64.b64encode(etcd_key(number)).decode(), "value": value})


def wrk(pids, url, seconds, script="", clients=CLIENTS):
    path = scratch("wrk.lua")
    with open(path, "w", encoding="utf-8") as file:
        file.write(script + DONE_LUA)
    cpu_before = cpu_s(pids)
    command = ["wrk", "-t", "1", "-c", str(clients), "-d", f"{int(seconds)}s", "--timeout", "10s", "-s", path, url]
    output, own_s = run_timed(command, seconds + MARGIN_S)
    spent_s = cpu_s(pids) - cpu_before
    words = next(line for line in output.splitlines() if line.startswith("RESULT")).split()
    count, duration_us, p50_us, p99_us, errors = map(int, words[1:])
    if errors or not count:
        raise RuntimeError(f"wrk: {errors} errors, {count} answers:\n{output}")
    return Figures(count * S_US / duration_us, spent_s * S_US / count, own_s * S_US / count, p50_us, p99_us)


def nginx_get(nginx, seconds):
    return wrk(nginx.pids, nginx.url, seconds)


def _etcd_json(etcd, seconds, seed, path, body, value, count):
    keys = ",".join(f'"{base64.b64encode(etcd_key(i)).decode()}"' for i in range(count))
    script = f"local keys = {{{keys}}}\n" + ETCD_LUA.format(value=value, seed=seed, count=count, path=path, body=body)
    return wrk(etcd.pids, f"http://127.0.0.1:{etcd.leader_port()}", seconds, script)


def etcd_json_put(etcd, seconds, seed):
    value = base64.b64encode(_value(seed)).decode()
    body = "'{\"key\":\"%s\",\"value\":\"' .. value .. '\"}'"
    return _etcd_json(etcd, seconds, seed, "/v3/kv/put", body, value, ETCD_KEY_COUNT)


def etcd_json_range(etcd, seconds, seed):
    count = 100
    etcd_json_load(etcd, count, seed)
    return _etcd_json(etcd, seconds, seed, "/v3/kv/range", "'{\"key\":\"%s\"}'", "", count)


# --- redis, RocksDB, and the disk itself ---


def redis_set(redis, seconds, rate_guess):
    count = max(1000, int(seconds * rate_guess))
    command = ["redis-benchmark", "-p", str(redis.port), "-t", "set", "-d", str(VALUE_SIZE), "-c", str(CLIENTS)]
    cpu_before = cpu_s(redis.pids)
    output, own_s = run_timed([*command, "-n", str(count), "-r", str(KEY_COUNT), "--csv"], 10 * seconds + MARGIN_S)
    spent_s = cpu_s(redis.pids) - cpu_before
    words = next(line for line in output.splitlines() if line.startswith('"SET"')).replace('"', "").split(",")
    return Figures(float(words[1]), spent_s * S_US / count, own_s * S_US / count, float(words[4]) * 1000, float(words[6]) * 1000)


def rocksdb_put(folder, seconds):
    """RocksDB alone: a sync for every write, as many threads as others have clients, without a network."""
    command = ["db_bench", "--benchmarks=fillrandom", f"--db={folder}", "--sync=1", f"--threads={CLIENTS}", "--seed=1"]
    command += [f"--value_size={VALUE_SIZE}", f"--num={KEY_COUNT}", f"--duration={int(seconds)}", "--histogram=1"]
    output, own_s = run_timed(command, seconds + MARGIN_S)
    line = next(line for line in output.splitlines() if line.startswith("fillrandom"))
    ops_per_s = float(line.split("micros/op")[1].split()[0])
    count = int(line.split("operations")[0].split()[-1])
    tail = next(line for line in output.splitlines() if line.startswith("Percentiles"))
    figures = dict(zip(*[iter(tail.split()[1:])] * 2))
    return Figures(ops_per_s, own_s * S_US / count, 0.0, float(figures["P50:"]), float(figures["P99:"]))


def append_sync(seconds):
    """Append 1 KB and fdatasync, again and again, on the disk that all of them use."""
    helper = os.path.join(BINARIES, "tests", "append_sync")
    output, _ = run_timed([helper, scratch("append.dat"), str(int(seconds * 1000)), str(VALUE_SIZE)], seconds + MARGIN_S)
    return _samples(output)


def chain_sync(seconds):
    """The messages and appends of one client's put on three nodes, and nothing else."""
    helper = os.path.join(BINARIES, "tests", "chain_sync")
    folder = os.path.dirname(scratch("chain"))
    output, _ = run_timed([helper, folder, str(int(seconds * 1000)), str(VALUE_SIZE)], seconds + MARGIN_S)
    return _samples(output)


def _samples(output):
    found = json.loads(output)
    return Figures(found["per_s"], 0.0, 0.0, found["p50_us"], found["p99_us"])

