"""P11, P12: for how long is no write acknowledged when the leader of a group is killed, or stopped dead?

Both systems get the same: a write every 5 ms on a connection of its own, never waiting for the one before, to the endpoint
that clients would have; the gap is the longest time between two acknowledgements. An etcd client knows all members and is
here sent to the two that live, which spares it the search.
"""

import asyncio
import base64
import json
import os
import signal
import time

import signed_request
from bench_common import median, say, wait_for

EVERY_S = 0.005
BEFORE_S = 0.5
AFTER_S = 0.7  # of writes acknowledged again, before a trial is over
GIVE_UP_S = 30.0
ATTEMPT_S = 10.0
TABLE = "gap"


class Writer:
    """Writes on a schedule; acknowledged holds when each acknowledgement came."""

    def __init__(self, ports, request_of):
        self.ports = ports
        self.request_of = request_of
        self.acknowledged = []
        self.number = 0

    async def _attempt(self, port):
        writer = None
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(self.request_of(port, self.number))
            line = await reader.readline()
            if b" 200 " in line:
                self.acknowledged.append(time.monotonic())
        except OSError:
            pass  # an attempt that failed is none that was acknowledged
        finally:
            if writer:
                writer.close()

    async def _one(self, port):
        try:
            await asyncio.wait_for(self._attempt(port), ATTEMPT_S)
        except asyncio.TimeoutError:
            pass  # likewise

    async def write_while(self, go_on):
        tasks = set()
        due = time.monotonic()
        while go_on():
            due += EVERY_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            ports = self.ports()
            task = asyncio.create_task(self._one(ports[self.number % len(ports)]))
            self.number += 1
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Trial:
    """BEFORE_S of writes, the strike, and on until writes have been acknowledged again for AFTER_S."""

    def __init__(self, writer, strike):
        self.writer = writer
        self.strike = strike
        self.began = time.monotonic()
        self.struck = None

    def _goes_on(self):
        now = time.monotonic()
        if self.struck is None:
            if now - self.began >= BEFORE_S:
                if not self.writer.acknowledged:
                    raise RuntimeError("no write was acknowledged even before the leader was struck")
                self.strike()
                self.struck = time.monotonic()
            return True
        if now - self.struck > GIVE_UP_S:
            raise RuntimeError(f"no write was acknowledged within {GIVE_UP_S} s")
        return not self._is_back(now)

    def _is_back(self, now):
        """The gap is over: after it, AFTER_S with acknowledgements to the end."""
        times = self.writer.acknowledged
        later = [at for at in times if at > self.struck]
        return bool(later) and now - max(self.struck, self._gap_end()) >= AFTER_S and now - times[-1] < 0.1

    def _gaps(self):
        times = sorted(self.writer.acknowledged)
        since = self.struck - BEFORE_S / 2
        return [(end - begin, end) for begin, end in zip(times, times[1:]) if end > since]

    def _gap_end(self):
        gaps = self._gaps()
        return max(gaps)[1] if gaps else self.struck

    def run(self):
        asyncio.run(self.writer.write_while(self._goes_on))
        return max(self._gaps())[0]


# --- etcd ---


def etcd_request(port, number):
    body = json.dumps({"key": base64.b64encode(b"gap").decode(), "value": base64.b64encode(str(number).encode()).decode()})
    head = f"POST /v3/kv/put HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


def etcd_is_whole(etcd):
    return all(map(etcd.is_healthy, etcd.client_ports)) and etcd.leader() is not None


def etcd_trial(etcd, number):
    wait_for(lambda: etcd_is_whole(etcd), "etcd is whole")
    leader = etcd.leader()
    ports = [port for i, port in enumerate(etcd.client_ports) if i != leader]
    gap = Trial(Writer(lambda: ports, etcd_request), lambda: os.kill(etcd.members[leader].pid, number)).run()
    if number == signal.SIGKILL:
        etcd.members[leader].process.wait()
        etcd.members[leader].start()
    else:
        os.kill(etcd.members[leader].pid, signal.SIGCONT)
    return gap


# --- ours ---


def make_table(lab, name, partition_count=1):
    """A table of so many partitions: as many as its write capacity asks for."""
    units = 1000 * partition_count
    signed_request.call(
        lab,
        "CreateTable",
        {
            "TableName": name,
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": max(1, units - 1)},
        },
    )
    wait_active(lab, name)
    found = lab.partitions(name)
    if len(found) != partition_count:
        raise RuntimeError(f"table {name} has {len(found)} partitions, not {partition_count}")


def wait_active(lab, name):
    wait_for(
        lambda: signed_request.call(lab, "DescribeTable", {"TableName": name})["Table"]["TableStatus"] == "ACTIVE",
        f"table {name} is active",
        60,
        0.005,
    )


def leader_of(lab, table):
    """The name of the node that leads the table's only partition."""

    def find():
        number = lab.partitions(table)[0]["leader_node_id"]
        return f"node-{number}" if number else None

    return wait_for(find, f"{table} has a leader", 30, 0.1)


def own_trial(lab, number):
    def request(port, count):
        item = {"pk": {"S": "gap"}, "v": {"S": str(count)}}
        return signed_request.to_bytes(lab.env, port, "PutItem", {"TableName": TABLE, "Item": item})

    lab.wait_whole()
    leader = leader_of(lab, TABLE)
    gap = Trial(Writer(lambda: [lab.port], request), lambda: os.kill(lab.pid(leader), number)).run()
    if number == signal.SIGKILL:
        lab.run("start", leader)
    else:
        os.kill(lab.pid(leader), signal.SIGCONT)
    return gap


# --- the rows ---


def measure(world, number, trials):
    """Trials of both, by turns: [(own seconds, etcd's seconds)]."""
    lab, etcd = world.lab_bare, world.etcd3
    if not lab.partitions(TABLE):
        make_table(lab, TABLE)
    pairs = []
    for trial in range(trials):
        pairs.append((own_trial(lab, number), etcd_trial(etcd, number)))
        say(f"  trial {trial + 1}: own {pairs[-1][0] * 1000:.0f} ms, etcd {pairs[-1][1] * 1000:.0f} ms")
    return pairs


def summary(pairs):
    """(ratio of the medians, ratio of the longest)."""
    own, peer = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return median(own) / median(peer), max(own) / max(peer)
