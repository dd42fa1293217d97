"""The files of the project, and C text without its comments and strings: what both checkers need."""

import os
import re

SKIPPED = {".git", "build", "lab", "node_modules", "__pycache__", ".cache"}

_NOT_CODE = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)


def files(root, endings=None):
    """Paths from the root, sorted; all files, or those with one of the endings."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        for name in set(names) - SKIPPED:  # in a second work tree .git is a file
            if endings is None or os.path.splitext(name)[1] in endings:
                found.append(os.path.relpath(os.path.join(folder, name), root))
    return sorted(found)


def text(root, path):
    """The content, or None if it is not UTF-8 text."""
    try:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError:
        return None


def code_only(source):
    """The same text with comments and strings blanked; line numbers stay."""

    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    return _NOT_CODE.sub(blank, source)


def table(root, path):
    """A file of lines `left: word word`, without comments, as a dict of lists."""
    rows = {}
    for line in (text(root, path) or "").splitlines():
        line = line.split("#")[0].strip()
        if line:
            left, right = line.split(":", 1)
            rows[left.strip()] = right.split()
    return rows
