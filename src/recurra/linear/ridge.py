"""Ridge regression on groups of features, in closed form: what each group counts, the penalty, and scores that are probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recurra.errors import UsageError
from recurra.metrics import golden_section

PENALTIES = tuple(10.0 ** (power / 2) for power in range(-8, 7))
"""In units of the mean square of an example's features, which is 1."""
MAX_EXAMPLES_TO_CHOOSE = 600
"""Examples by which groups are weighted and the penalty is chosen where there are more."""
SMALLEST_SHARE = 0.01
"""Of a mix of groups; one that is less likely is left out."""
MIN_FREEDOM = 1e-6
"""The least 1 − h of an example: one that fits itself alone says nothing of what the others would give."""
MAX_DEVIATIONS = 4.0
"""How far from the mean of the training part a feature counts at most, in its standard deviations."""
SHARPNESS = (0.05, 500.0)
"""Between what the factor of the scores is searched."""
ROWS_PER_CHUNK = 4096
ROWS_PER_SUM = 256


@dataclass(frozen=True)
class RidgeFit:
    """What was learnt from features that are scaled already.

    weights: float32 (F, C).  intercept: (C,).  held_out: (N, C), the scores of each example by the others.  penalty: the one chosen.
    """

    weights: Tensor
    intercept: Tensor
    held_out: Tensor
    penalty: float


@dataclass(frozen=True)
class Standardiser:
    """Brings features to mean 0 and deviation 1, cuts what is far off, and scales each: float32 (F,) all.

    >>> table = torch.tensor([[1.0, 5.0], [3.0, 5.0]])
    >>> Standardiser.of(table).apply(table).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """

    mean: Tensor
    inverse: Tensor

    @classmethod
    def of(cls, features: Tensor) -> Standardiser:
        """Measure features (N, F); one that does not vary has the scale 0."""
        mean = torch.zeros(features.shape[1], dtype=torch.float64)
        for rows in features.split(ROWS_PER_SUM):  # of so few, float32 loses nothing that counts
            mean += rows.sum(0) / max(1, len(features))
        variance = torch.zeros_like(mean)
        for rows in features.split(ROWS_PER_SUM):
            variance += ((rows - mean.to(rows)) ** 2).sum(0)
        deviation = (variance / max(1, len(features))).sqrt()
        still = deviation <= 1e-6 * mean.abs().clamp(min=1)
        inverse = torch.where(still, 0.0, 1 / deviation.clamp(min=1e-30))
        return cls(mean.float(), inverse.float())

    def apply(self, features: Tensor) -> Tensor:
        """Standardise features (N, F)."""
        return ((features - self.mean) * self.inverse).clamp_(-MAX_DEVIATIONS, MAX_DEVIATIONS)


def signed_targets(targets: np.ndarray, classes: int) -> Tensor:
    """Give 1 for the class (or each label) that an example has and −1 for the others, float64 (N, C).

    Raises `UsageError` for targets of another shape, and for classes that are none.
    """
    numbers = np.asarray(targets)
    if numbers.ndim == 2 and numbers.shape[1] == classes:
        return torch.from_numpy(np.where(numbers > 0.5, 1.0, -1.0))
    if numbers.ndim != 1:
        raise UsageError(f"targets: expected (N,) or (N, {classes}), got {numbers.shape}")
    if len(numbers) and (numbers.min() < 0 or numbers.max() >= classes):
        raise UsageError(
            f"targets: expected classes from 0 to {classes - 1}, got classes from {numbers.min()} to {numbers.max()}"
        )
    return torch.where(torch.arange(classes) == torch.from_numpy(numbers.astype(np.int64))[:, None], 1.0, -1.0).double()


