#!/usr/bin/env python3
"""Two labs side by side: what happens to one does not reach the other."""

import unittest

import botocore.exceptions
from cluster_lab import ClusterTest, wait_for


class TwoLabsTest(ClusterTest):
    def test_two_labs_do_not_disturb_each_other(self):
        broken, calm = self.start_lab("broken"), self.start_lab("calm")
        for lab in (broken, calm):
            lab.make_table("same-name")
        pids = {name: calm.pid(name) for name in calm.node_names()}
        load = self.start_load(calm, "same-name")
        other_load = self.start_load(broken, "same-name", client_count=2)
        broken.kill(broken.only_partition("same-name").leader)
        self.wait_progress(load)
        broken.kill_all_at_once(broken.running_nodes())
        self.wait_progress(load)
        self.refuse_foreign_key(broken, calm)
        broken.up()
        self.wait_progress(other_load)
        self.judge(load, calm.client())
        other_load.stop()
        self.assertEqual(other_load.lost_writes(broken.client()), [])
        self.assertEqual(load.unknown_count(), 0)
        self.assertEqual({name: calm.pid(name) for name in calm.node_names()}, pids)
        broken.down()
        wait_for(lambda: calm.client().list_tables()["TableNames"] == ["same-name"], "the calm lab lists its table")

    def refuse_foreign_key(self, one, other):
        """The access key of one lab opens nothing in the other."""
        with open(one.path("credentials"), encoding="ascii") as file:
            foreign = file.read()
        with open(other.path("credentials"), encoding="ascii") as file:
            self.assertNotEqual(file.read(), foreign)
        client = other.client(attempts=1)
        key_id, secret = foreign.split()
        credentials = client._request_signer._credentials  # pylint: disable=protected-access
        credentials.access_key, credentials.secret_key = key_id, secret
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            client.list_tables()
        self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 400)


if __name__ == "__main__":
    unittest.main()
