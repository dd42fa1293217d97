#!/usr/bin/env python3
"""The power is cut: of one node, of all at once. What was synced is there, the rest is a random part; no acknowledged write is lost.

CLEAVE_POWER_CUTS says how often (4). The same with a disk that answers syncs without doing them must lose something, or
the test proves nothing.
"""

import os
import random
import unittest

import power_cut
from chaos_lab import ChaosLab, program
from chaos_load import pick_seeded

from cluster_lab import SEED, ClusterTest, say, wait_for  # chaos_lab knows where it is
from history import value_of

CUTS = int(os.environ.get("CLEAVE_POWER_CUTS", "4"))
LYING_CUTS_MAX = 20
WRITES_BETWEEN = 60


class PowerCutTest(ClusterTest):
    def start_powered_lab(self, lies):
        """Nodes on forgetful disks."""
        lab = ChaosLab(os.path.join(self.scratch, "lab"), SEED, on_network=False)
        self.addCleanup(self.end_lab, lab)
        lab.up()
        lab.kill_all_at_once(lab.node_names())
        for name in lab.node_names():
            os.makedirs(lab.path("disk", name))
            lab.environment[name] = {
                "LD_PRELOAD": program("libpower_cut.so"),
                "POWER_CUT_DIR": lab.path("data", name),
                "POWER_CUT_DISK": lab.path("disk", name),
                **({"POWER_CUT_LIES": "1"} if lies else {}),
            }
        lab.start_all()
        return lab

    def cut(self, lab, names, rng, with_note=True):
        lab.kill_all_at_once(names)
        for name in names:
            power_cut.cut_power(lab.path("data", name), lab.path("disk", name), rng)
            note = lab.path("data", name, "SYNCED")
            if not with_note and os.path.exists(note):
                os.unlink(note)
        for name in names:
            lab.start(name)

    def wait_serving(self, lab, names):
        for name in names:
            wait_for(lambda name=name: lab.died() or lab.is_healthy(name), f"{name} is healthy", interval_s=0.02)
        self.assertEqual(lab.died(), [], [lab.log_since_start(name)[-2000:] for name in lab.died()])

    def victims(self, lab, number, rng):
        return lab.node_names() if number % 2 else [rng.choice(lab.node_names())]

    def test_a_power_cut_takes_nothing_that_was_acknowledged(self):
        rng = pick_seeded(SEED, "power")
        lab = self.start_powered_lab(lies=False)
        table = lab.make_table("power")
        load = self.start_load(lab, table, ledger_clients=3)
        for number in range(CUTS):
            self.wait_progress(load, WRITES_BETWEEN)
            names = self.victims(lab, number, rng)
            self.cut(lab, names, rng)
            self.wait_serving(lab, names)
            if len(names) == 1:
                lab.wait_converged()  # one node away at a time
        self.wait_progress(load)
        say(f"  {CUTS} power cuts")
        self.judge(load, lab.client(), may_fail=True)

    def lie_until_found_out(self, with_note):
        rng = pick_seeded(SEED, "lies")
        lab = self.start_powered_lab(lies=True)
        table = lab.make_table("power")
        load = self.start_load(lab, table, ledger_clients=3)
        for number in range(LYING_CUTS_MAX):
            self.wait_progress(load, WRITES_BETWEEN)
            self.cut(lab, lab.node_names(), rng, with_note)
            reason = self.is_found_out(lab, load)
            if reason:
                say(f"  found out at cut {number + 1}: {reason}")
                return
        self.fail("nobody noticed that nothing was synced")

    def test_a_disk_that_lies_is_found_out(self):
        """By the nodes, which noted how far they had synced."""
        self.lie_until_found_out(with_note=True)

    def test_a_disk_that_lies_loses_what_was_acknowledged(self):
        """Without that note the judgement of this test must notice."""
        self.lie_until_found_out(with_note=False)

    def is_found_out(self, lab, load):
        """Why: a node refuses its folder, or what was acknowledged is gone. Empty if neither."""
        wait_for(
            lambda: lab.died() or all(lab.is_healthy(name) for name in lab.node_names()), "the nodes serve or refuse"
        )
        if lab.died():
            return f"{' '.join(lab.died())} refused"
        client = lab.client()
        written = dict(load.ledger)
        try:
            lost = [key for key, (value, _) in written.items() if self.read(client, load.table, key) != value]
        except client.exceptions.ResourceNotFoundException:
            return "the table is gone"
        return f"{len(lost)} of {len(written)} acknowledged writes are gone" if lost else ""

    def read(self, client, table, key):
        answer = client.get_item(TableName=table, Key={"pk": {"S": key}}, ConsistentRead=True)
        return value_of(answer.get("Item"))


class MixTest(unittest.TestCase):
    """What the cut makes of one file."""

    def test_what_was_synced_stays(self):
        rng = random.Random(1)
        synced = bytes(range(256)) * 9
        for _ in range(200):
            out = power_cut.mixed(synced, synced + b"x" * 3000, rng)
            self.assertEqual(out[: len(synced)], synced)
            self.assertLessEqual(len(out), len(synced) + 3000)

    def test_what_was_not_synced_is_kept_in_parts(self):
        rng = random.Random(2)
        outcomes = {power_cut.mixed(b"", b"x" * 4096, rng) for _ in range(200)}
        self.assertIn(b"", outcomes)
        self.assertIn(b"x" * 4096, outcomes)
        self.assertTrue(any(b"x" in out and b"\0" in out for out in outcomes))


if __name__ == "__main__":
    unittest.main()
