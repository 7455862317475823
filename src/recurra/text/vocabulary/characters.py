"""Units that are characters as a reader sees them, with bytes to fall back on, so that nothing is out of vocabulary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from recurra.errors import RunError
from recurra.text.vocabulary.base import (
    FIRST_BYTE,
    VERSION,
    PieceVocabulary,
    check_at_least,
    expect_keys,
    expect_units,
    most_frequent,
    normal_form,
)
from recurra.text.vocabulary.graphemes import (
    CARRIAGE_RETURN,
    CLUSTER,
    CODE_POINTS,
    always_separate,
    as_text,
    cluster_starts,
    code_points,
    split_blocks,
    with_neighbours,
)

_FIRST_UNIT = FIRST_BYTE + 256
_UNKNOWN, _COVERED = -1, -2
_MAX_CODE_POINTS_HELD = 1 << 22  # code points that are counted at a time


class CharacterVocabulary(PieceVocabulary):
    """The extended grapheme clusters of a text: a letter with its accents, a whole emoji, a Hangul syllable is one unit.

    Ids 2 to 257 are the 256 bytes, the units follow. A cluster that is no unit is written as its code points, where
    these are units, and the others as their UTF-8 bytes; so any text can be encoded, and `decode` gives it back exactly
    (in normal form C).

    >>> vocabulary = CharacterVocabulary.build(["banana"])
    >>> [vocabulary.label(id) for id in vocabulary.encode("ban中")]
    ['b', 'a', 'n', '<0xE4>', '<0xB8>', '<0xAD>']
    >>> vocabulary.unit_starts(vocabulary.encode("ban中")).tolist()
    [True, True, True, True, False, False]
    """

    unit = "char"
    settings = frozenset({"min_count", "max_size"})

    def __init__(self, units: Sequence[str]) -> None:
        """Take the units, in the order of their ids; they must be distinct."""
        self.units = list(units)
        self.size = _FIRST_UNIT + len(self.units)
        self._pieces = [b""] * FIRST_BYTE + [bytes([byte]) for byte in range(256)]
        self._pieces += [unit.encode("utf-8") for unit in self.units]
        # For each code point its id; for each longer cluster the same.
        self._single = np.full(CODE_POINTS, _UNKNOWN, dtype=np.int32)
        self._longer: dict[str, int] = {}
        for id, unit in enumerate(self.units, _FIRST_UNIT):
            if len(unit) == 1:
                self._single[ord(unit)] = id
            else:
                self._longer[unit] = id
        ids = {unit: id for id, unit in enumerate(self.units, _FIRST_UNIT)}
        self.line_break_id = ids.get("\n", ids.get("\r\n"))
        self._whole = self._stand_alone()

    @classmethod
    def build(cls, texts: Sequence[str], *, min_count: int = 2, max_size: int | None = None) -> Self:
        """Take the clusters that come at least `min_count` times, the most frequent first, at most `max_size` ids in all.

        A character that comes once is left to the bytes by default: it costs nothing (a single ASCII letter is one byte
        anyway) and it is what the bytes are trained on, so that a character never seen gets a probability that was learnt.
        """
        check_at_least("min_count", min_count, 1)
        if max_size is not None:
            check_at_least("max_size", max_size, _FIRST_UNIT, " (two marks and 256 bytes)")
        # Counted many at once, since a table of all code points for each short document would be slow, and not all.
        singles, separate, waiting = np.zeros(CODE_POINTS, dtype=np.int64), [np.zeros(0, dtype=np.uint32)], 0
        longer: Counter[str] = Counter()
        for text in texts:
            for block in split_blocks(normal_form(text)):
                codes, starts, spans = _clusters(block)
                covered = ~starts
                covered[[start for start, _ in spans]] = True
                separate.append(codes[~covered])
                waiting += len(codes)
                if waiting >= _MAX_CODE_POINTS_HELD:
                    singles += np.bincount(np.concatenate(separate), minlength=CODE_POINTS)
                    separate, waiting = separate[:1], 0
                longer.update(block[start:stop] for start, stop in spans)
        singles += np.bincount(np.concatenate(separate), minlength=CODE_POINTS)
        counts = [(chr(code), int(singles[code])) for code in np.flatnonzero(singles)]
        units = most_frequent([*counts, *longer.items()], min_count)
        return cls(units if max_size is None else units[: max_size - _FIRST_UNIT])

    def _encode(self, text: str) -> Iterator[npt.NDArray[np.int32]]:
        return map(self._encode_block, split_blocks(text))

    def _encode_block(self, text: str) -> npt.NDArray[np.int32]:
        codes, _, spans = _clusters(text)
        ids = self._single[codes]
        for start, stop in spans:
            if (id := self._longer.get(text[start:stop])) is not None:
                ids[start] = id
                ids[start + 1 : stop] = _COVERED
        unknown = ids == _UNKNOWN
        if not unknown.any():
            return ids[ids != _COVERED]
        # UTF-8 has 1, 2, 3 or 4 bytes for a code point, by these limits.
        length = np.ones(len(codes), dtype=np.int64)
        length[unknown] += np.searchsorted([0x80, 0x800, 0x10000], codes[unknown], side="right")
        length[ids == _COVERED] = 0
        spelt = np.repeat(unknown, length)
        result = np.empty(len(spelt), dtype=np.int32)
        result[~spelt] = ids[ids >= 0]
        letters = as_text(codes[unknown]).encode("utf-8")
        result[spelt] = np.frombuffer(letters, dtype=np.uint8).astype(np.int32) + FIRST_BYTE
        return result

    def unit_starts(self, ids: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return where an id starts a new unit: where its first byte starts a grapheme cluster of the decoded text.

        For the ids of a whole text there are as many as it has clusters, however they are spelt. The rule reads ids only:
        a mark is a unit of its own and nothing joins over it; a byte from 0x80 to 0xBF continues a character and never
        starts one; a byte that is no UTF-8 where it stands is a unit otherwise. The first of the ids counts as the
        text's first, so give the ids of a whole text where a cluster must not be counted on both sides of a cut.
        """
        array = self.check_ids(ids)
        starts = np.ones(len(array), dtype=np.bool_)
        joining = ~self._whole[array]
        if joining.any():
            unsure = with_neighbours(joining)
            starts[unsure] = self._starts_by_text(array[unsure])
        return starts

    def _starts_by_text(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        # NUL is a control character: nothing joins it, as nothing joins a mark.
        pieces = [self._pieces[id] or b"\0" for id in ids.tolist()]
        codes = code_points(b"".join(pieces).decode("utf-8", "surrogateescape"))
        stray = (codes >= 0xDC80) & (codes <= 0xDCFF)
        width = 1 + np.searchsorted([0x80, 0x800, 0x10000], codes, side="right")
        width[stray] = 1
        starts = cluster_starts(codes) & ~(stray & (codes < 0xDCC0))
        by_byte = np.zeros(int(width.sum()), dtype=np.bool_)
        by_byte[(np.cumsum(width) - width)[starts]] = True
        lengths = np.fromiter(map(len, pieces), dtype=np.int64, count=len(pieces))
        return by_byte[np.cumsum(lengths) - lengths]

    def _stand_alone(self) -> npt.NDArray[np.bool_]:
        """Return, for each id, whether two neighbours that both have this property are always two units."""
        table = always_separate()
        whole = np.zeros(self.size, dtype=np.bool_)
        whole[:FIRST_BYTE] = True
        whole[FIRST_BYTE : FIRST_BYTE + 0x80] = table[:0x80]
        for id, unit in enumerate(self.units, _FIRST_UNIT):
            first, last = ord(unit[0]), ord(unit[-1])
            # Nothing joins a carriage return from the left, though a line feed joins it from the right.
            edges = (table[first] or first == CARRIAGE_RETURN) and table[last]
            whole[id] = edges and (len(unit) == 1 or CLUSTER.fullmatch(unit) is not None)
        return whole

    def to_json(self) -> dict[str, Any]:
        return {"unit": self.unit, "version": VERSION, "units": self.units}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        expect_keys(document, {"units"})
        units = expect_units(document["units"], "units")
        for place, unit in enumerate(units):
            if len(unit) > 1 and all(always_separate()[ord(letter)] for letter in unit):
                raise RunError(f"units[{place}]: expected one character, got {unit!r}")
        return cls(units)


def _clusters(
    text: str,
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.bool_], list[tuple[int, int]]]:
    """Return a text's code points, where clusters begin, and from where to where those of several code points go."""
    codes = code_points(text)
    starts = cluster_starts(codes)
    if starts.all():
        return codes, starts, []
    edges = np.append(np.flatnonzero(starts), len(codes))
    longer = np.flatnonzero(np.diff(edges) > 1)
    return codes, starts, list(zip(edges[longer].tolist(), edges[longer + 1].tolist(), strict=True))
