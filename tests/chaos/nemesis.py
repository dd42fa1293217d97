"""The faults of a chaos run. Each is made and healed; a seed decides which, on whom, for how long.

A fault is a function of (nemesis, rng) that breaks something and returns what it did in words, after noting with
nemesis.undo how it is healed. heal() takes everything back, newest first, and starts whatever was killed.
"""

import os
import signal

GUARD_ZONE_BYTES = 150_000_000  # left free by the ballast: less than the reserve that nodes ask for


class Nemesis:
    def __init__(self, lab, small_disks=()):
        self.lab = lab
        self.small_disks = set(small_disks)  # nodes whose data folder is a small file system
        self.undo = []

    def pick_node(self, rng):
        return rng.choice(self.lab.node_names())

    def pick_leader(self, rng):
        """The leader of a partition chosen by chance; any node while none leads."""
        leaders = self.lab.leaders()
        return leaders[rng.choice(sorted(leaders))] if leaders else self.pick_node(rng)

    def others(self, name):
        return [other for other in self.lab.node_names() if other != name]

    def set_fault(self, name, point, *flags):
        self.lab.set_fault(name, point, *flags)
        pid = self.lab.pid(name)
        self.undo.append(lambda: self.lab.pid(name) == pid and self.lab.is_running(name) and self.lab.set_fault(name, point))

    def strike(self, fault, rng):
        return FAULTS[fault](self, rng)

    def heal(self):
        while self.undo:
            self.undo.pop()()
        if self.lab.network:
            self.lab.network.heal()
        self.lab.start_all()


# --- processes ---


def kill_leader(nemesis, rng):
    name = nemesis.pick_leader(rng)
    nemesis.lab.kill(name)
    return f"SIGKILL of {name}, a leader"


def kill_node(nemesis, rng):
    name = nemesis.pick_node(rng)
    nemesis.lab.kill(name)
    return f"SIGKILL of {name}"


def kill_restart(nemesis, rng):
    """Several times in a row, back at once."""
    names = [nemesis.pick_node(rng) for _ in range(4)]
    for name in names:
        nemesis.lab.kill(name)
        nemesis.lab.start_and_wait(name)
    return f"SIGKILL and start of {' '.join(names)}"


def kill_all(nemesis, _rng):
    names = nemesis.lab.node_names()
    nemesis.lab.kill_all_at_once(names)
    for name in names:
        nemesis.lab.start_and_wait(name)
    return "SIGKILL of all nodes at once, and start"


def kill_coordinator(nemesis, rng):
    name = rng.choice(nemesis.lab.coordinator_names())
    nemesis.lab.kill(name)
    return f"SIGKILL of {name}"


def lose_zone(nemesis, rng):
    lab = nemesis.lab
    zone = lab.zone_of(nemesis.pick_node(rng))
    names = [name for name in lab.names() if lab.zone_of(name) == zone]
    lab.kill_all_at_once(names)
    return f"{zone} is lost: {' '.join(names)}"


def pause_of(nemesis, name):
    nemesis.lab.pause(name)
    nemesis.undo.append(lambda: nemesis.lab.is_running(name) and nemesis.lab.resume(name))


def pause_leader(nemesis, rng):
    name = nemesis.pick_leader(rng)
    pause_of(nemesis, name)
    return f"SIGSTOP of {name}, a leader"


def pause_blinks(nemesis, rng):
    """Short pauses, about as long as an election."""
    name = nemesis.pick_leader(rng)
    lengths = [rng.uniform(0.1, 1.5) for _ in range(5)]
    for length in lengths:
        nemesis.lab.signal(name, signal.SIGSTOP)
        nemesis.sleep(length)
        nemesis.lab.signal(name, signal.SIGCONT)
        nemesis.sleep(0.1)
    return f"SIGSTOP of {name} for " + " ".join(f"{length:.1f}" for length in lengths) + " s"


def pause_all_but_one(nemesis, rng):
    spared = nemesis.pick_node(rng)
    for name in nemesis.others(spared):
        pause_of(nemesis, name)
    return f"SIGSTOP of all nodes but {spared}"


def transfers(nemesis, rng):
    lab = nemesis.lab
    count = 0
    for partition_id in sorted(lab.leaders()):
        if partition_id < 1:
            continue
        words = ["--partition", str(partition_id), "--to", nemesis.pick_node(rng).removeprefix("node-")]
        count += lab.tool("transfer", *words, check=False).returncode == 0
    return f"{count} leadership transfers"


# --- disks ---


def slow_disk(nemesis, rng):
    name, delay_ms = nemesis.pick_node(rng), rng.choice((20, 100, 500))
    nemesis.set_fault(name, "engine-sync", "--delay-ms", str(delay_ms))
    return f"each sync of {name} takes {delay_ms} ms more"


def slow_leader_disk(nemesis, rng):
    name, delay_ms = nemesis.pick_leader(rng), rng.choice((100, 500))
    nemesis.set_fault(name, "engine-sync", "--delay-ms", str(delay_ms))
    return f"each sync of {name}, a leader, takes {delay_ms} ms more"


def late_applies(nemesis, rng):
    name, delay_ms = nemesis.pick_node(rng), rng.choice((50, 500, 2000))
    nemesis.set_fault(name, "apply-delay", "--delay-ms", str(delay_ms))
    return f"{name} applies {delay_ms} ms late"


