"""One next id for each row of a batch: the likeliest, or one drawn by chance."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recurra.decoding.state import top_indices
from recurra.errors import RunError, UsageError


@dataclass(frozen=True)
class Sampling:
    """How the next id is chosen.

    Attributes:
        temperature: what the logits are divided by; below 1 safer, above 1 bolder, 0 always the likeliest.
        top_k: only so many of the likeliest are drawn from.
        top_p: only the fewest of the likeliest are whose probabilities reach this share.

    Raises:
        UsageError: temperature < 0, top_k < 1, or top_p outside (0, 1].

    >>> Sampling(temperature=0.8, top_k=40, top_p=0.95)
    Sampling(temperature=0.8, top_k=40, top_p=0.95)
    >>> Sampling(top_p=0.0)
    Traceback (most recent call last):
    recurra.errors.UsageError: top_p: expected a share of probability above 0 and at most 1, got 0.0
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        if not (self.temperature >= 0 and math.isfinite(self.temperature)):
            raise UsageError(f"temperature: expected 0 (always the likeliest) or more, got {self.temperature}")
        if self.top_k is not None and self.top_k < 1:
            raise UsageError(f"top_k: expected 1 or more of the likeliest units to choose from, got {self.top_k}")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise UsageError(f"top_p: expected a share of probability above 0 and at most 1, got {self.top_p}")

    @property
    def greedy(self) -> bool:
        """Whether the likeliest id is always taken, so that nothing is drawn."""
        return self.temperature == 0


def row_generators(seed: int, rows: int | Iterable[int | tuple[int, ...]]) -> list[torch.Generator]:
    """A source of chance for each row, which depends on the seed and the row's number only.

    rows: how many, or their numbers, each one or several. Row i draws the same numbers whether it is one of 2 or of 200, and on every device: they
    are drawn on the CPU.

    Raises:
        UsageError: the seed is negative.

    >>> few, many, one = row_generators(7, 2), row_generators(7, 5), row_generators(7, [1])
    >>> [torch.equal(torch.rand(3, generator=a), torch.rand(3, generator=b)) for a, b in zip(few, many)]
    [True, True]
    >>> torch.equal(torch.rand(1, generator=one[0]), torch.rand(1, generator=row_generators(7, 2)[1]))
    True
    """
    if seed < 0:
        raise UsageError(f"seed: expected 0 or more, got {seed}")
    numbers = range(rows) if isinstance(rows, int) else rows
    seeds = (
        int(
            np.random.SeedSequence([seed, *(row if isinstance(row, tuple) else (row,))]).generate_state(1, np.uint64)[0]
        )
        for row in numbers
    )
    return [torch.Generator().manual_seed(number) for number in seeds]


def filter_logits(logits: Tensor, sampling: Sampling, *, forbid: Collection[int] = ()) -> Tensor:
    """The logits of the distribution to draw from: −∞ for every id that is not to be drawn.

    In this order: the forbidden ids go; all are divided by the temperature; the `top_k` likeliest stay; of those the
    fewest stay whose share of the probability that is left reaches `top_p` (Holtzman et al. 2020, arXiv:1904.09751),
    at least one. Of equally likely ids the lower one comes first. Temperature 0 leaves the likeliest alone.

    Args:
        logits: (B, V), any floating type.

    Returns:
        (B, V) float64; each row depends on the same row of the logits alone.

    Raises:
        UsageError: every id is forbidden.
        RunError: the logits are not numbers.

    >>> scores = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()
    >>> filter_logits(scores, Sampling(top_p=0.6)).exp()
    tensor([[0.5000, 0.3000, 0.0000, 0.0000]], dtype=torch.float64)
    >>> filter_logits(scores, Sampling(temperature=0), forbid=[0])
    tensor([[-inf, 0., -inf, -inf]], dtype=torch.float64)
    """
    temperature, top_k, top_p = sampling.temperature, sampling.top_k, sampling.top_p
    scores = _allowed(logits, forbid)
    if sampling.greedy:
        only = torch.full_like(scores, -math.inf)
        return only.scatter_(1, scores.argmax(dim=1, keepdim=True), 0.0)
    # Shifting by the largest keeps a tiny temperature from making infinities of all scores.
    scores = (scores - scores.amax(dim=1, keepdim=True)) / temperature if temperature != 1 else scores
    if top_p is not None and top_p < 1:
        return torch.stack([_nucleus(row, top_k, top_p) for row in scores]) if len(scores) else scores
    if top_k is not None and top_k < scores.shape[1]:
        return torch.stack([_only(row, top_indices(row, top_k)) for row in scores]) if len(scores) else scores
    return scores


