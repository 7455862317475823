"""Intervals: against resampling done plainly, against theory, and how often they hold the truth."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from recurra.errors import UsageError
from recurra.metrics import classification, intervals, multi_label, ratio_intervals


def made_up(count: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    targets = chance.integers(0, classes, count)
    logits = chance.normal(size=(count, classes)).round(1)
    logits[np.arange(count), targets] += 1
    rows = np.exp(logits)
    return rows / rows.sum(1, keepdims=True), targets


@pytest.mark.parametrize("classes", [2, 4])
def test_it_is_what_measuring_each_drawn_sample_gives(classes):
    rows, targets = made_up(80, classes, 0)
    targets[3] = -1
    chance = np.random.default_rng(7)
    draws = [chance.integers(0, 80, 80) for _ in range(60)]
    measured = [classification(rows[drawn], targets[drawn]) for drawn in draws]
    ours = intervals(rows, targets, rounds=60, seed=7, level=0.9)
    assert list(ours) == ["nll", "accuracy", "balanced_accuracy", "macro_f1", "auroc"]
    for name, (low, high) in ours.items():
        values = [each[name] for each in measured]
        assert (low, high) == pytest.approx(tuple(np.quantile(values, [0.05, 0.95])), rel=1e-9)


def test_it_is_so_for_several_labels_too():
    chance = np.random.default_rng(0)
    rows, marks = chance.random((50, 3)).round(2), chance.integers(0, 2, (50, 3))
    draws = np.random.default_rng(1)
    measured = [multi_label(rows[drawn], marks[drawn]) for drawn in (draws.integers(0, 50, 50) for _ in range(40))]
    ours = intervals(rows, marks, rounds=40, seed=1)
    assert list(ours) == ["nll", "exact_match", "micro_f1", "macro_f1", "auroc"]
    for name, between in ours.items():
        assert between == pytest.approx(list(np.quantile([each[name] for each in measured], [0.025, 0.975])), rel=1e-9)


def test_the_interval_of_an_accuracy_is_the_binomials():
    rows, targets = made_up(2000, 2, 1)
    accuracy = classification(rows, targets)["accuracy"]
    low, high = intervals(rows, targets, rounds=2000)["accuracy"]
    spread = 1.96 * math.sqrt(accuracy * (1 - accuracy) / 2000)
    assert (low, high) == pytest.approx((accuracy - spread, accuracy + spread), abs=0.15 * spread)


def test_nineteen_in_twenty_hold_the_truth():
    """Of 300 samples from one source; the share of a right procedure is within three standard errors of 0.95 (0.91 … 0.99)."""
    chance = np.random.default_rng(0)
    held = 0
    for seed in range(300):
        right = chance.random(150) < 0.7
        rows = np.where(right[:, None], [0.8, 0.2], [0.2, 0.8])
        low, high = intervals(rows, np.zeros(150, int), rounds=300, seed=seed)["accuracy"]
        held += low <= 0.7 <= high
    assert 0.91 <= held / 300 <= 0.99


def test_the_same_arguments_give_the_same_interval():
    rows, targets = made_up(60, 3, 0)
    assert intervals(rows, targets, rounds=50) == intervals(rows, targets, rounds=50)
    assert intervals(rows, targets, rounds=50, seed=1) != intervals(rows, targets, rounds=50)


def test_figures_without_meaning_have_no_interval():
    assert "auroc" not in intervals(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 0]), rounds=20)
    # Two of three examples: many samples lack one class, and have no ranking of their own.
    low, high = intervals(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), np.array([0, 1, 1]), rounds=200)["auroc"]
    assert low == high == 1.0


def test_ten_thousand_examples_take_a_second_or_two():
    rows, targets = made_up(10_000, 2, 0)
    began = time.process_time()
    found = intervals(rows, targets)
    assert len(found) == 5
    assert time.process_time() - began < 8  # 1.2 on the machine it was written on


def test_sentences_are_drawn_whole():
    """Words of a sentence are all right or all wrong: drawn word by word, the interval would be a tenth as wide."""
    right = np.array([100.0, 0.0] * 50)
    words = np.full(100, 100.0)
    low, high = ratio_intervals({"accuracy": (right, words)})["accuracy"]
    assert (low, high) == pytest.approx((0.4, 0.6), abs=0.03)  # 0.5 ± 1.96 · 0.5 / √100
    draws = np.random.default_rng(0)
    plain = [right[drawn].sum() / 1e4 for drawn in (draws.integers(0, 100, 100) for _ in range(1000))]
    assert [low, high] == pytest.approx(list(np.quantile(plain, [0.025, 0.975])))


def test_rounds_without_anything_to_share_are_left_out():
    found = ratio_intervals(
        {"f1": (np.array([2.0, 0]), np.array([2.0, 0])), "none": (np.zeros(2), np.zeros(2))}, rounds=100
    )
    assert found == {"f1": [1.0, 1.0]}


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: intervals(np.array([[1.0]]), np.array([0]), rounds=0), "rounds: expected 1 or more"),
        (lambda: intervals(np.array([[1.0]]), np.array([0]), level=95), "level: expected a share"),
        (lambda: ratio_intervals({"a": (np.ones(2), np.ones(3))}), "two terms for each of the same examples"),
        (lambda: ratio_intervals({}), "two terms for each"),
        (lambda: ratio_intervals({"a": (np.ones(0), np.ones(0))}), "two terms for each"),
    ],
)
def test_what_makes_no_sense_is_refused(attempt, message):
    with pytest.raises(UsageError, match=message):
        attempt()
