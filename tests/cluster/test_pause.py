#!/usr/bin/env python3
"""SIGSTOP of a leader: clients go on, and when it wakes up it does not answer from the past.

The strong reads that try to catch it come through a coordinator that slept as long as the leader did and still believes in
it. The hardest case: a connection of that coordinator is the first in which the old leader finds something to read, so it
meets the reads before the news of the new leader. A leader that does not ask the others before it answers fails there.
"""

import concurrent.futures
import os
import signal
import statistics
import time
import unittest

from cluster_lab import ClusterTest, bytes_at_the_door, say, wait_for
from history import put_item, value_of

ROUNDS = 3
GAP_ROUNDS = int(os.environ.get("CLEAVE_PAUSE_ROUNDS", "5"))
# Liveness only: the gap itself is measured by benchmarks on a quiet machine.
GAP_S_MAX = 15
READERS = 4
# Elections must be over before a coordinator gives up an attempt to write (2 s): see read_before_the_news().
QUICK_ELECTIONS = ("--election-timeout", "200ms", "--heartbeat", "50ms")
SLEEPY_COORDINATOR = "coordinator-2"


class PauseTest(ClusterTest):
    def strong_read(self, client, table):
        return value_of(client.get_item(TableName=table, Key={"pk": {"S": "last"}}, ConsistentRead=True).get("Item"))

    def put(self, client, table, value):
        client.put_item(TableName=table, Item=put_item("last", value))

    def wake(self, lab, names):
        for name in names:
            os.kill(lab.pid(name), signal.SIGCONT)

    def sleep_and_wake(self, lab, table, load, number, readers):
        """A round; what the reads through the sleepy coordinator returned."""
        leader = lab.only_partition(table).leader
        awake = lab.client()
        self.put(awake, table, f"before-{number}")
        for reader in readers:
            self.assertEqual(self.strong_read(reader, table), f"before-{number}")
        lab.pause(SLEEPY_COORDINATOR)
        lab.pause(leader)
        self.wait_progress(load)
        self.put(awake, table, f"after-{number}")
        with concurrent.futures.ThreadPoolExecutor(READERS) as pool:
            reads = [pool.submit(self.strong_read, reader, table) for reader in readers]
            order = [SLEEPY_COORDINATOR, leader]
            self.wake(lab, order if number % 2 == 0 else reversed(order))
            return [read.result() for read in reads]

    def test_a_woken_leader_serves_no_stale_strong_read(self):
        lab = self.start_lab(coordinators=2)
        table = lab.make_table("pause")
        load = self.start_load(lab, table)
        readers = [lab.client(coordinator=2) for _ in range(READERS)]
        for number in range(ROUNDS):
            found = self.sleep_and_wake(lab, table, load, number, readers)
            self.assertEqual(set(found), {f"after-{number}"})
            self.wait_progress(load)
            lab.wait_rejoined(table)
        self.judge(load, lab.client())

    def test_clients_go_on_when_the_leader_is_paused(self):
        lab = self.start_lab()
        table = lab.make_table("pause")
        load = self.start_load(lab, table)
        gaps = []
        for _ in range(GAP_ROUNDS):
            leader = lab.only_partition(table).leader
            paused_ns = time.monotonic_ns()
            os.kill(lab.pid(leader), signal.SIGSTOP)
            self.wait_progress(load)
            gaps.append(load.write_gap_s(paused_ns))
            self.wake(lab, [leader])
            lab.wait_rejoined(table)
        say("  write gaps:", " ".join(f"{gap:.3f}" for gap in gaps), "s")
        say(f"  median {statistics.median(gaps):.3f} s, longest {max(gaps):.3f} s")
        self.assertLess(max(gaps), GAP_S_MAX)
        self.judge(load, lab.client(), may_fail=True)

    def read_before_the_news(self, lab, table, number, pool, readers):
        """What strong reads return that an old leader finds first when it wakes up, after another one was elected."""
        leader = lab.only_partition(table).leader
        awake = lab.client()
        self.put(awake, table, f"before-{number}")
        for reader in readers:
            self.assertEqual(self.strong_read(reader, table), f"before-{number}")
        os.kill(lab.pid(leader), signal.SIGSTOP)
        door = lab.node_port(leader)
        bait = pool.submit(readers[0].put_item, TableName=table, Item=put_item("bait", str(number)))
        wait_for(lambda: bytes_at_the_door(door), "the bait is at the old leader's door", interval_s=0.001)
        os.kill(lab.pid(SLEEPY_COORDINATOR), signal.SIGSTOP)
        self.strong_read(awake, table)  # teaches the other coordinator who leads now
        self.put(awake, table, f"after-{number}")
        reads = [pool.submit(self.strong_read, reader, table) for reader in readers[1:]]
        coordinator_door = lab.coordinator_port(SLEEPY_COORDINATOR)
        wait_for(lambda: len(bytes_at_the_door(coordinator_door)) == len(reads), "the reads wait", interval_s=0.001)
        waiting = sum(bytes_at_the_door(door))
        self.wake(lab, [SLEEPY_COORDINATOR])
        wait_for(lambda: sum(bytes_at_the_door(door)) > waiting + 100, "the reads are at the door", interval_s=0.001)
        self.wake(lab, [leader])
        bait.result()
        return [read.result() for read in reads]

    def test_a_read_that_comes_before_the_news_is_not_stale(self):
        lab = self.start_lab(coordinators=2)
        lab.found_again_with(*QUICK_ELECTIONS)
        table = lab.make_table("pause")
        readers = [lab.client(coordinator=2) for _ in range(READERS)]
        with concurrent.futures.ThreadPoolExecutor(2 * READERS) as pool:
            for number in range(ROUNDS):
                found = self.read_before_the_news(lab, table, number, pool, readers)
                self.assertEqual(set(found), {f"after-{number}"})
                lab.wait_rejoined(table)


if __name__ == "__main__":
    unittest.main()
