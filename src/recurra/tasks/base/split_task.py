"""What tasks share whose held-out data are read as the training data are, and measured on as a whole."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any, Generic, NamedTuple, Self, TypeVar

from recurra.tasks.base.dataset import PreparedData
from recurra.tasks.base.predictor import ConfigT
from recurra.tasks.base.task import Task

PreparedT = TypeVar("PreparedT", bound=PreparedData[Any, Any])


class Measuring(NamedTuple):
    """How a split is measured on: its name, what baselines learn from (None: none are measured), what is to be noted, what takes
    a word on what is being done, and what the user asks besides."""

    name: str
    train: Any
    notes: list[str]
    progress: Callable[[str], None]
    options: Any


class SplitTask(Task[ConfigT, PreparedT], Generic[ConfigT, PreparedT]):
    """A task that measures on a split of its data, or on files that are read as one."""

    @abstractmethod
    def read_split(self, predictor: Any, data: list[str], progress: Callable[[str], None], options: Any) -> Any:
        """Read what a user names, as the training data were read; progress: takes what is to be noted of it."""

    @abstractmethod
    def measure_split(self, predictor: Any, split: Any, how: Measuring) -> dict[str, Any]:
        """Measure a predictor on a split: the object that `evaluate` prints."""

    def on_part(self, part: Any) -> Self | None:
        other = copy(self)
        other._dataset = replace(self.dataset, train=part)
        return other

    def evaluate(
        self,
        predictor: Any,
        data: list[str] | None,
        progress: Callable[[str], None],
        *,
        baselines: bool = True,
        options: Any = None,
    ) -> dict[str, Any]:
        if data:
            split, name = self.read_split(predictor, data, progress, options), " ".join(data)
        else:
            split, name = self.held_out_split()
        notes = self.dataset.notes if self.is_prepared else []
        train = self.dataset.train if baselines else None
        result = self.measure_split(predictor, split, Measuring(name, train, notes, progress, options))
        return {**result, "skipped": len(split.skipped)} if split.skipped else result
