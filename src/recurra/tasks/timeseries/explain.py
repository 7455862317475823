"""Series in time, values of which are left out or change places before they are read."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from recurra.data.timeseries.types import TimeSeries
from recurra.errors import DataError
from recurra.tasks.base.explanation import Segment, shares_of_parts
from recurra.tasks.base.options import ExplainOptions

MAX_STEPS_APART = 60
"""The latest steps, each of which is left out by itself; all before them are left out together."""


class TimeSeriesExplainOptions(ExplainOptions):
    """What `explain` takes of a run on series in time."""

    by: Literal["steps", "channels"] = Field(
        default="steps", description="What is left out together: all columns of a step, or all steps of a column."
    )


class ReplaceableRows:
    """A series in which a value that is left out is replaced by a mean.

    means: of the columns, targets and past covariates, (C + P).  names: of these.
    """

    def __init__(self, series: TimeSeries, names: list[str], means: np.ndarray, *, by_channel: bool) -> None:
        if not len(series):
            raise DataError("there is nothing to explain: the series has no step", source=series.place)
        self.series, self._means = series, means
        self._rows = np.concatenate([series.values, series.past], axis=1)
        steps, width = self._rows.shape
        if by_channel:
            self.segments = [Segment(name, 0, steps) for name in names]
            owner = np.tile(np.arange(width), (steps, 1))
        else:
            self.segments, each = latest_steps(steps)
            owner = np.tile(each[:, None], (1, width))
        self.owner = torch.from_numpy(owner)

    def rows(self, shares: Tensor, order: Tensor | None) -> list[TimeSeries]:
        """Give the series for each row of shares (n, S), and order (n, T), as of `Explained`; a share is 0 or 1."""
        there = shares_of_parts(shares, order, self.owner).numpy() > 0
        rows = self._rows[None] if order is None else self._rows[order.clamp(min=0).numpy()]
        found = np.where(there, rows, self._means)
        count = self.series.values.shape[1]
        return [replace(self.series, values=one[:, :count], past=one[:, count:]) for one in found]


def latest_steps(steps: int, most: int = MAX_STEPS_APART) -> tuple[list[Segment], np.ndarray]:
    """Give the latest steps, and all before them as one segment; and the segment of each step, (T,).

    >>> segments, owner = latest_steps(4, 3)
    >>> [segment.text for segment in segments], owner.tolist()
    (['steps 1 to 2', 'step 3', 'step 4'], [0, 0, 1, 2])
    """
    before = max(0, steps - most + 1) if steps > most else 0
    first = [Segment("step 1" if before == 1 else f"steps 1 to {before}", 0, before)] if before else []
    segments = [*first, *(Segment(f"step {at + 1}", at, at + 1) for at in range(before, steps))]
    return segments, np.maximum(np.arange(steps) - max(0, before - 1), 0)
