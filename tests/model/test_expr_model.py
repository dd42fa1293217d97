#!/usr/bin/env python3
"""Random items and expressions, by the model and by the product: test_expr_model.py EXPR_RUN [--cases N] [--seed N]."""

import argparse
import base64
import json
import random
import subprocess
import sys

import expr_model as model

NAMES = ["a", "b", "c", "d1", "e_f", "g", "x.y", "status", "A", "caf\u00e9", "a b", "#", ":", "0"]
PLAIN = {"a", "b", "c", "d1", "e_f", "g", "A"}
TYPES = ["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"]
TEXTS = ["", "a", "b", "ab", "abc", "b\u00e9", "\U0001f600", "zz"]
NUMBERS = ["0", "1", "2", "-1", "10", "3.5", "-3.50", "1E2", "100", "1e-130", "9.9E125", "12345678901234567890",
           "99999999999999999999999999999999999999", "1E38", "-0.1"]
PASSED = ("The expression contains too many operators", "Expression size has exceeded")


class Maker:
    """Random values and trees; values repeat often, so that equality and membership happen."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, choices):
        return self.random.choice(choices)

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def octets(self):
        return base64.b64encode(self.pick(TEXTS).encode()).decode()

    def members(self, make):
        wanted, seen, members = self.random.randint(1, 4), set(), []
        for _ in range(wanted):
            member = make()
            key = model.number(member) if member in NUMBERS else member
            if key not in seen:
                seen.add(key)
                members.append(member)
        return members

    def value(self, depth=0, types=TYPES):
        name = self.pick([name for name in types if depth < 3 or name not in ("L", "M")])
        if name == "S":
            return {name: self.pick(TEXTS)}
        if name == "N":
            return {name: self.pick(NUMBERS)}
        if name == "B":
            return {name: self.octets()}
        if name == "BOOL":
            return {name: self.chance(50)}
        if name == "NULL":
            return {name: True}
        if name == "L":
            return {name: [self.value(depth + 1) for _ in range(self.random.randrange(4))]}
        if name == "M":
            return {name: self.attributes(depth + 1)}
        make = {"SS": lambda: self.pick(TEXTS), "NS": lambda: self.pick(NUMBERS), "BS": self.octets}[name]
        return {name: self.members(make)}

    def attributes(self, depth=0):
        return {self.pick(NAMES): self.value(depth) for _ in range(self.random.randrange(6 if depth == 0 else 4))}

    def item(self):
        return None if self.chance(5) else self.attributes()

    def path(self, item):
        """Mostly one that leads somewhere."""
        path, value = (), {"M": item or {}}
        while True:
            name = model.kind(value)
            if name == "M" and value["M"] and not self.chance(10):
                step = self.pick(sorted(value["M"]))
            elif name == "L" and value["L"] and not self.chance(10):
                step = self.random.randrange(len(value["L"]))
            else:
                step = self.pick(NAMES) if name == "M" or not path or self.chance(50) else self.random.randrange(6)
                return path + (step,)
            path += (step,)
            value = model.at(item, path)
            if self.chance(40):
                return path

    # Conditions.

    def operand(self, item, types=TYPES):
        if self.chance(60):
            return ("path", self.path(item))
        if self.chance(10) and "N" in types:
            return ("size", ("path", self.path(item)))
        return ("value", self.near(item, types))

    def near(self, item, types):
        """A value of the item itself, often."""
        if item and self.chance(50):
            found = model.at(item, self.path(item))
            if found is not None and model.kind(found) in types:
                return found
        return self.value(types=types)

    def distinct(self, item, count, types=TYPES):
        while True:
            operands = [self.operand(item, types) for _ in range(count)]
            if all(operands[0] != other or operands[0][0] != "path" for other in operands[1:]):
                return operands

    def between(self, item):
        while True:
            value, low, high = self.distinct(item, 3, ["S", "N", "B"])
            if low[0] != "value" or high[0] != "value" or (model.order(low[1], high[1]) or 1) <= 0:
                if low[0] != "value" or high[0] != "value" or model.order(low[1], high[1]) is not None:
                    return ("between", value, low, high)

    def leaf(self, item):
        what = self.random.randrange(12)
        if what < 3:
            return ("cmp", self.pick(["=", "<>"]), *self.distinct(item, 2))
        if what < 6:
            return ("cmp", self.pick(["<", "<=", ">", ">="]), *self.distinct(item, 2, ["S", "N", "B"]))
        if what == 6:
            return self.between(item)
        if what == 7:
            operands = self.distinct(item, self.random.randint(2, 6))
            return ("in", operands[0], operands[1:])
        if what == 8:
            return ("call", self.pick(["attribute_exists", "attribute_not_exists"]), [("path", self.path(item))])
        if what == 9:
            return ("call", "attribute_type", [("path", self.path(item)), ("value", {"S": self.pick(TYPES)})])
        if what == 10:
            return ("call", "begins_with", self.distinct(item, 2, ["S", "B"]))
        return ("call", "contains", self.distinct(item, 2))

    def condition(self, item, depth=0):
        if depth >= 4 or self.chance(35):
            return self.leaf(item)
        what = self.pick(["and", "and", "or", "or", "not"])
        if what == "not":
            return ("not", self.condition(item, depth + 1))
        return (what, self.condition(item, depth + 1), self.condition(item, depth + 1))

    # Updates and projections.

    def place(self, item):
        """Mostly one that an update can write to."""
        while True:
            path = self.path(item)
            if model.is_place(item or {}, path) or self.chance(2):
                return path

    def apart(self, count, make, item):
        """Paths that do not meet."""
        paths = []
        for _ in range(count):
            path = make(item)
            if all(is_apart(path, other) for other in paths):
                paths.append(path)
        return paths

    def right(self, item, depth=0):
        what = self.random.randrange(8)
        if depth > 2 or what < 3:
            return ("path", self.path(item)) if self.chance(50) else ("value", self.near(item, TYPES))
        if what < 5:
            return ("if_not_exists", self.path(item), self.right(item, depth + 1))
        if what < 7:
            return ("list_append", *(self.right_of(item, depth, "L") for _ in range(2)))
        return self.right(item, depth + 1)

    def right_of(self, item, depth, name):
        """Mostly of that type, and never a wrong literal."""
        if self.chance(50):
            return ("value", self.near(item, [name]))
        right = self.right(item, depth + 1)
        return right if right[0] != "value" or model.kind(right[1]) == name else ("value", self.value(types=[name]))

    def action(self, section, path, item):
        if section == "SET":
            if self.chance(25):
                pair = (self.right_of(item, 1, "N") for _ in range(2))
                return (path, ("sum", self.pick("+-"), *pair))
            return (path, self.right(item))
        if section == "REMOVE":
            return path
        types = ["N", "SS", "NS", "BS"] if section == "ADD" else ["SS", "NS", "BS"]
        old = model.at(item or {}, path)
        if old is not None and model.kind(old) in types and self.chance(80):
            types = [model.kind(old)]
        return (path, self.near(item, types))

    def update(self, item):
        paths = self.apart(self.random.randint(1, 6), self.place, item)
        order = ["SET", "REMOVE", "ADD", "DELETE"]
        self.random.shuffle(order)
        sections = {}
        for path in paths:
            section = self.pick(["SET", "SET", "SET", "REMOVE", "ADD", "DELETE"])
            sections.setdefault(section, []).append(self.action(section, path, item))
        return [(section, sections[section]) for section in order if section in sections]


def is_apart(path, other):
    for x, y in zip(path, other):
        if isinstance(x, int) != isinstance(y, int):
            return False
        if x != y:
            return True
    return False


class Writer:
    """A tree as a client would write it, with the placeholders that it needs."""

    def __init__(self, maker):
        self.maker = maker
        self.names, self.values = {}, {}

    def blank(self):
        return self.maker.pick(["", "", " ", "  ", "\t", "\n"])

    def word(self, text):
        return self.maker.pick([text, text.lower(), text.upper(), text.capitalize()])

    def spaced(self, text):
        return " " + self.blank() + self.word(text) + self.blank() + " "

    def name(self, name):
        if name in PLAIN and self.maker.chance(70):
            return name
        for placeholder, bound in self.names.items():
            if bound == name:
                return placeholder
        placeholder = "#n%d" % len(self.names)
        self.names[placeholder] = name
        return placeholder

    def path(self, path):
        text = ""
        for step in path:
            if isinstance(step, int):
                text += "[%s%d%s]" % (self.blank(), step, self.blank())
            else:
                text += (self.blank() + "." + self.blank() if text else "") + self.name(step)
        return text

    def value(self, value):
        placeholder = ":v%d" % len(self.values)
        self.values[placeholder] = value
        return placeholder

    def group(self, text, percent):
        return "(%s%s%s)" % (self.blank(), text, self.blank()) if self.maker.chance(percent) else text

    def operand(self, tree):
        if tree[0] == "path":
            text = self.path(tree[1])
        elif tree[0] == "value":
            text = self.value(tree[1])
        else:
            text = "size%s(%s)" % (self.blank(), self.operand(tree[1]))
        return self.group(text, 10)

    def leaf(self, tree):
        if tree[0] == "cmp":
            return self.operand(tree[2]) + self.blank() + tree[1] + self.blank() + self.operand(tree[3])
        if tree[0] == "between":
            value, low, high = (self.operand(each) for each in tree[1:])
            return value + self.spaced("between") + low + self.spaced("and") + high
        if tree[0] == "in":
            return self.operand(tree[1]) + self.spaced("in") + "(%s)" % ",".join(map(self.operand, tree[2]))
        return tree[1] + self.blank() + "(%s)" % (self.blank() + ",").join(map(self.operand, tree[2]))

    def condition(self, tree, strength=0):
        """strength: of what stands around it: 1 OR, 2 AND, 3 NOT; groups only where they are needed, or not twice."""
        if tree[0] in ("and", "or"):
            own = 2 if tree[0] == "and" else 1
            text = self.condition(tree[1], own) + self.spaced(tree[0]) + self.condition(tree[2], own)
            return "(%s)" % text if own < strength else self.group(text, 20)
        if tree[0] == "not":
            return self.group(self.word("not") + " " + self.condition(tree[1], 3), 10)
        return self.group(self.leaf(tree), 15)

    def right(self, tree):
        if tree[0] == "sum":
            text = self.right(tree[2]) + self.blank() + tree[1] + self.blank() + self.right(tree[3])
        elif tree[0] == "if_not_exists":
            text = "if_not_exists(%s, %s)" % (self.path(tree[1]), self.right(tree[2]))
        elif tree[0] == "list_append":
            text = "list_append(%s,%s)" % (self.right(tree[1]), self.right(tree[2]))
        else:
            text = self.path(tree[1]) if tree[0] == "path" else self.value(tree[1])
        return self.group(text, 10)

    def action(self, section, action):
        if section == "REMOVE":
            return self.path(action)
        if section == "SET":
            return self.path(action[0]) + self.blank() + "=" + self.blank() + self.right(action[1])
        return self.path(action[0]) + " " + self.value(action[1])

    def update(self, sections):
        return " ".join(self.word(section) + " " + (self.blank() + ",").join(self.action(section, action)
                                                                            for action in actions)
                        for section, actions in sections)

    def line(self, use, text, item, key=None):
        request = {"Use": use, "Text": text}
        if self.names:
            request["N"] = self.names
        if self.values:
            request["V"] = self.values
        if item is not None:
            request["I"] = item
        if key is not None:
            request["K"] = key
        return json.dumps(request)


def condition_case(maker):
    item = maker.item()
    tree = maker.condition(item)
    writer = Writer(maker)
    return writer.line("condition", writer.condition(tree), item), model.holds(tree, item or {})


def projection_case(maker):
    item = maker.item()
    paths = maker.apart(maker.random.randint(1, 6), maker.path, item)
    writer = Writer(maker)
    text = ",".join(writer.path(path) + writer.blank() for path in paths)
    return writer.line("projection", text, item), {"Item": model.project(paths, item)}


def update_case(maker):
    item = maker.item()
    sections = maker.update(item)
    key = {"a": {"S": "key"}}
    writer = Writer(maker)
    line = writer.line("update", writer.update(sections), item, key)
    try:
        new = model.update(sections, item, key)
    except model.Refused as refused:
        return line, {"Error": str(refused)}
    paths = [model.action_path(section, action) for section, actions in sections for action in actions]
    return line, {"Item": new, "Old": model.project(paths, item), "New": model.project(paths, new)}


def comparable(answer):
    if not isinstance(answer, dict) or "Error" in answer:
        return answer
    return {name: model.canonical_item(item) for name, item in answer.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--cases", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=20120810)
    arguments = parser.parse_args()
    maker = Maker(arguments.seed)
    makers = [condition_case, projection_case, update_case]
    cases = [makers[number % 3](maker) for number in range(arguments.cases)]
    run = subprocess.run([arguments.program], input="".join(line + "\n" for line, _ in cases), text=True,
                         stdout=subprocess.PIPE, check=False)
    answers = run.stdout.splitlines()
    kinds, wrong = {}, 0
    for (line, expected), text in zip(cases, answers):
        answer = json.loads(text)
        if isinstance(answer, dict) and answer.get("Error", "").partition(": ")[2].startswith(PASSED):
            continue
        what = answer["Error"] if isinstance(answer, dict) and "Error" in answer else type(answer).__name__
        kinds[what] = kinds.get(what, 0) + 1
        if comparable(answer) != comparable(expected):
            wrong += 1
            print("%s\n  answer   %s\n  expected %s" % (line, text, json.dumps(expected)))
    for what, count in sorted(kinds.items()):
        print("%7d %s" % (count, what))
    if run.returncode != 0 or len(answers) != len(cases):
        print("the program ended with %d after %d of %d lines" % (run.returncode, len(answers), len(cases)))
    return 1 if wrong or run.returncode != 0 or len(answers) != len(cases) else 0


if __name__ == "__main__":
    sys.exit(main())