def failed_sync(nemesis, rng):
    """The process must end: nobody may go on after a failed sync."""
    name = nemesis.pick_node(rng)
    nemesis.lab.expected.discard(name)
    nemesis.lab.tool("fault", "engine-sync", "--node", name.removeprefix("node-"), "--per-million", "1000000")
    nemesis.wait_for(lambda: not nemesis.lab.is_running(name), f"{name} ends after a failed sync", 20)
    return f"a sync of {name} fails"


def full_disk(nemesis, rng):
    name = rng.choice(sorted(nemesis.small_disks)) if nemesis.small_disks else nemesis.pick_node(rng)
    if name not in nemesis.small_disks:
        nemesis.set_fault(name, "disk-full", "--per-million", "1000000")
        return f"the disk of {name} is said to be full"
    ballast = nemesis.lab.path("data", name, "ballast")
    disk = os.statvfs(os.path.dirname(ballast))
    size = disk.f_bavail * disk.f_frsize - GUARD_ZONE_BYTES
    if size > 0:
        with open(ballast, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
        nemesis.undo.append(lambda: os.unlink(ballast))
    return f"the disk of {name} is full"


# --- links ---


def cut(nemesis, pairs):
    for source, target in pairs:
        nemesis.lab.network.set_link(source, target, loss=1)


def isolate(nemesis, rng):
    name = nemesis.pick_leader(rng)
    cut(nemesis, [pair for other in nemesis.others(name) for pair in ((name, other), (other, name))])
    return f"{name}, a leader, and the other nodes do not hear each other"


def isolate_wholly(nemesis, rng):
    name = nemesis.pick_node(rng)
    rest = [other for other in nemesis.lab.names() if other != name]
    cut(nemesis, [pair for other in rest for pair in ((name, other), (other, name))])
    return f"{name} and everybody else do not hear each other"


def cut_pair(nemesis, rng):
    one, other = rng.sample(nemesis.lab.node_names(), 2)
    cut(nemesis, [(one, other), (other, one)])
    return f"{one} and {other} do not hear each other"


def cut_one_way(nemesis, rng):
    source, target = rng.sample(nemesis.lab.node_names(), 2)
    cut(nemesis, [(source, target)])
    return f"{target} does not hear {source}"


def leader_is_deaf(nemesis, rng):
    name = nemesis.pick_leader(rng)
    cut(nemesis, [(other, name) for other in nemesis.others(name)])
    return f"{name}, a leader, does not hear the other nodes"


def leader_is_mute(nemesis, rng):
    name = nemesis.pick_leader(rng)
    cut(nemesis, [(name, other) for other in nemesis.others(name)])
    return f"{name}, a leader, is not heard by the other nodes"


def cut_from_coordinators(nemesis, rng):
    name = nemesis.pick_leader(rng)
    cut(nemesis, [pair for other in nemesis.lab.coordinator_names() for pair in ((name, other), (other, name))])
    return f"{name}, a leader, and the coordinators do not hear each other"


def each_link(nemesis, **options):
    names = nemesis.lab.names()
    for source in names:
        for target in names:
            if source != target:
                nemesis.lab.network.set_link(source, target, **options)


def delay(nemesis, rng):
    delay_ms, jitter_ms = rng.choice((5, 30, 150)), rng.choice((0, 10, 100))
    each_link(nemesis, delay_ms=delay_ms, jitter_ms=jitter_ms)
    return f"every packet takes {delay_ms} to {delay_ms + jitter_ms} ms"


def loss(nemesis, rng):
    share = rng.choice((0.01, 0.05, 0.2))
    each_link(nemesis, loss=share, duplicates=0.05, jitter_ms=2)
    return f"{share:.0%} of the packets are lost, others doubled or overtaken"


def flapping(nemesis, rng):
    """A link that goes and comes, faster than elections."""
    one, other = rng.sample(nemesis.lab.node_names(), 2)
    for _ in range(10):
        cut(nemesis, [(one, other)])
        nemesis.sleep(rng.uniform(0.1, 0.6))
        nemesis.lab.network.set_link(one, other)
        nemesis.sleep(rng.uniform(0.1, 0.4))
    return f"the link from {one} to {other} came and went ten times"


PROCESS_FAULTS = {
    each.__name__.replace("_", "-"): each
    for each in (
        kill_leader,
        kill_node,
        kill_restart,
        kill_all,
        kill_coordinator,
        lose_zone,
        pause_leader,
        pause_blinks,
        pause_all_but_one,
        transfers,
        slow_disk,
        slow_leader_disk,
        late_applies,
        failed_sync,
        full_disk,
    )
}
LINK_FAULTS = {
    each.__name__.replace("_", "-"): each
    for each in (
        isolate,
        isolate_wholly,
        cut_pair,
        cut_one_way,
        leader_is_deaf,
        leader_is_mute,
        cut_from_coordinators,
        delay,
        loss,
        flapping,
    )
}
FAULTS = {**PROCESS_FAULTS, **LINK_FAULTS}
# Two at once, where the two together are more than one after the other.
PAIRS = (
    ("slow-disk", "kill-node"),
    ("delay", "kill-leader"),
    ("loss", "pause-leader"),
    ("cut-one-way", "transfers"),
    ("late-applies", "kill-leader"),
    ("full-disk", "kill-all"),
    ("loss", "kill-all"),
    ("flapping", "slow-leader-disk"),
)