def sample(
    logits: Tensor,
    generators: Sequence[torch.Generator],
    sampling: Sampling = Sampling(),
    *,
    forbid: Collection[int] = (),
) -> Tensor:
    """One id for each row, drawn from its filtered distribution by one number of the row's own generator.

    Args:
        logits: (B, V).
        generators: one for each row (`row_generators`), on the CPU; not touched at temperature 0.
        sampling, forbid: as in `filter_logits`.

    Returns:
        (B,) int64.

    Raises:
        UsageError, RunError: as `filter_logits`.

    >>> few, many = (sample(torch.zeros(rows, 10), row_generators(0, rows)) for rows in (2, 5))
    >>> torch.equal(few, many[:2])
    True
    """
    if sampling.greedy:
        return greedy(logits, forbid=forbid)
    if len(generators) != len(logits):
        raise UsageError(f"generators: expected one for each of {len(logits)} rows, got {len(generators)}")
    scores = filter_logits(logits, sampling, forbid=forbid)
    cumulative = torch.softmax(scores, dim=1).cumsum(dim=1)
    drawn = [torch.rand(1, dtype=torch.float64, generator=generator) for generator in generators]
    if not drawn:
        return torch.empty(0, dtype=torch.int64, device=logits.device)
    total = cumulative[:, -1:]
    # A number drawn is at most 1 − 2⁻⁵³, so its product is below the total even after rounding; and the first id that
    # is above it, not at it, has some probability: no id of probability 0 is chosen at either edge.
    points = torch.stack(drawn).to(total) * total
    return torch.searchsorted(cumulative, points, right=True)[:, 0]


def greedy(logits: Tensor, *, forbid: Collection[int] = ()) -> Tensor:
    """The likeliest id of each row, (B,) int64; of equally likely ones the lowest.

    >>> greedy(torch.tensor([[3.0, 1.0, 2.0]]), forbid=[0])
    tensor([2])
    """
    return _allowed(logits, forbid).argmax(dim=1)


def _allowed(logits: Tensor, forbid: Collection[int]) -> Tensor:
    scores = logits.double()
    if forbid:
        scores = scores.index_fill(1, torch.tensor(sorted(forbid), device=scores.device), -math.inf)
    if not scores.numel():
        return scores
    peaks = scores.amax(dim=1)
    if not torch.isfinite(peaks).all():
        row = int((~torch.isfinite(peaks)).nonzero()[0, 0])
        if peaks[row] == -math.inf:
            raise UsageError(f"expected at least one id that may come next, got none in row {row}: all are forbidden")
        raise RunError(
            f"expected finite scores from the model, got {float(peaks[row])} in row {row}: its weights are damaged"
        )
    return scores


def _only(row: Tensor, kept: Tensor) -> Tensor:
    """The scores (V,) of the kept ids, −∞ for the others."""
    return torch.full_like(row, -math.inf).scatter_(0, kept, row[kept])


def _nucleus(row: Tensor, top_k: int | None, top_p: float) -> Tensor:
    ranked = top_indices(row, top_k or len(row))
    mass = torch.softmax(row[ranked], dim=0).cumsum(dim=0)
    # An id stays while those before it have not reached the share.
    return _only(row, ranked[: int((mass < top_p).sum()) + 1])
