"""Start a program in the background, cut off from the caller, and record who it is.

    spawn.py PID_FILE CMD_FILE LOG_FILE [NAME=VALUE...] PROGRAM [ARGUMENT...]

The child leads a session of its own, inherits no file but its log, and reads from nothing. NAME=VALUE goes into its environment. CMD_FILE gets the
bytes that /proc/PID/cmdline shows, so that a later reader can tell this process from one that got its number.
"""

import os
import subprocess
import sys
import time

OWN_NAME_S = 2


def write_file(path, data):
    temporary = path + ".tmp"
    with open(temporary, "wb") as file:
        file.write(data)
    os.replace(temporary, path)


def wait_for_own_name(child, command_line):
    """A new process shows its parent's command line for a moment, then none, then its own: only then is it recorded."""
    deadline = time.monotonic() + OWN_NAME_S
    while child.poll() is None and time.monotonic() < deadline:
        with open(f"/proc/{child.pid}/cmdline", "rb") as file:
            if file.read() == command_line:
                return
        time.sleep(0.001)


def main(words):
    if len(words) < 4:
        print(__doc__, file=sys.stderr)
        return 2
    pid_file, cmd_file, log_file = words[:3]
    command = words[3:]
    environment = dict(os.environ)
    while "=" in command[0]:
        name, value = command.pop(0).split("=", 1)
        environment[name] = value
    with open(log_file, "ab") as log:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            close_fds=True,
            start_new_session=True,
            env=environment,
        )
    command_line = b"".join(os.fsencode(word) + b"\0" for word in command)
    wait_for_own_name(child, command_line)
    write_file(cmd_file, command_line)
    write_file(pid_file, b"%d\n" % child.pid)
    child.returncode = 0  # Popen would warn that the child is still running: that is the point
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
