"""The systems that people would pick instead, on the loopback address, each as it comes from its package."""

import base64
import json
import os
import shutil
import subprocess
import urllib.request

from bench_common import FOLDER, Server, free_ports, is_listening, wait_for

BODY_SIZE = 1024


def fresh_folder(name):
    path = os.path.join(FOLDER, name)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def first_line(*command):
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return (answer.stdout + answer.stderr).strip().split("\n")[0]


def versions():
    package = os.path.join(FOLDER, "npm", "node_modules", "dynalite", "package.json")
    found = {
        "etcd": first_line("etcd", "--version").removeprefix("etcd Version: "),
        "nginx": first_line("/usr/sbin/nginx", "-v").split("/")[-1],
        "redis": first_line("redis-server", "--version").split()[2].removeprefix("v="),
        "wrk": first_line("wrk", "-v").split()[1],
        "h2load": first_line("h2load", "--version").split("/")[-1],
        "node": first_line("node", "--version").removeprefix("v"),
    }
    with open(package, encoding="utf-8") as file:
        found["dynalite"] = json.load(file)["version"]
    return found


class Etcd:
    """One member or three, with default timing and a sync of every entry; only the size limit is raised."""

    def __init__(self, member_count):
        self.name = f"etcd{member_count}"
        self.folder = fresh_folder(self.name)
        ports = free_ports(2 * member_count)
        self.client_ports, peer_ports = ports[:member_count], ports[member_count:]
        peers = ",".join(f"m{i}=http://127.0.0.1:{port}" for i, port in enumerate(peer_ports))
        self.members = [
            Server(f"{self.name}-m{i}", self._command(i, self.client_ports[i], peer_ports[i], peers))
            for i in range(member_count)
        ]
        wait_for(lambda: all(map(self.is_healthy, self.client_ports)), f"{self.name} is healthy")

    def _command(self, number, client_port, peer_port, peers):
        client, own = f"http://127.0.0.1:{client_port}", f"http://127.0.0.1:{peer_port}"
        words = ["etcd", "--name", f"m{number}", "--data-dir", os.path.join(self.folder, f"m{number}")]
        words += ["--listen-client-urls", client, "--advertise-client-urls", client]
        words += ["--listen-peer-urls", own, "--initial-advertise-peer-urls", own]
        words += ["--initial-cluster", peers, "--initial-cluster-state", "new"]
        return words + ["--quota-backend-bytes", str(8 << 30), "--logger", "zap", "--log-level", "warn"]

    @property
    def pids(self):
        return [member.pid for member in self.members]

    def ask(self, port, path, body, timeout_s=2):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            return json.load(answer)

    def try_ask(self, port, path, body, timeout_s=2):
        try:
            return self.ask(port, path, body, timeout_s)
        except (OSError, ValueError):
            return None

    def is_healthy(self, port):
        """A strong read gets through."""
        return self.try_ask(port, "/v3/kv/range", {"key": base64.b64encode(b"none").decode()}) is not None

    def leader(self):
        """The index of the member that says it leads, or None."""
        for i, port in enumerate(self.client_ports):
            if self.members[i].process.poll() is None:
                status = self.try_ask(port, "/v3/maintenance/status", {}, 0.5)
                if status and status.get("leader") and status["leader"] == status["header"]["member_id"]:
                    return i
        return None

    def leader_port(self):
        return self.client_ports[wait_for(lambda: self.leader() is not None and [self.leader()], "etcd leads")[0]]

    def revision(self):
        status = self.ask(self.leader_port(), "/v3/kv/range", {"key": base64.b64encode(b"none").decode()})
        return int(status["header"]["revision"])

    def stop(self):
        for member in self.members:
            member.stop()


class Nginx:
    """One static file of 1 KB, with the settings of Debian's own nginx.conf that matter here."""

    CONFIG = """
worker_processes auto;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
daemon off;
events {{ worker_connections 768; }}
http {{
    sendfile on;
    tcp_nopush on;
    access_log off;
    keepalive_requests 1000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; root {folder}/html; }}
}}
"""

    def __init__(self):
        folder = fresh_folder("nginx")
        self.port = free_ports(1)[0]
        os.makedirs(os.path.join(folder, "html"))
        with open(os.path.join(folder, "html", "1k"), "wb") as file:
            file.write(b"n" * BODY_SIZE)
        os.chmod(folder, 0o755)
        config = os.path.join(folder, "nginx.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(("user root;" if os.getuid() == 0 else "") + self.CONFIG.format(folder=folder, port=self.port))
        self.server = Server("nginx", ["/usr/sbin/nginx", "-c", config])
        wait_for(lambda: self.server.check_runs() and is_listening(self.port), "nginx listens")

    @property
    def pids(self):
        children = f"/proc/{self.server.pid}/task/{self.server.pid}/children"
        with open(children, encoding="ascii") as file:
            return [self.server.pid, *map(int, file.read().split())]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/1k"

    def stop(self):
        self.server.stop()


class Redis:
    """Every write in the append-only file, synced before it is acknowledged."""

    def __init__(self):
        folder = fresh_folder("redis")
        self.port = free_ports(1)[0]
        words = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
        self.server = Server("redis", words + ["--appendonly", "yes", "--appendfsync", "always"])
        wait_for(lambda: self.server.check_runs() and is_listening(self.port), "redis listens")

    @property
    def pids(self):
        return [self.server.pid]

    def stop(self):
        self.server.stop()


class Dynalite:
    """In memory: it syncs nothing."""

    def __init__(self):
        self.port = free_ports(1)[0]
        script = os.path.join(FOLDER, "npm", "node_modules", "dynalite", "cli.js")
        self.server = Server("dynalite", ["node", script, "--port", str(self.port), "--createTableMs", "0"])
        wait_for(lambda: self.server.check_runs() and is_listening(self.port), "dynalite listens")
        self.env = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_REGION": "us-east-1"}

    @property
    def pids(self):
        return [self.server.pid]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.server.stop()
