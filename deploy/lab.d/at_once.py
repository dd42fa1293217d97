"""Runs commands, some at a time.

    at_once.py COUNT    commands from standard input, one a line: NAME COMMAND..., for bash

The output of each is printed whole when it has ended, under its name and the seconds it took; that of commands that
failed comes last, before a line that names them. Those that take longest should come first.
"""

import concurrent.futures
import subprocess
import sys
import time


def run(command):
    """(exit status, output, seconds)"""
    begin = time.monotonic()
    done = subprocess.run(
        ["bash", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode, done.stdout, time.monotonic() - begin


def show(title, output):
    sys.stdout.buffer.write(f"== {title}\n".encode() + output)
    sys.stdout.flush()


def run_all(count, commands):
    """What failed: {name: (exit status, output)}."""
    failed = {}
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        names = {pool.submit(run, command): name for name, command in commands}
        try:
            for future in concurrent.futures.as_completed(names):
                name = names[future]
                status, output, seconds = future.result()
                if status == 0:
                    show(f"{name} passed ({seconds:.1f} s)", output)
                else:
                    failed[name] = (status, output)
                    show(f"{name} FAILED ({seconds:.1f} s), see the end", b"")
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)  # those that run were interrupted with us
            raise
    return failed


def main(words):
    if len(words) != 1 or not words[0].isdigit() or int(words[0]) == 0:
        print(__doc__, file=sys.stderr)
        return 2
    commands = [line.rstrip("\n").split(" ", 1) for line in sys.stdin]
    failed = run_all(int(words[0]), commands)
    for name, (status, output) in failed.items():
        show(f"{name} FAILED (status {status})", output)
    if failed:
        print("FAILED:", *failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
