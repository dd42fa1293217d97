#!/usr/bin/env python3
"""Nodes are killed again and again under load, one by chance or all at once. Nothing acknowledged is lost; how soon they serve again.

CLEAVE_CRASH_SECONDS says how long (15 in CI), CLEAVE_CRASH_MEGABYTES how much data there is before (0).
"""

import os
import threading
import time
import unittest

from chaos_lab import ChaosLab
from chaos_load import pick_seeded

from cluster_lab import SEED, ClusterTest, say  # chaos_lab knows where it is
from history import put_item

DURATION_S = float(os.environ.get("CLEAVE_CRASH_SECONDS", "15"))
MEGABYTES = int(os.environ.get("CLEAVE_CRASH_MEGABYTES", "0"))
ALL_AT_ONCE_SHARE = 0.3
BALLAST_SIZE = 300_000


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


class CrashLoopTest(ClusterTest):
    def start_chaos_lab(self):
        lab = ChaosLab(os.path.join(self.scratch, "lab"), SEED, on_network=False)
        self.addCleanup(self.end_lab, lab)
        lab.up()
        return lab

    def fill(self, lab, table):
        """Data in logs and files, so that there is something to recover."""
        client = lab.client()
        for number in range(MEGABYTES * 1_000_000 // BALLAST_SIZE):
            client.put_item(TableName=table, Item=put_item(f"ballast-{number}", "x" * BALLAST_SIZE))

    def restart(self, lab, names):
        """The seconds until all of them serve again: until each has the catalog and says that it is healthy."""
        began = time.monotonic()
        for name in names:
            lab.start(name)
        for name in names:
            lab.wait_healthy(name)
        return time.monotonic() - began

    def test_nothing_acknowledged_is_lost_in_a_crash_loop(self):
        rng = pick_seeded(SEED, "crash")
        lab = self.start_chaos_lab()
        table = lab.make_table("crash")
        self.fill(lab, table)
        load = self.start_load(lab, table, ledger_clients=2, keys=("a", "b", "c", "d"), pace_s=0.01)
        pacing = threading.Event()  # the chaos itself has a rhythm; no check depends on it
        one, all_at_once = [], []
        deadline = time.monotonic() + DURATION_S
        while time.monotonic() < deadline:
            is_all = rng.random() < ALL_AT_ONCE_SHARE
            names = lab.node_names() if is_all else [rng.choice(lab.node_names())]
            self.assertEqual(lab.died(), [])
            lab.kill_all_at_once(names)
            pacing.wait(rng.choice((0, 0, 0.3)))
            (all_at_once if is_all else one).append(self.restart(lab, names))
            pacing.wait(rng.uniform(0, 0.5))
        self.say_times("one node", one)
        self.say_times("all nodes", all_at_once)
        self.wait_progress(load)
        self.assertEqual(lab.died(), [])
        self.judge(load, lab.client(), may_fail=True)

    def say_times(self, what, times):
        if times:
            say(
                f"  {what}: {len(times)} kills, serving again after {percentile(times, 0.5):.2f} s,"
                f" {percentile(times, 0.99):.2f} s at most but for one in a hundred"
            )


if __name__ == "__main__":
    unittest.main()
