"""What the preprocessors of series in time are alike in: the columns that they read, and the file that remembers them."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

from recurra.documents import damaged, read_json
from recurra.files import write_whole
from recurra.tasks.timeseries.covariates import Covariates

CovariatesT = TypeVar("CovariatesT", bound=Covariates)


class TimeSeriesPreprocessor(ABC, Generic[CovariatesT]):
    """Makes numbers of series in time; fitted to the training part, saved with the run, and the same from then on.

    file: its name in a run folder.  targets: the columns that are learnt.  covariates: what is read with them.
    """

    file: ClassVar[str]
    targets: list[str]
    covariates: CovariatesT

    @property
    @abstractmethod
    def channels(self) -> int:
        """C, the targets that are read as one series."""

    @property
    @abstractmethod
    def input_size(self) -> int:
        """The numbers that the network reads at each step."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Give what the file holds, under the names that runs have had from the first on."""

    @classmethod
    @abstractmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Undo `to_json`; raises whatever it likes for what is damaged."""

    def save(self, folder: Path) -> list[str]:
        """Write it into a run folder; gives the name of the file."""
        write_whole(folder / self.file, json.dumps(self.to_json(), ensure_ascii=False, indent=1) + "\n")
        return [self.file]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; raises `RunError` when it is damaged."""
        path = folder / cls.file
        content = read_json(path)
        try:
            return cls.from_json(content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise damaged(path, error) from None
