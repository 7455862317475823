"""How far a training has come."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Position:
    """How far a training has come, and what it remembers; all of it goes into a checkpoint.

    epoch, index: the batch that comes next.  seconds: of training, over all resumptions.  loss, count: summed since the last entry.
    validating: of these seconds.  best: the best validation figure, at which step, and how many validations ago.
    rate: the best one so far on the present number of threads, in units a second; 0: not known.
    """

    step: int = 0
    epoch: int = 0
    index: int = 0
    seconds: float = 0.0
    validating: float = 0.0
    loss: float = 0.0
    count: int = 0
    best: float | None = None
    best_step: int = 0
    stale: int = 0
    validations: int = 0
    done: str | None = None
    rate: float = 0.0
