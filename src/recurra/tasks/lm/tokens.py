"""How texts become ids, and how ids are shown: the marks that texts begin and end with, labels, and what has no id of its own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from recurra.baselines import NgramTable
from recurra.documents import damaged
from recurra.files import write_whole
from recurra.text import Vocabulary, load_vocabulary
from recurra.text.read.decode import normalise
from recurra.text.vocabulary.base import FIRST_BYTE
from recurra.text.vocabulary.words import UNKNOWN_WORD, WordVocabulary, split_words

NGRAM = "ngram.safetensors"


@dataclass(frozen=True)
class TextPreprocessor:
    """vocabulary: of the model's units.  continuous: whether the corpus is one long text, without documents.

    unknown: whether `<unk>` may be written, where the vocabulary has it: the training text has it itself.
    ngram: the n-grams of the training text, which may be mixed with the network; None where there are none.
    """

    vocabulary: Vocabulary
    continuous: bool
    unknown: bool = True
    ngram: NgramTable | None = None

    @property
    def bos_id(self) -> int:
        """The id that a text begins after: the begin mark of a document, or a line break in a continuous text.

        A text of bytes may be without line breaks; the id is learnt all the same, since every lane begins with it.
        """
        line_break = self.vocabulary.line_break_id
        return line_break if self.continuous and line_break is not None else self.vocabulary.bos_id

    @property
    def eos_id(self) -> int | None:
        """The id that ends a document, where there are documents."""
        return None if self.continuous else self.vocabulary.eos_id

    @property
    def forbidden(self) -> list[int]:
        """What must not be written: never the begin mark, the end mark only where texts end, no byte of a character, no unknown word.

        A vocabulary of characters spells those that it lacks with bytes, which make no character one by one.
        """
        vocabulary = self.vocabulary
        forbidden = [vocabulary.bos_id] + ([vocabulary.eos_id] if self.eos_id is None else [])
        if vocabulary.unit == "char":
            forbidden += range(FIRST_BYTE + 0x80, FIRST_BYTE + 0x100)
        if vocabulary.unknown_id is not None and not self.unknown:
            forbidden.append(vocabulary.unknown_id)
        return forbidden

    def encode(self, text: str) -> np.ndarray:
        """Give what the network reads of a text: the id that it begins after, and its own ids, (1 + T,) int64."""
        return np.concatenate(([self.bos_id], self.vocabulary.encode(text))).astype(np.int64)

    def save(self, folder: Path) -> list[str]:
        """Write the vocabulary, and the n-grams where there are such, into a run folder, and give the names of the files."""
        names = [self.vocabulary.save(folder).name]
        if self.ngram is None:
            return names
        write_whole(folder / NGRAM, save(self.ngram.tensors()))
        return [*names, NGRAM]

    @classmethod
    def load(cls, folder: Path, *, continuous: bool, unknown: bool) -> Self:
        """Read what `save` wrote; raises `RunError` where it is damaged."""
        vocabulary, path = load_vocabulary(folder), folder / NGRAM
        if not path.is_file():
            return cls(vocabulary, continuous, unknown)
        try:
            table = NgramTable.from_tensors(load_file(path))
            if table.size != vocabulary.size:
                raise ValueError(f"expected n-grams of {vocabulary.size} units, got {table.size}")
        except (OSError, SafetensorError, LookupError, ValueError, TypeError) as error:
            raise damaged(path, error) from None
        return cls(vocabulary, continuous, unknown, table)


def token_label(vocabulary: Vocabulary, id: int) -> str:
    """Give how an id is shown, so that no two look alike: its text; a byte by its number where its character has an id of its own.

    A vocabulary of characters has all bytes beside them, for the characters that it lacks. Of those only the ones in
    ASCII are a character each, and where one is in the vocabulary too, its byte is never what a text is read as.
    Raises `UsageError` for an id that is out of range.

    >>> from recurra.text import build_vocabulary
    >>> vocabulary = build_vocabulary(["banana"], unit="char")
    >>> [token_label(vocabulary, id) for id in (1, FIRST_BYTE + ord("a"), FIRST_BYTE + ord("b"), FIRST_BYTE + 0xE2)]
    ['<end>', '<0x61>', 'b', '<0xE2>']
    >>> [token_label(vocabulary, int(id)) for id in vocabulary.encode("ab")]
    ['a', 'b']
    """
    label = vocabulary.label(id)
    byte = id - FIRST_BYTE
    if vocabulary.unit == "char" and 0 <= byte < 0x80 and vocabulary.encode(label).tolist() != [id]:
        return f"<0x{byte:02X}>"
    return label


def unknown_tokens(vocabulary: Vocabulary, text: str) -> list[str]:
    """List the characters or words of a text, each once, that the vocabulary has no unit for.

    They were left out because they were rare in training, or were never there. Bytes and the pieces of a byte-level BPE
    spell any text with units that were all trained, so that nothing is unknown to them.

    >>> from recurra.text import build_vocabulary
    >>> unknown_tokens(build_vocabulary(["春眠不覺曉春眠不覺曉"], unit="char"), "春眠不觉晓")
    ['觉', '晓']
    >>> unknown_tokens(build_vocabulary(["a cat, a dog\\n"], unit="word", min_count=1), "a <unk>, a bird")
    ['bird']
    """
    if isinstance(vocabulary, WordVocabulary):
        text = normalise(text)
        words = split_words(text, vocabulary.split)
        unknown = vocabulary.encode(text) == vocabulary.encode(UNKNOWN_WORD)[0]
        found = [word for word, is_unknown in zip(words, unknown, strict=True) if is_unknown and word != UNKNOWN_WORD]
    elif vocabulary.unit == "char":
        ids = vocabulary.encode(text)
        spelt = (ids >= FIRST_BYTE) & (ids < FIRST_BYTE + 256)
        edges = [*np.flatnonzero(vocabulary.unit_starts(ids)).tolist(), len(ids)]
        found = [vocabulary.decode(ids[a:b]) for a, b in pairwise(edges) if spelt[a:b].any()]
    else:
        found = []
    return list(dict.fromkeys(found))
