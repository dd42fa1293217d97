#!/usr/bin/env python3
"""An eventual read may be stale, a strong one never: shown with one replica that applies late.

The coordinator stands in the slow replica's zone, so its eventual reads go there.
"""

import unittest

from cluster_lab import ClusterTest, say, wait_for
from history import put_item, value_of

SLOW = "node-1"
DELAY_MS = 1500
ROUNDS = 5


class StaleReadTest(ClusterTest):
    def read(self, is_consistent):
        answer = self.client.get_item(TableName=self.table, Key={"pk": {"S": "k"}}, ConsistentRead=is_consistent)
        return value_of(answer.get("Item"))

    def put(self, value):
        self.client.put_item(TableName=self.table, Item=put_item("k", value))

    def test_only_eventual_reads_are_stale(self):
        lab = self.start_lab()
        self.assertEqual(lab.zone_of(SLOW), lab.zone_of("coordinator-1"))
        self.client = lab.client()
        self.table = lab.make_table("stale")
        self.put("first")
        lab.lead_from(self.table, "node-2")
        wait_for(lambda: self.read(False) == "first", "the first value is everywhere")
        lab.set_fault(SLOW, "apply-delay", "--delay-ms", str(DELAY_MS))
        stale_count = 0
        for number in range(ROUNDS):
            value = f"value-{number}"
            self.put(value)
            stale_count += self.read(False) != value
            self.assertEqual(self.read(True), value)
            wait_for(lambda value=value: self.read(False) == value, f"an eventual read finds {value}")
        say(f"  {stale_count} of {ROUNDS} eventual reads were stale")
        self.assertGreater(stale_count, 0)
        lab.set_fault(SLOW, "apply-delay")


if __name__ == "__main__":
    unittest.main()
