#!/usr/bin/env python3
"""A short chaos run with a seed of its own, and the judge on small histories. CLEAVE_CHAOS_MINUTES says how long (0.5)."""

import os
import subprocess
import sys
import unittest

from chaos_lab import ROOT, program

from cluster_lab import SEED, say  # chaos_lab knows where it is

MINUTES = os.environ.get("CLEAVE_CHAOS_MINUTES", "0.5")
GOOD = """\
put k a - 10 20 1
put k b a 30 40 1
eventual k a - 50 60 2
get k b - 50 60 3
put hot-1 a - 10 20 1
put hot-1 b a 15 25 2
get hot-1 b - 30 40 3
put open o ? 10 ? 1
eventual open o - 20 30 2
get open o - 40 50 2
"""


class RunTest(unittest.TestCase):
    def test_a_short_run_holds(self):
        words = [sys.executable, os.path.join(ROOT, "tests", "chaos", "run_chaos.py"), "--minutes", MINUTES]
        answer = subprocess.run([*words, "--seed", str(SEED)], stderr=subprocess.PIPE, text=True, check=False)
        say(answer.stderr)
        self.assertEqual(answer.returncode, 0)


class JudgeTest(unittest.TestCase):
    def judge(self, history):
        answer = subprocess.run([program("chaos_judge")], input=history, capture_output=True, text=True, check=False)
        return answer.returncode, answer.stdout + answer.stderr

    def assert_wrong(self, words, *lines):
        status, said = self.judge(GOOD + "".join(line + "\n" for line in lines))
        self.assertEqual(status, 1, said)
        self.assertIn(words, said)

    def test_a_good_history_is_good(self):
        status, said = self.judge(GOOD)
        self.assertEqual(status, 0, said)
        self.assertIn("3 keys, 10 operations, 1 of unknown outcome, 2 eventual reads: 0 keys wrong", said)

    def test_a_stale_strong_read_is_found(self):
        self.assert_wrong("k: not linearizable", "get k a - 50 60 3")

    def test_a_fork_of_a_hot_key_is_found(self):
        self.assert_wrong("hot-1: fork", "put hot-1 c a 30 40 2")

    def test_an_eventual_read_of_nothing_ever_written_is_found(self):
        self.assert_wrong("nobody had written", "eventual k z - 50 60 2")
        self.assert_wrong("nobody had written", "eventual k late - 50 60 2", "put k late b 70 80 1")

    def test_what_an_eventual_read_saw_had_been_committed(self):
        # Strong reads prove that the open put had not counted when the eventual one returned.
        self.assert_wrong("other: not linearizable", "put other o ? 10 ? 1", "eventual other o - 20 30 2", "get other - - 40 50 2")

    def test_what_is_no_operation_is_refused(self):
        self.assertEqual(self.judge("nonsense\n")[0], 2)


if __name__ == "__main__":
    unittest.main()
