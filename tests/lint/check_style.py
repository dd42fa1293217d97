#!/usr/bin/env python3
"""What every file must keep to: check_style.py [ROOT].

Function and file length, banned calls, leftover notes, a README.md beside sources, names of header guards, file stems that
are unique in the tree, words and addresses that belong in no file.
"""

import os
import re
import sys

import source_tree

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 800
SOURCE_ENDINGS = {".c", ".h", ".py", ".sh", ".mjs", ".proto"}
SHELL_WITHOUT_ENDING = {"deploy/lab", ".ci/run"}

# call: (what to use instead, folders where it is allowed all the same)
BANNED_CALLS = {
    "strcpy": ("bytes_append() or snprintf()", ()),
    "strncpy": ("bytes_append() or snprintf()", ()),
    "strcat": ("bytes_append()", ()),
    "strncat": ("bytes_append()", ()),
    "sprintf": ("snprintf()", ()),
    "vsprintf": ("vsnprintf()", ()),
    "gets": ("fgets() with a limit", ()),
    "alloca": ("arena_alloc()", ()),
    "atoi": ("strtol() with its errors looked at", ()),
    "atol": ("strtol() with its errors looked at", ()),
    "atoll": ("strtoll() with its errors looked at", ()),
    "strtok": ("strchr() or memchr()", ()),
    "strtok_r": ("strchr() or memchr()", ()),
    "rand": ("rng_next()", ()),
    "srand": ("rng_seed()", ()),
    "random": ("rng_next()", ()),
    "assert": ("CHECK()", ()),
    "sleep": ("runtime_timer_start()", ("tests", "deploy")),
    "usleep": ("runtime_timer_start()", ("tests", "deploy")),
    "nanosleep": ("runtime_timer_start()", ("tests", "deploy")),
    "system": ("nothing: no shell from C", ()),
    "popen": ("nothing: no shell from C", ()),
    "setjmp": ("a status and a cleanup label", ()),
    "longjmp": ("a status and a cleanup label", ()),
    "clock_gettime": ("runtime_mono_us() or runtime_wall_us()", ("proto/base", "tests", "deploy")),
    "gettimeofday": ("runtime_wall_us()", ("proto/base", "tests", "deploy")),
    "time": ("runtime_wall_us()", ("proto/base", "tests", "deploy")),
}

# Written in two halves, so that this file may be checked like any other.
LEFTOVER_NOTES = ("TO" + "DO", "FIX" + "ME", "X" + "XX")
FORBIDDEN = (
    (re.compile(r"(?<![\w.])/(?:home|root|Users|work)/\w"), "a path of somebody's machine"),
    (re.compile(r"\b(?:deb\.debian|registry\.npmjs|npmjs|pypi|pythonhosted|snapshot\.debian)\.org\b"), "a package host"),
    (re.compile(r"\b(?:issue|ticket|pull request|PR) ?#\d+", re.IGNORECASE), "a number in somebody's tracker"),
    (re.compile(r"\b(?:chat[g]pt|co[p]ilot|language mo[d]el|as an a[i])\b", re.IGNORECASE), "not about this project"),
)

_CALL = re.compile(r"(?<![\w.>])(\w+)\s*\(")
_FUNCTION_NAME = re.compile(r"(\w+)\s*\((?:[^()]|\([^()]*\))*\)[\s\w]*$")


def functions(source):
    """(name, first line of the body, lines in the body): from a `{` to the next `}` at the start of a line."""
    lines = source_tree.code_only(source).split("\n")
    begin = None
    for number, line in enumerate(lines):
        if line.rstrip() == "{":
            begin = number
        elif line.rstrip() == "}" and begin is not None:
            head = "\n".join(lines[max(0, begin - 12) : begin])
            match = _FUNCTION_NAME.search(head)
            yield (match.group(1) if match else "?"), begin + 1, number - begin - 1
            begin = None


def listed_functions(root):
    listed = {}
    for line in (source_tree.text(root, "tests/lint/long_functions.txt") or "").splitlines():
        words = line.split("#")[0].split()
        if words:
            listed[(words[0], words[1])] = int(words[2])
    return listed


