#!/usr/bin/env python3
"""Break a cluster of real processes for some minutes, in ways that a seed decides, and prove that it kept its word.

    deploy/lab chaos [--minutes N] [--seed S] [--faults NAME,...]

Rounds of: fault, heal, converge, while clients work and write down what they saw. After the last round all of it is judged: no
acknowledged write lost, every key linearizable, replicas equal byte by byte, no process ended by itself, clean logs.
Needs nothing but the lab's packages; as root also cuts links and fills a real disk, otherwise it says what it leaves out.
"""

import argparse
import collections
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import chaos_net
import nemesis as faults
from chaos_lab import ChaosLab, program, wait_for
from chaos_load import ChaosLoad, pick_seeded

from cluster_lab import ROOT, say, table_status  # chaos_lab knows where it is

FAULT_S = (2, 8)
LONG_FAULT_S = 20  # now and then
LONG_SHARE = 0.1
PAIR_SHARE = 0.25
CALM_S = (0.5, 2)
PROGRESS_S = 30
CONVERGE_S = 90
SMALL_DISK = "node-3"
SMALL_DISK_SIZE = "900m"
CLIENTS = 8
CATALOG = 0
BAD_WORDS = ("CHECK failed", "check failed", "Sanitizer", "runtime error:", "Assertion", "SIGSEGV", "SIGABRT")


class Failure(Exception):
    """Something that must not be, in words."""


