"""Logistic regression with a squared penalty on sparse rows: several problems over the same rows at once, by L-BFGS.

The weights that minimise it are a sum of training rows, W = Xᵀ A, so what is sought is A, (N, C): a step of L-BFGS in the weights is one in A
where the inner product of U and V is Σ U ∘ (K V) with K = X Xᵀ + 1, the 1 being an intercept with the same penalty. Logits are linear in A,
so a line search needs no product with X. Liu and Nocedal 1989.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

MAX_STEPS = 100
MAX_PAIRS = 8
"""Steps whose change of the gradient is remembered."""
_MAX_TRIALS = 20
_SUFFICIENT, _CURVATURE = 1e-4, 0.5


class Rows:
    """Sparse rows of features, and the two products that a fit needs."""

    def __init__(self, rows: Tensor) -> None:
        self.rows = rows
        self.columns = rows.to_sparse_coo().t().to_sparse_csr()

    def weights(self, coefficients: Tensor) -> Tensor:
        """Give W = Xᵀ A, (F, C), for A (N, C)."""
        return self.columns @ coefficients

    def gram(self, coefficients: Tensor) -> Tensor:
        """Give X Xᵀ A, (N, C)."""
        return self.rows @ (self.columns @ coefficients)


class Problems(NamedTuple):
    """P problems over the same N rows, each with C logits.

    targets: (N, 1, C), ones and zeros.  weights: (N, P, C), what a row counts in a problem, 0 where it is left out.
    intercepts: (P, C), from where the penalised intercepts count.  penalty: (P,).  exclusive: softmax over the C, else a sigmoid for each.
    """

    targets: Tensor
    weights: Tensor
    intercepts: Tensor
    penalty: Tensor
    exclusive: bool


class Fit(NamedTuple):
    """coefficients: A, (N, P, C).  logits: of all rows, (N, P, C).  steps: how many were taken."""

    coefficients: Tensor
    logits: Tensor
    steps: int


class _Pair(NamedTuple):
    step: Tensor
    step_image: Tensor
    change: Tensor
    change_image: Tensor
    inverse: Tensor  # 1 / ⟨change, step⟩, or 0 where it is not positive


def fit_logistic(gram: Callable[[Tensor], Tensor], problems: Problems, *, tolerance: float = 1e-4) -> Fit:
    """Minimise Σ weight · loss + penalty / 2 · |W|² in each problem, until a step gains less than this share of it, and promised no more.

    gram: A (N, P·C) → (X Xᵀ + 1) A.

    >>> x = torch.tensor([[1.0], [-1.0], [1.0]])
    >>> y, ones = torch.tensor([[[1.0]], [[0.0]], [[1.0]]]), torch.ones(3, 1, 1)
    >>> fit = fit_logistic(lambda a: x @ (x.T @ a) + a.sum(0), Problems(y, ones, torch.zeros(1, 1), torch.ones(1), exclusive=False))
    >>> (fit.logits.flatten().sign()).tolist()
    [1.0, -1.0, 1.0]
    """
    count, _, classes = problems.targets.shape
    number = len(problems.penalty)

    def image(values: Tensor) -> Tensor:
        return gram(values.reshape(count, number * classes)).view(count, number, classes)

    penalty = problems.penalty[:, None]
    a = problems.targets.new_zeros(count, number, classes)
    z = torch.zeros_like(a)
    losses, residual = _loss(z, problems)
    value, gradient = losses, residual
    gradient_image = image(gradient)
    pairs: list[_Pair] = []
    running = torch.ones(number, dtype=torch.bool)
    steps = 0
    while running.any() and steps < MAX_STEPS:
        steps += 1
        direction, direction_image = _direction(gradient, gradient_image, pairs)
        slope = _dot(direction, gradient_image)
        running &= slope < 0
        first = 1.0 / _dot(gradient, gradient_image).clamp_min(1e-30).sqrt() if not pairs else penalty.new_ones(number)
        length, new_value, residual = _search(
            z, direction_image, (a, direction), problems, value, slope, first.clamp_max(1.0), running
        )
        step, step_image = length[:, None] * direction, length[:, None] * direction_image
        a, z = a + step, z + step_image
        new_gradient = residual + penalty * a
        new_image = image(new_gradient)
        change, change_image = new_gradient - gradient, new_image - gradient_image
        curvature = _dot(step, change_image)
        inverse = torch.where(curvature > 0, 1 / curvature.clamp_min(1e-30), 0.0)
        pairs = [*pairs, _Pair(step, step_image, change, change_image, inverse)][-MAX_PAIRS:]
        gain, enough = value - new_value, tolerance * new_value.abs()
        # A step that the search cut short gains little far from the minimum too; there the slope has not yet levelled out.
        running &= (gain > enough) | ((gain > 0) & (-slope > enough))
        value, gradient, gradient_image = new_value, new_gradient, new_image
    return Fit(a, z + problems.intercepts, steps)


def _dot(left: Tensor, right: Tensor) -> Tensor:
    """Give the inner product in each problem, (P,)."""
    return (left * right).sum((0, 2))


def _loss(z: Tensor, problems: Problems) -> tuple[Tensor, Tensor]:
    """Give the weighted loss of each problem, (P,), and its gradient in the logits, (N, P, C)."""
    logits = z + problems.intercepts
    if problems.exclusive:
        log_total = logits.logsumexp(2, keepdim=True)
        each = (log_total - (logits * problems.targets).sum(2, keepdim=True)) * problems.weights[..., :1]
        return each.sum((0, 2)), ((logits - log_total).exp() - problems.targets) * problems.weights
    each = (F.softplus(logits) - logits * problems.targets) * problems.weights
    return each.sum((0, 2)), (logits.sigmoid() - problems.targets) * problems.weights


def _direction(gradient: Tensor, gradient_image: Tensor, pairs: list[_Pair]) -> tuple[Tensor, Tensor]:
    """Give the step of L-BFGS and its image under the Gram matrix: the two loops, in each problem by itself."""
    q, image = gradient.clone(), gradient_image.clone()
    shares = []
    for pair in reversed(pairs):
        share = (pair.inverse * _dot(pair.step_image, q))[:, None]
        shares.append(share)
        q -= share * pair.change
        image -= share * pair.change_image
    if pairs:
        last = pairs[-1]
        squared = (last.inverse * _dot(last.change, last.change_image)).clamp_min(0)
        scale = torch.where(squared > 0, 1 / squared.clamp_min(1e-30), 1.0)[:, None]
        q, image = q * scale, image * scale
    for pair, share in zip(pairs, reversed(shares), strict=True):
        other = share - (pair.inverse * _dot(pair.change_image, q))[:, None]
        q += other * pair.step
        image += other * pair.step_image
    return -q, -image


def _search(
    z: Tensor,
    direction_image: Tensor,
    coefficients: tuple[Tensor, Tensor],
    problems: Problems,
    value: Tensor,
    slope: Tensor,
    length: Tensor,
    running: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Find how far to go in each problem (the weak Wolfe conditions, by bisection); 0 where it is not running.

    coefficients: A and the direction.  Gives the lengths (P,), the values there, and the gradients in the logits.
    """
    a, direction = coefficients
    linear = problems.penalty * _dot(a, direction_image)
    squared = problems.penalty * _dot(direction, direction_image)
    base = 0.5 * problems.penalty * _dot(a, z)
    low, high = torch.zeros_like(length), torch.full_like(length, torch.inf)
    length = torch.where(running, length, 0.0)
    for _ in range(_MAX_TRIALS):
        losses, residual = _loss(z + length[:, None] * direction_image, problems)
        reached = losses + base + length * linear + 0.5 * length**2 * squared
        rise = _dot(residual, direction_image) + linear + length * squared
        too_far = running & (reached > value + _SUFFICIENT * length * slope)
        too_near = running & ~too_far & (rise < _CURVATURE * slope)
        if not (too_far | too_near).any():
            break
        high = torch.where(too_far, length, high)
        low = torch.where(too_near, length, low)
        middle = torch.where(high.isinf(), 2 * length, (low + high) / 2)
        length = torch.where(too_far | too_near, middle, length)
    else:
        losses, residual = _loss(z + length[:, None] * direction_image, problems)
        reached = losses + base + length * linear + 0.5 * length**2 * squared
    return length, reached, residual
