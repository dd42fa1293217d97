#!/usr/bin/env python3
"""The checker of histories: right on good ones, and not fooled by bad ones."""

import random
import unittest

import linear
from linear import ABSENT, BAD, DELETE, GET, OK, PUT, UNKNOWN, Operation


def put(value, began, ended, **more):
    return Operation(PUT, "k", value, began, ended, **more)


def get(value, began, ended):
    return Operation(GET, "k", value, began, ended)


def delete(began, ended, **more):
    return Operation(DELETE, "k", ABSENT, began, ended, **more)


def random_history(seed, operation_count=300, client_count=6, lost=0.03):
    """A register served in a true order: each operation takes effect at one moment between its call and its answer."""
    rng = random.Random(seed)
    moments = []
    for client in range(client_count):
        now = rng.randrange(50)
        for number in range(operation_count // client_count):
            began = now + rng.randrange(1, 40)
            ended = began + rng.randrange(1, 120)
            moments.append((rng.uniform(began, ended), client, number, began, ended))
            now = ended
    state, history = ABSENT, []
    for effect, client, number, began, ended in sorted(moments):
        choice = rng.random()
        is_lost = rng.random() < lost
        end = None if is_lost else ended
        if choice < 0.5:
            history.append(Operation(GET, "k", state, began, end, client=client))
            continue
        if is_lost and rng.random() < 0.5:
            continue_with = state  # the request never arrived
        else:
            continue_with = ABSENT if choice < 0.55 else f"{client}-{number}"
        kind, value = (DELETE, ABSENT) if choice < 0.55 else (PUT, f"{client}-{number}")
        history.append(Operation(kind, "k", value, began, end, old=state, client=client))
        state = continue_with
    return history


def replaced(history, index, **changes):
    copy = list(history)
    copy[index] = linear.dataclasses.replace(copy[index], **changes)
    return copy


class CheckTest(unittest.TestCase):
    def verdict(self, *operations):
        return linear.check(operations).status

    def test_nothing_is_fine(self):
        self.assertEqual(self.verdict(), OK)

    def test_a_get_reads_the_last_put(self):
        self.assertEqual(self.verdict(put("a", 0, 1), get("a", 2, 3)), OK)
        self.assertEqual(self.verdict(put("a", 0, 1), put("b", 2, 3), get("a", 4, 5)), BAD)

    def test_an_acknowledged_put_is_not_lost(self):
        self.assertEqual(self.verdict(put("a", 0, 1), get(ABSENT, 2, 3)), BAD)

    def test_a_get_reads_nothing_that_was_never_written(self):
        self.assertEqual(self.verdict(get("a", 0, 1)), BAD)

    def test_a_get_reads_nothing_from_the_future(self):
        self.assertEqual(self.verdict(get("a", 0, 1), put("a", 2, 3)), BAD)

    def test_concurrent_operations_may_take_either_order(self):
        self.assertEqual(self.verdict(put("a", 0, 5), get("a", 1, 2), get("a", 3, 4)), OK)
        self.assertEqual(self.verdict(put("a", 0, 5), get(ABSENT, 1, 2), get("a", 3, 4)), OK)
        self.assertEqual(self.verdict(put("a", 0, 5), get("a", 1, 2), get(ABSENT, 3, 4)), BAD)

    def test_touching_intervals_count_as_concurrent(self):
        self.assertEqual(self.verdict(put("a", 0, 1), get(ABSENT, 1, 2)), OK)

    def test_two_readers_agree_on_the_order(self):
        writes = put("a", 0, 10), put("b", 0, 10)
        self.assertEqual(self.verdict(*writes, get("a", 1, 2), get("b", 3, 4)), OK)
        self.assertEqual(self.verdict(*writes, get("a", 1, 2), get("b", 3, 4), get("a", 5, 6)), BAD)

    def test_a_delete_takes_the_value_away(self):
        self.assertEqual(self.verdict(put("a", 0, 1), delete(2, 3), get(ABSENT, 4, 5)), OK)
        self.assertEqual(self.verdict(put("a", 0, 1), delete(2, 3), get("a", 4, 5)), BAD)

    def test_an_unknown_put_may_have_happened_or_not_or_later(self):
        lost = put("b", 2, None)
        self.assertEqual(self.verdict(put("a", 0, 1), lost, get("a", 4, 5)), OK)
        self.assertEqual(self.verdict(put("a", 0, 1), lost, get("b", 4, 5)), OK)
        self.assertEqual(self.verdict(put("a", 0, 1), lost, get("a", 4, 5), get("b", 6, 7)), OK)

    def test_an_unknown_put_happens_at_most_once(self):
        lost = put("b", 0, None)
        self.assertEqual(self.verdict(lost, get("b", 1, 2), put("c", 3, 4), get("b", 5, 6)), BAD)

    def test_an_unknown_put_does_not_happen_before_its_call(self):
        self.assertEqual(self.verdict(get("b", 0, 1), put("b", 2, None)), BAD)

    def test_an_unknown_delete_may_explain_an_absence_once(self):
        lost = delete(2, None)
        self.assertEqual(self.verdict(put("a", 0, 1), lost, get(ABSENT, 3, 4)), OK)
        gone_twice = put("a", 0, 1), lost, get(ABSENT, 3, 4), put("b", 5, 6), get(ABSENT, 7, 8)
        self.assertEqual(self.verdict(*gone_twice), BAD)
        self.assertEqual(self.verdict(*gone_twice, delete(6, None)), OK)

    def test_what_a_put_replaced_is_looked_at(self):
        self.assertEqual(self.verdict(put("a", 0, 1), put("b", 2, 3, old="a")), OK)
        self.assertEqual(self.verdict(put("a", 0, 1), put("b", 2, 3, old=ABSENT)), BAD)

    def test_a_put_that_took_effect_twice_is_seen(self):
        history = put("a", 0, 9), get("a", 1, 2), put("b", 3, 4), get("b", 5, 6), get("a", 7, 8)
        self.assertEqual(self.verdict(*history), BAD)

    def test_the_search_stops_at_its_budget(self):
        puts = [put(f"v{number}", 0, 100) for number in range(12)]
        puzzle = puts + [get("v1", 101, 102), get("v2", 103, 104)]
        self.assertEqual(linear.check(puzzle, step_max=50).status, UNKNOWN)
        self.assertEqual(linear.check(puzzle).status, BAD)

    def test_a_value_written_twice_is_an_error_of_the_test(self):
        with self.assertRaises(ValueError):
            linear.check([put("a", 0, 1), put("a", 2, 3)])

    def test_keys_are_judged_one_by_one(self):
        good = put("a", 0, 1)
        bad = Operation(GET, "other", "a", 2, 3)
        self.assertEqual(linear.check_keys([good]).status, OK)
        verdict = linear.check_keys([good, bad])
        self.assertEqual(verdict.status, BAD)
        self.assertIn("key other", verdict.explanation)

    def test_the_explanation_names_the_culprit(self):
        verdict = linear.check([put("a", 0, 1), put("b", 2, 3), get("a", 4, 5)])
        self.assertIn("nothing explains get k=a", verdict.explanation)


class RandomHistoryTest(unittest.TestCase):
    def test_true_histories_are_accepted(self):
        for seed in range(60):
            verdict = linear.check(random_history(seed))
            self.assertEqual(verdict.status, OK, f"seed {seed}: {verdict.explanation}")

    def test_a_get_changed_to_an_older_value_is_found(self):
        for seed in range(40):
            history = random_history(seed)
            gets = [i for i, each in enumerate(history) if each.kind == GET and each.is_known()]
            late = max(gets, key=lambda i: history[i].began_ns)
            first = min((each for each in history if each.kind == PUT and each.is_known()), key=lambda each: each.began_ns)
            verdict = linear.check(replaced(history, late, value=first.value))
            self.assertEqual(verdict.status, BAD, f"seed {seed}")

    def test_a_lost_put_is_found(self):
        for seed in range(40):
            history = random_history(seed)
            seen = {each.old for each in history if each.is_known()}
            victim = next(i for i, each in enumerate(history) if each.kind == PUT and each.value in seen)
            verdict = linear.check(history[:victim] + history[victim + 1 :])
            self.assertEqual(verdict.status, BAD, f"seed {seed}")

    def test_a_moved_put_is_found(self):
        for seed in range(40):
            history = random_history(seed, lost=0)
            end = max(each.ended_ns for each in history)
            seen = {each.value for each in history if each.kind == GET}
            victim = next(i for i, each in enumerate(history) if each.kind == PUT and each.value in seen)
            verdict = linear.check(replaced(history, victim, began_ns=end + 1, ended_ns=end + 2))
            self.assertEqual(verdict.status, BAD, f"seed {seed}")


class ChainTest(unittest.TestCase):
    chain = [put("a", 0, 1, old=ABSENT), put("b", 2, 3, old="a"), put("c", 4, 5, old="b")]

    def assert_fault(self, word, operations):
        faults = linear.check_chain(operations)
        self.assertTrue(any(word in fault for fault in faults), faults)

    def test_a_whole_chain_has_no_fault(self):
        self.assertEqual(linear.check_chain([]), [])
        self.assertEqual(linear.check_chain(self.chain), [])

    def test_a_put_that_took_effect_twice_is_a_fork(self):
        self.assert_fault("fork", [*self.chain, put("d", 6, 7, old="b")])

    def test_a_lost_version_is_a_gap(self):
        self.assert_fault("gap", [self.chain[0], put("b", 2, 3, old="a"), put("c", 4, 5, old="a")])
        self.assert_fault("nobody wrote", [self.chain[0], self.chain[2]])

    def test_a_later_version_cannot_be_replaced(self):
        self.assert_fault("later", [*self.chain[:2], put("x", 0, 1, old="y"), put("y", 8, 9, old="b")])

    def test_a_cycle_is_a_fault(self):
        self.assertTrue(linear.check_chain([put("a", 0, 9, old="b"), put("b", 0, 9, old="a")]))

    def test_an_unknown_put_may_hide_a_link(self):
        hidden = [self.chain[0], put("b", 2, None), self.chain[2]]
        self.assertEqual(linear.check_chain(hidden), [])


if __name__ == "__main__":
    unittest.main()
