"""Tasks that learn from data which are read once, and split into training, validation and test."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast

from recurra.errors import DataError
from recurra.tasks.base.task import ConfigT, Facts, Task

T = TypeVar("T")


class SplitExamples(Protocol):
    """Data ready for training: the parts that are held out, or None, what there is to say, and a sum that changes as they do."""

    @property
    def valid(self) -> Any: ...
    @property
    def test(self) -> Any: ...
    @property
    def notes(self) -> list[str]: ...
    @property
    def fingerprint(self) -> str: ...


ExamplesT = TypeVar("ExamplesT", bound=SplitExamples)


def known(made: T | None, lacking: str = "nothing is known of the data") -> T:
    """Give what a task has made of its data; raises `DataError` where they were not read, and no run was loaded.

    >>> known(None, "no vocabulary")
    Traceback (most recent call last):
    ...
    recurra.errors.DataError: no vocabulary yet: read the data or load a run first
    """
    if made is None:
        raise DataError(f"{lacking} yet: read the data or load a run first")
    return made


class SplitTask(Task[ConfigT], Generic[ConfigT, ExamplesT]):
    """A task that reads its data when they are first asked for, and holds some of them out."""

    def __init__(self, config: ConfigT) -> None:
        super().__init__(config)
        self._examples: ExamplesT | None = None

    @abstractmethod
    def read_data(self) -> ExamplesT:
        """Read, split and encode all that a run needs.

        What the network's inputs and outputs mean (a vocabulary, say) is made from the training part, and kept, unless it is
        known already.
        """

    @abstractmethod
    def counts(self, examples: ExamplesT) -> dict[str, int]:
        """Count what goes into the start of the metrics."""

    @property
    def examples(self) -> ExamplesT:
        """The data, which are read now if they were not."""
        if self._examples is None:
            self.prepare()
        return cast(ExamplesT, self._examples)

    @property
    def prepared(self) -> bool:
        """Whether the data has been read."""
        return self._examples is not None

    def prepare(self, saved: Path | None = None) -> Facts:
        if self._examples is None:
            if saved is not None:
                self.restore(saved)
            self._examples = self.read_data()
        examples = self._examples
        return Facts(self.counts(examples), examples.fingerprint, examples.notes)

    @property
    def held_out(self) -> bool:
        return self.examples.test is not None or self.examples.valid is not None

    def held_out_part(self) -> tuple[Any, str]:
        """Give what of the run's own data is measured on, and its name: the test part, or else the validation part.

        Raises `DataError` where nothing is held out.
        """
        part = self.examples.test or self.examples.valid
        if part is None:
            raise DataError("this run has no held-out data: name some, as in `recurra evaluate RUN DATA`")
        return part, "test" if part is self.examples.test else "valid"
