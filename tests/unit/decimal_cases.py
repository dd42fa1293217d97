#!/usr/bin/env python3
"""Write decimal_cases.inc: sums, differences and comparisons as Python's decimal module sees them.

Usage: decimal_cases.py > decimal_cases.inc
"""
import decimal
import random

ctx = decimal.Context(prec=600, Emin=-9999, Emax=9999)
random.seed(20120810)


def number():
    digits = random.choice([1, 1, 2, 3, 5, 17, 19, 37, 38])
    text = str(random.randint(1, 9)) + "".join(random.choice("0123456789") for _ in range(digits - 1))
    exponent = random.choice([0, 0, 0, 1, -1, 5, -7, random.randint(-20, 20), random.randint(-130, 125), 125, -130])
    sign = random.choice(["", "-"])
    return "%s%s.%sE%d" % (sign, text[0], text[1:] or "0", exponent)


def near(text):
    """A number whose digits overlap with those of text."""
    value = ctx.create_decimal(text)
    scale = random.randint(-20, 20)
    other = ctx.scaleb(ctx.create_decimal(random.randint(-10**random.randint(1, 20), 10**random.randint(1, 20))),
                       value.adjusted() + scale)
    return str(other) if other == 0 or -130 <= other.adjusted() <= 125 else number()


def outcome(value):
    if value == 0:
        return "DECIMAL_OK", "0"
    if value.adjusted() > 125:
        return "DECIMAL_OVERFLOW", ""
    if value.adjusted() < -130:
        return "DECIMAL_UNDERFLOW", ""
    value = value.normalize(ctx)
    if len(value.as_tuple().digits) > 38:
        return "DECIMAL_TOO_MANY_DIGITS", ""
    return "DECIMAL_OK", format(value, "f")


print("/* Written by decimal_cases.py: do not edit. */")
print("/* clang-format off */")
pairs = [("0", "0"), ("1", "-1"), ("0.1", "0.2"), ("9E125", "9E125"), ("1E50", "1"), ("5E125", "4E125"),
         ("1E-130", "-1E-130"), ("99999999999999999999999999999999999999", "1"), ("1.1E-130", "-1E-130"),
         ("1E38", "-1"), ("1E125", "1E-130")]
for _ in range(400):
    a = number()
    pairs.append((a, number() if random.random() < 0.3 else near(a)))
for a, b in pairs:
    x, y = ctx.create_decimal(a), ctx.create_decimal(b)
    print('{ "%s", "%s", %d, %s, "%s", %s, "%s" },' % ((a, b, int(x.compare(y))) + outcome(ctx.add(x, y))
                                                       + outcome(ctx.subtract(x, y))))
