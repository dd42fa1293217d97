"""Clients that use a cluster while it is being broken, and remember exactly what they saw.

Load runs two kinds of clients in threads. Register clients put, get and delete a few keys with unique values, with strong
reads; what they saw goes to linear.py. Ledger clients put every value under a key of its own; whatever was acknowledged
must be there at the end.

A client never retries by itself: a put sent twice as two requests could take effect twice, and the history would be wrong
through the client's own fault. Errors that leave the outcome open make an open operation; refused connections make
none; any other error is kept in `problems`, which a test expects to be empty.
"""

import random
import threading
import time

import botocore.exceptions
import linear

PACE_S = 0.005  # between two operations of a client: two cores are enough for a cluster and its clients
WRITES = (linear.PUT, linear.DELETE)
NEVER_SENT = (botocore.exceptions.EndpointConnectionError, botocore.exceptions.ConnectTimeoutError)


def put_item(key, value):
    return {"pk": {"S": key}, "v": {"S": value}}


def value_of(item):
    return item["v"]["S"] if item else linear.ABSENT


def is_open(error):
    """Does this error leave it open whether a write took effect?"""
    if isinstance(error, botocore.exceptions.ClientError):
        return error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500
    return isinstance(error, botocore.exceptions.BotoCoreError)


class Load:
    """Clients at work from start() to stop(). clients: one boto3 client per thread, without retries."""

    def __init__(self, clients, table, seed, keys=("a", "b"), ledger_clients=1, delete_share=0.04, pace_s=PACE_S):
        self.clients = clients
        self.table = table
        self.keys = [f"register-{key}" for key in keys]
        self.ledger_clients = ledger_clients
        self.delete_share = delete_share
        self.pace_s = pace_s
        self.seed = seed
        self.operations = []
        self.ledger = {}  # key: (value, when it was acknowledged)
        self.problems = []
        self.open_errors = []  # what clients were told when an outcome stayed open
        self.refused_count = 0
        self.stopping = threading.Event()
        self.threads = []

    def start(self):
        for number, client in enumerate(self.clients):
            work = self.ledger_client if number < self.ledger_clients else self.register_client
            thread = threading.Thread(target=self.work, args=(work, number, client), daemon=True)
            self.threads.append(thread)
            thread.start()
        return self

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)
            if thread.is_alive():
                self.problems.append("a client did not come back")
        self.threads = []

    def work(self, step, number, client):
        rng = random.Random(f"{self.seed}/{number}")
        count = 0
        while not self.stopping.is_set():
            count += 1
            try:
                step(client, rng, number, count)
            except Exception as error:  # pylint: disable=broad-except
                self.problems.append(f"client {number}: {type(error).__name__}: {error}")
            self.stopping.wait(self.pace_s)

    def ledger_client(self, client, _rng, number, count):
        key = value = f"ledger-{number}-{count}"
        began_ns = time.monotonic_ns()
        try:
            client.put_item(TableName=self.table, Item=put_item(key, value))
        except NEVER_SENT:
            self.refused_count += 1
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
            if not is_open(error):
                raise
            self.note_open(error, linear.PUT, began_ns)
        else:
            self.ledger[key] = (value, time.monotonic_ns())

    def register_client(self, client, rng, number, count):
        key = rng.choice(self.keys)
        chance = rng.random()
        if chance < self.delete_share:
            self.record(linear.DELETE, key, linear.ABSENT, number, self.delete_call(client, key))
        elif chance < 0.5:
            value = f"{number}-{count}"
            self.record(linear.PUT, key, value, number, self.put_call(client, key, value))
        else:
            self.record(linear.GET, key, linear.ABSENT, number, self.get_call(client, key))

    def put_call(self, client, key, value):
        return lambda: client.put_item(TableName=self.table, Item=put_item(key, value), ReturnValues="ALL_OLD")

    def delete_call(self, client, key):
        return lambda: client.delete_item(TableName=self.table, Key={"pk": {"S": key}}, ReturnValues="ALL_OLD")

    def get_call(self, client, key):
        return lambda: client.get_item(TableName=self.table, Key={"pk": {"S": key}}, ConsistentRead=True)

    def record(self, kind, key, value, client, call):
        """Do it and remember what came of it."""
        began_ns = time.monotonic_ns()
        ended_ns, old = None, linear.UNSEEN
        try:
            answer = call()
        except NEVER_SENT:
            self.refused_count += 1
            return
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
            if not is_open(error):
                raise
            self.note_open(error, kind, began_ns)
        else:
            ended_ns = time.monotonic_ns()
            if kind not in WRITES:
                value = value_of(answer.get("Item"))
            else:
                old = value_of(answer.get("Attributes"))
        self.operations.append(linear.Operation(kind, key, value, began_ns, ended_ns, old, client))

    def note_open(self, error, kind, began_ns):
        self.open_errors.append(f"{kind} after {(time.monotonic_ns() - began_ns) / 1e9:.2f} s: {error}")

    # --- what came of it ---

    def unknown_count(self):
        return sum(not operation.is_known() for operation in list(self.operations))

    def acknowledged_count(self):
        """Writes of both kinds that were acknowledged so far."""
        return len(self.write_times_ns())

    def write_times_ns(self):
        """When writes were acknowledged, in order."""
        times = [when for _, when in list(self.ledger.values())]
        times += [each.ended_ns for each in list(self.operations) if each.kind in WRITES and each.is_known()]
        return sorted(times)

    def slowest_s(self):
        """How long the slowest operation of the register clients took."""
        return max((each.ended_ns - each.began_ns for each in self.operations if each.is_known()), default=0) / 1e9

    def read_count(self):
        return sum(each.kind == linear.GET and each.is_known() for each in list(self.operations))

    def write_gap_s(self, from_ns):
        """The longest time without an acknowledged write after from_ns; infinite if none came."""
        after = [when for when in self.write_times_ns() if when >= from_ns]
        if not after:
            return float("inf")
        return max(end - begin for begin, end in zip([from_ns, *after], after)) / 1e9

    def lost_writes(self, client):
        """Acknowledged ledger entries that a strong read does not find."""
        lost = []
        for key, (value, _) in sorted(self.ledger.items()):
            answer = client.get_item(TableName=self.table, Key={"pk": {"S": key}}, ConsistentRead=True)
            if value_of(answer.get("Item")) != value:
                lost.append(key)
        return lost
