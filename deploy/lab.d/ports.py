"""Free ports on the loopback address.

    ports.py range COUNT KEY   the first port of a range of COUNT that is free now; KEY spreads labs over the ranges, and
                               nobody else is given the range for a minute
    ports.py one               one free port
    ports.py taken PORT...     exit status 1, and the port printed, if one of them is taken
"""

import os
import socket
import sys
import tempfile
import time
import zlib

# Below the ports that the kernel hands out to outgoing connections (32768 and up).
FIRST = 20000
END = 32700
RESERVED_S = 60


def is_free(port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def reserve(base):
    """Two labs made at one time must not be given the same range before their processes listen."""
    folder = os.path.join(tempfile.gettempdir(), f"cleave-ports-{os.getuid()}")
    path = os.path.join(folder, str(base))
    os.makedirs(folder, exist_ok=True)
    try:
        if time.time() - os.stat(path).st_mtime > RESERVED_S:
            os.unlink(path)
    except FileNotFoundError:
        pass
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    return True


def free_range(count, key):
    slots = (END - FIRST) // count
    start = zlib.crc32(key.encode())
    for step in range(slots):
        base = FIRST + (start + step) % slots * count
        if all(is_free(port) for port in range(base, base + count)) and reserve(base):
            return base
    return None


def free_one():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main(words):
    if words[:1] == ["one"]:
        print(free_one())
        return 0
    if words[:1] == ["range"] and len(words) == 3:
        base = free_range(int(words[1]), words[2])
        if base is not None:
            print(base)
        return 0 if base is not None else 1
    if words[:1] == ["taken"]:
        taken = [port for port in words[1:] if not is_free(int(port))]
        print(" ".join(taken))
        return 1 if taken else 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
