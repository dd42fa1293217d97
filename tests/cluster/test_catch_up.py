#!/usr/bin/env python3
"""A follower is away until the log no longer reaches back to it: it is brought back by a snapshot, and counts again.

The nodes run with a short log (--log-keep), so that the test need not write tens of thousands of entries. Binaries that
do not have the flag leave the test out.
"""

import json
import os
import subprocess
import unittest

import burst
from cluster_lab import BINARIES, ClusterTest, say

LOG_KEEP = 100
PUTS_MAX = 20_000


def has_flag(flag):
    node = os.path.join(BINARIES, "cleave-node")
    return flag in subprocess.run([node, "--help"], capture_output=True, text=True, check=True).stdout


class CatchUpTest(ClusterTest):
    def write_past(self, lab, table, partition, last_index):
        """Write until the leader's log begins after last_index."""
        body = json.dumps({"TableName": table, "Item": {"pk": {"S": "burst"}, "v": {"S": "x" * 500}}}).encode()
        asked = 0

        def is_cut():
            nonlocal asked
            asked += 1
            self.assertLess(asked * LOG_KEEP, PUTS_MAX, "the log was never cut")
            return lab.replica(partition.leader, partition.partition_id)["first_index"] > last_index + 1

        count = burst.burst(lab.client(), body, is_cut, ask_every=LOG_KEEP)
        say(f"  the log was cut past index {last_index} after {count} puts")

    def test_a_follower_that_was_away_too_long_gets_a_snapshot_and_counts_again(self):
        if not has_flag("--log-keep"):
            say(f"  SKIPPED: {self.id()}: cleave-node has no --log-keep")
            self.skipTest("cleave-node has no --log-keep")
        lab = self.start_lab()
        table = lab.make_table("catch-up")
        lab.restart_nodes_with("--log-keep", str(LOG_KEEP))
        load = self.start_load(lab, table, ledger_clients=2)
        self.wait_progress(load, 100)
        partition = lab.only_partition(table)
        away, needed_later = partition.followers()
        lab.kill(away)
        last_index = lab.replica(partition.leader, partition.partition_id)["last_index"]
        self.write_past(lab, table, partition, last_index)
        before = len(lab.log(away))
        lab.start_with(away, "--log-keep", str(LOG_KEEP))
        lab.wait_rejoined(table)
        self.assertRegex(lab.log(away)[before:], f"installed.*group={partition.partition_id}")
        self.assertGreater(lab.replica(away, partition.partition_id)["first_index"], last_index + 1)
        # Two of three make a quorum: from here on each write and each strong read needs the one that was away.
        lab.kill(needed_later)
        self.wait_progress(load, 100)
        lab.start(needed_later)
        lab.wait_rejoined(table)
        lab.lead_from(table, away)
        self.wait_progress(load, 100)
        self.judge(load, lab.client())


if __name__ == "__main__":
    unittest.main()
