#!/usr/bin/env python3
"""A node's disk fills up: its partitions refuse writes and go on reading, others go on, and with room all is well again.

Once with a small file system of its own (root only), once with the fault point, which needs nothing.
"""

import os
import subprocess
import unittest

import botocore.exceptions
from cluster_lab import ClusterTest, say, wait_for
from history import put_item, value_of

FULL = "node-1"
DISK_SIZE = "400m"
RESERVE = "330MB"
FREE_BYTES_LEFT = 300_000_000
IS_FULL, HAS_ROOM = "disk is full", "disk has room again"


class FullDiskTest(ClusterTest):
    def start_tables(self):
        """Two tables: one led by the node whose disk fills up, one by another."""
        self.client = self.lab.client(attempts=1)
        for table, leader in (("here", FULL), ("elsewhere", "node-2")):
            self.lab.make_table(table)
            self.lab.lead_from(table, leader)
        self.written = {"here": [], "elsewhere": []}
        for table in self.written:
            self.put(table)

    def put(self, table):
        value = f"{table}-{len(self.written[table])}"
        self.client.put_item(TableName=table, Item=put_item(value, value))
        self.written[table].append(value)

    def missing(self):
        """Acknowledged values that a strong read does not find."""
        found = []
        for table, values in self.written.items():
            for value in values:
                answer = self.client.get_item(TableName=table, Key={"pk": {"S": value}}, ConsistentRead=True)
                if value_of(answer.get("Item")) != value:
                    found.append(value)
        return found

    def assert_put_refused(self):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            self.client.put_item(TableName="here", Item=put_item("refused", "refused"))
        answer = caught.exception.response
        self.assertEqual(answer["Error"]["Code"], "InternalServerError")
        self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], 500)

    def wait_log(self, word, since):
        wait_for(lambda: word in self.lab.log(FULL)[since:], f"{FULL} says '{word}'")

    def while_full(self, make_full, make_room):
        """All that holds while the disk is full and after."""
        pid = self.lab.pid(FULL)
        since = len(self.lab.log(FULL))
        make_full()
        self.wait_log(IS_FULL, since)
        self.lab.lead_from("here", FULL)
        self.assert_put_refused()
        self.assertEqual(self.missing(), [])
        self.put("elsewhere")
        make_room()
        self.wait_log(HAS_ROOM, since)
        self.put("here")
        self.assertEqual(self.missing(), [])
        self.assertEqual(self.lab.pid(FULL), pid)

    def test_the_fault_point_refuses_writes(self):
        self.lab = self.start_lab()
        self.start_tables()
        self.while_full(
            lambda: self.lab.set_fault(FULL, "disk-full", "--per-million", "1000000"),
            lambda: self.lab.set_fault(FULL, "disk-full"),
        )

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

    def test_a_small_disk_refuses_writes_before_it_is_full(self):
        folder = os.path.join(self.scratch, "lab", "data", FULL)
        self.mount(folder)
        self.lab = self.start_lab()
        self.lab.kill(FULL)
        self.lab.start_with(FULL, "--reserve", RESERVE)
        self.start_tables()
        ballast = os.path.join(folder, "ballast")
        self.while_full(lambda: self.fill(ballast), lambda: os.unlink(ballast))
        self.lab.kill_all_at_once(self.lab.node_names())
        self.lab.up()
        self.assertEqual(self.missing(), [])


if __name__ == "__main__":
    unittest.main()
