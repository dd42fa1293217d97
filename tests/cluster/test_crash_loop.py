#!/usr/bin/env python3
"""Random nodes are killed every one or two seconds under load. CLEAVE_CRASH_SECONDS says how long (30)."""

import os
import random
import threading
import time
import unittest

from cluster_lab import SEED, ClusterTest, say

DURATION_S = float(os.environ.get("CLEAVE_CRASH_SECONDS", "30"))


class CrashLoopTest(ClusterTest):
    def test_nothing_acknowledged_is_lost_in_a_crash_loop(self):
        rng = random.Random(SEED)
        lab = self.start_lab()
        table = lab.make_table("crash")
        load = self.start_load(lab, table, ledger_clients=2, keys=("a", "b", "c", "d"), pace_s=0.01)
        pacing = threading.Event()  # the chaos itself has a rhythm; no check depends on it
        kills = 0
        deadline = time.monotonic() + DURATION_S
        while time.monotonic() < deadline:
            victim = rng.choice(lab.node_names())
            lab.kill(victim)
            kills += 1
            pacing.wait(rng.choice((0, 0.3, 1)))
            lab.start(victim)
            pacing.wait(rng.uniform(0.3, 0.8))
        say(f"  {kills} kills")
        lab.up()
        self.wait_progress(load)
        self.judge(load, lab.client(), may_fail=True)


if __name__ == "__main__":
    unittest.main()
