"""The rows whose figures come from plain loads: which loads each needs, and what is divided by what.

A load runs between two short looks at nginx, the reference: if that moved by more than a factor of two, the machine did,
and the load is run again. Its ratio is taken within one round, the median over the rounds.
"""

import dataclasses

import bench_load
from bench_common import load_average, say
from bench_own import Lab, Local
from bench_peers import Dynalite, Etcd, Nginx, Redis, fresh_folder

REFERENCE_S = 1
REFERENCE_FACTOR_MAX = 2.0
TRIES_MAX = 3
REDIS_GUESS_PER_S = 20_000
# Of etcd's: the connections and streams with which it does best here, so that its client does not slow it.
GRPC_SHAPE = (4, 16)


class World:
    """All systems, each started when it is first needed and loaded with items once."""

    def __init__(self, seed, key_count=bench_load.KEY_COUNT):
        self.seed = seed
        self.key_count = key_count
        self.systems = {}

    def get(self, name, make, prepare=None):
        if name not in self.systems:
            say(f"starting {name}")
            self.systems[name] = make()
            if prepare:
                prepare(self.systems[name])
        return self.systems[name]

    def _load(self, system):
        bench_load.item_load(system, self.seed, self.key_count)

    @property
    def lab(self):
        return self.get("lab", Lab, self._load)

    @property
    def lab_bare(self):
        """For tables of a row's own."""
        return self.get("lab-bare", lambda: Lab("lab-bare"))

    @staticmethod
    def fresh_lab(name, **settings):
        """A lab for one row; the caller stops it."""
        say(f"starting {name}")
        return Lab(name, **settings)

    @property
    def local(self):
        return self.get("local", Local, self._load)

    @property
    def collections(self):
        """cleave local with one more table, whose items come in collections."""
        return self.get("local-collections", lambda: self.local, lambda local: bench_load.collection_load(local, self.seed))

    @property
    def dynalite(self):
        return self.get("dynalite", Dynalite, self._load)

    @property
    def nginx(self):
        return self.get("nginx", Nginx)

    @property
    def redis(self):
        return self.get("redis", Redis)

    @property
    def etcd3(self):
        return self.get("etcd3", lambda: Etcd(3))

    @property
    def etcd1(self):
        return self.get("etcd1", lambda: Etcd(1))

    def stop(self, *names):
        for name in names or list(self.systems):
            if name in self.systems:
                self.systems.pop(name).stop()


def open_loop_rate(done):
    """Half of what the slower of both can do, the same for both; a multiple of the connections."""
    slower = min(done["own3_put"].ops_per_s, done["etcd3_grpc_put"].ops_per_s)
    return max(1, int(slower / 2 / bench_load.CLIENTS)) * bench_load.CLIENTS


# name: load(world, seconds, seed, done), where done holds the round's loads before it; peers stand side by side.
LOADS = {
    "append": lambda w, s, seed, done: bench_load.append_sync(min(s, 2)),
    "chain": lambda w, s, seed, done: bench_load.chain_sync(min(s, 2)),
    "own3_put_c1": lambda w, s, seed, done: bench_load.item_put(w.lab, s, seed, clients=1),
    "etcd3_grpc_put_c1": lambda w, s, seed, done: bench_load.etcd_grpc_put(w.etcd3, s, seed, (1, 1)),
    "own3_put": lambda w, s, seed, done: bench_load.item_put(w.lab, s, seed),
    "etcd3_grpc_put": lambda w, s, seed, done: bench_load.etcd_grpc_put(w.etcd3, s, seed, GRPC_SHAPE),
    "own3_put_open": lambda w, s, seed, done: bench_load.item_put(w.lab, s, seed, rate=open_loop_rate(done)),
    "etcd3_grpc_put_open": lambda w, s, seed, done: bench_load.etcd_grpc_put(
        w.etcd3, s, seed, (bench_load.CLIENTS, bench_load.CLIENTS), open_loop_rate(done)
    ),
    "etcd3_json_put": lambda w, s, seed, done: bench_load.etcd_json_put(w.etcd3, s, seed),
    "own3_get": lambda w, s, seed, done: bench_load.item_get(w.lab, s, seed, consistent=True),
    "etcd3_grpc_get": lambda w, s, seed, done: bench_load.etcd_grpc_range(w.etcd3, s, seed, GRPC_SHAPE),
    "etcd3_json_get": lambda w, s, seed, done: bench_load.etcd_json_range(w.etcd3, s, seed),
    "redis_set": lambda w, s, seed, done: bench_load.redis_set(w.redis, s, REDIS_GUESS_PER_S),
    "own1_put": lambda w, s, seed, done: bench_load.item_put(w.local, s, seed),
    "etcd1_grpc_put": lambda w, s, seed, done: bench_load.etcd_grpc_put(w.etcd1, s, seed, GRPC_SHAPE),
    "rocksdb_put": lambda w, s, seed, done: bench_load.rocksdb_put(fresh_folder("rocksdb"), s),
    "dynalite_put": lambda w, s, seed, done: bench_load.item_put(w.dynalite, s, seed),
    "dynalite_get": lambda w, s, seed, done: bench_load.item_get(w.dynalite, s, seed),
    "own1_get": lambda w, s, seed, done: bench_load.item_get(w.local, s, seed),
    "nginx_get": lambda w, s, seed, done: bench_load.nginx_get(w.nginx, s),
    "own3_put_if": lambda w, s, seed, done: bench_load.item_op(w.lab, "put-if", s, seed, "--keys", str(w.key_count)),
    "own3_add_hot": lambda w, s, seed, done: bench_load.item_op(w.lab, "add", s, seed, "--keys", "1", table="bench-hot"),
    "own3_put_indexed": lambda w, s, seed, done: bench_load.indexed_put(w.lab, s, seed),
    "own1_get_c1": lambda w, s, seed, done: bench_load.item_get(w.local, s, seed, clients=1),
    "own1_query_c1": lambda w, s, seed, done: bench_load.collection_query(w.collections, s, seed),
    "own1_scan": lambda w, s, seed, done: bench_load.item_op(w.local, "scan", s, seed, clients=1),
    "rocksdb_readseq": lambda w, s, seed, done: bench_load.rocksdb_readseq(fresh_folder("rocksdb-seq"), s),
}


