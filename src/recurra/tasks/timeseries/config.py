"""Settings that tasks over series in time share: how they are read."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from recurra.data.timeseries.types import TimeSeriesOptions
from recurra.tasks.base.config import TableFiles


class TimeSeriesData(TableFiles):
    """Series in time."""

    time: str | None = Field(
        default=None,
        description="Column with the time stamps. Default: the one that looks like it, or the rows' order.",
    )
    target: list[str] = Field(default=[], description="Columns to learn. Default: all that hold numbers.")
    past: list[str] = Field(default=[], description="Columns that are read along with them, as far as they go.")
    static: list[str] = Field(default=[], description="Columns that are the same in all rows of a series.")
    layout: Literal["auto", "steps", "series"] = Field(
        default="auto", description="Whether a row of a table is a step of time, or a whole series."
    )
    every: str | None = Field(
        default=None, description="Bring the values to this spacing, as in 10min, 1h or 1d; combine says how."
    )
    combine: Literal["mean", "sum", "last"] = Field(
        default="mean",
        description="every: the mean of what falls into a step, the sum (of sales, rain, counts), or the last.",
    )
    duplicates: Literal["error", "first", "last", "mean"] = Field(
        default="error", description="What is done with a time that a series has twice."
    )
    gaps: Literal["fill", "keep"] = Field(
        default="fill", description="Steps that no row is of: fill them as missing, or keep each row as a step."
    )

    def reading(self) -> TimeSeriesOptions:
        """Give how all data of the run are read."""
        return TimeSeriesOptions(
            time=self.time,
            series=tuple(self.series),
            target=tuple(self.target),
            past=tuple(self.past),
            static=tuple(self.static),
            layout=self.layout,
            every=self.every,
            combine=self.combine,
            duplicates=self.duplicates,
            gaps=self.gaps,
            header=self.header,
            on_error=self.on_error,
        )