class _Decomposed:
    """Products of weighted examples in the basis in which they are diagonal: any penalty is cheap."""

    def __init__(self, gram: Tensor, targets: Tensor, weights: Tensor) -> None:
        """gram: centred by the weighted mean, of examples (N, N), float64."""
        self.root = weights.sqrt()
        self.mean = _weighted_mean(targets, weights)
        self.values, self.basis = torch.linalg.eigh(self.root[:, None] * gram * self.root)
        self.values.clamp_(min=0)
        self.targets, self.share = targets, weights / weights.sum()
        self.along = self.basis.T @ (self.root[:, None] * (targets - self.mean))

    def held_out(self, penalty: float) -> Tensor:
        """Give each example's scores by the others: y − (y − ŷ) / (1 − h)."""
        shrunk = self.values / (self.values + penalty)
        fitted = self.basis @ (shrunk[:, None] * self.along) / self.root[:, None] + self.mean
        leverage = self.share + (self.basis**2) @ shrunk
        return self.targets - (self.targets - fitted) / (1 - leverage).clamp(min=MIN_FREEDOM)[:, None]


def centred_gram(gram: Tensor, weights: Tensor) -> Tensor:
    """Move the origin of products of examples (N, N) to their weighted mean."""
    share = weights / weights.sum()
    row = gram @ share
    return gram - row[:, None] - row + share @ row


def choose(
    grams: Mapping[str, Tensor], mixes: Sequence[Mapping[str, float]], targets: Tensor, weights: Tensor, *, multi: bool
) -> tuple[dict[str, float], float]:
    """Choose what each group counts, and the penalty, by how likely the examples that are left out make each mix.

    A mix has the weight Π p(y_i | the others), at its best penalty and factor ("pseudo-BMA", Yao et al. 2018,
    arXiv:1704.02030, equation 8); groups count what they do in the mean of the mixes.

    grams: products of examples (N, N), float64, by their group.  mixes: weights of groups, one or more.
    """
    losses = np.array([_best_penalty(mixed(grams, mix), targets, weights, multi=multi)[0] for mix in mixes])
    shares = np.exp(-len(targets) * (losses - losses.min()))
    shares[shares < SMALLEST_SHARE * shares.sum()] = 0
    shares /= shares.sum()
    found: dict[str, float] = {}
    for share, mix in zip(shares.tolist(), mixes, strict=True):
        for name, weight in mix.items():
            found[name] = found.get(name, 0.0) + share * weight
    found = {name: weight for name, weight in found.items() if weight > 0}
    return found, _best_penalty(mixed(grams, found), targets, weights, multi=multi)[1]


def _best_penalty(gram: Tensor, targets: Tensor, weights: Tensor, *, multi: bool) -> tuple[float, float]:
    """Give the least log loss of the examples left out, and the penalty that has it."""
    found = _Decomposed(centred_gram(gram, weights), targets, weights)
    return min((sharpen(found.held_out(each), targets, weights, multi=multi)[1], each) for each in PENALTIES)


def mixed(grams: Mapping[str, Tensor], mix: Mapping[str, float]) -> Tensor:
    """Add up products of groups by their weights."""
    return torch.stack([grams[name] * weight for name, weight in mix.items()]).sum(0)


def fit_ridge(features: Tensor, targets: Tensor, penalty: float, weights: Tensor) -> RidgeFit:
    """Fit a ridge regression with an intercept, and give what each example's scores are without it, exactly.

        min Σ_i w_i |y_i − b − z_i W|² + λ |W|²      ŷ_(−i) = y_i − (y_i − ŷ_i) / (1 − h_i)

    features: float32 (N, F), scaled; by examples or by features, whichever are fewer.  targets: (N, C).  weights: (N,), above 0.
    """
    if len(features) <= features.shape[1]:
        matrix, held_out = _fit_by_examples(features, targets, penalty, weights)
    else:
        matrix, held_out = _fit_by_features(features, targets, penalty, weights)
    middle = (weights[None].float() @ features)[0].double() / weights.sum()
    intercept = _weighted_mean(targets, weights) - middle @ matrix
    return RidgeFit(matrix.float(), intercept.float(), held_out.float(), penalty)


def _weighted_mean(targets: Tensor, weights: Tensor) -> Tensor:
    return (weights[:, None] * targets).sum(0) / weights.sum()


