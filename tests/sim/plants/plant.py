#!/usr/bin/env python3
"""Plant bugs, one at a time, and see after how many seeds the simulator finds each.

    tests/sim/plants/plant.py [--check] [--seeds N] [--jobs J] [--dir DIR] [NAME...]

Each NAME.patch beside this file is a bug. The tree is copied (build/plants), the patch applied there, the simulator built and run
on seeds from 1 on until one fails. Prints a row of the table in tests/sim/README.md for each. Nothing of it touches the tree.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d[T ]")
FAILED = re.compile(r"^--- seed (\d+) failed\n", re.MULTILINE)
SUMMARY = re.compile(r"^\d+ passed, \d+ failed: ", re.MULTILINE)
WHAT_MAX = 100


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, **options)


def tracked_files():
    """All that is not ignored, also what is not committed yet."""
    listed = run(["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard"])
    return {path for path in listed.stdout.splitlines() if os.path.isfile(os.path.join(ROOT, path))}


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def copy_tree(tree):
    """As the tree is; what is the same keeps its time, so that little is built anew."""
    paths = tracked_files()
    for folder, subfolders, files in os.walk(tree):
        if folder == tree and "build" in subfolders:
            subfolders.remove("build")
        for name in files:
            if os.path.relpath(os.path.join(folder, name), tree) not in paths:
                os.remove(os.path.join(folder, name))
    for path in paths:
        source, target = os.path.join(ROOT, path), os.path.join(tree, path)
        if read(source) != read(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(source, target)


def apply(tree, name, is_dry):
    """None if the patch fits, else what does not."""
    command = ["patch", "-p1", "--forward", "--fuzz=1", "--no-backup-if-mismatch", "--reject-file=-", "-d", tree]
    with open(os.path.join(HERE, name + ".patch"), encoding="utf-8") as file:
        done = run(command + (["--dry-run"] if is_dry else []), stdin=file)
    return None if done.returncode == 0 else done.stdout.strip()


def title(name):
    with open(os.path.join(HERE, name + ".patch"), encoding="utf-8") as file:
        return file.readline().strip()


def build(tree):
    """None if it builds, else the errors."""
    done = run(["cmake", "--preset", "release"], cwd=tree)
    if done.returncode == 0:
        done = run(["cmake", "--build", "build/release", "-j2", "--target", "sim"], cwd=tree)
    return None if done.returncode == 0 else (done.stdout + done.stderr)[-2000:]


def what_failed(output):
    """The invariant, as the run names it; numbers say nothing here."""
    for line in output.splitlines():
        if line and not LOG_LINE.match(line) and not line.startswith((" ", "[...]")):
            return re.sub(r"\d+", "N", line)[:WHAT_MAX]
    return "ended without a word"


def failures(tree, first, options):
    """{seed: what failed} of a block of seeds."""
    command = ["build/release/tests/sim", "--first", str(first), "--seeds", str(options.block), "--seconds", "60"]
    output = run(command + ["--jobs", str(options.jobs)], cwd=tree).stdout
    if not SUMMARY.search(output):
        sys.exit(f"plant: the simulator did not run to its end:\n{output[-2000:]}")
    parts = FAILED.split(output)
    return {int(seed): what_failed(text) for seed, text in zip(parts[1::2], parts[2::2])}


def measure(tree, name, options):
    """The row of the table, and whether it was found."""
    problem = apply(tree, name, False)
    if problem:
        return f"| {title(name)} | NO LONGER APPLIES | {problem.splitlines()[-1]} |", False
    problem = build(tree)
    if problem:
        return f"| {title(name)} | DOES NOT BUILD | |\n{problem}", False
    for first in range(1, options.seeds + 1, options.block):
        found = failures(tree, first, options)
        if found:
            seed = min(found)
            others = sorted(set(found.values()) - {found[seed]})
            return f"| {title(name)} | {seed} | {'; '.join([found[seed]] + others)} |", True
    return f"| {title(name)} | none in {options.seeds} | |", False


def check(tree, names):
    """Say which patches no longer fit."""
    misfits = 0
    for name in names:
        problem = apply(tree, name, True)
        if problem:
            misfits += 1
            print(f"{name}: no longer applies\n{problem}")
    print(f"{len(names) - misfits} of {len(names)} patches apply")
    return misfits == 0


def main():
    everything = sorted(entry[: -len(".patch")] for entry in os.listdir(HERE) if entry.endswith(".patch"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say which patches no longer apply")
    parser.add_argument("--seeds", type=int, default=60, help="give a bug up after so many (60)")
    parser.add_argument("--block", type=int, default=4, help="seeds run before looking whether one failed (4)")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time (1)")
    parser.add_argument("--dir", default=os.path.join(ROOT, "build", "plants"), help="where the copy is kept")
    parser.add_argument("names", nargs="*", metavar="NAME", help="plants (all)")
    options = parser.parse_args()
    names = options.names or everything
    unknown = sorted(set(names) - set(everything))
    if unknown:
        parser.error(f"no such plant: {', '.join(unknown)}")
    tree = os.path.abspath(options.dir)
    missed = []
    copy_tree(tree)
    if options.check:
        sys.exit(0 if check(tree, names) else 1)
    for name in names:
        row, is_found = measure(tree, name, options)
        print(row, flush=True)
        if not is_found:
            missed.append(name)
        copy_tree(tree)  # takes the bug out again
    print(f"{len(names) - len(missed)} of {len(names)} found", *missed)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
