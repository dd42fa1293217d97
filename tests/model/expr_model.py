"""What expressions mean: a model of its own, over trees, with attribute values as typed JSON.

A path is a tuple of names (str) and indexes (int).  Operands: ("path", path), ("value", value), ("size", operand).
Conditions: ("cmp", op, a, b), ("between", a, low, high), ("in", a, [operands]), ("call", name, [operands]),
("and", a, b), ("or", a, b), ("not", a).
Updates: a list of (section, actions); an action is (path, right side) for SET, path for REMOVE, (path, value) for ADD
and DELETE.  Right sides: operands, ("sum", "+" or "-", a, b), ("if_not_exists", path, right), ("list_append", a, b).
"""

import base64
import copy
import decimal

MISSING = "The provided expression refers to an attribute that does not exist in the item"
BAD_PATH = "The document path provided in the update expression is invalid for update"
BAD_TYPE = "An operand in the update expression has an incorrect data type"
OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"
UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
DIGITS = "Attempting to store more than 38 significant digits in a Number"

EXACT = decimal.Context(prec=1000, Emin=-9999, Emax=9999)


class Refused(Exception):
    """An update that does not fit the item."""


def kind(value):
    return next(iter(value))


def number(text):
    return EXACT.create_decimal(text)


def octets(text):
    return base64.b64decode(text)


def canonical(value):
    """Equal values give equal results."""
    if value is None:
        return None
    name = kind(value)
    inner = value[name]
    if name == "N":
        return name, number(inner)
    if name == "B":
        return name, octets(inner)
    if name == "SS":
        return name, frozenset(inner)
    if name == "NS":
        return name, frozenset(number(text) for text in inner)
    if name == "BS":
        return name, frozenset(octets(text) for text in inner)
    if name == "L":
        return name, tuple(canonical(element) for element in inner)
    if name == "M":
        return name, frozenset((key, canonical(element)) for key, element in inner.items())
    return name, inner


def canonical_item(item):
    return None if item is None else canonical({"M": item})


def at(item, path):
    """The value at a path, None if there is none."""
    value = {"M": item}
    for step in path:
        name = kind(value)
        if isinstance(step, int):
            if name != "L" or step >= len(value["L"]):
                return None
            value = value["L"][step]
        else:
            if name != "M" or step not in value["M"]:
                return None
            value = value["M"][step]
    return value


# Conditions.


def size(value):
    if value is None:
        return None
    name = kind(value)
    inner = value[name]
    if name == "S":
        count = len(inner.encode("utf-16-le")) // 2
    elif name == "B":
        count = len(octets(inner))
    elif name in ("SS", "NS", "BS", "L", "M"):
        count = len(inner)
    else:
        return None
    return {"N": str(count)}


def operand(tree, item):
    if tree[0] == "path":
        return at(item, tree[1])
    if tree[0] == "value":
        return tree[1]
    return size(operand(tree[1], item))


def order(a, b):
    """-1, 0 or 1; None where there is no order."""
    if a is None or b is None or kind(a) != kind(b) or kind(a) not in ("S", "N", "B"):
        return None
    key = {"S": lambda text: text.encode(), "N": number, "B": octets}[kind(a)]
    x, y = key(a[kind(a)]), key(b[kind(b)])
    return (x > y) - (x < y)


def equal(a, b):
    return a is not None and b is not None and canonical(a) == canonical(b)