@dataclasses.dataclass(frozen=True)
class Row:
    """One figure of a row; is_lower_better: the gate and the goal are upper bounds."""

    row: str
    what: str
    gate: float
    goal: float
    needs: tuple
    ratio: object
    is_lower_better: bool = False
    is_judged: bool = True


def _row(name, what, bounds, kind, loads, before=(), is_judged=True):
    """The first load's figure of this kind over the second's; before: loads that must have run for these."""
    own, peer = loads
    is_lower_better = kind != "ops_per_s"

    def ratio(done):
        return getattr(done[own], kind) / getattr(done[peer], kind)

    return Row(name, what, *bounds, (*before, own, peer), ratio, is_lower_better, is_judged)


def _beside(name, what, kind, loads):
    """Shown next to a row, to understand it; not judged."""
    return _row(name, f"  {what}", (0, 0), kind, loads, (), False)


def _scaled(name, what, bounds, loads, factor):
    """Operations per second, where one of the first load is worth factor of the second."""
    own, peer = loads
    return Row(name, what, *bounds, loads, lambda done: factor * done[own].ops_per_s / done[peer].ops_per_s)


PUTS = ("own3_put", "etcd3_grpc_put")

ROWS = [
    _row("P1", "3-node PutItem/s / etcd x3 JSON put/s", (1.5, 3.0), "ops_per_s", ("own3_put", "etcd3_json_put")),
    _row("P2", "3-node PutItem/s / etcd x3 gRPC put/s", (1.0, 2.0), "ops_per_s", PUTS),
    _row("P3", "CPU per 3-node PutItem / etcd x3 gRPC put", (0.75, 0.40), "cpu_us", PUTS),
    _row("P4", "PutItem p50 c1 / fdatasync-append p50", (5.0, 3.0), "p50_us", ("own3_put_c1", "append")),
    _beside("P4", "etcd x3 gRPC, the same", "p50_us", ("etcd3_grpc_put_c1", "append")),
    _beside("P4", "its bare messages and appends, the same", "p50_us", ("chain", "append")),
    _row(
        "P5",
        "PutItem p99 / etcd x3 gRPC p99, one fixed rate",
        (1.0, 0.5),
        "p99_us",
        ("own3_put_open", "etcd3_grpc_put_open"),
        PUTS,
    ),
    _beside("P5", "the same, closed loop", "p99_us", PUTS),
    _row("P6", "single-node PutItem/s / redis SET, fsync always", (0.40, 0.70), "ops_per_s", ("own1_put", "redis_set")),
    _beside("P6", "etcd x1 gRPC put/s, the same", "ops_per_s", ("etcd1_grpc_put", "redis_set")),
    _beside("P6", "RocksDB alone (db_bench, 64 threads, sync)", "ops_per_s", ("rocksdb_put", "redis_set")),
    _beside("P6", "CPU per PutItem / redis SET", "cpu_us", ("own1_put", "redis_set")),
    _row("P7", "single-node PutItem/s / dynalite in memory", (2.0, 4.0), "ops_per_s", ("own1_put", "dynalite_put")),
    _row("P7", "single-node GetItem/s / dynalite in memory", (3.0, 6.0), "ops_per_s", ("own1_get", "dynalite_get")),
    _row("P8", "single-node GetItem/s / nginx static 1 KB", (0.30, 0.50), "ops_per_s", ("own1_get", "nginx_get")),
    _beside("P8", "CPU per GetItem / nginx", "cpu_us", ("own1_get", "nginx_get")),
    _row("P9", "3-node strong GetItem/s / etcd x3 JSON range/s", (2.0, 5.0), "ops_per_s", ("own3_get", "etcd3_json_get")),
    _row("P9", "3-node strong GetItem/s / etcd x3 gRPC range/s", (1.2, 3.0), "ops_per_s", ("own3_get", "etcd3_grpc_get")),
    Row(
        "P10",
        "3-node: acknowledged writes per log sync of a node",
        8.0,
        16.0,
        ("own3_put",),
        lambda done: done["own3_put"].extra["writes_per_sync"],
    ),
    _row("I1", "UpdateItem of one hot counter / PutItem on spread keys", (0.5, 0.9), "ops_per_s", ("own3_add_hot", "own3_put")),
    _scaled(
        "I3",
        "Query of 100 x 1 KB, bytes/s / GetItem's, one connection",
        (8, 20),
        ("own1_query_c1", "own1_get_c1"),
        bench_load.COLLECTION,
    ),
    _scaled(
        "I4",
        "Scan with a filter that drops all, rows/s / db_bench readseq",
        (0.2, 0.5),
        ("own1_scan", "rocksdb_readseq"),
        bench_load.PAGE_ROWS,
    ),
    _row("I5", "PutItem with one global index (ALL) / without", (0.5, 0.7), "ops_per_s", ("own3_put_indexed", "own3_put")),
    _beside("I5", "CPU per put, the same", "cpu_us", ("own3_put_indexed", "own3_put")),
    Row(
        "I6",
        "lag of the global index under that load, p99, ms (rounded up, by a quarter at most)",
        100.0,
        20.0,
        ("own3_put_indexed",),
        lambda done: done["own3_put_indexed"].extra["lag_p99_ms"],
        True,
    ),
]


