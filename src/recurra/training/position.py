"""How far a training has come."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Position:
    """How far a training has come, and what it remembers; all of it goes into a checkpoint.

    epoch, index: the batch that comes next.  seconds: of training, over all resumptions.  loss, count: summed since the last entry.
    norms, clipped, largest_norm: since the last entry, how many gradients there were, how many of them were clipped, the largest norm, and the last.
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
    norms: int = 0
    clipped: int = 0
    largest_norm: float = 0.0
    norm: float = 0.0
    best: float | None = None
    best_step: int = 0
    stale: int = 0
    validations: int = 0
    done: str | None = None
    rate: float = 0.0

    def add(self, loss: float, count: int, norm: float, clip: float) -> None:
        """Count a step: its summed loss and over how many elements, and the norm of its gradient, which is clipped above `clip`."""
        self.loss += loss
        self.count += count
        self.norms += 1
        self.norm = norm
        self.clipped += norm > clip
        self.largest_norm = max(self.largest_norm, norm)

    def gradients(self) -> dict[str, float]:
        """Give what there is to record of the gradients since the last entry: their largest norm, and the share that was clipped."""
        return {"largest_norm": self.largest_norm, "clipped": round(self.clipped / max(1, self.norms), 4)}

    def clear(self) -> None:
        """Begin a new entry."""
        self.loss, self.count, self.norms, self.clipped, self.largest_norm = 0.0, 0, 0, 0, 0.0