def _fit_by_examples(features: Tensor, targets: Tensor, penalty: float, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Give the weights and the scores left out, from the products of examples (N, N)."""
    root = weights.sqrt()
    system = root[:, None] * centred_gram(products(features), weights) * root
    system.diagonal().add_(penalty)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(system))
    solved = inverse @ (root[:, None] * (targets - _weighted_mean(targets, weights)))
    # I − H = λ (K + λ)⁻¹, less what the intercept takes.
    freedom = penalty * inverse.diagonal() - weights / weights.sum()
    held_out = targets - penalty * solved / root[:, None] / freedom.clamp(min=MIN_FREEDOM)[:, None]
    # √w is orthogonal to what is centred: the dual weights add up to 0, and the features' mean need not be taken off.
    return (features.T @ (root[:, None] * solved).float()).double(), held_out


def _fit_by_features(features: Tensor, targets: Tensor, penalty: float, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Give the weights and the scores left out, from the products of features (F, F)."""
    size = features.shape[1]
    middle = (weights[None].float() @ features)[0] / float(weights.sum())
    mean = _weighted_mean(targets, weights)
    inner, outer = (
        torch.zeros(size, size, dtype=torch.float64),
        torch.zeros(size, targets.shape[1], dtype=torch.float64),
    )
    for part in _chunks(len(features)):
        rows = features[part] - middle
        scaled = rows * weights[part, None].float()
        inner += (scaled.T @ rows).double()
        outer += scaled.T.double() @ (targets[part] - mean)
    inner.diagonal().add_(penalty)
    factor = torch.linalg.cholesky(inner)
    matrix = torch.cholesky_solve(outer, factor)
    whitening = torch.linalg.solve_triangular(factor, torch.eye(size, dtype=torch.float64), upper=False).T.float()
    held_out = torch.empty_like(targets)
    for part in _chunks(len(features)):
        rows = features[part] - middle
        leverage = weights[part] * ((rows @ whitening) ** 2).sum(1).double() + weights[part] / weights.sum()
        missed = targets[part] - mean - (rows @ matrix.float()).double()
        held_out[part] = targets[part] - missed / (1 - leverage).clamp(min=MIN_FREEDOM)[:, None]
    return matrix, held_out


def _chunks(count: int) -> Iterator[slice]:
    for start in range(0, count, ROWS_PER_CHUNK):
        yield slice(start, start + ROWS_PER_CHUNK)


def products(features: Tensor) -> Tensor:
    """Give the products of all pairs of examples, float64 (N, N), from features (N, F)."""
    return (features @ features.T).double()


def sharpen(scores: Tensor, targets: Tensor, weights: Tensor, *, multi: bool) -> tuple[float, float]:
    """Find β with which softmax(β·scores), σ(β·scores) of several labels, has the least log loss; gives β and that loss.

    Targets are smoothed as Platt 1999 does: one more example counts as wrong, so that scores that are always right do
    not make β endless. The loss is convex in β.
    """
    count = len(scores)
    miss = 1 / (count + 2)
    marks = targets > 0
    if multi:
        wanted = torch.where(marks, 1 - miss, miss)
    else:
        wanted = torch.where(marks, 1 - miss, miss / max(1, scores.shape[1] - 1))
        wanted = wanted / wanted.sum(1, keepdim=True)
    share = weights[:, None] / weights.sum()

    def loss(logarithm: float) -> float:
        logits = scores * float(np.exp(logarithm))
        if multi:
            each = torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
        else:
            each = -wanted * torch.log_softmax(logits, 1)
        return float((share * each).sum())

    low, high = np.log(SHARPNESS[0]), np.log(SHARPNESS[1])
    grid = np.linspace(low, high, 24)
    losses = [loss(each) for each in grid]
    place = int(np.argmin(losses))
    left, right = grid[max(0, place - 1)], grid[min(len(grid) - 1, place + 1)]
    found = golden_section(loss, float(left), float(right), 12)
    return float(np.exp(found)), loss(found)
