#!/usr/bin/env python3
"""Includes keep to the layers: check_layers.py [ROOT].

layers.txt says which folder may include which, confined.txt which library headers stay where. Refused besides: include
cycles, headers of another folder that are named *_internal.h, and paths that are not written from the root.
"""

import fnmatch
import os
import re
import sys

import source_tree

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
_GENERATED = re.compile(r"^proto/wire/\w+\.pb-c\.h$")


def includes(source):
    """(line number, own path or None, library header or None) of each include."""
    for match in _INCLUDE.finditer(source):
        yield source.count("\n", 0, match.start()) + 1, match.group(1), match.group(2)


def layer_of(path, layers):
    """The listed folder that a file belongs to: its own; for tests and deploy any folder above."""
    folder = os.path.dirname(path)
    if folder in layers:
        return folder
    top = folder.split("/")[0]
    return top if layers.get(top) == ["*"] else None


def covers(name, folder):
    return name == "*" or folder == name or folder.startswith(name + "/")


def check_own(path, target, layers, known):
    """What is wrong with file `path` including our header `target`; None if nothing."""
    if target not in known and not _GENERATED.match(target):
        return f"'{target}' is not a path from the root of the tree"
    folder, other = os.path.dirname(path), os.path.dirname(target)
    if folder == other:
        return None
    if target.endswith("_internal.h") and not folder.startswith("tests"):
        return f"{target} is for its own folder only"
    layer = layer_of(path, layers)
    if layer is None:
        return f"folder {folder} is not listed in layers.txt"
    if not any(covers(name, other) for name in layers[layer]):
        return f"{layer} may not include {other} (layers.txt)"
    return None


def check_library(path, header, confined):
    """What is wrong with file `path` including the library header; None if nothing."""
    for pattern, places in confined.items():
        if not fnmatch.fnmatch(header, pattern):
            continue
        folder = os.path.dirname(path)
        is_main = "main" in places and os.path.basename(path) == "main.c"
        if not is_main and not any(covers(place, folder) for place in places):
            return f"<{header}> is confined to {' '.join(places)} (confined.txt)"
    return None


def find_cycle(edges):
    """One cycle of a graph {node: [node]} as a list of nodes, or None."""
    done, path = set(), []

    def visit(node):
        if node in path:
            return path[path.index(node) :] + [node]
        if node in done:
            return None
        path.append(node)
        for other in edges.get(node, ()):
            cycle = visit(other)
            if cycle:
                return cycle
        path.pop()
        done.add(node)
        return None

    for node in sorted(edges):
        cycle = visit(node)
        if cycle:
            return cycle
    return None


def layer_cycle(layers):
    """A cycle in layers.txt itself; `node` naming `node` means the folders below it."""
    edges = {}
    for layer, names in layers.items():
        if names != ["*"]:
            edges[layer] = [other for other in layers if other != layer and any(covers(n, other) for n in names)]
    return find_cycle(edges)


def check(root):
    """All problems of a tree, as printable lines."""
    layers = source_tree.table(root, "tests/lint/layers.txt")
    confined = source_tree.table(root, "tests/lint/confined.txt")
    paths = source_tree.files(root, {".c", ".h", ".inc"})
    known, edges, problems = set(paths), {}, []
    cycle = layer_cycle(layers)
    if cycle:
        problems.append(f"tests/lint/layers.txt: cycle {' -> '.join(cycle)}")
    for path in paths:
        if layer_of(path, layers) is None:
            problems.append(f"{path}: folder {os.path.dirname(path) or '.'} is not listed in layers.txt")
        for line, own, library in includes(source_tree.text(root, path) or ""):
            if own:
                edges.setdefault(path, []).append(own)
                problem = check_own(path, own, layers, known)
            else:
                problem = check_library(path, library, confined)
            if problem:
                problems.append(f"{path}:{line}: {problem}")
    cycle = find_cycle(edges)
    if cycle:
        problems.append(f"include cycle: {' -> '.join(cycle)}")
    return problems


def main(words):
    root = words[0] if words else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    problems = check(root)
    for problem in problems:
        print(problem)
    print(f"check_layers: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
