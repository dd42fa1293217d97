#!/usr/bin/env python3
"""Bits rot in the files of one stopped node: started again it refuses, or repairs itself, and never answers wrongly.

Every class of file, a bit flipped or the end cut off at places that the seed chooses; CLEAVE_ROT_ROUNDS says how often (1). Whatever happens
to that node, no acknowledged write is lost, and what the node itself would answer is right or an error.
"""

import os
import re
import shutil
import unittest

import botocore.exceptions
from chaos_lab import ChaosLab, wait_for
from chaos_load import pick_seeded

from cluster_lab import SEED, ClusterTest, say  # chaos_lab knows where it is
from history import put_item, value_of

ROUNDS = int(os.environ.get("CLEAVE_ROT_ROUNDS", "1"))
VICTIM = "node-2"
KEYS = 400
VALUE_SIZE = 1000
CLASSES = {
    "log": r"\d+\.log",
    "table": r"\d+\.sst",
    "manifest": r"MANIFEST-\d+",
    "current": r"CURRENT",
    "note": r"SYNCED",
}
REFUSED = ("is damaged", "cannot go on", "cannot start", "cannot be opened")
KEYS_PER_ROT = 30  # so that the log is never empty


def flip(path, rng):
    with open(path, "r+b") as file:
        at = rng.randrange(os.path.getsize(path))
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1 << rng.randrange(8)]))
    return f"bit flipped at {at}"


def cut(path, rng):
    size = os.path.getsize(path)
    kept = rng.randrange(size)
    os.truncate(path, kept)
    return f"cut from {size} to {kept} bytes"


class RotTest(ClusterTest):
    def start_chaos_lab(self):
        lab = ChaosLab(os.path.join(self.scratch, "lab"), SEED, on_network=False)
        self.addCleanup(self.end_lab, lab)
        lab.up()
        lab.remember_commands()
        return lab

    def fill(self):
        """Rows in table files of the victim and in its log."""
        self.write(KEYS // 2)
        self.lab.kill(VICTIM)  # what it recovers goes to table files
        self.lab.start(VICTIM)
        self.lab.wait_healthy(VICTIM)
        self.write(KEYS // 2)
        self.lab.wait_converged()

    def write(self, count):
        for number in range(len(self.written), len(self.written) + count):
            key = f"key-{number}"
            value = f"{key}-" + "x" * VALUE_SIZE
            self.client.put_item(TableName=self.table, Item=put_item(key, value))
            self.written[key] = value

    def damage(self, kind, how, rng):
        folder = self.lab.path("data", VICTIM)
        names = sorted(name for name in os.listdir(folder) if re.fullmatch(CLASSES[kind], name))
        names = [name for name in names if os.path.getsize(os.path.join(folder, name)) > 0]
        name = rng.choice(names)
        return f"{name}: {how(os.path.join(folder, name), rng)}"

    def settles(self):
        """The victim ended, or serves and has caught up."""
        if not self.lab.is_running(VICTIM):
            return "ended"
        if self.lab.is_healthy(VICTIM):
            try:
                self.lab.wait_converged(5)
                return "serves"
            except TimeoutError:
                return None
        return None

    def answers_of(self, client, is_strong):
        """(wrong answers, errors) of reads of all keys."""
        wrong, errors = [], 0
        for key, value in self.written.items():
            try:
                answer = client.get_item(TableName=self.table, Key={"pk": {"S": key}}, ConsistentRead=is_strong)
            except botocore.exceptions.ClientError:
                errors += 1
                continue
            if value_of(answer.get("Item")) != value:
                wrong.append(key)
        return wrong, errors

    def ask_the_victim(self, client, state):
        """Eventual reads in its zone, and strong ones with the victim as the leader."""
        self.assertEqual(self.answers_of(client, is_strong=False)[0], [], "a wrong eventual read")
        if state == "serves" and self.lab.is_running(VICTIM):
            words = ["--partition", str(self.partition_id), "--to", VICTIM.removeprefix("node-")]
            self.lab.tool("transfer", *words, check=False)
        wrong, errors = self.answers_of(client, is_strong=True)
        self.assertEqual(wrong, [], "a wrong strong read")
        return errors

    def one_rot(self, kind, how, rng, client):
        copy, folder = self.lab.path("saved"), self.lab.path("data", VICTIM)
        self.write(KEYS_PER_ROT)
        self.lab.wait_converged()
        self.lab.kill(VICTIM)
        shutil.copytree(folder, copy)
        try:
            said = self.damage(kind, how, rng)
            self.lab.start(VICTIM)
            state = wait_for(self.settles, f"{VICTIM} ended or serves, {said}", 60)
            errors = self.ask_the_victim(client, state)
            state = "serves" if self.lab.is_running(VICTIM) else "ended"
            say(f"  {said}: it {state}, {errors} errors")
            log = self.lab.log_since_start(VICTIM)
            if state == "ended":
                self.assertTrue(any(word in log for word in REFUSED), log[-2000:])
        finally:
            self.bring_back(copy, folder)

    def bring_back(self, copy, folder):
        """The folder as it was: nothing that it does not hold was acknowledged since."""
        self.lab.kill(VICTIM)
        shutil.rmtree(folder)
        os.rename(copy, folder)
        self.lab.start(VICTIM)
        self.lab.wait_healthy(VICTIM)
        self.lab.wait_converged()

    def test_rot_is_refused_or_repaired(self):
        rng = pick_seeded(SEED, "rot")
        self.lab = self.start_chaos_lab()
        self.table = self.lab.make_table("rot")
        self.partition_id = self.lab.partitions(self.table)[0].partition_id
        self.client = self.lab.client()
        self.written = {}
        self.fill()
        near = self.lab.client(coordinator=2)  # stands in the victim's zone
        self.assertEqual(self.lab.zone_of("coordinator-2"), self.lab.zone_of(VICTIM))
        for _ in range(ROUNDS):
            for kind in CLASSES:
                how = rng.choice((flip, cut))
                with self.subTest(kind=kind, how=how.__name__):
                    self.one_rot(kind, how, rng, near)
        wrong, errors = self.answers_of(self.client, is_strong=True)
        self.assertEqual((wrong, errors), ([], 0))


if __name__ == "__main__":
    unittest.main()
