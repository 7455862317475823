"""Agreement of groupings against scikit-learn and against cases that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from recurra.errors import UsageError
from recurra.metrics import adjusted_rand, mutual_information, neighbour_accuracy

PAIRS = [
    ([0, 0, 1, 1], [1, 1, 0, 0]),
    ([0, 0, 0, 0], [0, 1, 2, 3]),
    ([0, 1, 2, 3], [3, 2, 1, 0]),
    ([5, 5, 5], [7, 7, 7]),
    ([1], [2]),
    ([0, 0, 1, 1], [0, 1, 0, 1]),
]


@pytest.mark.parametrize("seed", range(8))
def test_they_are_those_of_scikit_learn(seed: int) -> None:
    measures = pytest.importorskip("sklearn.metrics")
    chance = np.random.default_rng(seed)
    one = chance.integers(0, 2 + seed, 200)
    other = np.where(chance.random(200) < 0.6, one, chance.integers(0, 9 - seed, 200))
    for first, second in [(one.tolist(), other.tolist()), *PAIRS]:
        assert adjusted_rand(first, second) == pytest.approx(measures.adjusted_rand_score(first, second), abs=1e-12)
        wanted = measures.normalized_mutual_info_score(first, second)
        assert mutual_information(first, second) == pytest.approx(wanted, abs=1e-12)


def test_names_and_order_say_nothing() -> None:
    one, other = ["a", "a", "b", "c", "c", "c"], [1, 1, 1, 2, 2, 3]
    renamed = [{"a": "z", "b": "y", "c": "x"}[name] for name in one]
    assert adjusted_rand(one, other) == adjusted_rand(renamed, other) == adjusted_rand(other, one)
    assert mutual_information(one, other) == pytest.approx(mutual_information(other, renamed), abs=1e-15)


def test_the_nearest_other_is_never_the_point_itself() -> None:
    points = np.array([[0.0, 0.0], [0.0, 0.0], [9.0, 0.0], [9.0, 1.0]])
    assert neighbour_accuracy(points, ["a", "b", "c", "c"]) == 0.5
    chance = np.random.default_rng(1)
    many, labels = chance.normal(size=(3000, 3)), chance.integers(0, 3, 3000)  # more than are held at a time
    far = ((many[:, None] - many) ** 2).sum(2)
    np.fill_diagonal(far, np.inf)
    assert neighbour_accuracy(many, labels.tolist()) == (labels[far.argmin(1)] == labels).mean()


def test_what_cannot_be_compared_is_refused() -> None:
    for measure in (adjusted_rand, mutual_information):
        with pytest.raises(UsageError, match="got one of 2 and one of 3"):
            measure([1, 2], [1, 2, 3])
        with pytest.raises(UsageError, match="got one of 0 and one of 0"):
            measure([], [])
    with pytest.raises(UsageError, match="expected one for each of two points or more, got 1 for 1"):
        neighbour_accuracy(np.zeros((1, 2)), ["a"])
