#!/usr/bin/env python3
"""SIGKILL of a node while clients work: they go on, nothing is lost, nothing is out of order.

CLEAVE_KILL_ROUNDS says how often the leader (20), a quarter as often a follower.
"""

import os
import statistics
import time
import unittest

from cluster_lab import ClusterTest, say

ROUNDS = int(os.environ.get("CLEAVE_KILL_ROUNDS", "20"))
# Liveness only: the gap itself is measured by benchmarks on a quiet machine.
GAP_S_MAX = 10


class KillTest(ClusterTest):
    def kill_rounds(self, round_count, choose):
        lab = self.start_lab()
        table = lab.make_table("kill")
        load = self.start_load(lab, table)
        gaps = []
        for _ in range(round_count):
            victim = choose(lab.only_partition(table))
            killed_ns = time.monotonic_ns()
            lab.kill_all_at_once([victim])
            self.wait_progress(load)
            gaps.append(load.write_gap_s(killed_ns))
            lab.start_with(victim)  # quicker than deploy/lab, which waits for its answer
            lab.wait_rejoined(table)
        say("  write gaps:", " ".join(f"{gap:.3f}" for gap in gaps), "s")
        say(f"  median {statistics.median(gaps):.3f} s, longest {max(gaps):.3f} s")
        self.assertLess(max(gaps), GAP_S_MAX)
        self.judge(load, lab.client())

    def test_clients_go_on_when_the_leader_is_killed(self):
        self.kill_rounds(ROUNDS, lambda partition: partition.leader)

    def test_clients_go_on_when_a_follower_is_killed(self):
        self.kill_rounds((ROUNDS + 3) // 4, lambda partition: partition.followers()[0])


if __name__ == "__main__":
    unittest.main()
