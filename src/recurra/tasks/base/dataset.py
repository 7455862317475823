"""How much is held out, and what is said of what was left out: the same for all tasks of whole sequences."""

from __future__ import annotations

from collections.abc import Sequence

from recurra.tasks.base.config import SequenceData

FEW = 500
"""Examples below which none is spared for validation: training on all of them to the end of the schedule gives more."""
SHOWN = 5


def share_of_valid(data: SequenceData, examples: int) -> float:
    """Give the share that is held out for validation.

    >>> share_of_valid(SequenceData(), 10_000), share_of_valid(SequenceData(), 60)
    (0.1, 0.0)
    """
    if data.valid:
        return 0.0
    if data.valid_share is not None:
        return data.valid_share
    return 0.1 if examples >= FEW else 0.0


def left_out(skipped: Sequence[str]) -> list[str]:
    """Say what was left out: the first few messages, and how many more there are."""
    more = [f"left out: {len(skipped) - SHOWN:,} more"] if len(skipped) > SHOWN else []
    return [f"left out: {message}" for message in skipped[:SHOWN]] + more
