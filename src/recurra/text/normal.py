"""Unicode's normal form C, in linear time."""

from __future__ import annotations

import unicodedata
from itertools import groupby

import regex

_LONG_RUN = regex.compile(r"\p{M}{64,}+")


def nfc(text: str) -> str:
    r"""Return a text in normal form C, however many marks stand on one letter.

    unicodedata sorts a run of combining marks by insertion, so one long hostile run would take hours.

    >>> nfc("cafe\u0301") == "café"
    True
    """
    return text if text.isascii() else unicodedata.normalize("NFC", _LONG_RUN.sub(_sorted_marks, text))


def _sorted_marks(run: regex.Match[str]) -> str:
    """Put a run of marks into canonical order, which is what NFC does first."""
    # One at a time: a few marks of class 0 (U+0F73) decompose into marks of other classes.
    apart = "".join(unicodedata.normalize("NFD", mark) for mark in run.group())
    groups = groupby(apart, key=lambda mark: unicodedata.combining(mark) == 0)
    return "".join("".join(marks if starter else sorted(marks, key=unicodedata.combining)) for starter, marks in groups)
