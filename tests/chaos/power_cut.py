"""What a power cut leaves of a folder: the synced state of power_cut.c's disk, and a random part of what was not synced.

Blocks of 512 bytes are kept or lost one by one, sizes end anywhere, and so do the entries of folders whose changes were not
synced: a superset of what file systems do.
"""

import os
import shutil

BLOCK_SIZE = 512


def _read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def _pairs(path):
    """Lines `NUMBER TEXT` of a file."""
    return [line.split(" ", 1) for line in _read(path).decode().splitlines()]


def mixed(synced, written, rng):
    """A file of which `synced` is durable and `written` is what the process had made of it."""
    if written == synced:
        return synced
    size = rng.choice((len(synced), len(written), rng.randint(*sorted((len(synced), len(written))))))
    share = rng.choice((0, 0.5, 0.9, 1))
    out = bytearray(synced[:size].ljust(size, b"\0"))
    same = len(os.path.commonprefix([synced, written]))
    for at in range(same // BLOCK_SIZE * BLOCK_SIZE, size, BLOCK_SIZE):
        new = written[at : min(at + BLOCK_SIZE, size)]
        if new and rng.random() < share:
            out[at : at + len(new)] = new
    return bytes(out)


def _outcome(folder, disk, rng):
    """{path in the folder: contents} after the cut."""
    ids = dict(_pairs(os.path.join(disk, "ids")))  # the last file behind each inode
    at_the_end, durable = {}, {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            at_the_end[path] = ids.get(str(os.lstat(path).st_ino))
        for number, name in _pairs(os.path.join(disk, "names", str(os.stat(place).st_ino))):
            durable[os.path.join(place, name)] = number
    written = {number: path for path, number in at_the_end.items() if number}
    outcome = {}
    for path in sorted(set(at_the_end) | set(durable)):
        number = rng.choice((durable.get(path), at_the_end.get(path)))
        if number is not None:
            synced = _read(os.path.join(disk, "files", number))
            outcome[path] = mixed(synced, _read(written[number]) if number in written else synced, rng)
    return outcome


def cut_power(folder, disk, rng):
    """Turn the folder of a process that was killed into what a power cut would have left; the disk is empty after."""
    outcome = _outcome(folder, disk, rng)
    for place, _, names in os.walk(folder):
        for name in names:
            os.unlink(os.path.join(place, name))
    for path, contents in outcome.items():
        with open(path, "wb") as file:
            file.write(contents)
    shutil.rmtree(disk)
    os.mkdir(disk)
