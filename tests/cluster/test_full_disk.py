#!/usr/bin/env python3
"""A node's disk fills up under load: others lead what it led, clients notice nothing, and with room it takes part again.

Once with a small file system of its own (root only), once with the fault point, which needs nothing. Where all disks are
full, writes are refused and nothing moves.
"""

import os
import subprocess
import time
import unittest

import botocore.exceptions
from cluster_lab import ClusterTest, Partition, say, wait_for
from history import put_item

FULL = "node-1"
DISK_SIZE = "400m"
RESERVE = "330MB"
FREE_BYTES_LEFT = 200_000_000
IS_FULL, HAS_ROOM = "disk is full", "disk has room again"
CERTAIN = ("--per-million", "1000000")
WRITE_GAP_S_MAX = 5
CATALOG = "1"


class FullDiskTest(ClusterTest):
    def lead(self, partition_id):
        """Which node leads the group; None for the moment that nobody does."""
        return self.lab.leader_of(Partition(int(partition_id), "", None, tuple(self.lab.node_names())))

    def lead_catalog_from(self, name):
        def try_it():
            words = ["transfer", "--partition", CATALOG, "--to", name.removeprefix("node-")]
            return self.lead(CATALOG) == name or (self.lab.tool(*words, check=False) and False)

        wait_for(try_it, f"{name} leads the catalog")

    def start_table(self):
        """A table, and the catalog, led by the node whose disk fills up."""
        self.client = self.lab.client(attempts=1)
        self.lab.make_table("here")
        self.lab.lead_from("here", FULL)
        self.lead_catalog_from(FULL)
        self.partition_id = self.lab.only_partition("here").partition_id

    def fail_to_put(self):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            self.client.put_item(TableName="here", Item=put_item("refused", "refused"))
        answer = caught.exception.response
        self.assertEqual(answer["Error"]["Code"], "InternalServerError")
        self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], 500)
        self.assertIn("out of disk space", answer["Error"]["Message"])

    def wait_log(self, name, word, since):
        wait_for(lambda: word in self.lab.log(name)[since:], f"{name} says '{word}'")

    def while_full(self, make_full, make_room):
        """All that holds while the disk is full and after."""
        pid = self.lab.pid(FULL)
        since = len(self.lab.log(FULL))
        load = self.start_load(self.lab, "here")
        began_ns = time.monotonic_ns()
        make_full()
        self.wait_log(FULL, IS_FULL, since)
        for partition_id in (self.partition_id, CATALOG):
            wait_for(lambda p=partition_id: self.lead(p) not in (None, FULL), f"another leads {partition_id}", 10)
        self.wait_progress(load)
        words = ["--partition", str(self.partition_id), "--to", FULL.removeprefix("node-")]
        self.assertIn("ST_NO_SPACE", self.lab.tool("transfer", *words, check=False).stderr)
        self.lab.make_table("made-meanwhile")
        self.wait_progress(load)
        make_room()
        self.wait_log(FULL, HAS_ROOM, since)
        self.lab.wait_rejoined("here")
        self.lab.lead_from("here", FULL)
        self.wait_progress(load)
        gap_s = load.write_gap_s(began_ns)
        say(f"  the longest time without a write was {gap_s:.2f} s")
        self.assertLess(gap_s, WRITE_GAP_S_MAX)
        self.assertEqual(self.lab.pid(FULL), pid)
        self.judge(load, self.client)

    def set_full(self, *names):
        for name in names:
            self.lab.set_fault(name, "disk-full", *CERTAIN)

    def set_room(self, *names):
        for name in names:
            self.lab.set_fault(name, "disk-full")

    def test_others_lead_while_the_fault_point_says_full(self):
        self.lab = self.start_lab()
        self.start_table()
        self.while_full(lambda: self.set_full(FULL), lambda: self.set_room(FULL))

    def test_leadership_ends_at_the_one_disk_that_has_room(self):
        self.lab = self.start_lab()
        self.start_table()
        names = self.lab.node_names()
        self.client.put_item(TableName="here", Item=put_item("before", "before"))
        self.set_full(*names[:2])
        for partition_id in (self.partition_id, CATALOG):
            wait_for(lambda p=partition_id: self.lead(p) == names[2], f"{names[2]} leads {partition_id}")
        self.fail_to_put()  # two of three would not take it
        self.set_full(names[2])
        self.wait_log(names[2], IS_FULL, 0)
        terms = [self.lab.replica(name, self.partition_id)["term"] for name in names]
        self.fail_to_put()
        answer = self.client.get_item(TableName="here", Key={"pk": {"S": "before"}}, ConsistentRead=True)
        self.assertIn("Item", answer)
        # Ten seconds later, with all disks full, nothing has moved.
        self.assertEqual([self.lab.replica(name, self.partition_id)["term"] for name in names], terms)
        self.set_room(*names[:2])
        self.client.put_item(TableName="here", Item=put_item("after", "after"))

    def mount(self, folder):
        """A small file system; a skip that says why where that cannot be had."""
        os.makedirs(folder)
        if os.geteuid() != 0:
            self.skip_loudly("only root can mount a small file system")
        words = ["mount", "-t", "tmpfs", "-o", f"size={DISK_SIZE}", "cleave-test", folder]
        answer = subprocess.run(words, capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            self.skip_loudly(f"a small file system cannot be mounted: {answer.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "--lazy", folder], check=True)

    def skip_loudly(self, reason):
        say(f"  SKIPPED: {self.id()}: {reason}")
        self.skipTest(reason)

    def fill(self, ballast):
        """Leave less free than the reserve, but enough to live on."""
        disk = os.statvfs(os.path.dirname(ballast))
        size = disk.f_bavail * disk.f_frsize - FREE_BYTES_LEFT
        with open(ballast, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)

    def test_others_lead_while_a_small_disk_is_full(self):
        folder = os.path.join(self.scratch, "lab", "data", FULL)
        self.mount(folder)
        self.lab = self.start_lab()
        self.lab.kill(FULL)
        self.lab.start_with(FULL, "--reserve", RESERVE)
        self.start_table()
        ballast = os.path.join(folder, "ballast")
        self.while_full(lambda: self.fill(ballast), lambda: os.unlink(ballast))
        self.lab.kill_all_at_once(self.lab.node_names())
        self.lab.up()
        self.lab.wait_rejoined("here")


if __name__ == "__main__":
    unittest.main()
