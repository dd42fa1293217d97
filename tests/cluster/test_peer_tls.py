#!/usr/bin/env python3
"""Certificates between processes and towards clients: which are refused, which protocols are spoken, new ones without a restart."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import unittest

import peer
from cluster_lab import ROOT, ClusterTest, wait_for
from history import put_item

CERTIFICATES = os.path.join(ROOT, "deploy", "lab.d", "certificates.sh")


def shell(script):
    subprocess.run(["bash", "-c", f"set -euo pipefail\n. {CERTIFICATES}\n{script}"], check=True, capture_output=True)


class CertificatesTest(ClusterTest):
    def setUp(self):
        super().setUp()
        self.lab = self.start_lab()
        self.cluster_id = self.lab.cluster_id()
        self.tls = self.lab.path("tls")

    def connect(self, name, node="node-1", **versions):
        """The first answer to a hello of the tool's; None if there is none."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(os.path.join(self.tls, "ca.crt"))
        context.load_cert_chain(*(os.path.join(self.tls, f"{name}.{ending}") for ending in ("crt", "key")))
        for bound, version in versions.items():
            setattr(context, bound, version)
        try:
            with context.wrap_socket(peer.plain_connection(self.lab.node_port(node))) as connection:
                connection.sendall(peer.hello(self.cluster_id, peer.ROLE_TOOL))
                return peer.read_frame(connection)
        except (ConnectionError, ssl.SSLError):
            return None

    def shown(self, port):
        """The serial number of the certificate that a port shows to whoever asks."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
            text = ssl.DER_cert_to_PEM_cert(connection.getpeercert(binary_form=True))
        answer = subprocess.run(["openssl", "x509", "-noout", "-serial"], input=text, capture_output=True, text=True, check=True)
        return answer.stdout.strip()

    def make_expired(self, stem, name):
        """A certificate of the lab's own authority that was good until 2002."""
        shell(f"""cd {self.tls}
            certificate_key {stem}.key
            openssl req -new -sha256 -key {stem}.key -subj /CN={name} -out {stem}.csr
            touch index.txt
            cat >ca.conf <<END
[ca]
default_ca=a
[a]
database=index.txt
new_certs_dir=.
rand_serial=yes
default_md=sha256
policy=p
[p]
commonName=supplied
END
            openssl ca -batch -config ca.conf -in {stem}.csr -cert ca.crt -keyfile ca.key -out {stem}.crt -notext \\
                -startdate 20010101000000Z -enddate 20020101000000Z""")

    def test_what_is_not_a_peers_is_refused(self):
        self.assertEqual(self.connect("tool")[2], peer.ST_OK)
        self.make_expired("expired", "tool")
        self.assertIsNone(self.connect("expired"))
        # Of our own authority, but the one that clients see: it names nobody inside.
        self.assertEqual(self.connect("https")[2], peer.ST_DENIED)
        shell(f"certificate_create {self.tls} stranger mallory DNS:mallory")
        self.assertEqual(self.connect("stranger")[2], peer.ST_DENIED)
        shell(f"certificate_create {self.tls} padded tool/CN=node-2 DNS:tool")
        self.assertEqual(self.connect("padded")[2], peer.ST_DENIED)  # two names say nothing
        self.assertIsNone(self.connect("tool", maximum_version=ssl.TLSVersion.TLSv1_2))
        self.assertEqual(self.connect("tool", minimum_version=ssl.TLSVersion.TLSv1_3)[2], peer.ST_OK)
        self.assertEqual(self.lab.running_nodes(), self.lab.node_names())

    def reload(self, name, word):
        before = len(self.lab.log(name))
        os.kill(self.lab.pid(name), signal.SIGHUP)
        wait_for(lambda: word in self.lab.log(name)[before:], f"{name} says: {word}")

    def renew(self, stem):
        shell(f"certificate_create {self.tls} {stem} {stem} DNS:{stem},DNS:localhost,IP:127.0.0.1")

    def test_new_certificates_without_a_restart(self):
        table = self.lab.make_table("rotation")
        client = self.lab.client()
        pids = {name: self.lab.pid(name) for name in self.lab.node_names()}
        for name in self.lab.node_names():
            port = self.lab.node_port(name)
            old = self.shown(port)
            self.renew(name)
            self.assertEqual(self.shown(port), old)
            self.reload(name, "certificates read again")
            self.assertNotEqual(self.shown(port), old)
            client.put_item(TableName=table, Item=put_item(name, "after"))
        self.assertEqual({name: self.lab.pid(name) for name in self.lab.node_names()}, pids)
        with self.subTest("what cannot be used changes nothing"):
            port, old = self.lab.node_port("node-1"), self.shown(self.lab.node_port("node-1"))
            shutil.copy(os.path.join(self.tls, "node-2.key"), os.path.join(self.tls, "node-1.key"))
            self.reload("node-1", "certificates kept")
            self.assertEqual(self.shown(port), old)
        self.renew("coordinator")
        coordinator = self.lab.coordinator_names()[0]
        self.reload(coordinator, "files read again")
        # A connection that breaks is made again with the new certificate.
        self.renew("node-1")
        self.lab.kill("node-1")
        self.lab.start("node-1")
        self.lab.wait_rejoined(table)
        client.put_item(TableName=table, Item=put_item("k", "at last"))

    def test_clients_see_a_new_certificate_without_a_restart(self):
        coordinator, port = self.lab.coordinator_names()[0], self.lab.free_port()
        files = (f"--https-cert={self.tls}/https.crt", f"--https-key={self.tls}/https.key")
        self.lab.kill(coordinator)
        self.lab.start_with(coordinator, f"--https-listen=127.0.0.1:{port}", *files)
        wait_for(lambda: "started" in self.lab.log_since_start(coordinator), "the coordinator is up")
        old = self.shown(port)
        standing = socket.create_connection(("127.0.0.1", int(port)), timeout=10)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(os.path.join(self.tls, "ca.crt"))
        with context.wrap_socket(standing, server_hostname="localhost") as client:
            shell(f"certificate_create {self.tls} https localhost DNS:localhost,IP:127.0.0.1")
            self.reload(coordinator, "files read again")
            self.assertNotEqual(self.shown(port), old)
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 200 "))  # who was here stays
        new = self.shown(port)
        with open(os.path.join(self.tls, "https.key"), "w", encoding="ascii") as file:
            file.write("no key")
        self.reload(coordinator, "tls-unusable")
        self.assertEqual(self.shown(port), new)


if __name__ == "__main__":
    unittest.main()
