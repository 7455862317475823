"""Values that programs are not prepared for, by what they stand in the place of."""

from __future__ import annotations

import copy
from random import Random

NUMBERS = [
    "0", "-0", "-1", "1", "0.5", "1e30", "-1e30", "1e38", "1e39", "1e308", "1e999", "-1e999", "1e-320", "5e-324", "1e-46", "nan", "NaN", "inf", "-Infinity",
    "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616", "9" * 400, "0." + "0" * 400 + "1",
    "0x10", "1_000", "1,5", "１２", "٣", "+3", " 7 ", "1e", "--1", "1.2.3", "NA", "?", "null", "",
]  # fmt: skip
TIMES = [
    "0001-01-01", "0000-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "10000-01-01", "-0044-03-15",
    "2024-02-30", "2023-02-29", "2024-13-01", "2024-01-01T24:00", "2024-01-01T25:00", "2024-01-01 00:00:60", "2024-03-31 02:30", "2024W53", "2024Q5", "202413",
    "2024-05-31T13:00:00+99:00", "2024-05-31T13:00:00+24:00", "2024-05-31T13:00:00Z", "1970-01-01", "99999999999999999999", "1717160400000000000",
    "31/31/2024", "00.00.0000", "2024年13月1日", "２０２４-05-31", "T", "-",
]  # fmt: skip
TEXTS = [
    "", " ", "\t", "\x00", "\r", "\r\n", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1b[31m", "\ufeff", "\u202e", "\u200d", "\ud800", "\udfff\ud800",
    "e\u0301" * 50, "👩‍👩‍👧‍👦", "漢" * 300, '"', '""', '"a', "'", "\\", "\\n", "a\nb", "a\tb", "a,b", ";", "|", "(", "{", "[", "%s", "{}", "$HOME", "../x", "__label__",
    "=1+1", "<b>&amp;", "[bold]", "[/bold]", "[/]", "-", "--", "B-", "I-", "-1", "None", "true", "last", "1", "0", "file", "folder", "line", "NaN",
    "İ", "ß" * 40, "\U0010ffff", "a" * 5000, "x " * 3000,
]  # fmt: skip
WORDS = [*NUMBERS, *TIMES, *TEXTS]
LONG_LENGTHS = [300, 5_000, 200_000]
INTEGERS = ["0", "1", "-1", "2", "3", "2147483647", "2147483648", "-2147483649", "4294967296", "9223372036854775808", "99999999999999999999", "1.5", "1e3", "nan", "", "x", "１", "07", "0x1f", "1_0", " 1", "9" * 5000]  # fmt: skip
NODES: list[object] = [
    None, True, False, 0, -1, 1, 2.5, 1e30, 1e308, -1e308, 5e-324, float("nan"), float("inf"), 2**63, -(2**63) - 1, 2**64, 10**400, "", "x", "\x00", "\ud800", "NaN", "1", "../x", "/", "漢" * 300,
    "a" * 5000, [], {}, [[]], [None], [1, "a"], {"": None}, [[1, 2], [3]], {"x": {"x": 1}}, "2024-05-31",
]  # fmt: skip


def word(rng: Random) -> str:
    """Give a cell: mostly a short one, seldom a very long one."""
    if rng.random() < 0.04:
        return rng.choice(["a", "1", "漢", "\u0301", " a", "é"]) * rng.choice(LONG_LENGTHS)
    return rng.choice(rng.choice([NUMBERS, TIMES, TEXTS]))


def node(rng: Random) -> object:
    """Give a value of JSON; NaN, infinity and half surrogate pairs are written as Python does."""
    if rng.random() < 0.06:
        return rng.choice([[0] * 5000, {str(n): n for n in range(3000)}, "a" * 200_000, list(range(-3, 3))])
    return copy.deepcopy(rng.choice(NODES))  # else a tree that is changed further would change all that follow
