"""Clients for chaos runs: as tests/cluster's Load, with more kinds of operations and histories that stay judgeable however long.

Register clients put, get and delete the keys of the day: each key is used up after some hundred operations and replaced by
a new one, because the cost of judging grows with what overlaps on one key. Hot clients put one key as fast as they can,
for the checker of chains. Ledger clients as there. write_history() writes what chaos_judge reads.
"""

import concurrent.futures
import itertools
import random
import threading

import linear
from history import Load, value_of

EVENTUAL = "eventual"
KEYS_AT_ONCE = 4
OPERATIONS_PER_KEY = 600
OPERATIONS_PER_HOT_KEY = 20_000
EVENTUAL_SHARE = 0.15


class KeyRing:
    """Names of keys in use, each for so many operations."""

    def __init__(self, prefix, at_once, operations_each):
        self.prefix = prefix
        self.operations_each = operations_each
        self.lock = threading.Lock()
        self.numbers = itertools.count()
        self.left = {}
        for _ in range(at_once):
            self.add()

    def add(self):
        self.left[f"{self.prefix}-{next(self.numbers)}"] = self.operations_each

    def take(self, rng):
        with self.lock:
            key = rng.choice(sorted(self.left))
            self.left[key] -= 1
            if self.left[key] == 0:
                del self.left[key]
                self.add()
            return key


class ChaosLoad(Load):
    """Clients in the order given: ledger clients, hot clients, register clients."""

    def __init__(self, clients, table, seed, ledger_clients=1, hot_clients=2, **options):
        super().__init__(clients, table, seed, ledger_clients=ledger_clients, **options)
        self.hot_clients = hot_clients
        self.registers = KeyRing("register", KEYS_AT_ONCE, OPERATIONS_PER_KEY)
        self.hot = KeyRing("hot", 1, OPERATIONS_PER_HOT_KEY)

    def start(self):
        for number, client in enumerate(self.clients):
            if number < self.ledger_clients:
                step = self.ledger_client
            elif number < self.ledger_clients + self.hot_clients:
                step = self.hot_client
            else:
                step = self.register_client
            thread = threading.Thread(target=self.work, args=(step, number, client), daemon=True)
            self.threads.append(thread)
            thread.start()
        return self

    def register_client(self, client, rng, number, count):
        key = self.registers.take(rng)
        chance = rng.random()
        if chance < self.delete_share:
            self.record(linear.DELETE, key, linear.ABSENT, number, self.delete_call(client, key))
        elif chance < 0.5:
            value = f"{number}-{count}"
            self.record(linear.PUT, key, value, number, self.put_call(client, key, value))
        elif chance < 1 - EVENTUAL_SHARE:
            self.record(linear.GET, key, linear.ABSENT, number, self.get_call(client, key))
        else:
            self.record(EVENTUAL, key, linear.ABSENT, number, self.eventual_call(client, key))

    def hot_client(self, client, rng, number, count):
        key = self.hot.take(rng)
        if rng.random() < 0.7:
            value = f"{number}-{count}"
            self.record(linear.PUT, key, value, number, self.put_call(client, key, value))
        else:
            self.record(linear.GET, key, linear.ABSENT, number, self.get_call(client, key))

    def eventual_call(self, client, key):
        return lambda: client.get_item(TableName=self.table, Key={"pk": {"S": key}}, ConsistentRead=False)

    def operation_count(self):
        return len(self.operations) + len(self.ledger)

    def lost_writes(self, client):
        """As in Load, with all clients at work: a long run's ledger is long."""
        entries = sorted(self.ledger.items())

        def is_lost(numbered):
            number, (key, (value, _)) = numbered
            reader = self.clients[number % len(self.clients)]
            return value_of(reader.get_item(TableName=self.table, Key={"pk": {"S": key}}, ConsistentRead=True).get("Item")) != value

        with concurrent.futures.ThreadPoolExecutor(len(self.clients)) as pool:
            verdicts = list(pool.map(is_lost, enumerate(entries)))
        return [key for (key, _), lost in zip(entries, verdicts) if lost]

    def write_history(self, path, without=None):
        """One line an operation; `without` one of them, to see that the judge misses it."""
        with open(path, "w", encoding="ascii") as file:
            for each in list(self.operations):
                if each is not without:
                    file.write(history_line(each))

    def replaced_put(self):
        """An acknowledged put that an acknowledged write replaced: a history without it is wrong."""
        seen = {each.old for each in self.operations if each.is_known()}
        puts = (each for each in self.operations if each.kind == linear.PUT and each.is_known() and each.value in seen)
        return next(puts, None)


def history_line(operation):
    value = "-" if operation.value is linear.ABSENT else operation.value
    old = {linear.ABSENT: "-", linear.UNSEEN: "?"}.get(operation.old, operation.old)
    ended = operation.ended_ns if operation.is_known() else "?"
    return f"{operation.kind} {operation.key} {value} {old} {operation.began_ns} {ended} {operation.client}\n"


def pick_seeded(seed, *words):
    """A generator of its own for each purpose, so that one more draw here changes nothing there."""
    return random.Random("/".join(str(word) for word in (seed, *words)))
