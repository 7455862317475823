"""The pairs of `translate_peer.py`: Multi30k's or drawn by chance, in batches to learn from and to translate."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from translate_entrants import VOCABULARY

from recurra.data.batching import batches_by_length
from recurra.data.pairs import read_pairs
from recurra.tasks.seq2seq.search import collate, teacher
from recurra.tasks.translate.config import Data
from recurra.tasks.translate.preprocessing import TranslationPreprocessor, build_preprocessor
from recurra.tasks.translate.task import PairBatch

PAIRS, ROWS, SENTENCES, WORDS = 2_048, 64, 256, 12


def multi30k() -> tuple[list[str], list[str]]:
    """Read the training pairs of Multi30k, German to English."""
    folder = Path(os.environ.get("RECURRA_DATA", "data")) / "multi30k-task1" / "raw"
    pairs = read_pairs([str(folder / f"train.{side}.gz") for side in ("de", "en")], Data().reading())
    return pairs.sources, pairs.targets


def seeded() -> tuple[list[str], list[str]]:
    """Draw pairs by chance, of lengths like those of Multi30k: 14 and 15 units in the mean, and as different."""
    chance = np.random.default_rng(1)
    lengths = np.clip(chance.gamma(9.0, 14 / 9, PAIRS), 4, 50).round().astype(int)
    sides = []
    for factor in (1.0, 15 / 14):
        counts = np.maximum(1, (factor * lengths + chance.normal(0, 1.5, PAIRS)).round().astype(int))
        sides.append([" ".join(f"w{word}" for word in chance.integers(0, VOCABULARY, count)) for count in counts])
    return sides[0], sides[1]


class Pairs:
    """Pairs as ids, whose vocabulary lies in a folder: batches to learn from, and sources to translate."""

    def __init__(self, sources: list[str], targets: list[str], unit: str, folder: Path) -> None:
        data = Data(joint=True, source_unit=unit, target_unit=unit, vocabulary=VOCABULARY)  # type: ignore[arg-type]
        self.unit, self.folder = unit, folder
        self.preprocessor: TranslationPreprocessor = build_preprocessor(sources, targets, data)
        self.preprocessor.save(folder)
        chosen = np.random.default_rng(2).permutation(len(sources))[:PAIRS].tolist()
        self.sources = [self.preprocessor.encode_source(sources[index]) for index in chosen]
        self.targets = [self.preprocessor.encode_target(targets[index]) for index in chosen]
        self.sentence = self.preprocessor.encode_source(next(text for text in sources if len(text.split()) == WORDS))

    def batches(self, kind: str, count: int) -> list[PairBatch]:
        """Give batches of pairs, alike in length or mixed."""
        lengths = [len(target) * 1_000 + len(source) for source, target in zip(self.sources, self.targets, strict=True)]
        alike = batches_by_length(lengths, ROWS, seed=1, epoch=0)
        mixed = np.arange(PAIRS).reshape(-1, ROWS)
        return [self._batch(rows.tolist()) for rows in (alike if kind == "alike" else mixed)[:count]]

    def _batch(self, rows: list[int]) -> PairBatch:
        targets = [self.targets[row] for row in rows]
        read, written = teacher(self.preprocessor.target, targets)
        return PairBatch(
            *collate([self.sources[row] for row in rows]), read, written, sum(len(ids) + 1 for ids in targets)
        )

    def sorted_sources(self) -> list[list[np.ndarray]]:
        """Give the sources to translate, in batches of like lengths."""
        some = sorted(self.sources[:SENTENCES], key=len)
        return [some[start : start + ROWS] for start in range(0, SENTENCES, ROWS)]
