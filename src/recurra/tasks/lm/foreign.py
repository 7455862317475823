"""What of a text a model has no unit for."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from recurra.text import Vocabulary
from recurra.text.read.decode import normalise
from recurra.text.vocabulary.base import FIRST_BYTE
from recurra.text.vocabulary.words import UNKNOWN, WordVocabulary, words_of


def foreign_units(vocabulary: Vocabulary, text: str) -> list[str]:
    """List the characters or words of a text, each once, that the vocabulary has no unit for.

    They were left out because they were rare in training, or were never there. Bytes and the pieces of a byte-level BPE
    spell any text with units that were all trained, so that nothing is foreign to them.

    >>> from recurra.text import build_vocabulary
    >>> foreign_units(build_vocabulary(["春眠不覺曉春眠不覺曉"], unit="char"), "春眠不觉晓")
    ['觉', '晓']
    >>> foreign_units(build_vocabulary(["a cat, a dog\\n"], unit="word", min_count=1), "a <unk>, a bird")
    ['bird']
    """
    if isinstance(vocabulary, WordVocabulary):
        text = normalise(text)
        words = words_of(text, vocabulary.split)
        unknown = vocabulary.encode(text) == vocabulary.encode(UNKNOWN)[0]
        found = [word for word, is_unknown in zip(words, unknown, strict=True) if is_unknown and word != UNKNOWN]
    elif vocabulary.unit == "char":
        ids = vocabulary.encode(text)
        spelt = (ids >= FIRST_BYTE) & (ids < FIRST_BYTE + 256)
        edges = [*np.flatnonzero(vocabulary.starts(ids)).tolist(), len(ids)]
        found = [vocabulary.decode(ids[a:b]) for a, b in pairwise(edges) if spelt[a:b].any()]
    else:
        found = []
    return list(dict.fromkeys(found))
