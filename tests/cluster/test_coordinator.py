#!/usr/bin/env python3
"""SIGKILL of a coordinator in the middle of requests: clients with the other one go on, no write takes effect twice."""

import time
import unittest

import linear
from cluster_lab import ClusterTest

ROUNDS_MAX = 8
SYNC_DELAY_MS = 20  # requests take so long that a kill meets some under way


class CoordinatorTest(ClusterTest):
    def test_the_death_of_a_coordinator_repeats_no_write(self):
        lab = self.start_lab(coordinators=2)
        table = lab.make_table("coordinator")
        for node in lab.node_names():
            lab.set_fault(node, "engine-sync", "--delay-ms", str(SYNC_DELAY_MS))
        # Without deletes and with ALL_OLD the versions of a key form one chain.
        options = {"coordinators": (1, 2), "ledger_clients": 2, "delete_share": 0, "pace_s": 0.001}
        load = self.start_load(lab, table, client_count=8, **options)
        for _ in range(ROUNDS_MAX):
            killed_ns = time.monotonic_ns()
            lab.kill("coordinator-1")
            self.wait_progress(load)
            self.assertLess(load.write_gap_s(killed_ns), 10)
            lab.start("coordinator-1")
            self.wait_progress(load)
            if load.unknown_count() >= 3:
                break
        self.assertGreater(load.unknown_count(), 0, "no kill met a request under way")
        self.judge(load, lab.client(), may_fail=True)
        self.judge_chains(load)

    def judge_chains(self, load):
        for key, operations in linear.by_key(load.operations).items():
            self.assertEqual(linear.check_chain(operations), [], key)
            self.assertNotEqual(linear.check_chain(self.with_one_put_repeated(operations)), [], key)

    def with_one_put_repeated(self, operations):
        """The same history as if some version had been replaced twice: the check must see it."""
        puts = [each for each in operations if each.kind == linear.PUT and each.is_known()]
        again = linear.dataclasses.replace(puts[-1], value="again", old=puts[0].old)
        return [*operations, again]


if __name__ == "__main__":
    unittest.main()