def loads_of(rows):
    """The loads that these rows need, in the order of LOADS."""
    wanted = {name for row in rows for name in row.needs}
    return [name for name in LOADS if name in wanted]


# Their rate follows from other loads of the round.
FIXED_RATE = ("own3_put_open", "etcd3_grpc_put_open")


def in_turns(names, round_number):
    """Every second round backwards: no load shall always pay for what the one before it left to be written out."""
    return sorted(names if round_number % 2 == 0 else names[::-1], key=lambda name: name in FIXED_RATE)


class Session:
    """Rounds of loads, interleaved; keeps every figure, and what the reference said around it."""

    def __init__(self, world, seconds):
        self.world = world
        self.seconds = seconds
        self.rounds = []
        self.refused_count = 0
        self.reference = []

    def _look(self):
        self.reference.append(bench_load.nginx_get(self.world.nginx, REFERENCE_S).ops_per_s)
        return self.reference[-1]

    def run_round(self, names):
        done = {}
        before = self._look()
        for name in names:
            for attempt in range(TRIES_MAX):
                seed = self.world.seed + 1000 * len(self.rounds) + attempt
                figures = LOADS[name](self.world, self.seconds, seed, done)
                after = self._look()
                is_steady = max(before, after) <= REFERENCE_FACTOR_MAX * min(before, after)
                before = after
                if is_steady:
                    break
                self.refused_count += 1
                say(f"  {name}: refused, nginx moved more than twofold")
            else:
                raise RuntimeError(f"{name}: nginx moved more than twofold {TRIES_MAX} times: not a machine to measure on")
            done[name] = figures
            cpu = f"server {figures.cpu_us:7.1f} us  client {figures.client_cpu_us:6.1f} us"
            latency = f"p50 {figures.p50_us:7.0f} us  p99 {figures.p99_us:7.0f} us"
            say(f"  {name:20} {figures.ops_per_s:9.0f} /s  {cpu}  {latency}  load {load_average():.1f}")
        self.rounds.append(done)


def measure(rows, world, round_count, seconds):
    """Run the rounds; (results as (Row, [ratio of each round]), session)."""
    session = Session(world, seconds)
    names = loads_of(rows)
    for number in range(round_count):
        say(f"round {number + 1} of {round_count}")
        session.run_round(in_turns(names, number))
    return [(row, [row.ratio(done) for done in session.rounds]) for row in rows], session
