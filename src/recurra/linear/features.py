"""Features of series, of a whole one or after each step: convolutions of several views, and summaries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Self

import numpy as np

from recurra.linear.blocks import VIEWS, scores_of, series_blocks
from recurra.linear.checks import expect_array
from recurra.linear.convolutions import Convolutions
from recurra.linear.summaries import Summaries

SHARES = {"values": 0.5, "differences": 0.25, "scores": 0.25}
"""Which part of the convolutions each view has."""
EXAMPLES_FOR_THRESHOLDS = 64
SUMMARIES = ("moments", "levels", "stretches")
Arrays = tuple[np.ndarray, ...]


class SeriesFeatures:
    """Features of series (T, C) without gaps, T ≥ 1, in groups: "values", "differences" and "scores" are the convolutions of these
    views, "moments", "levels" and "stretches" the summaries.

    Args:
        count: features of convolutions, of all views together; and at most so many summaries, or those of one channel.
        seed: of the convolutions.

    >>> series = [np.sin(np.arange(20.0, dtype=np.float32))[:, None], np.ones((30, 1), np.float32)]
    >>> SeriesFeatures(400).fit(series).table(series).shape
    (2, 810)
    """

    def __init__(self, count: int, seed: int = 0) -> None:
        self.seed = seed
        self.convolutions = {
            name: Convolutions(int(count * share), seed + number) for number, (name, share) in enumerate(SHARES.items())
        }
        self.summaries = Summaries(count)
        self.kept: tuple[str, ...] = (*SHARES, *SUMMARIES)

    def fit(self, sequences: Sequence[np.ndarray]) -> Self:
        """Choose dilations, thresholds, levels and stretches by training series."""
        length = int(np.median([len(each) for each in sequences]))
        # By chance, as files are often sorted by class.
        chosen = np.random.default_rng(self.seed).permutation(len(sequences))[:EXAMPLES_FOR_THRESHOLDS]
        examples = [np.ascontiguousarray(sequences[place].T)[:, :, None] for place in chosen]
        for name, convolutions in self.convolutions.items():
            convolutions.fit([VIEWS[name](each) for each in examples], length)
        self.summaries.fit(sequences, length)
        return self

    def groups(self) -> dict[str, slice]:
        """Say which columns belong to each group that is kept."""
        channels = len(self.summaries.channels)
        sizes = {name: each.count for name, each in self.convolutions.items()}
        sizes["moments"] = 11 * channels + 2
        sizes["levels"] = self.summaries.levels.size
        sizes["stretches"] = (len(self.summaries.edges) - 1) * channels
        found, start = {}, 0
        for name in self.kept:
            found[name] = slice(start, start + sizes[name])
            start += sizes[name]
        return found

    def keep(self, names: Collection[str]) -> None:
        """Leave out the groups that are not named."""
        self.kept = tuple(name for name in self.kept if name in names)
        self.convolutions = {name: each for name, each in self.convolutions.items() if name in names}

    def table(self, sequences: Sequence[np.ndarray]) -> np.ndarray:
        """Give the features of series, float32 (N, F)."""
        columns = self.groups()
        found = np.empty((len(sequences), max(part.stop for part in columns.values())), np.float32)
        lengths = np.array([len(each) for each in sequences], np.int64)
        for places, block in series_blocks(sequences):
            steps = np.ones(block.shape[2], np.int64)
            steps[: len(places)] = lengths[places]
            for name, convolutions in self.convolutions.items():
                shares = convolutions.counts(VIEWS[name](block)) / steps
                found[places, columns[name]] = shares[:, : len(places)].T
            if any(name in columns for name in SUMMARIES):
                rows = self.summaries.features(block[:, :, : len(places)], steps[: len(places)])
                for name in columns.keys() & rows.keys():
                    found[places, columns[name]] = rows[name]
        return found

    def start(self, channels: int) -> Arrays:
        """Give the state of a stream before its first step.

        Steps so far (1,); the last values (C,); sums of values and squares (2, C); what summaries accumulate (A, C); and for
        each view of convolutions its history (H, C) and counts (F,).
        """
        state = [np.zeros(1, np.int64), np.zeros(channels, np.float32), np.zeros((2, channels))]
        state.append(self.summaries.start())
        for each in self.convolutions.values():
            state += [np.zeros((each.history_length(), channels), np.float32), np.zeros(each.count, np.int32)]
        return tuple(state)

    def step(self, values: np.ndarray, state: Arrays) -> tuple[np.ndarray, Arrays]:
        """Give the features (1, F) after one more step, float32 (C,) with NaN where a value is missing, and the state then."""
        (steps, last, sums, kept), streams = state[:4], state[4:]
        number = int(steps[0])
        now = np.where(np.isfinite(values), values, last).astype(np.float32)
        exact = now.astype(np.float64)
        sums = sums + np.stack([exact, exact * exact])
        views = {
            "values": now,
            "differences": now - last if number else np.zeros_like(now),
            "scores": scores_of(exact, sums[0], sums[1], np.array(number + 1.0)),
        }
        kept = self.summaries.add(kept, now, number)
        after: list[np.ndarray] = [steps + 1, now, sums, kept]
        rows: dict[str, np.ndarray] = {}
        for place, (name, each) in enumerate(self.convolutions.items()):
            history, counts = streams[2 * place].copy(), streams[2 * place + 1]
            history[slice(None) if number == 0 else number % len(history)] = views[name]
            counts = counts + each.above(history, number)
            rows[name] = (counts / (number + 1)).astype(np.float32)[None]
            after += [history, counts.astype(np.int32)]
        rows |= self.summaries.finish(kept[:, :, None], np.array([number + 1]))
        return np.concatenate([rows[name] for name in self.kept], 1), tuple(after)

    def arrays(self) -> dict[str, np.ndarray]:
        """Give what was chosen, by names without dots."""
        found = {name: getattr(self.summaries, name) for name in ("channels", "edges", "levels")}
        names = (*SHARES, *SUMMARIES)
        found["kept"] = np.array([name in self.kept for name in names])
        for name, each in self.convolutions.items():
            found |= {f"{name}-{key}": value for key, value in each.arrays().items()}
        return found

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], channels: int) -> Self:
        """Make the features of so many channels again from their `arrays()`; raises `ValueError` for those that do not fit."""
        found, names = cls(0), (*SHARES, *SUMMARIES)
        found.summaries.restore(arrays, channels)
        marks = expect_array(arrays, "kept", np.bool_, len(names))
        found.kept = tuple(name for name, kept in zip(names, marks, strict=True) if kept)
        if not found.kept:
            raise ValueError("kept: expected some groups of features, got none")
        found.convolutions = {
            name: Convolutions.from_arrays(
                {key.removeprefix(f"{name}-"): value for key, value in arrays.items() if key.startswith(f"{name}-")},
                channels,
            )
            for name in SHARES
            if name in found.kept
        }
        return found
