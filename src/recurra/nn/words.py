"""How words become vectors: a dictionary of the common ones, and the characters of the others or of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal, Protocol, Self, runtime_checkable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recurra.arguments import checked, explained
from recurra.errors import UsageError
from recurra.kernels import linear
from recurra.nn.stack import Stack

CharactersFor = Literal["unknown", "all"]
UNKNOWN_RATE = 0.25
"""How readily a known word is replaced by the unknown one in training (Kiperwasser & Goldberg 2016, arXiv:1603.04351v3)."""


@runtime_checkable
class SpeltText(Protocol):
    """A text of T words, U of them distinct, as `recurra.text.vocabulary.SpeltText` has it."""

    @property
    def places(self) -> np.ndarray: ...
    @property
    def ids(self) -> np.ndarray: ...
    @property
    def counts(self) -> np.ndarray: ...
    @property
    def spellings(self) -> Sequence[np.ndarray]: ...


@dataclass(frozen=True)
class WordBatch:
    """The words of a batch, each distinct one spelt once.

    words: (T, B), places among the U distinct words, U itself in the padding.  lengths: (B), words of each row.
    known: (U), ids in the dictionary, 0 for others.  counts: (U), how often the dictionary saw each.
    characters: (C, U), ids of their characters, 0 for unknown ones.  character_lengths: (U).  All int64.
    """

    words: Tensor
    lengths: Tensor
    known: Tensor
    counts: Tensor
    characters: Tensor
    character_lengths: Tensor

    def to(self, device: torch.device | str) -> Self:
        """Give the batch on another device; the lengths, which the kernels read there, stay on the CPU."""
        kept = ("lengths", "character_lengths")
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        return type(self)(**{name: part if name in kept else part.to(device) for name, part in parts.items()})


@checked
def collate_words(texts: Sequence[SpeltText]) -> WordBatch:
    """Put texts side by side: a word that several of them have is one distinct word of the batch.

    >>> from recurra.text.vocabulary import WordsAndCharacters
    >>> vocabulary = WordsAndCharacters.build(["a dog and a cat"])
    >>> batch = collate_words([vocabulary.encode("a cat"), vocabulary.encode("cat")])
    >>> batch.words.tolist(), batch.lengths.tolist(), batch.known.tolist()
    ([[0, 1], [1, 2]], [2, 1], [1, 3])
    """
    distinct: dict[tuple[int, bytes], int] = {}
    spellings: list[np.ndarray] = []
    counts: list[int] = []
    placed = []
    for text in texts:
        own = []
        for id, count, spelling in zip(text.ids.tolist(), text.counts.tolist(), text.spellings, strict=True):
            place = distinct.setdefault((id, spelling.tobytes()), len(distinct))
            if place == len(spellings):
                spellings.append(spelling)
                counts.append(count)
            own.append(place)
        placed.append(np.array(own, dtype=np.int64)[text.places])
    lengths = np.array([len(places) for places in placed], dtype=np.int64)
    words = np.full((int(lengths.max(initial=0)), len(placed)), len(distinct), dtype=np.int64)
    for row, places in enumerate(placed):
        words[: len(places), row] = places
    spelt = np.array([len(spelling) for spelling in spellings], dtype=np.int64)
    characters = np.zeros((int(spelt.max(initial=0)), len(spellings)), dtype=np.int64)
    for place, spelling in enumerate(spellings):
        characters[: len(spelling), place] = spelling
    known = np.array([id for id, _ in distinct], dtype=np.int64)
    arrays = (words, lengths, known, np.array(counts, dtype=np.int64), characters, spelt)
    return WordBatch(*map(torch.from_numpy, arrays))


class WordEncoder(nn.Module):
    """`WordBatch` → a vector for each word (T, B, E), zeros in the padding. E is `size`.

    A known word has a learnt vector. The characters of a word are read in both directions, and the last states are their
    vector (Ling et al. 2015, arXiv:1508.02096v2; Lample et al. 2016, arXiv:1603.01360v3):

    - "unknown": a word that is not in the dictionary is known by its characters, projected to the size of a word. E = word_size.
    - "all": every word is its vector, one for all unknown words, ‖ its characters. E = word_size + 2 · character_hidden.

    In training a known word of the batch is replaced by the unknown one with probability a / (a + count), a = `rare`, drawn from
    torch's global generator, so that the characters and the unknown word's vector are learnt. Only characters that are
    needed are read, each distinct word's once.

    words, characters: how many there are in the dictionary, without the unknown one.  `cell` reads the characters.
    Raises `UsageError` for sizes that are not positive, and an unknown `characters_for`.

    >>> from recurra.text.vocabulary import WordsAndCharacters
    >>> vocabulary = WordsAndCharacters.build(["a dog and a cat"], max_words=2)
    >>> encoder = WordEncoder(len(vocabulary.words), len(vocabulary.characters), word_size=8, characters_for="unknown")
    >>> encoder(collate_words([vocabulary.encode("a dog"), vocabulary.encode("")])).shape
    torch.Size([2, 2, 8])
    """

    @checked
    def __init__(
        self,
        words: int,
        characters: int,
        *,
        word_size: int = 100,
        character_size: int = 25,
        character_hidden: int = 25,
        characters_for: CharactersFor = "unknown",
        cell: str = "lstm",
        rare: float = UNKNOWN_RATE,
    ) -> None:
        super().__init__()
        for name, count in (("words", words), ("characters", characters)):
            if count < 0:
                raise UsageError(f"{name}: expected a number from 0, got {count}")
        for name, count in (("word_size", word_size), ("character_size", character_size)):
            if count < 1:
                raise UsageError(f"{name}: expected a positive integer, got {count}")
        if not rare >= 0:
            raise UsageError(f"rare: expected a number from 0, got {rare}")
        self.characters_for, self.rare = characters_for, rare
        self.words = nn.Embedding(words + 1, word_size)  # 0 is what all unknown words have in common
        self.characters = nn.Embedding(characters + 1, character_size)
        self.spelling = Stack(cell, character_size, [character_hidden], bidirectional=True)
        both = self.spelling.output_size
        self.project = nn.Linear(both, word_size, bias=False) if characters_for == "unknown" else None
        self.size = word_size if self.project is not None else word_size + both
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights: vectors from U(−√(3/F), √(3/F)), F their size, whose length is 1 (Ma & Hovy 2016, arXiv:1603.01354v5)."""
        for table in (self.words, self.characters):
            limit = (3 / table.embedding_dim) ** 0.5
            nn.init.uniform_(table.weight, -limit, limit)
        self.spelling.reset_parameters()
        if self.project is not None:
            nn.init.xavier_uniform_(self.project.weight)

    @torch.no_grad()
    def set_vectors(self, matrix: np.ndarray | Tensor, found: np.ndarray | Tensor) -> None:
        """Begin with given vectors: matrix (words, word_size) in the dictionary's order, where found (words) says so.

        Raises `UsageError` where the shapes do not fit.
        """
        given, there = torch.as_tensor(matrix), torch.as_tensor(found)
        wanted = (self.words.num_embeddings - 1, self.words.embedding_dim)
        if tuple(given.shape) != wanted or tuple(there.shape) != wanted[:1] or there.dtype != torch.bool:
            got = f"{tuple(given.shape)} and {there.dtype} {tuple(there.shape)}"
            raise UsageError(f"vectors: expected {wanted} and bool {wanted[:1]}, got {got}; word_size is {wanted[1]}")
        weight = self.words.weight
        weight[1:][there.to(weight.device)] = given.to(weight)[there.to(weight.device)]

    @explained
    def forward(self, batch: WordBatch) -> Tensor:
        known = batch.known
        if self.training:
            drawn = torch.rand(len(known)).to(known.device)  # on the CPU, whose generator is the same with any device
            known = known.masked_fill(drawn * (self.rare + batch.counts) < self.rare, 0)
        vectors = self.words(known)
        if self.project is None:
            vectors = torch.cat([vectors, self._spell(batch, torch.arange(len(known)))], 1)
        elif len(unknown := (known == 0).nonzero().squeeze(1)):
            projected = linear(self._spell(batch, unknown.cpu()), self.project.weight)
            vectors = vectors.index_add(0, unknown, projected.to(vectors.dtype))
        # The padding reads a row of its own, which nothing has learnt or learns.
        table = torch.cat([vectors, vectors.new_zeros(1, self.size)])
        return F.embedding(batch.words, table, padding_idx=len(vectors))

    def _spell(self, batch: WordBatch, chosen: Tensor) -> Tensor:
        """Give the vectors of the characters of some distinct words, chosen (N) on the CPU: (N, 2 · character_hidden)."""
        lengths = batch.character_lengths[chosen]
        longest = int(lengths.max()) if len(lengths) else 0
        letters = batch.characters[:longest, chosen.to(batch.characters.device)]
        _, ends = self.spelling(self.characters(letters), self.spelling.zero_state(len(chosen)), lengths)
        return torch.cat([end[0] for end in ends], 1)

    def extra_repr(self) -> str:
        return f"characters_for={self.characters_for}, rare={self.rare}"
