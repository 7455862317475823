"""Calibration: by plain loops, and the temperature by a search over a fine grid and the condition at the minimum."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.errors import DivergedError, UsageError
from recurra.metrics import classification, fit_temperature, multi_label, reliability


def softmax(logits: np.ndarray) -> np.ndarray:
    rows = np.exp(logits - logits.max(1, keepdims=True))
    return rows / rows.sum(1, keepdims=True)


def noisy(count: int, classes: int, seed: int, *, sharp: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose right temperature is `sharp`: targets are drawn from softmax(logits / sharp)."""
    chance = np.random.default_rng(seed)
    fair = chance.normal(0, 1.5, (count, classes))
    targets = (softmax(fair).cumsum(1) > chance.random((count, 1))).argmax(1)
    return sharp * fair, targets


def binned(confidence: np.ndarray, right: np.ndarray, bins: int) -> list[tuple[float, float, int]]:
    """(confidence, accuracy, count) of bins ((m − 1)/M, m/M], the first one with 0, by comparing with each edge."""
    found = []
    for number in range(bins):
        inside = (confidence > number / bins) & (confidence <= (number + 1) / bins)
        if number == 0:
            inside |= confidence == 0
        if inside.any():
            found.append((confidence[inside].mean(), right[inside].mean(), int(inside.sum())))
    return found


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 5), st.integers(1, 80), st.integers(1, 20), st.integers(0, 10**6))
def test_bins_and_their_gaps_are_those_of_plain_loops(classes, count, bins, seed):
    logits, targets = noisy(count, classes, seed, sharp=2)
    rows = softmax(logits)
    expected = binned(rows.max(1), rows.argmax(1) == targets, bins)
    ours = reliability(rows, targets, bins)
    assert [(each["confidence"], each["accuracy"], each["count"]) for each in ours] == [
        pytest.approx(each) for each in expected
    ]
    assert all(each["from"] < each["confidence"] <= each["to"] for each in ours)
    by_hand = sum(
        size * abs(promised - kept) for promised, kept, size in binned(rows.max(1), rows.argmax(1) == targets, 15)
    )
    assert classification(rows, targets)["calibration_error"] == pytest.approx(by_hand / count, abs=1e-12)


def test_every_decision_counts_where_there_are_several_labels():
    chance = np.random.default_rng(0)
    rows = chance.random((60, 3)).round(1)  # many on the edges of bins
    marks = chance.integers(0, 2, (60, 3))
    expected = binned(rows.ravel(), marks.ravel() == 1, 15)
    assert multi_label(rows, marks)["calibration_error"] == pytest.approx(
        sum(size * abs(promised - kept) for promised, kept, size in expected) / 180, abs=1e-12
    )
    assert [each["count"] for each in reliability(rows, marks)] == [size for _, _, size in expected]


def test_a_model_that_keeps_its_word_has_no_error():
    rows = np.array([[0.75, 0.25]] * 4)
    assert classification(rows, np.array([0, 0, 0, 1]))["calibration_error"] == 0


def nll(logits: np.ndarray, targets: np.ndarray, temperature: float) -> float:
    return -np.log(softmax(logits / temperature)[np.arange(len(targets)), targets]).mean()


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 6), st.sampled_from([0.3, 1.0, 4.0]), st.integers(0, 10**6))
def test_the_temperature_is_the_minimum_to_six_places(classes, sharp, seed):
    logits, targets = noisy(200, classes, seed, sharp=sharp)
    found = fit_temperature(logits, targets)
    beta = 1 / found
    probabilities = softmax(beta * logits)
    # At the minimum the mean logit that the model expects is the one that it gets.
    slope = (probabilities * logits).sum() - logits[np.arange(200), targets].sum()
    bend = ((probabilities * logits**2).sum(1) - (probabilities * logits).sum(1) ** 2).sum()
    assert abs(slope / bend) < 1e-6 * beta
    assert all(nll(logits, targets, found) <= nll(logits, targets, other) for other in np.geomspace(0.05, 20, 50))


def test_a_temperature_of_old_is_found_again():
    logits, targets = noisy(20_000, 4, 0, sharp=3.0)
    assert fit_temperature(logits, targets) == pytest.approx(3.0, rel=0.03)
    mended = classification(softmax(logits / 3), targets)["calibration_error"]
    assert mended < 0.012 < 0.1 < classification(softmax(logits), targets)["calibration_error"]


def test_several_labels_share_one_temperature():
    chance = np.random.default_rng(0)
    fair = chance.normal(0, 2, (5000, 3))
    marks = chance.random((5000, 3)) < 1 / (1 + np.exp(-fair))
    found = fit_temperature(2 * fair, marks, multi=True)
    assert found == pytest.approx(2, rel=0.04)
    values = 2 * fair / found
    assert abs(((1 / (1 + np.exp(-values)) - marks) * fair).sum()) < 1e-3  # the slope, of 15,000 terms


@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_logits_of_any_height_are_fine(shift):
    logits, targets = noisy(300, 3, 1, sharp=2)
    assert fit_temperature(logits + shift, targets) == pytest.approx(fit_temperature(logits, targets), rel=1e-6)


def test_where_nothing_says_how_unsure_to_be_it_is_one():
    assert fit_temperature(np.zeros((0, 3)), np.zeros(0, int)) == 1
    assert fit_temperature(np.array([[3.0, 1], [0, 2]]), np.array([0, 1])) == 1
    assert fit_temperature(np.array([[3.0, 1]]), np.array([-1])) == 1
    assert fit_temperature(np.array([[3.0], [1.0]]), np.array([0, 0])) == 1


def test_the_range_ends_where_a_model_is_worse_than_chance_or_nearly_perfect():
    assert fit_temperature(np.array([[2.0, 0]] * 4), np.array([1, 1, 1, 0])) == 20
    logits = np.array([[1e-3, 0.0]] * 1000)
    assert fit_temperature(logits, np.array([1] + [0] * 999)) == pytest.approx(0.05)


def test_unknown_labels_are_left_out():
    logits, targets = noisy(100, 3, 1, sharp=2)
    more = np.concatenate([logits, logits[:10]]), np.concatenate([targets, np.full(10, -1)])
    assert fit_temperature(*more) == fit_temperature(logits, targets)


@pytest.mark.parametrize(
    ("attempt", "error", "message"),
    [
        (lambda: fit_temperature(np.array([[math.nan, 1]]), np.array([0])), DivergedError, "finite logits"),
        (
            lambda: fit_temperature(np.array([1.0, 2]), np.array([0])),
            UsageError,
            r"a table \(examples, classes\), got \(2,\)",
        ),
        (lambda: fit_temperature(np.array([[1.0, 2]]), np.array([2])), UsageError, "classes from 0 to 1"),
        (lambda: reliability(np.array([[0.5, 0.5]]), np.array([0]), bins=0), UsageError, "bins: expected 1 or more"),
    ],
)
def test_what_makes_no_sense_is_refused(attempt, error, message):
    with pytest.raises(error, match=message):
        attempt()
