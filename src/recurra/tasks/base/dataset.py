"""Data ready for training: their parts, how much is held out, and notes on what was skipped. The same for all tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

MIN_EXAMPLES_TO_VALIDATE = 500
"""Examples below which none is spared for validation: training on all of them to the end of the schedule gives more."""
MAX_SKIPPED_SHOWN = 5

SplitT = TypeVar("SplitT")
PreprocessorT = TypeVar("PreprocessorT")


class SplitDataset(Protocol):
    """Data ready for training.

    valid, test: what is held out, or None.  preprocessor: what the network's inputs and outputs mean, made from the training
    part.  notes: what there is to say of them.  fingerprint: a sum that changes as they do.
    """

    @property
    def valid(self) -> Any: ...
    @property
    def test(self) -> Any: ...
    @property
    def preprocessor(self) -> Any: ...
    @property
    def notes(self) -> list[str]: ...
    @property
    def fingerprint(self) -> str: ...


class HeldOut(Protocol):
    """Settings of what is held out to validate on: files, or a share."""

    valid: list[str]
    valid_share: float | None


@dataclass(frozen=True)
class PreparedData(Generic[SplitT, PreprocessorT]):
    """Data ready for training: a `SplitDataset` whose parts are all of one kind, and whose training part can be gone through."""

    train: SplitT
    valid: SplitT | None
    test: SplitT | None
    preprocessor: PreprocessorT
    notes: list[str]
    fingerprint: str

    @property
    def splits(self) -> dict[str, SplitT]:
        """The splits that there are, by name."""
        named = {"train": self.train, "valid": self.valid, "test": self.test}
        return {name: split for name, split in named.items() if split is not None}


def default_valid_share(data: HeldOut, examples: int) -> float:
    """Give the share that is held out for validation.

    >>> from recurra.tasks.base.config import SequenceData
    >>> default_valid_share(SequenceData(), 10_000), default_valid_share(SequenceData(), 60)
    (0.1, 0.0)
    """
    if data.valid:
        return 0.0
    if data.valid_share is not None:
        return data.valid_share
    return 0.1 if examples >= MIN_EXAMPLES_TO_VALIDATE else 0.0


def skipped_notes(skipped: Sequence[str]) -> list[str]:
    """Say what was left out: the first few messages, and how many more there are."""
    hidden = len(skipped) - MAX_SKIPPED_SHOWN
    more = [f"left out: {hidden:,} more"] if hidden > 0 else []
    return [f"left out: {message}" for message in skipped[:MAX_SKIPPED_SHOWN]] + more
