#!/usr/bin/env python3
"""One-way links: each directed link between nodes is cut in turn, then one flaps. Leaders stay or are replaced, terms do not run away.

Root and TUN only; says so where that cannot be had.
"""

import os
import time
import unittest

import chaos_net
from chaos_lab import ChaosLab
from chaos_load import pick_seeded

from cluster_lab import SEED, ClusterTest, say  # chaos_lab knows where it is

CUT_S = float(os.environ.get("CLEAVE_CUT_SECONDS", "2"))
ELECTION_TIMEOUT_S = 1.0
# Two election timeouts, and one for a loaded machine and its clients.
GAP_S_MAX = 3 * ELECTION_TIMEOUT_S
TERMS_PER_CUT_MAX = 3  # a cut that goes on for a minute is one cut


class LinkTest(ClusterTest):
    @classmethod
    def setUpClass(cls):
        reason = chaos_net.why_not()
        if reason:
            say(f"  SKIPPED: one-way links: {reason}")
            raise unittest.SkipTest(reason)
        chaos_net.enter()

    def start_chaos_lab(self):
        lab = ChaosLab(os.path.join(self.scratch, "lab"), SEED)
        self.addCleanup(self.end_lab, lab)
        self.addCleanup(lab.close)
        lab.up()
        return lab

    def term(self):
        replicas = self.lab.status()[self.partition_id]
        return max(each["term"] for each in replicas.values())

    def leader(self):
        return self.lab.leaders().get(self.partition_id)

    def while_broken(self, said, break_it):
        """Break, wait, heal; how many terms went by, and the longest time without a write."""
        term, leader, began_ns = self.term(), self.leader(), time.monotonic_ns()
        break_it()
        self.lab.network.heal()
        self.wait_progress(self.load)
        self.lab.wait_converged()
        terms, gap_s = self.term() - term, self.load.write_gap_s(began_ns)
        say(f"  {said} ({leader} led): {terms} terms, {gap_s:.2f} s without a write")
        self.assertLessEqual(gap_s, GAP_S_MAX)
        self.assertLessEqual(terms, TERMS_PER_CUT_MAX)

    def start(self):
        self.lab = self.start_chaos_lab()
        table = self.lab.make_table("links")
        self.partition_id = self.lab.partitions(table)[0].partition_id
        self.load = self.start_load(self.lab, table)

    def cut(self, pairs):
        for source, target in pairs:
            self.lab.network.set_link(source, target, loss=1)
        time.sleep(CUT_S)  # how long the cut lasts; what is waited for comes after

    def test_no_one_way_cut_stops_the_writes(self):
        self.start()
        names = self.lab.node_names()
        for source in names:
            for target in names:
                if source != target:
                    pairs = [(source, target)]
                    self.while_broken(f"{target} does not hear {source}", lambda pairs=pairs: self.cut(pairs))
        leader = self.leader()
        others = [name for name in names if name != leader]
        deaf = [(other, leader) for other in others]
        self.while_broken(f"{leader} hears nobody", lambda: self.cut(deaf))
        leader = self.leader()
        mute = [(leader, other) for other in names if other != leader]
        self.while_broken(f"nobody hears {leader}", lambda: self.cut(mute))
        self.judge(self.load, self.lab.client(), may_fail=True)

    def test_a_flapping_link_does_not_drive_the_terms(self):
        self.start()
        rng = pick_seeded(SEED, "flap")
        source, target = rng.sample(self.lab.node_names(), 2)

        def flap():
            end = time.monotonic() + 2 * CUT_S
            while time.monotonic() < end:
                self.lab.network.set_link(source, target, loss=1)
                time.sleep(rng.uniform(0.1, 0.6))
                self.lab.network.set_link(source, target)
                time.sleep(rng.uniform(0.1, 0.4))

        self.while_broken(f"the link from {source} to {target} flaps", flap)
        self.judge(self.load, self.lab.client(), may_fail=True)


if __name__ == "__main__":
    unittest.main()
