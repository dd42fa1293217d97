"""Is what clients saw of a register explicable by one order of their operations?

check() decides for one key (Wing and Gong's search with Lowe's memory of visited states): is there an order that
respects real time and in which every operation's answer is right? check_keys() does so for every key of a history,
check_chain() is the near-linear second opinion for hot keys whose writes all return their predecessor.

An operation whose outcome is unknown stays open to the end: it may have taken effect at any later moment, or never.
Values must be unique among the puts of a key. A search over its budget of steps is UNKNOWN, which no test may accept.
"""

import dataclasses

GET, PUT, DELETE = "get", "put", "delete"
OK, BAD, UNKNOWN = "ok", "bad", "unknown"

ABSENT = None  # the value of a key without an item
UNSEEN = "<unseen>"  # in `old`: the operation did not ask for its predecessor

STEPS_MAX = 2_000_000


@dataclasses.dataclass(frozen=True)
class Operation:
    """One operation as its client saw it. Times are on one monotonic clock."""

    kind: str
    key: str
    value: object  # what a put wrote, what a get read; ABSENT for a delete
    began_ns: int
    ended_ns: object  # None: the outcome is unknown
    old: object = UNSEEN  # what a put or delete said was there before
    client: int = 0

    def is_known(self):
        return self.ended_ns is not None

    def __str__(self):
        end = "?" if self.ended_ns is None else f"{self.ended_ns / 1e6:.3f}"
        seen = "" if self.old is UNSEEN else f" over {self.old}"
        return f"{self.kind} {self.key}={self.value}{seen} by {self.client} [{self.began_ns / 1e6:.3f}, {end}] ms"


@dataclasses.dataclass(frozen=True)
class Verdict:
    status: str
    explanation: str = ""
    step_count: int = 0


class _Entry:
    """A call or an answer, in a doubly linked list in order of time."""

    __slots__ = ("bit", "operation", "answer", "pending_rank", "before", "after")

    def __init__(self, operation, bit):
        self.operation = operation
        self.bit = bit  # 0: an answer
        self.answer = None  # of a call: its answer's entry, None if it stays open
        self.pending_rank = None  # of an unknown delete: its place among them
        self.before = self.after = None

    def unlink(self):
        self.before.after = self.after
        if self.after is not None:
            self.after.before = self.before

    def relink(self):
        self.before.after = self
        if self.after is not None:
            self.after.before = self


def _relevant(operations):
    """Without what can explain nothing: open gets, and open puts whose value nobody ever saw."""
    seen = {operation.value for operation in operations if operation.kind == GET and operation.is_known()}
    seen |= {operation.old for operation in operations if operation.is_known() and operation.old is not UNSEEN}
    return [
        operation
        for operation in operations
        if operation.is_known() or operation.kind == DELETE or (operation.kind == PUT and operation.value in seen)
    ]


def _linked(operations):
    """The head of the list of all calls and answers. At equal times calls come first: that allows more."""
    events = []
    pending = 0
    for index, operation in enumerate(sorted(operations, key=lambda each: each.began_ns)):
        call = _Entry(operation, 1 << index)
        events.append((operation.began_ns, 0, index, call))
        if operation.is_known():
            call.answer = _Entry(operation, 0)
            events.append((operation.ended_ns, 1, index, call.answer))
        elif operation.kind == DELETE:
            call.pending_rank = pending
            pending += 1
    head = last = _Entry(None, 0)
    for _, _, _, entry in sorted(events, key=lambda event: event[:3]):
        last.after, entry.before = entry, last
        last = entry
    return head


def _apply(state, operation):
    """(is the answer right in this state, the state after it)"""
    if operation.kind == GET:
        return operation.value == state, state
    right = operation.old is UNSEEN or not operation.is_known() or operation.old == state
    return right, operation.value if operation.kind == PUT else ABSENT


