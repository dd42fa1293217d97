#!/usr/bin/env python3
"""A whole zone goes down under load and comes back, one zone after the other, with one and with two nodes in each."""

import unittest

from cluster_lab import ClusterTest


class ZoneTest(ClusterTest):
    def lose_each_zone(self, nodes_per_zone, zones):
        # A zone takes its coordinator along: clients use two, in az-a and az-b.
        lab = self.start_lab(nodes_per_zone=nodes_per_zone, coordinators=2)
        table = lab.make_table("zone")
        self.assertEqual(sorted(map(lab.zone_of, lab.only_partition(table).nodes)), ["az-a", "az-b", "az-c"])
        load = self.start_load(lab, table, coordinators=(1, 2), ledger_clients=2)
        for zone in zones:
            lab.zone_down(zone)
            self.assertTrue(all(lab.zone_of(name) != zone for name in lab.running_nodes()))
            self.wait_progress(load)
            lab.zone_up(zone)
            lab.wait_rejoined(table)
            self.wait_progress(load)
        self.judge(load, lab.client(), may_fail=True)

    def test_clients_go_on_without_a_zone(self):
        self.lose_each_zone(1, ["az-a", "az-b", "az-c"])

    def test_clients_go_on_without_a_zone_of_two_nodes(self):
        self.lose_each_zone(2, ["az-a", "az-c"])


if __name__ == "__main__":
    unittest.main()
