#!/usr/bin/env python3
"""All nodes stop: killed at once under load, or told to. Every acknowledged write is there when they come back."""

import unittest

from cluster_lab import ClusterTest

ROUNDS = 2


class RestartAllTest(ClusterTest):
    def test_acknowledged_writes_survive_the_death_of_all_nodes(self):
        lab = self.start_lab()
        table = lab.make_table("restart")
        load = self.start_load(lab, table, ledger_clients=3)
        for _ in range(ROUNDS):
            self.wait_progress(load, 150)
            lab.kill_all_at_once(lab.node_names())
            lab.up()
        self.wait_progress(load, 50)
        self.judge(load, lab.client(), may_fail=True)
        lab.down()
        lab.up()
        self.assertEqual(load.lost_writes(lab.client()), [])


if __name__ == "__main__":
    unittest.main()
