"""What the files of preprocessors of series in time have in common, as types that a file is checked against."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from recurra.data.timeseries.frequency import Unit
from recurra.documents import Document

MAX_STEP_COUNT = 10**9
"""Units of a step of time, such as minutes."""

Names = list[str]
Targets = Annotated[list[str], Field(min_length=1)]


class Step(Document):
    """A spacing in time."""

    count: int = Field(ge=1, le=MAX_STEP_COUNT)
    unit: Unit


def step_to_json(step: Step | None) -> dict[str, Any] | None:
    """Give a step as a file holds it."""
    return None if step is None else step.model_dump()
