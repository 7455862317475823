"""Which units may be written next, so that bytes always make whole characters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recurra.text import Vocabulary
from recurra.text.vocabulary.base import PieceVocabulary

_FOLLOWING = range(0x80, 0xC0)
_WAYS: tuple[tuple[tuple[range, int], ...], ...] = (
    # 0: nothing is open. Which bytes may come, and what is then open (RFC 3629, section 4).
    (
        (range(0x80), 0),
        (range(0xC2, 0xE0), 1),
        (range(0xE0, 0xE1), 4),
        (range(0xE1, 0xED), 2),
        (range(0xED, 0xEE), 5),
        (range(0xEE, 0xF0), 2),
        (range(0xF0, 0xF1), 6),
        (range(0xF1, 0xF4), 3),
        (range(0xF4, 0xF5), 7),
    ),
    ((_FOLLOWING, 0),),  # 1, 2, 3: so many bytes are still to come
    ((_FOLLOWING, 1),),
    ((_FOLLOWING, 2),),
    ((range(0xA0, 0xC0), 1),),  # 4: no longer form than is needed
    ((range(0x80, 0xA0), 1),),  # 5: no surrogate
    ((range(0x90, 0xC0), 2),),  # 6: as 4
    ((range(0x80, 0x90), 2),),  # 7: nothing above U+10FFFF
)


def has_spelling(vocabulary: Vocabulary) -> bool:
    """Tell whether characters are spelt by several units; the bytes beside units that are characters are never written."""
    return isinstance(vocabulary, PieceVocabulary) and vocabulary.unit != "char"


@dataclass(frozen=True)
class Spelling:
    """after: what is open once an id was written, (8, V) int64, by what was open before; −1 where the id must not come."""

    after: Tensor

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> Spelling | None:
        """Give what the units of a vocabulary allow; None where each is whole characters.

        >>> from recurra.text import build_vocabulary
        >>> vocabulary = build_vocabulary(["é"], unit="byte")
        >>> spelling, (lead, following) = Spelling.of(vocabulary), vocabulary.encode("é")
        >>> spelling.after[0, [lead, following]].tolist(), spelling.after[1, [lead, following]].tolist()
        ([1, -1], [-1, 0])
        """
        if not isinstance(vocabulary, PieceVocabulary) or not has_spelling(vocabulary):
            return None
        pieces = vocabulary.pieces
        ways = np.full((len(_WAYS) + 1, 256), -1)  # the last row, which −1 is, leads nowhere
        for state, rows in enumerate(_WAYS):
            for some, after in rows:
                ways[state, list(some)] = after
        lengths = np.array([len(piece) for piece in pieces])
        found = np.tile(np.arange(len(_WAYS))[:, None], len(pieces))
        for place in range(lengths.max()):
            ids = np.flatnonzero(lengths > place)
            found[:, ids] = ways[found[:, ids], [pieces[id][place] for id in ids.tolist()]]
        found[1:, lengths == 0] = -1  # no mark within a character
        return cls(torch.from_numpy(found))

    def open_after(self, ids: np.ndarray) -> int:
        """Give what is open behind the ids of a text."""
        state = 0
        for id in ids[-4:].tolist():  # no character is longer
            state = max(0, int(self.after[state, id]))
        return state

    def allowed(self, states: Tensor) -> Tensor:
        """Tell which ids may come, (B, V) bool, by what is open in each row, (B,)."""
        return self.after[states] >= 0
