"""How numbers, and values in messages, are written for people."""

from __future__ import annotations

import difflib
import math
import sys
from collections.abc import Iterable

PER_CENT = "\u00a0%"
WARNING = "warning: "
"""How a note begins that nobody may miss."""
MAX_CHARACTERS_SHOWN, MAX_MESSAGE_CHARACTERS = 80, 300
"""Of a value in a message, and of what another library says."""


def finite(value: object) -> float | None:
    """Give the value as a number if it is a finite one, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    # Beyond this the width of an axis would overflow.
    return number if math.isfinite(number) and abs(number) < 1e150 else None


def decimal(value: float, digits: int = 3) -> str:
    """Write a number with at most `digits` decimals and about five significant figures.

    >>> decimal(4.1234, 2), decimal(115.93, 2), decimal(10234.5, 2), decimal(0.00012)
    ('4.12', '115.9', '10,234', '0.00012')
    """
    size = abs(value)
    if size >= 1e9 or 0 < size < 10.0**-digits:
        return f"{value:.2g}"
    return f"{value:,.{0 if size >= 1e3 else min(digits, 1) if size >= 100 else digits}f}"


def per_cent(share: object) -> str:
    """Write a share of one in per cent.

    >>> per_cent(0.8731).replace("\u00a0", " "), per_cent(None)
    ('87.3 %', '–')
    """
    number = finite(share)
    return "–" if number is None else f"{number * 100:.1f}{PER_CENT}"


def count(value: object) -> str:
    """Write a whole number, with a separator between thousands."""
    number = finite(value)
    return "–" if number is None else f"{number:,.0f}"


def duration(seconds: object) -> str:
    """Write a time as people say it.

    >>> [duration(seconds).replace("\\xa0", " ") for seconds in (8.2, 192, 7500)]
    ['8 s', '3 min 12 s', '2 h 5 min']
    """
    number = finite(seconds)
    if number is None:
        return "–"
    whole = max(0, round(number))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    text = f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return text.replace(" ", "\u00a0")


def clock_time(seconds: float) -> str:
    """Write a time as a clock does.

    >>> clock_time(9.4), clock_time(3725)
    ('0:09', '1:02:05')
    """
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def shorten(text: str, most: int = MAX_CHARACTERS_SHOWN) -> str:
    r"""Put a text on one line of a message, however long it is.

    >>> shorten("a" * 200)[-3:], shorten("two\nlines")
    ('aa…', 'two lines')
    """
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def abbreviate(value: object, most: int = MAX_CHARACTERS_SHOWN) -> str:
    """Show a value in a message: on one line, however long it is.

    >>> abbreviate("a" * 5, most=4), abbreviate([1, 2]), abbreviate(10**5000)
    ("'aa…", '[1, 2]', 'a number of more than 4,300 digits')
    """
    try:
        return shorten(repr(value), most)
    except Exception:  # noqa: BLE001  whatever a class of the caller's does, its name can be said
        if isinstance(value, int):  # Python writes no longer one
            return f"a number of more than {sys.get_int_max_str_digits():,} digits"
        return f"an object of {type(value).__name__}"


def closest(name: str, names: Iterable[str], likeness: float = 0.6) -> str | None:
    """Give the name that was probably meant; None where none is so like it, from 0 to 1."""
    return next(iter(difflib.get_close_matches(name, list(names), n=1, cutoff=likeness)), None)


def visible(label: str) -> str:
    """Show a label of blanks alone as such.

    >>> visible(" cat"), visible(" \\n")
    (' cat', '␣↵')
    """
    return label if label.strip() else label.replace("\n", "↵").replace("\t", "⇥").replace(" ", "␣")