def compare(op, a, b):
    if op == "=":
        return equal(a, b)
    if op == "<>":
        return not equal(a, b)
    sign = order(a, b)
    if sign is None:
        return False
    return {"<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0}[op]


def contains(whole, part):
    if whole is None or part is None:
        return False
    name = kind(whole)
    if name == "L":
        return any(equal(element, part) for element in whole["L"])
    if name in ("SS", "NS", "BS"):
        return kind(part) == name[0] and canonical(part)[1] in canonical(whole)[1]
    if name == "S":
        return kind(part) == "S" and part["S"] in whole["S"]
    return name == "B" and kind(part) == "B" and octets(part["B"]) in octets(whole["B"])


def begins_with(whole, part):
    if whole is None or part is None or kind(whole) != kind(part) or kind(whole) not in ("S", "B"):
        return False
    if kind(whole) == "S":
        return whole["S"].startswith(part["S"])
    return octets(whole["B"]).startswith(octets(part["B"]))


def call(name, operands):
    first = operands[0]
    if name == "attribute_exists":
        return first is not None
    if name == "attribute_not_exists":
        return first is None
    if name == "attribute_type":
        return first is not None and kind(first) == operands[1]["S"]
    return (begins_with if name == "begins_with" else contains)(first, operands[1])


def holds(tree, item):
    what = tree[0]
    if what == "and":
        return holds(tree[1], item) and holds(tree[2], item)
    if what == "or":
        return holds(tree[1], item) or holds(tree[2], item)
    if what == "not":
        return not holds(tree[1], item)
    if what == "cmp":
        return compare(tree[1], operand(tree[2], item), operand(tree[3], item))
    if what == "between":
        value, low, high = (operand(each, item) for each in tree[1:])
        above, below = order(value, low), order(value, high)
        return above is not None and below is not None and above >= 0 >= below
    if what == "in":
        value = operand(tree[1], item)
        return any(equal(value, operand(each, item)) for each in tree[2])
    return call(tree[1], [operand(each, item) for each in tree[2]])


# Projections.


def project(paths, item):
    """The parts that the paths name, in their places; lists close their gaps."""
    if item is None:
        return None
    picked = _pick({"M": item}, list(paths))
    return picked["M"] if picked else {}


def _pick(value, paths):
    if () in paths:
        return value
    name = kind(value)
    if name == "M":
        parts = {}
        for key, element in value["M"].items():
            part = _pick_step(key, element, paths)
            if part is not None:
                parts[key] = part
        return {"M": parts} if parts else None
    if name == "L":
        parts = [_pick_step(index, element, paths) for index, element in enumerate(value["L"])]
        parts = [part for part in parts if part is not None]
        return {"L": parts} if parts else None
    return None


def _pick_step(step, element, paths):
    below = [path[1:] for path in paths if type(path[0]) is type(step) and path[0] == step]
    return _pick(element, below) if below else None


# Updates.


def number_fault(value):
    if value == 0:
        return None
    if value.adjusted() > 125:
        return OVERFLOW
    if value.adjusted() < -130:
        return UNDERFLOW
    return DIGITS if len(value.normalize(EXACT).as_tuple().digits) > 38 else None


class Right:
    """The right side of a SET, over the old item: a value, or why there is none."""

    def __init__(self, item):
        self.item = item
        self.is_missing = False
        self.fault = None

    def value(self, tree):
        what = tree[0]
        if what == "if_not_exists":
            found = at(self.item, tree[1])
            return found if found is not None else self.value(tree[2])
        if what in ("sum", "list_append"):
            wanted = "N" if what == "sum" else "L"
            pair = [self.value(each) for each in tree[-2:]]
            if any(each is not None and kind(each) != wanted for each in pair):
                raise Refused(BAD_TYPE)
            if None in pair:
                self.is_missing = True
                return None
            if what == "list_append":
                return {"L": pair[0]["L"] + pair[1]["L"]}
            return self.number(EXACT.add if tree[1] == "+" else EXACT.subtract, pair)
        found = operand(tree, self.item)
        if found is None:
            self.is_missing = True
        return found

    def number(self, operation, pair):
        result = operation(number(pair[0]["N"]), number(pair[1]["N"]))
        fault = number_fault(result)
        if fault is None:
            return {"N": format(result, "f")}
        self.fault = self.fault or fault
        return pair[0]


def is_place(item, path):
    """Does the map or list that the path ends in exist?  None: there is something else."""
    if len(path) == 1:
        return True
    parent = at(item, path[:-1])
    if parent is None:
        return False
    return True if kind(parent) == ("L" if isinstance(path[-1], int) else "M") else None


def merge_set(old, other, is_added):
    name = kind(other)
    key = {"SS": lambda text: text, "NS": number, "BS": octets}[name]
    taken = {key(member) for member in other[name]}
    if not is_added:
        left = [member for member in old[name] if key(member) not in taken]
        return {name: left} if left else None
    there = {key(member) for member in old[name]}
    return {name: old[name] + [member for member in other[name] if key(member) not in there]}


def added(old, value, right):
    if kind(value) not in ("N", "SS", "NS", "BS") or (old is not None and kind(old) != kind(value)):
        raise Refused(BAD_TYPE)
    if old is None:
        return value
    if kind(value) == "N":
        return right.number(EXACT.add, [old, value])
    return merge_set(old, value, True)


def deleted(old, value):
    if old is not None and kind(old) != kind(value):
        raise Refused(BAD_TYPE)
    return None if old is None else merge_set(old, value, False)


def action_path(section, action):
    return action if section == "REMOVE" else action[0]


def outcomes(sections, item):
    """For each section: [(path, new value or None, Right or None)].  Wrong types are told here."""
    result = []
    for section, actions in sections:
        done = []
        for action in actions:
            path = action_path(section, action)
            right = Right(item)
            old = at(item, path) if is_place(item, path) else None
            if section == "SET":
                value = right.value(action[1])
            elif section == "ADD":
                value = added(old, action[1], right)
            elif section == "DELETE":
                value = deleted(old, action[1])
            else:
                value = None
            done.append((path, value, right))
        result.append(done)
    return result


def check(sections, item):
    for section, actions in sections:
        for action in actions:
            if is_place(item, action_path(section, action)) is None:
                raise Refused(BAD_PATH)
    result = outcomes(sections, item)
    for done in reversed(result):
        if any(not is_place(item, path) for path, _, _ in done):
            raise Refused(BAD_PATH)
        if any(right.is_missing for _, _, right in done):
            raise Refused(MISSING)
    for done in result:
        for _, _, right in done:
            if right.fault:
                raise Refused(right.fault)
    return [(path, value) for done in result for path, value, _ in done]


def update(sections, item, key):
    """The new item; None if there is none.  Refused tells why not."""
    base = copy.deepcopy(key if item is None else item)
    changes = check(sections, base)
    if item is None and not any(section in ("SET", "ADD") for section, _ in sections):
        return None
    # From the end of each list to its front, so that old indexes stay right.
    result = copy.deepcopy(base)
    appended = []
    for path, value in sorted(changes, key=lambda change: [(isinstance(step, str), step if isinstance(step, int) else 0)
                                                           for step in change[0]], reverse=True):
        parent = {"M": result} if len(path) == 1 else at(result, path[:-1])
        inner, step = parent[kind(parent)], path[-1]
        if isinstance(step, str):
            if value is None:
                inner.pop(step, None)
            else:
                inner[step] = value
        elif step >= len(at(base, path[:-1])["L"]):
            if value is not None:
                appended.append((step, inner, value))
        elif value is None:
            inner[step] = None
        else:
            inner[step] = value
    for _, inner, value in sorted(appended, key=lambda entry: entry[0]):
        inner.append(value)
    return _without_holes({"M": result})["M"]


def _without_holes(value):
    name = kind(value)
    if name == "M":
        return {"M": {key: _without_holes(element) for key, element in value["M"].items()}}
    if name == "L":
        return {"L": [_without_holes(element) for element in value["L"] if element is not None]}
    return value
