"""A text or a series, parts of which can be left out or change places before a network reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from recurra.errors import DataError, UsageError
from recurra.formatting import closest, decimal
from recurra.tasks.base.explanation import MAX_SEGMENTS, Segment, group_elements, replace_steps, shares_of_parts
from recurra.tasks.base.inference import eval_mode, to_device
from recurra.tasks.base.options import ExplainOptions
from recurra.tasks.sequence.encoder import SequenceEncoder
from recurra.tasks.sequence.preprocessing import Preprocessor
from recurra.tasks.sequence.preprocessing.series import SeriesPreprocessor

By = Literal["steps", "channels", "both"]
BLANK_TEXT = "a unit of which nothing is known"
BLANK_SERIES = "the mean of the training data"
OWN_MEAN = "the mean of the series"
MAX_TARGETS_NAMED = 8


class SequenceExplainOptions(ExplainOptions):
    """What `explain` takes of a run on texts or series."""

    by: By = Field(
        default="steps",
        description="What of a series of several channels is left out together: steps, channels, or both, each by itself.",
    )


class ReplaceableInput:
    """A sequence as a network reads it where parts are left out.

    elements: words, characters or steps, each by itself.  segments: those that are left out together.  owner: the segment of each part of each step, (T, C).  blank: in words, what stands in the place
    of what is left out.  text: that the segments stand in; None of a series.
    """

    elements: list[Segment]
    segments: list[Segment]
    owner: Tensor
    blank: str
    text: str | None = None

    @property
    def steps(self) -> int:
        """T, the steps that can be left out or change places."""
        return len(self.owner)

    def vectors(self, shares: Tensor, order: Tensor | None) -> tuple[Tensor, Tensor]:
        """Give what the first layer of cells reads, (T', n, E), and how many steps each row has, (n).

        shares (n, S), order (n, T): as of `Explained`.
        """
        raise NotImplementedError


class ReplaceableText(ReplaceableInput):
    """A text: each unit has a vector, in whose place comes that of a unit of which nothing is known.

    read: the steps that the network reads, where it reads an excerpt.
    """

    blank = BLANK_TEXT

    def __init__(
        self, sequence: Any, inputs: Preprocessor, encoder: SequenceEncoder, read: np.ndarray | None = None
    ) -> None:
        text, elements = text_elements(sequence, inputs)
        if not elements:
            raise DataError("there is nothing to explain: the text has no word or character")
        self.text, self.elements = text, elements
        self.segments, owner = group_elements(elements, text)
        encoded = inputs.encode(sequence)
        units = np.repeat(np.arange(len(elements)), [len(one) for one in inputs.elements(sequence)])
        read = np.arange(len(encoded)) if read is None else read
        self.owner = torch.from_numpy(owner[units][read][:, None])
        with eval_mode(encoder) as device:
            vectors = encoder.embed(to_device(inputs.collate([encoded]), device))[:, 0][
                torch.from_numpy(read).to(device)
            ]
            blank = cast(Any, encoder.encoder).blank()
        self._vectors, self._blank = vectors.clone(), blank.clone()  # outside of inference mode, for gradients

    def vectors(self, shares: Tensor, order: Tensor | None) -> tuple[Tensor, Tensor]:
        x = replace_steps(self._vectors, self._blank, shares_of_parts(shares, order, self.owner), order)
        return x, torch.full((x.shape[1],), len(x))


class ReplaceableSeries(ReplaceableInput):
    """A series: in the place of a scaled value, or of a missing one, comes the mean, before changes and frames are made of the values."""

    def __init__(self, sequence: np.ndarray, inputs: SeriesPreprocessor, by: By, device: torch.device) -> None:
        if not len(sequence):
            raise DataError("there is nothing to explain: the series has no step")
        inputs.encode(sequence)  # raises for what is no such series
        series = np.asarray(sequence, np.float64)
        self._inputs, self._device = inputs, device
        self._values = torch.from_numpy(inputs.scale_values(series)).float()
        self._gaps = torch.from_numpy(np.flatnonzero(inputs.gaps))
        self._missing = torch.from_numpy(np.isnan(series)[:, inputs.gaps]).float()
        means = inputs.mean if inputs.options.scale == "none" else np.zeros(len(inputs.channels))
        self._means = torch.from_numpy(means).float()
        self.blank = OWN_MEAN if inputs.options.scale == "series" else BLANK_SERIES
        self._frames = torch.from_numpy(inputs.framed(np.arange(len(series))[:, None]).astype(np.int64))
        self.elements = step_elements(series)
        self.segments, owner = series_segments(self.elements, inputs.channels, by)
        self.owner = torch.from_numpy(owner)

    def vectors(self, shares: Tensor, order: Tensor | None) -> tuple[Tensor, Tensor]:
        there = shares_of_parts(shares, order, self.owner)
        order = None if order is None else order.clamp(min=0)
        values = self._values.expand(len(shares), -1, -1) if order is None else self._values[order]
        values = torch.lerp(self._means.expand_as(values), values, there)  # (n, T, C)
        parts = [values]
        if self._inputs.options.differences:
            parts.append(values.diff(dim=1, prepend=values[:, :1]))
        if self._missing.shape[1]:
            missing = self._missing.expand(len(values), -1, -1) if order is None else self._missing[order]
            parts.append(missing * there.expand_as(values)[:, :, self._gaps])
        features = torch.cat(parts, 2)[:, self._frames].flatten(2)  # (n, T', frame · F)
        x = features.transpose(0, 1).to(self._device)
        return x, torch.full((x.shape[1],), len(x))


def text_elements(sequence: Any, inputs: Preprocessor) -> tuple[str, list[Segment]]:
    """Give a text as it is shown, and where its words or characters stand in it.

    >>> from recurra.tasks.sequence.preprocessing import WordPreprocessor
    >>> text_elements("so  good", WordPreprocessor.build(["so good"]))[1]
    [Segment(text='so', start=0, end=2), Segment(text='good', start=4, end=8)]
    """
    text, ends = inputs.text_and_ends(sequence)
    found, start = [], 0
    for end in ends:
        piece = text[start:end].lstrip() or text[start:end]  # the space before a word is no part of it
        found.append(Segment(piece, end - len(piece), end))
        start = end
    return text, found


def step_elements(series: np.ndarray) -> list[Segment]:
    """Name the steps of a series, (T, C)."""
    one = series.shape[1] == 1
    return [
        Segment(f"step {at + 1}: {_shown(row[0])}" if one else f"step {at + 1}", at, at + 1)
        for at, row in enumerate(series)
    ]


def series_segments(
    steps: list[Segment], channels: list[str], by: By, most: int = MAX_SEGMENTS
) -> tuple[list[Segment], np.ndarray]:
    """Cut a series of so many steps into parts that are left out together; gives them, and that of each value, (T, C).

    >>> segments, owner = series_segments(step_elements(np.zeros((3, 2))), ["a", "b"], "channels")
    >>> [segment.text for segment in segments], owner.tolist()
    (['a', 'b'], [[0, 1], [0, 1], [0, 1]])
    """
    count, width = len(steps), len(channels)
    if by == "channels":
        return [Segment(name, 0, count) for name in channels], np.tile(np.arange(width), (count, 1))
    if by == "steps" or width == 1:
        segments, owner = group_elements(steps, None, most)
        return segments, np.tile(owner[:, None], (1, width))
    windows, owner = group_elements(steps, None, max(1, most // width))
    parts = [Segment(f"{name}, {window.text}", window.start, window.end) for window in windows for name in channels]
    return parts, owner[:, None] * width + np.arange(width)


def replaceable(
    sequence: Any, inputs: Preprocessor, encoder: SequenceEncoder, by: By, read: np.ndarray | None = None
) -> ReplaceableInput:
    """Give a sequence whose parts can be left out; read: the steps of a text that the network reads, None for all."""
    if isinstance(inputs, SeriesPreprocessor):
        return ReplaceableSeries(sequence, inputs, by, next(encoder.parameters()).device)
    check_by(by)
    return ReplaceableText(sequence, inputs, encoder, read)


def check_by(by: By) -> None:
    """Raise `UsageError` where a text is to be cut by channels."""
    if by != "steps":
        raise UsageError(f"by: {by} is of series of several channels, and this run reads texts; leave it out")


def check_target(name: str | None, known: Sequence[str], what: str) -> None:
    """Raise `UsageError` for a target that is none of those of a run; what: they are called.

    >>> check_target("pozitive", ["negative", "positive"], "classes")
    Traceback (most recent call last):
    ...
    recurra.errors.UsageError: target: expected one of the classes (negative, positive), got 'pozitive'; did you mean 'positive'?
    """
    if name is None or name in known:
        return
    close = closest(name, known)
    hint = f"; did you mean {close!r}?" if close else ""
    more = ", …" if len(known) > MAX_TARGETS_NAMED else ""
    raise UsageError(
        f"target: expected one of the {what} ({', '.join(known[:MAX_TARGETS_NAMED])}{more}), got {name!r}{hint}"
    )


def check_place(at: int, count: int) -> int:
    """Give a place that was counted from 1, from 0; raises `UsageError` for one beyond the last."""
    if not count:
        raise UsageError(f"at: there is none to count to, got {at}; leave it out, or name a target")
    if not 1 <= at <= count:
        raise UsageError(f"at: expected 1 to {count}, as many as there are, got {at}")
    return at - 1


def _shown(value: float) -> str:
    return "missing" if np.isnan(value) else decimal(float(value))