def check_functions(root, paths):
    listed, seen = listed_functions(root), {}
    for path in paths:
        for name, line, length in functions(source_tree.text(root, path) or ""):
            seen[(path, name)] = max(length, seen.get((path, name), 0))
            limit = listed.get((path, name), FUNCTION_LINES_MAX)
            if length > limit:
                yield f"{path}:{line}: {name}() has {length} lines, at most {limit}: cut it into named steps"
    for (path, name), limit in listed.items():
        length = seen.get((path, name), 0)
        if length <= FUNCTION_LINES_MAX:
            yield f"tests/lint/long_functions.txt: {path} {name} is not long any more: take it out"
        elif length < limit:
            yield f"tests/lint/long_functions.txt: {path} {name} has {length} lines now: enter that"


def check_calls(path, source):
    for number, line in enumerate(source_tree.code_only(source).split("\n"), 1):
        if line.lstrip().startswith("#"):
            continue
        for match in _CALL.finditer(line):
            replacement, places = BANNED_CALLS.get(match.group(1), (None, ()))
            if replacement and not path.startswith(tuple(place + "/" for place in places)):
                yield f"{path}:{number}: {match.group(1)}() is banned: use {replacement}"


def check_guard(path, source):
    guard = re.sub(r"[^A-Z0-9]", "_", path.upper())
    if f"#ifndef {guard}\n#define {guard}\n" not in source:
        yield f"{path}:1: the header guard must be {guard}"


def check_words(path, source):
    for number, line in enumerate(source.split("\n"), 1):
        for note in LEFTOVER_NOTES:
            if re.search(rf"\b{note}\b", line):
                yield f"{path}:{number}: leftover {note}: do it or drop it"
        for pattern, what in FORBIDDEN:
            if pattern.search(line):
                yield f"{path}:{number}: {what} belongs in no file: '{pattern.search(line).group(0)}'"


def check_length(path, source):
    count = source.count("\n")
    if count > FILE_LINES_MAX:
        yield f"{path}: {count} lines, at most {FILE_LINES_MAX}: split it"


def check_readmes(root, paths):
    """Every folder with sources says what it is; what lies in a folder named data belongs to the one above."""
    folders = {os.path.dirname(path) for path in paths}
    for folder in sorted(name for name in folders if os.path.basename(name) != "data"):
        if not os.path.isfile(os.path.join(root, folder, "README.md")):
            yield f"{folder or '.'}: sources without a README.md"


def check_stems(paths):
    """A stem names one module: its .c and .h are in one folder, and no other folder has it. main.c may repeat."""
    places = {}
    for path in paths:
        stem = os.path.splitext(os.path.basename(path))[0]
        if stem != "main":
            places.setdefault(stem, set()).add(os.path.dirname(path))
    for stem, folders in sorted(places.items()):
        if len(folders) > 1:
            yield f"{stem}: the same file stem in {' and '.join(sorted(folders))}"


def check_text(path, source):
    """Checks that need one file only."""
    ending = os.path.splitext(path)[1]
    yield from check_words(path, source)
    if ending in SOURCE_ENDINGS or path in SHELL_WITHOUT_ENDING:
        yield from check_length(path, source)
    if ending in (".c", ".h"):
        yield from check_calls(path, source)
    if ending == ".h":
        yield from check_guard(path, source)


def check(root):
    """All problems of a tree, as printable lines."""
    problems = []
    for path in source_tree.files(root):
        source = source_tree.text(root, path)
        if source is not None:
            problems += check_text(path, source)
    c_files = source_tree.files(root, {".c", ".h"})
    problems += check_functions(root, c_files)
    problems += check_stems(c_files)
    problems += check_readmes(root, source_tree.files(root, SOURCE_ENDINGS))
    return problems


def main(words):
    root = words[0] if words else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    problems = check(root)
    for problem in problems:
        print(problem)
    print(f"check_style: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
