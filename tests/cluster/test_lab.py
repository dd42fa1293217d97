#!/usr/bin/env python3
"""deploy/lab itself: starting twice, two labs side by side, breaking and healing, leaving nothing behind.

Runs the binaries of $CLEAVE_BIN, or those of build/release, which must be built.
"""

import os
import subprocess
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
LAB = os.path.join(ROOT, "deploy", "lab")
BINARIES = os.environ.get("CLEAVE_BIN", os.path.join(ROOT, "build", "release"))


def free_port():
    answer = subprocess.run(
        ["python3", os.path.join(ROOT, "deploy/lab.d/ports.py"), "one"], check=True, capture_output=True, text=True
    )
    return answer.stdout.strip()


class Lab:
    """One lab in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()

    def run(self, *words):
        environment = {**os.environ, "CLEAVE_BIN": BINARIES}
        return subprocess.run(
            [LAB, *words, "--dir", self.folder],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def up(self, *words):
        return self.run("up", "--port", self.port, *words)

    def states(self):
        """{process: (state, pid)} as `status` shows them."""
        rows = {}
        for line in self.run("status").stdout.splitlines()[1:]:
            if not line:
                break
            name, _, state, pid, _ = line.split()
            rows[name] = (state, pid)
        return rows

    def commands(self):
        """The command lines of all processes that mention this lab's folder."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().decode(errors="replace").split("\0")
            except OSError:
                continue
            if words[0].startswith(BINARIES) and any(self.folder in word for word in words):
                found.append(words)
        return found


class LabTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = scratch.name

    def lab(self, name="lab"):
        lab = Lab(os.path.join(self.scratch, name))
        self.addCleanup(lab.run, "down")
        return lab

    def done(self, answer):
        self.assertEqual(answer.returncode, 0, answer.stderr)
        return answer

    def refused(self, answer, words):
        self.assertNotEqual(answer.returncode, 0, answer.stdout)
        self.assertIn(words, answer.stderr)

    def test_up_prints_how_to_reach_it_and_does_nothing_the_second_time(self):
        lab = self.lab()
        first = self.done(lab.up())
        self.assertIn(f"export AWS_ENDPOINT_URL=http://127.0.0.1:{lab.port}\n", first.stdout)
        self.assertEqual(first.stdout.count("export "), 4)
        before = lab.states()
        self.assertEqual(set(before), {"node-1", "node-2", "node-3", "coordinator-1"})
        self.assertEqual(self.done(lab.up()).stdout, first.stdout)
        self.assertEqual(lab.states(), before)
        self.assertEqual(self.done(lab.run("env")).stdout, first.stdout.split("#")[0])

    def test_two_labs_do_not_disturb_each_other(self):
        one, two = self.lab("one"), self.lab("two")
        self.done(one.up())
        before = one.states()
        self.done(two.up("--tls", "--zones", "2", "--coordinators", "2"))
        self.done(two.run("down", "--wipe"))
        self.assertEqual(one.states(), before)

    def test_what_was_killed_or_paused_comes_back_with_up(self):
        lab = self.lab()
        self.done(lab.up())
        before = lab.states()
        self.done(lab.run("kill", "node-2"))
        self.done(lab.run("pause", "3"))
        states = lab.states()
        self.assertEqual([states[name][0] for name in sorted(before)], ["running", "running", "stopped", "paused"])
        self.refused(lab.run("kill", "node-2"), "node-2 does not run")
        self.done(lab.up())
        states = lab.states()
        self.assertEqual({state for state, _ in states.values()}, {"running"})
        self.assertEqual(states["node-1"], before["node-1"])
        self.assertNotEqual(states["node-2"], before["node-2"])

    def test_a_zone_goes_down_and_comes_up(self):
        lab = self.lab()
        self.done(lab.up("--nodes-per-zone", "2"))
        self.done(lab.run("zone-down", "az-b"))
        stopped = {name for name, (state, _) in lab.states().items() if state == "stopped"}
        self.assertEqual(stopped, {"node-2", "node-5"})
        self.done(lab.run("zone-up", "b"))
        self.assertEqual({state for state, _ in lab.states().values()}, {"running"})

    def test_down_leaves_no_process_and_wipe_no_folder(self):
        lab = self.lab()
        self.done(lab.up())
        self.done(lab.run("pause", "node-1"))
        self.assertEqual(len(lab.commands()), 4)
        self.done(lab.run("down"))
        self.assertEqual(lab.commands(), [])
        self.done(lab.run("down"))
        self.done(lab.run("down", "--wipe"))
        self.assertFalse(os.path.exists(lab.folder))

    def test_a_number_that_belongs_to_somebody_else_is_left_alone(self):
        lab = self.lab()
        self.done(lab.up())
        self.done(lab.run("down"))
        bystander = subprocess.Popen(["sleep", "60"])
        self.addCleanup(bystander.wait)
        self.addCleanup(bystander.kill)
        run = os.path.join(lab.folder, "run", "node-1")
        with open(run + ".pid", "w", encoding="ascii") as file:
            file.write(f"{bystander.pid}\n")
        with open(run + ".cmd", "wb") as file:
            file.write(b"cleave-node\0")
        self.assertEqual(lab.states()["node-1"][0], "stopped")
        self.refused(lab.run("kill", "node-1"), "does not run")
        self.done(lab.run("down"))
        self.assertIsNone(bystander.poll())

    def test_a_lab_keeps_its_shape(self):
        lab = self.lab()
        self.done(lab.up())
        self.refused(lab.up("--zones", "5"), "has zones 3, not 5")

    def test_a_taken_port_is_named(self):
        one, two = self.lab("one"), self.lab("two")
        self.done(one.up())
        two.port = one.port
        self.refused(two.up(), f"port {one.port}")

    def test_unknown_words_are_refused(self):
        lab = self.lab()
        self.refused(lab.run("fly"), "unknown command 'fly'")
        self.refused(lab.run("up", "--wings", "2"), "unknown option '--wings'")
        self.refused(lab.run("kill", "node-1"), "there is no lab in")
        self.done(lab.up())
        self.refused(lab.run("kill", "node-9"), "there is no 'node-9' here")
        self.refused(lab.run("zone-down", "az-x"), "there is no zone 'az-x' here")


if __name__ == "__main__":
    unittest.main()
