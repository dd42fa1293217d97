#!/usr/bin/env python3
"""SIGKILL of a node while clients work: they go on, nothing is lost, nothing is out of order.

CLEAVE_KILL_ROUNDS says how often (5).
"""

import os
import time
import unittest

from cluster_lab import ClusterTest, say

ROUNDS = int(os.environ.get("CLEAVE_KILL_ROUNDS", "5"))
# Liveness only: the gap itself is measured by benchmarks on a quiet machine.
GAP_S_MAX = 10


class KillTest(ClusterTest):
    def kill_rounds(self, choose):
        lab = self.start_lab()
        table = lab.make_table("kill")
        load = self.start_load(lab, table)
        gaps = []
        for _ in range(ROUNDS):
            victim = choose(lab.only_partition(table))
            killed_ns = time.monotonic_ns()
            lab.kill(victim)
            self.wait_progress(load)
            gaps.append(load.write_gap_s(killed_ns))
            lab.start(victim)
            lab.wait_rejoined(table)
        say("  write gaps:", " ".join(f"{gap:.3f}" for gap in gaps), "s")
        self.assertLess(max(gaps), GAP_S_MAX)
        self.judge(load, lab.client())

    def test_clients_go_on_when_the_leader_is_killed(self):
        self.kill_rounds(lambda partition: partition.leader)

    def test_clients_go_on_when_a_follower_is_killed(self):
        self.kill_rounds(lambda partition: partition.followers()[0])


if __name__ == "__main__":
    unittest.main()