class _Search:
    def __init__(self, operations, initial):
        self.head = _linked(operations)
        self.state = initial
        self.done = 0  # bits of the operations that have their place
        self.pending_done = 0  # unknown deletes among them: these are alike, so they take their turns
        self.visited = set()
        self.path = []
        self.deepest = (-1, None, None)

    def place(self, entry):
        """Give the call its place if it fits and leads to somewhere new."""
        if entry.pending_rank is not None and entry.pending_rank != self.pending_done:
            return False
        right, state = _apply(self.state, entry.operation)
        if not right or (self.done | entry.bit, state) in self.visited:
            return False
        self.visited.add((self.done | entry.bit, state))
        self.path.append((entry, self.state))
        self.state = state
        self.done |= entry.bit
        self.pending_done += entry.pending_rank is not None
        entry.unlink()
        if entry.answer is not None:
            entry.answer.unlink()
        return True

    def take_back(self):
        entry, self.state = self.path.pop()
        if entry.answer is not None:
            entry.answer.relink()
        entry.relink()
        self.pending_done -= entry.pending_rank is not None
        self.done ^= entry.bit
        return entry

    def note(self, entry):
        if len(self.path) > self.deepest[0]:
            self.deepest = (len(self.path), self.state, entry.operation)

    def explanation(self):
        depth, state, operation = self.deepest
        return f"after {depth} operations the value is {state}, and nothing explains {operation}"

    def run(self, answers, step_max):
        entry = self.head.after
        steps = 0
        while answers > 0:
            steps += 1
            if steps > step_max:
                return Verdict(UNKNOWN, f"no verdict within {step_max} steps", steps)
            if entry is not None and entry.bit != 0:
                if self.place(entry):
                    answers -= entry.answer is not None
                    entry = self.head.after
                else:
                    entry = entry.after
                continue
            # An answer before its call has a place (or the end of the list): a wrong turn.
            if entry is not None:
                self.note(entry)
            if not self.path:
                return Verdict(BAD, self.explanation(), steps)
            entry = self.take_back()
            answers += entry.answer is not None
            entry = entry.after
        return Verdict(OK, "", steps)


def _values_written_twice(operations):
    written = [operation.value for operation in operations if operation.kind == PUT]
    return {value for value in written if written.count(value) > 1} if len(set(written)) < len(written) else set()


def check(operations, initial=ABSENT, step_max=STEPS_MAX):
    """The verdict on the operations of one key."""
    twice = _values_written_twice(operations)
    if twice:
        raise ValueError(f"values must be unique, these are not: {sorted(twice)}")
    relevant = _relevant(operations)
    answers = sum(operation.is_known() for operation in relevant)
    return _Search(relevant, initial).run(answers, step_max)


def by_key(operations):
    keys = {}
    for operation in operations:
        keys.setdefault(operation.key, []).append(operation)
    return keys


def check_keys(operations, step_max=STEPS_MAX):
    """One verdict for a history of many keys: the worst of theirs."""
    steps = 0
    for key, some in sorted(by_key(operations).items()):
        verdict = check(some, step_max=step_max)
        steps += verdict.step_count
        if verdict.status != OK:
            return Verdict(verdict.status, f"key {key}: {verdict.explanation}", steps)
    return Verdict(OK, "", steps)


def _walk(successors):
    """How many values a walk from ABSENT along the chain meets; -1 for a cycle."""
    count, value, seen = 0, ABSENT, set()
    while value in successors:
        value = successors[value].value
        if value in seen:
            return -1
        seen.add(value)
        count += 1
    return count


def check_chain(operations):
    """The faults in the chain of versions of one key without deletes, whose puts all return what they replaced."""
    faults = []
    puts = {operation.value: operation for operation in operations if operation.kind == PUT}
    known = [operation for operation in puts.values() if operation.is_known()]
    successors = {}
    for operation in known:
        if operation.old in successors:
            faults.append(f"fork: {operation} and {successors[operation.old]} replaced the same version")
        successors[operation.old] = operation
        if operation.old is ABSENT:
            continue
        before = puts.get(operation.old)
        if before is None:
            faults.append(f"{operation} replaced what nobody wrote")
        elif operation.ended_ns < before.began_ns:
            faults.append(f"{operation} replaced the later {before}")
    unknown_count = len(puts) - len(known)
    ends = [operation for operation in known if operation.value not in successors]
    if len(ends) > 1 + unknown_count:
        faults.append(f"gap: {len(ends)} versions were replaced by nothing known, such as {ends[0]}")
    walked = _walk(successors)
    if walked < 0:
        faults.append("cycle: a version is its own ancestor")
    elif unknown_count == 0 and known and walked != len(known):
        faults.append(f"gap: only {walked} of {len(known)} versions descend from the first")
    return faults
