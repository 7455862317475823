"""Measure how many poems keep one line length, as Tang verse of five or seven characters does.

    recurra generate runs/tang-poems -n 500 --length 300 --seed 1 --json | python recipes/poem_lines.py
    python recipes/poem_lines.py --real

Reads JSON lines with a field "text" from standard input, or with --real the poems of the data set. A poem is regular when
all its lines (between punctuation marks) have the same length, five or seven characters, and there are at least four.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable

PUNCTUATION = re.compile(r"[，。！？；、：\s]+")


def line_length(poem: str) -> int | None:
    """Give the length that all lines of a poem have, or None where they differ or are fewer than four.

    >>> line_length("牀前看月光，疑是地上霜。\\n舉頭望山月，低頭思故鄉。")
    5
    >>> line_length("牀前看月光，疑是霜。舉頭望山月，低頭思故鄉。") is None
    True
    """
    lines = [line for line in PUNCTUATION.split(poem) if line]
    lengths = {len(line) for line in lines}
    return lengths.pop() if len(lengths) == 1 and len(lines) >= 4 else None


def real_poems() -> list[str]:
    """Read the poems of the data set, as training does."""
    from recurra.data import locate
    from recurra.text import read_corpus

    return read_corpus(locate("tang-poems").paths, field="paragraphs").documents


def report(poems: Iterable[str]) -> dict[str, float]:
    """Give the share of poems that are regular, in all and by line length."""
    lengths = Counter(line_length(poem) for poem in poems)
    total = lengths.total()
    regular = lengths[5] + lengths[7]
    return {"poems": total, "regular": regular / total, "five": lengths[5] / total, "seven": lengths[7] / total}


if __name__ == "__main__":
    poems = real_poems() if sys.argv[1:] == ["--real"] else [json.loads(line)["text"] for line in sys.stdin]
    print(json.dumps(report(poems)))
