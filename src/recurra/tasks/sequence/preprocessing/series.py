"""Series of numbers: scaled by what the training data are like, missing values marked, and cut into frames if wanted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from recurra.documents import damaged, read_json
from recurra.errors import DataError
from recurra.files import write_whole
from recurra.series import channel_order, parse_series, to_numbers
from recurra.tasks.base.config import SequenceData
from recurra.tasks.sequence.preprocessing.base import InputLayer, Preprocessor, register_preprocessor
from recurra.tasks.sequence.preprocessing.files import ChannelsFile

FILE = "channels.json"
"""What is kept of it, by names that have been the same since the first runs."""
FRAMES_PER_SERIES = 40
"""Frames that a series is cut into, where nothing else is asked for."""
MIN_SPREAD = 1e-8
"""A spread below this is none: such a channel says nothing, and is not blown up to noise."""


@dataclass(frozen=True)
class SeriesOptions:
    """How a series is made ready.

    scale: by the training data's mean and spread, by each series' own, or not at all.  differences: each value's change
    since the step before beside it.  frame, hop: so many steps are read at once, and so many are gone on.
    """

    scale: Literal["data", "series", "none"] = "data"
    differences: bool = False
    frame: int = 1
    hop: int = 1


@register_preprocessor
class SeriesPreprocessor(Preprocessor[np.ndarray]):
    """Series (T, C) of float32, NaN where a value is missing, as features (T', F).

    A missing value is read as the mean; where the training data lack some of a channel, a feature beside it says so.

    >>> series = SeriesPreprocessor.build([np.array([[1.0], [3.0]])], ["x"], SeriesOptions(differences=True))
    >>> series.encode(np.array([[2.0], [3.0], [4.0]])).tolist()
    [[0.0, 0.0], [1.0, 1.0], [2.0, 1.0]]
    """

    kind = "series"
    discrete = False

    def __init__(
        self, channels: Sequence[str], mean: np.ndarray, spread: np.ndarray, gaps: np.ndarray, options: SeriesOptions
    ) -> None:
        self.channels, self.options = list(channels), options
        self.mean, self.spread, self.gaps = mean, spread, gaps

    @classmethod
    def build(cls, series: Sequence[np.ndarray], channels: Sequence[str], options: SeriesOptions) -> SeriesPreprocessor:
        """Make it from the training series; raises `DataError` for a channel that is never there."""
        count, total, squares = (np.zeros(len(channels)) for _ in range(3))
        gaps = np.zeros(len(channels), bool)
        shift = next((np.nan_to_num(one[0].astype(np.float64)) for one in series if len(one)), np.zeros(len(channels)))
        for one in series:
            there = ~np.isnan(one)
            values = np.where(there, one - shift, 0.0)  # near zero, so that the squares lose nothing
            count += there.sum(0)
            total += values.sum(0)
            squares += (values**2).sum(0)
            gaps |= ~there.all(0)
        if len(never := np.flatnonzero(count == 0)):
            raise DataError(
                f"{channels[never[0]]!r} has no value in any training series; leave this channel out (--columns)"
            )
        mean = total / count
        spread = np.sqrt(np.maximum(0.0, squares / count - mean**2))
        return cls(channels, mean + shift, spread, gaps, options)

    @classmethod
    def reads_unit(cls, unit: str) -> bool:  # noqa: ARG003
        return True

    @classmethod
    def from_data(
        cls,
        sequences: Sequence[Any],
        channels: Sequence[str],
        data: SequenceData,
        unit: str,  # noqa: ARG003
    ) -> SeriesPreprocessor:
        data.hop, data.frame = choose_frames([len(one) for one in sequences], data.hop, data.frame)
        try:
            return cls.build(sequences, channels, SeriesOptions(data.scale, data.differences, data.frame, data.hop))
        except DataError as error:
            raise DataError(str(error), source=" ".join(data.data[:3])) from None

    @classmethod
    def is_saved_in(cls, folder: Path, unit: str) -> bool:  # noqa: ARG003
        return (folder / FILE).is_file()

    @classmethod
    def load(cls, folder: Path) -> SeriesPreprocessor:
        """Read what `save` wrote; raises `RunError` when it is damaged."""
        path = folder / FILE
        content = read_json(path)
        try:
            read = ChannelsFile.model_validate(content)
            mean, spread, gaps = np.array(read.mean), np.array(read.spread), np.array(read.gaps, bool)
            if any(array.shape != (len(read.channels),) for array in (mean, spread, gaps)):
                raise ValueError("expected as many numbers as channels")
            return cls(read.channels, mean, spread, gaps, SeriesOptions(**read.cutting.model_dump()))
        except ValueError as error:
            raise damaged(path, error) from None

    def save(self, folder: Path) -> list[str]:
        content = {
            "channels": self.channels,
            "mean": self.mean.tolist(),
            "spread": self.spread.tolist(),
            "gaps": self.gaps.tolist(),
            "cutting": asdict(self.options),
        }
        write_whole(folder / FILE, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
        return [FILE]

    @property
    def features(self) -> int:
        """F, the numbers that the network reads at each step."""
        channels = len(self.channels)
        return (channels * (2 if self.options.differences else 1) + int(self.gaps.sum())) * self.options.frame

    @property
    def channel_names(self) -> list[str]:
        return self.channels

    def channel_order(self, channels: Sequence[str], source: str) -> list[int] | None:
        try:
            return channel_order(channels, self.channels)
        except DataError as error:
            raise DataError(str(error), source=source) from None

    def validate(self, sequence: Any) -> np.ndarray:
        series = to_numbers(sequence, np.float32, hint=self._hint)
        if series.ndim == 1 and (len(self.channels) == 1 or not len(series)):
            series = series.reshape(len(series), len(self.channels))
        self.check(series)
        return series

    def parse(self, line: str) -> np.ndarray:
        return self.validate(parse_series(line))

    def check(self, sequence: np.ndarray) -> None:
        if sequence.ndim != 2 or sequence.shape[1] != len(self.channels):
            got = f"{sequence.shape[1]}" if sequence.ndim == 2 else f"numbers in {sequence.ndim} dimensions"
            raise DataError(
                f"expected series of {len(self.channels)} channels ({_listed(self.channels)}), got {got}",
                hint=self._hint,
            )
        if np.isinf(sequence).any():
            step, channel = np.argwhere(np.isinf(sequence))[0]
            raise DataError(
                f"step {step + 1}, channel {self.channels[channel]}: expected a finite number, got infinity, or more than 32 bits hold"
            )

    @property
    def _hint(self) -> str:
        if len(self.channels) == 1:
            return "write 1.5, 2, 3 or [1.5, 2, 3]"
        step = ", ".join(str(number) for number in range(1, min(len(self.channels), 4) + 1))
        return f"write [[{step}{', …' if len(self.channels) > 4 else ''}], …], a value for each channel of a step"

    def encode(self, sequence: np.ndarray) -> np.ndarray:
        self.check(sequence)
        series = np.asarray(sequence, np.float64)
        values = self.scale_values(series)
        with np.errstate(over="ignore"):
            features = self._features(values, values[:1], np.isnan(series)).astype(np.float32)
        if not np.isfinite(features).all():
            raise DataError("expected steps that differ by no more than 32 bits hold")
        return self.framed(features)

    def scale_values(self, series: np.ndarray) -> np.ndarray:
        """Scale, (T, C); what is missing is 0."""
        missing = np.isnan(series)
        return np.where(missing, 0.0, self._scaled(series, missing))

    def _features(self, values: np.ndarray, before: np.ndarray, missing: np.ndarray) -> np.ndarray:
        """Give what is read at each step; before: the values of the step before the first, (1, C)."""
        parts = [values]
        if self.options.differences:
            parts.append(np.diff(values, axis=0, prepend=before))
        if self.gaps.any():
            parts.append(missing[:, self.gaps].astype(np.float64))
        return np.concatenate(parts, axis=1)

    def _scaled(self, series: np.ndarray, missing: np.ndarray) -> np.ndarray:
        if self.options.scale == "none" or not len(series):
            return series
        mean, spread = self.mean, self.spread
        if self.options.scale == "series":
            there = np.maximum(1, (~missing).sum(0))
            mean = np.where(missing, 0.0, series).sum(0) / there
            spread = np.sqrt((np.where(missing, 0.0, series - mean) ** 2).sum(0) / there)
        return (series - mean) / np.where(spread < MIN_SPREAD, 1.0, spread)

    def framed(self, values: np.ndarray) -> np.ndarray:
        """Cut features (T, F) into frames, (T', frame · F)."""
        frame, hop = self.options.frame, self.options.hop
        if (frame, hop) == (1, 1) or not len(values):
            return values if len(values) else np.zeros((0, self.features), np.float32)
        frames = 1 + max(0, -(-(len(values) - frame) // hop))
        places = np.arange(frames)[:, None] * hop + np.arange(frame)
        return values[np.minimum(places, len(values) - 1)].reshape(frames, -1)  # the last frame goes on as it ended

    def collate(self, encoded: Sequence[np.ndarray]) -> Tensor:
        steps = max((len(one) for one in encoded), default=0)
        padded = np.zeros((steps, len(encoded), self.features), np.float32)
        for row, one in enumerate(encoded):
            padded[: len(one), row] = one
        return torch.from_numpy(padded)

    def input_layer(self, size: int | None, *, noise: float = 0.0, **options: Any) -> SeriesInputLayer:  # noqa: ARG002
        return SeriesInputLayer(self.features, noise)

    @property
    def causal(self) -> bool:
        return self.options.scale != "series"

    def elements(self, sequence: np.ndarray) -> list[np.ndarray]:
        return list(sequence)

    def is_element(self, element: Any) -> bool:
        right = isinstance(element, np.ndarray) and element.dtype.kind == "f" and element.shape == (len(self.channels),)
        return right and not np.isinf(element).any()

    def prefixes(self, sequence: np.ndarray) -> Iterator[np.ndarray]:
        return (self.encode(sequence[:count]) for count in range(1, len(sequence) + 1))

    def prefixes_json(self, sequence: np.ndarray) -> Iterator[dict[str, Any]]:
        return ({"step": number, "value": value} for number, value in enumerate(self.to_json(sequence), 1))

    def initial_state(self) -> tuple[Tensor, ...]:
        rows = torch.zeros(self.options.frame, self.features // self.options.frame, dtype=torch.float64)
        return rows, torch.zeros(1, 1, dtype=torch.int64)

    def step(self, element: np.ndarray, carried: tuple[Tensor, ...]) -> tuple[np.ndarray, bool, tuple[Tensor, ...]]:
        rows, count = carried[0].numpy(), int(carried[1]) + 1
        values = self.scale_values(np.asarray(element, np.float64)[None])
        before = values if count == 1 else rows[-1:, : len(self.channels)]
        rows = np.concatenate([rows[1:], self._features(values, before, np.isnan(element)[None])])
        frame, hop = self.options.frame, self.options.hop
        frames = 1 + max(0, -(-(count - frame) // hop))
        there = rows[frame - count + (frames - 1) * hop :] if count > (frames - 1) * hop else rows[-1:]
        whole = np.concatenate([there, np.repeat(rows[-1:], frame - len(there), axis=0)]).astype(np.float32)
        kept = (frames - 1) * hop + frame <= count
        return whole.reshape(1, -1), kept, (torch.from_numpy(rows), torch.full((1, 1), count))

    def to_json(self, sequence: np.ndarray) -> list[Any]:
        values = [[None if np.isnan(value) else round(float(value), 6) for value in step] for step in sequence]
        return [step[0] for step in values] if len(self.channels) == 1 else values

    def dedup_key(self, sequence: np.ndarray) -> bytes:
        return np.ascontiguousarray(sequence, np.float32).tobytes()


class SeriesInputLayer(InputLayer):
    """features (T, B, F) → the same; in training with a little noise, of this spread, so that no series is learnt by heart."""

    def __init__(self, size: int, noise: float) -> None:
        super().__init__()
        self.size, self.noise = size, noise

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + self.noise * torch.randn_like(inputs) if self.training and self.noise else inputs


def choose_frames(lengths: Sequence[int], hop: int | None, frame: int | None) -> tuple[int, int]:
    """Choose hop and frame, where they are open: some forty frames to a series, which overlap by half.

    A memory of hundreds of steps is learnt slowly and from many examples; of forty it is learnt from a few.

    >>> choose_frames([140] * 9, None, None), choose_frames([24] * 9, None, None), choose_frames([140], None, 1)
    ((4, 8), (1, 1), (1, 1))
    """
    if hop is None:
        hop = frame if frame is not None else max(1, round(median(lengths) / FRAMES_PER_SERIES)) if lengths else 1
    return hop, (1 if hop == 1 else 2 * hop) if frame is None else frame


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
