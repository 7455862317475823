"""Where grapheme clusters begin: what a reader takes for one character, so that no unit tears an emoji or an accent."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import numpy.typing as npt
import regex

CLUSTER = regex.compile(r"\X")
CARRIAGE_RETURN = 0x0D
CODE_POINTS = 0x110000

# Every rule of Unicode's annex 29 that keeps two neighbours together needs, on at least one side, a class outside this
# set: CR × LF has CR on the left; the Hangul rules an L on the left or a V or T on the right; Extend, ZWJ, SpacingMark
# and Prepend are themselves outside; emoji sequences and Indic conjuncts have a ZWJ or an Extend on the left; flags are
# pairs of Regional_Indicator. So between two code points of this set there is always a boundary.
_ALONE = regex.compile(r"[\p{GCB=Other}\p{GCB=Control}\p{GCB=LF}\p{GCB=LV}\p{GCB=LVT}]+")


@cache
def always_separate() -> npt.NDArray[np.bool_]:
    """Return, for each code point, whether two neighbours that both have this property never share a cluster."""
    table = np.zeros(CODE_POINTS, dtype=np.bool_)
    for match in _ALONE.finditer("".join(map(chr, range(CODE_POINTS)))):
        table[match.start() : match.end()] = True
    table.flags.writeable = False
    return table


def code_points(text: str) -> npt.NDArray[np.uint32]:
    """Return the code points of a text, one each, as numbers (lone surrogates too)."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def as_text(codes: npt.NDArray[np.uint32]) -> str:
    """Return the text of some code points: the inverse of `code_points`."""
    return codes.tobytes().decode("utf-32-le", "surrogatepass")


def with_neighbours(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return where a flag is set or its left or right neighbour's is."""
    wide = flags.copy()
    wide[1:] |= flags[:-1]
    wide[:-1] |= flags[1:]
    return wide


def cluster_starts(codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    r"""Return where an extended grapheme cluster begins: for each code point, a truth value.

    >>> cluster_starts(code_points("a\r\n中e\u0301")).tolist()
    [True, True, False, True, True, False]
    """
    starts = np.ones(len(codes), dtype=np.bool_)
    joining = ~always_separate()[codes]
    if joining.any():
        # Only the neighbourhoods of joining code points are cut by rule. They may be put side by side: each starts and
        # ends with a code point that stands alone (or with the text's own edge), so the cut between two of them stays.
        unsure = with_neighbours(joining)
        part = as_text(codes[unsure])
        inner = np.zeros(len(part), dtype=np.bool_)
        inner[np.fromiter((match.start() for match in CLUSTER.finditer(part)), dtype=np.int64)] = True
        starts[unsure] = inner
    return starts


def split_blocks(text: str, size: int = 1 << 20) -> Iterator[str]:
    """Cut a long text into blocks of about `size` code points, never inside a cluster, so that memory stays small."""
    table = always_separate()
    start = 0
    while start < len(text):
        stop = start + size
        while stop < len(text) and not (table[ord(text[stop - 1])] and table[ord(text[stop])]):
            stop += 1
        yield text[start:stop]
        start = stop


def count_graphemes(text: str) -> int:
    """Count the characters of a text as a reader would.

    >>> count_graphemes("é中👩‍👩‍👧")
    3
    """
    return int(cluster_starts(code_points(text)).sum())
