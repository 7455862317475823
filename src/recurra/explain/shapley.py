"""How much each part of an input added to an output: Shapley values, exact or sampled, and integrated gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recurra.errors import UsageError

Values = Callable[[np.ndarray], np.ndarray]
"""masks (n, S) bool → the output (n,) float64 where only these parts are there."""
MAX_EXACT_PARTS = 12
"""Parts of which all coalitions are computed: 4,096."""
MIN_PAIRS, MAX_PAIRS, MAX_PAIRS_GIVEN = 4, 64, 10_000
EVALUATIONS_WANTED = 2_400
"""Outputs of the pairs of permutations that are drawn where no number is given."""
STEPS_WANTED = 4_000_000
"""Steps that are read for these in all: of a long input fewer pairs are drawn, whose errors say so. A network of 128 units reads them in half a minute."""
NODES = 64
"""Of the integral along the path from nothing to the whole."""


@dataclass(frozen=True)
class Attributions:
    """What each part added.

    shares: (S,), they add up to whole − nothing.  errors: the standard error of each, (S,); None where there is no chance in them.
    whole, nothing: the output where all parts are there, and where none is.  method: how they were found.
    """

    shares: np.ndarray
    errors: np.ndarray | None
    whole: float
    nothing: float
    method: str

    @property
    def sum_error(self) -> float:
        """By how much the shares miss the difference that they should add up to."""
        return abs(float(self.shares.sum()) - (self.whole - self.nothing))


def shapley_values(
    values: Values, parts: int, *, steps: int = 1, pairs: int | None = None, seed: int = 0
) -> Attributions:
    """Give Shapley values: exact ones of up to 12 parts, else those of pairs of permutations, an order and its reverse.

    steps: that the network reads for one output.  pairs: how many pairs; None: as many as fit some 2,400 outputs and 4 million steps, but at least 4. Raises `UsageError` for fewer than 2, which have no error, and for more than 10,000.

    >>> found = shapley_values(lambda masks: masks[:, 0] * masks[:, 1] * 1.0, 2)
    >>> found.shares.tolist(), found.method
    ([0.5, 0.5], 'exact Shapley values')
    """
    if pairs is not None and not 2 <= pairs <= MAX_PAIRS_GIVEN:
        raise UsageError(
            f"permutations: expected 2 to {MAX_PAIRS_GIVEN:,} pairs, of which an error can be told, got {pairs}"
        )
    if parts <= MAX_EXACT_PARTS and pairs is None and steps <= STEPS_WANTED / 2**parts:
        return exact_shapley(values, parts)
    return permutation_shapley(values, parts, default_pairs(parts, steps) if pairs is None else pairs, seed)


def default_pairs(parts: int, steps: int = 1) -> int:
    """Give how many pairs of permutations are drawn of so many parts, where an output takes so many steps.

    >>> default_pairs(20), default_pairs(60), default_pairs(200), default_pairs(50, 10_000)
    (60, 20, 6, 4)
    """
    outputs = min(EVALUATIONS_WANTED, STEPS_WANTED // max(1, steps))
    return min(MAX_PAIRS, max(MIN_PAIRS, outputs // (2 * max(1, parts))))


def exact_shapley(values: Values, parts: int) -> Attributions:
    """Give φ_i = Σ_S |S|! (n − |S| − 1)! / n! · (v(S ∪ i) − v(S)), over all 2ⁿ coalitions (Shapley 1953)."""
    codes = np.arange(2**parts)
    found = values((codes[:, None] >> np.arange(parts)) & 1 == 1)
    sizes = np.array([code.bit_count() for code in codes.tolist()])
    orders = np.ones(max(1, parts))  # 1 / (n · C(n − 1, |S|))
    for size in range(parts):
        orders[size] = 1 / parts if size == 0 else orders[size - 1] * size / (parts - size)
    shares = np.zeros(parts)
    for part in range(parts):
        without = codes[(codes >> part) & 1 == 0]
        shares[part] = orders[sizes[without]] @ (found[without | (1 << part)] - found[without])
    return Attributions(shares, None, float(found[-1]), float(found[0]), "exact Shapley values")


def permutation_shapley(values: Values, parts: int, pairs: int, seed: int) -> Attributions:
    """Give the mean of what each part adds where all come one after another, in `pairs` orders and their reverses.

    An order and its reverse together are right wherever parts act on each other by twos at most (Mitchell et al. 2022,
    arXiv:2104.12199v2). The errors are those of the mean over the pairs.
    """
    chance = np.random.default_rng(seed)
    nothing, whole = values(np.stack([np.zeros(parts, bool), np.ones(parts, bool)]))
    found = np.zeros((pairs, parts))
    for pair in range(pairs):
        order = chance.permutation(parts)
        ranks = np.argsort(order)
        there = ranks < np.arange(1, parts)[:, None]  # row k: the first k + 1 of the order
        both = values(np.concatenate([there, ~there]))
        onwards = np.diff(np.concatenate([[nothing], both[: parts - 1], [whole]]))
        back = np.diff(np.concatenate([[whole], both[parts - 1 :], [nothing]]))
        found[pair, order] = (onwards - back) / 2
    errors = found.std(0, ddof=1) / np.sqrt(pairs)
    return Attributions(
        found.mean(0), errors, float(whole), float(nothing), f"Shapley values of {pairs} pairs of permutations"
    )


def integrated_gradients(values: Values, gradients: Callable[[np.ndarray], np.ndarray], parts: int) -> Attributions:
    """Give ∫ ∂v/∂share_i along the straight path from nothing to the whole (Sundararajan et al. 2017, arXiv:1703.01365v2).

    gradients: shares (n, S) → ∂v/∂share (n, S). The integral is Gauss and Legendre's with 64 nodes.

    >>> def product(shares):
    ...     return shares[:, 0] * shares[:, 1] * 1.0
    >>> found = integrated_gradients(product, lambda shares: shares[:, ::-1], 2)
    >>> found.shares.round(6).tolist()
    [0.5, 0.5]
    """
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    places = np.tile((nodes[:, None] + 1) / 2, (1, parts))
    nothing, whole = values(np.stack([np.zeros(parts, bool), np.ones(parts, bool)]))
    shares = weights @ gradients(places) / 2
    return Attributions(shares, None, float(whole), float(nothing), f"integrated gradients of {NODES} nodes")