class Chaos:
    def __init__(self, options):
        self.options = options
        self.rng = pick_seeded(options.seed, "nemesis")
        self.scratch = tempfile.mkdtemp(prefix="cleave-chaos.")
        self.pacing = threading.Event()  # rhythm only; no check depends on it
        self.mounted = None
        self.load = None
        self.failures = []
        self.counts = collections.Counter()
        self.gaps = []
        reason = chaos_net.why_not()
        self.has_network = not reason
        if reason:
            say(f"chaos: links stay whole and disks are only said to be full: {reason}")
        else:
            chaos_net.enter()
        self.lab = ChaosLab(os.path.join(self.scratch, "lab"), options.seed, on_network=self.has_network)
        self.nemesis = None

    # --- before and after ---

    def set_up(self):
        if self.has_network:
            self.mount_small_disk()
        self.lab.up()
        self.nemesis = faults.Nemesis(self.lab, [SMALL_DISK] if self.mounted else [])
        self.nemesis.sleep = self.pacing.wait
        self.nemesis.wait_for = wait_for
        client = self.lab.client()
        client.create_table(
            TableName="chaos",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        wait_for(lambda: table_status(client, "chaos") == "ACTIVE", "the table is active")
        clients = [self.lab.client(1 + number % self.lab.coordinator_count, attempts=1) for number in range(CLIENTS)]
        self.load = ChaosLoad(clients, "chaos", self.options.seed).start()
        self.wait_progress("before the first fault")

    def mount_small_disk(self):
        folder = self.lab.path("data", SMALL_DISK)
        os.makedirs(folder)
        words = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_SIZE}", "cleave-chaos", folder]
        answer = subprocess.run(words, check=False, capture_output=True, text=True)
        if answer.returncode == 0:
            self.mounted = folder
        else:
            say(f"chaos: disks are only said to be full: {answer.stderr.strip()}")

    def tear_down(self):
        if self.load:
            self.load.stopping.set()
        self.lab.close()
        if self.mounted:
            subprocess.run(["umount", "--lazy", self.mounted], check=False)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def keep(self):
        kept = os.path.join(ROOT, "build", "chaos-logs", f"seed-{self.options.seed}")
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.lab.path("logs"), kept)
        if self.load:
            self.load.write_history(os.path.join(kept, "history"))
        return kept

    # --- rounds ---

    def choose(self):
        """The faults of a round."""
        if self.options.faults:
            return [self.rng.choice(self.options.faults)]
        pairs = [pair for pair in faults.PAIRS if self.has_network or not set(pair) & set(faults.LINK_FAULTS)]
        if self.rng.random() < PAIR_SHARE:
            return self.rng.choice(pairs)
        return [self.rng.choice(sorted(faults.FAULTS if self.has_network else faults.PROCESS_FAULTS))]

    def fault_length_s(self):
        return LONG_FAULT_S if self.rng.random() < LONG_SHARE else self.rng.uniform(*FAULT_S)

    def wait_progress(self, when, writes=30):
        target = self.load.acknowledged_count() + writes
        wait_for(
            lambda: self.load.acknowledged_count() >= target or self.load.problems, f"writes go on {when}", PROGRESS_S
        )
        if self.load.problems:
            raise Failure(f"{when} a client was told what it must not be: {self.load.problems[0]}")

    def run_round(self, number, began):
        names = self.choose()
        broke_ns, before = time.monotonic_ns(), self.load.operation_count()
        said = "; ".join(self.nemesis.strike(name, self.rng) for name in names)
        self.counts.update(names)
        self.pacing.wait(self.fault_length_s())
        self.expect_alive(said)
        self.nemesis.heal()
        self.wait_progress(f"after: {said}")
        converged_s = self.lab.wait_converged(CONVERGE_S)
        self.expect_alive(said)
        gap_s = self.load.write_gap_s(broke_ns)
        self.gaps.append((gap_s, said))
        say(
            f"{time.monotonic() - began:6.0f} s  round {number}: {said}; {self.load.operation_count() - before} operations,"
            f" {gap_s:.2f} s without a write, converged {converged_s:.1f} s after healing"
        )
        self.pacing.wait(self.rng.uniform(*CALM_S))

    def expect_alive(self, when):
        died = self.lab.died()
        if died:
            raise Failure(f"{' '.join(died)} ended without having been killed: {when}")

    def run(self):
        began = time.monotonic()
        self.set_up()
        say(f"{time.monotonic() - began:6.0f} s  a cluster of {len(self.lab.node_names())} nodes serves")
        number = 0
        began = time.monotonic()
        while time.monotonic() - began < 60 * self.options.minutes:
            number += 1
            self.run_round(number, began)
        self.counts["rounds"] = number
        self.judge()

    # --- the judgement ---

    def judge(self):
        self.load.stop()
        self.check("clients came to no surprise", lambda: self.load.problems)
        self.check("acknowledged writes are there", lambda: self.load.lost_writes(self.lab.client()))
        self.check("histories are linearizable", self.judge_history)
        self.check("a spoiled history is not", self.spoil_history)
        self.lab.wait_converged(CONVERGE_S)
        self.lab.stop_nodes()
        self.check("replicas are equal", self.compare_replicas)
        self.check("logs are clean", self.bad_lines)
        self.summarize()

    def check(self, what, find_faults):
        began = time.monotonic()
        found = find_faults()
        say(f"  {'FAILED' if found else 'ok':6} {what} ({time.monotonic() - began:.1f} s)")
        for each in found[:10]:
            say(f"         {each}")
        if found:
            self.failures.append(what)

    def ask_judge(self, without=None):
        """(did it find all well, what it said)"""
        path = os.path.join(self.scratch, "history")
        self.load.write_history(path, without)
        with open(path, encoding="ascii") as file:
            answer = subprocess.run([program("chaos_judge")], stdin=file, capture_output=True, text=True, check=False)
        return answer.returncode == 0, (answer.stdout + answer.stderr).splitlines()

    def judge_history(self):
        held, lines = self.ask_judge()
        say(f"         {lines[-1]}")
        return [] if held else lines[:60]

    def spoil_history(self):
        """The same judgement with one acknowledged write forgotten must fail, or it proves nothing."""
        victim = self.load.replaced_put()
        if victim is None:
            return ["no put was seen to be replaced: the load was too thin"]
        held, _ = self.ask_judge(without=victim)
        return [f"the judge does not miss {victim}"] if held else []

    def compare_replicas(self):
        digests = {}
        for name in self.lab.node_names():
            words = [program("replica_digest"), self.lab.path("data", name)]
            answer = subprocess.run(words, capture_output=True, text=True, check=False)
            if answer.returncode != 0:
                return [f"{name}: {answer.stdout}{answer.stderr}"]
            digests.setdefault(answer.stdout, []).append(name)
        if len(digests) == 1:
            say("         " + next(iter(digests)).replace("\n", "; "))
            return []
        return [f"{' '.join(names)}: {digest}" for digest, names in digests.items()]

    def bad_lines(self):
        return [
            f"{name}: {line}"
            for name in self.lab.names()
            for line in self.lab.log(name).splitlines()
            if any(word in line for word in BAD_WORDS)
        ]

    def summarize(self):
        load = self.load
        rounds = self.counts.pop("rounds")
        say(
            f"{rounds} rounds, {load.operation_count()} operations, {load.acknowledged_count()} writes acknowledged,"
            f" {load.read_count()} strong reads, {load.unknown_count()} outcomes unknown"
        )
        say("faults: " + ", ".join(f"{name} {count}" for name, count in sorted(self.counts.items())))
        for gap_s, said in sorted(self.gaps, reverse=True)[:5]:
            say(f"longest without a write: {gap_s:.2f} s: {said}")


def parse(words):
    parser = argparse.ArgumentParser(prog="deploy/lab chaos", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000_000)
    parser.add_argument("--faults", type=lambda text: text.split(","), default=[], help=" ".join(sorted(faults.FAULTS)))
    options = parser.parse_args(words)
    for name in options.faults:
        if name not in faults.FAULTS:
            parser.error(f"there is no fault '{name}'; there are: {' '.join(sorted(faults.FAULTS))}")
    return options


def replay_words(options):
    chosen = f" --faults {','.join(options.faults)}" if options.faults else ""
    return f"deploy/lab chaos --minutes {options.minutes:g} --seed {options.seed}{chosen}"


def main(words):
    options = parse(words)
    say(f"chaos: {options.minutes:g} minutes, seed {options.seed}")
    chaos = Chaos(options)
    try:
        chaos.run()
    except (Failure, TimeoutError) as error:
        chaos.failures.append(str(error))
        say(f"FAILED: {error}")
    except BaseException:
        say(f"chaos: broken off; the logs are in {chaos.keep()}")
        chaos.tear_down()
        raise
    if chaos.failures:
        say(f"chaos: {len(chaos.failures)} failures; the logs and the history are in {chaos.keep()}")
        say(f"the same faults in the same order: {replay_words(options)}")
    else:
        say("chaos: everything held")
    chaos.tear_down()
    return 1 if chaos.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
