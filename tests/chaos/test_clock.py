#!/usr/bin/env python3
"""The wall clock of one node jumps, strobes, runs fast and slow, while it leads under load: no strong read is stale, writes go on.

Leases are on: they must stand on the monotonic clock alone. Needs libfaketime (package faketime); says so where it is not.
"""

import glob
import os
import shutil
import time
import unittest
import unittest.mock

from chaos_lab import ChaosLab
from chaos_load import pick_seeded

from cluster_lab import SEED, ClusterTest, say  # chaos_lab knows where it is

LIBRARIES = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
SKEWED = "node-2"
JUMPS = ("+0.1s", "-0.2s", "+0.25s", "-0.5s", "+5s", "-5s", "+3600s", "-3600s", "+0s x1.5", "+0s x0.5", "+0s")
HOLD_S = float(os.environ.get("CLEAVE_CLOCK_SECONDS", "1"))
STROBES = 20
GAP_S_MAX = 10  # liveness; a leader that is changed on purpose meanwhile costs less


class ClockTest(ClusterTest):
    def setUp(self):
        super().setUp()
        if not LIBRARIES:
            say("  SKIPPED: clocks: libfaketime is not installed")
            self.skipTest("libfaketime is not installed")

    def set_clock(self, text):
        """libfaketime looks at the file again and again."""
        with open(self.clock + ".tmp", "w", encoding="ascii") as file:
            file.write(text + "\n")
        os.replace(self.clock + ".tmp", self.clock)

    def start_skewed_lab(self):
        lab = ChaosLab(os.path.join(self.scratch, "lab"), SEED, on_network=False)
        self.addCleanup(self.end_lab, lab)
        self.make_in_the_past(lab)
        self.clock = lab.path("clock")
        self.set_clock("+0s")
        lab.environment[SKEWED] = {
            "LD_PRELOAD": LIBRARIES[0],
            "FAKETIME_TIMESTAMP_FILE": self.clock,
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_CACHE_DURATION": "1",
        }
        lab.flags = {name: ["--leases"] for name in lab.node_names()}
        lab.found_again()
        return lab

    def make_in_the_past(self, lab):
        """A lab whose certificates are valid for a clock that is behind, too: its openssl lives two days ago."""
        tools = os.path.join(self.scratch, "tools")
        os.makedirs(tools)
        path = os.path.join(tools, "openssl")
        with open(path, "w", encoding="ascii") as file:
            file.write(f'#!/bin/sh\nLD_PRELOAD={LIBRARIES[0]} FAKETIME=-2d exec {shutil.which("openssl")} "$@"\n')
        os.chmod(path, 0o700)
        with unittest.mock.patch.dict(os.environ, PATH=f"{tools}:{os.environ['PATH']}"):
            lab.up()

    def seen_day(self, lab):
        """The day in the last line of the node's log: does the fake clock reach it?"""
        return lab.log(SKEWED).splitlines()[-1][:10]

    def lead(self, lab, table):
        lab.known.clear()
        lab.lead_from(table, SKEWED)

    def test_wall_clocks_decide_nothing(self):
        rng = pick_seeded(SEED, "clock")
        lab = self.start_skewed_lab()
        table = lab.make_table("clock")
        load = self.start_load(lab, table, keys=("a", "b", "c"))
        began_ns = time.monotonic_ns()
        for jump in JUMPS:
            self.lead(lab, table)
            self.set_clock(jump)
            time.sleep(HOLD_S)  # how long the clock stays so
            self.wait_progress(load)
        for _ in range(STROBES):
            self.set_clock(f"+{rng.uniform(0, 0.2):.3f}s")
            time.sleep(0.1)
        # A restart with a clock far ahead, then one with a clock that went back.
        for text in ("+1.5d", "-1.5d"):
            self.set_clock(text)
            lab.kill(SKEWED)
            lab.start(SKEWED)
            lab.wait_healthy(SKEWED)
            self.lead(lab, table)
            self.wait_progress(load)
        self.assertNotEqual(self.seen_day(lab), time.strftime("%Y-%m-%d", time.gmtime()))
        self.assertEqual(lab.died(), [])
        gap_s = load.write_gap_s(began_ns)
        say(f"  {len(JUMPS)} jumps, {STROBES} strobes, {gap_s:.2f} s without a write at most")
        self.assertLess(gap_s, GAP_S_MAX)
        self.judge(load, lab.client())


if __name__ == "__main__":
    unittest.main()
