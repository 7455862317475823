"""Nearest neighbours: distances against plain loops, and published accuracies where the sets are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.baselines import NearestNeighbour
from recurra.baselines.dtw import dtw
from recurra.baselines.neighbour import same_length, scaled
from recurra.errors import UsageError


def plain_dtw(x: np.ndarray, y: np.ndarray, band: int) -> float:
    """The recurrence, cell by cell, in float64."""
    table = np.full((len(x) + 1, len(y) + 1), np.inf)
    table[0, 0] = 0
    for i in range(1, len(x) + 1):
        for j in range(1, len(y) + 1):
            if abs(i - j) <= band:
                step = ((x[i - 1] - y[j - 1]) ** 2).sum()
                table[i, j] = step + min(table[i - 1, j], table[i, j - 1], table[i - 1, j - 1])
    return table[-1, -1]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(1, 3), st.integers(0, 14), st.integers(0, 10**6))
def test_warping_of_many_pairs_is_that_of_each_pair(length, channels, band, seed):
    chance = np.random.default_rng(seed)
    # Of float32: rounding what is read would weigh more than the sum where two values nearly meet.
    ours, theirs = (chance.normal(size=(count, length, channels)).astype(np.float32) for count in (4, 3))
    expected = [[plain_dtw(x, y, band) for y in theirs.astype(np.float64)] for x in ours.astype(np.float64)]
    assert dtw(ours, theirs, band) == pytest.approx(np.array(expected), rel=1e-5)  # float32


def test_without_a_band_it_is_the_euclidean_distance():
    chance = np.random.default_rng(0)
    ours, theirs = chance.normal(size=(5, 20, 2)), chance.normal(size=(4, 20, 2))
    squares = ((ours[:, None] - theirs[None]) ** 2).sum((2, 3))
    assert dtw(ours, theirs, 0) == pytest.approx(squares, rel=1e-5)


def test_more_pairs_than_are_taken_at_once(monkeypatch):
    monkeypatch.setattr("recurra.baselines.dtw.CHUNK", 40)
    chance = np.random.default_rng(0)
    ours, theirs = chance.normal(size=(7, 9, 1)), chance.normal(size=(11, 9, 1))
    parts = dtw(ours, theirs, 3)
    monkeypatch.undo()
    assert (parts == dtw(ours, theirs, 3)).all()


def test_missing_values_are_interpolated_and_lengths_made_equal():
    ragged = [
        np.array([[np.nan, 5], [1, np.nan], [np.nan, np.nan], [3, np.nan]]),
        np.zeros((0, 2)),
        np.array([[7.0, np.nan]]),
    ]
    found = same_length(ragged, 4)
    assert found[0].tolist() == [[1, 5], [1, 5], [2, 5], [3, 5]]
    assert found[1].tolist() == [[0, 0]] * 4
    assert found[2].tolist() == [[7, 0]] * 4


def test_a_constant_channel_is_nothing_and_the_others_have_deviation_one():
    series = np.stack([np.full((1, 50), 1e6 + 0.1), np.random.default_rng(0).normal(5, 3, (1, 50))], 2)
    found = scaled(series)
    assert (found[:, :, 0] == 0).all()
    assert found[:, :, 1].mean() == pytest.approx(0, abs=1e-6) and found[:, :, 1].std() == pytest.approx(1, rel=1e-6)


def waves(count: int, seed: int, *, level: float) -> tuple[list[np.ndarray], np.ndarray]:
    """Two classes that differ in their frequency, or (`level`) in nothing but their height."""
    chance = np.random.default_rng(seed)
    targets = np.arange(count) % 2
    rates = np.where(targets, 1.0, 1.0 if level else 1.7)
    lengths = chance.integers(30, 40, count)
    series = [
        np.sin(rate * np.arange(length) / 3 + chance.uniform(0, 0.4))[:, None] + level * target
        for rate, length, target in zip(rates, lengths, targets, strict=True)
    ]
    return [each + chance.normal(0, 0.1, each.shape) for each in series], targets


@pytest.mark.parametrize("metric", ["euclidean", "dtw"])
def test_neighbours_tell_frequencies_apart_and_know_how_often_they_mislead(metric):
    series, targets = waves(40, 1, level=0)
    model = NearestNeighbour(metric).fit(series, targets, classes=3)
    others, truth = waves(30, 2, level=0)
    predicted = model.probabilities(others)
    assert (predicted.argmax(1) == truth).all()
    assert predicted.sum(1) == pytest.approx(np.ones(30))
    assert predicted.max(1) == pytest.approx(np.full(30, 1 - 1 / 42))  # no error in 40, one more of each


def test_the_scale_is_chosen_by_the_training_series():
    series, targets = waves(40, 1, level=3.0)
    others, truth = waves(30, 2, level=3.0)
    chosen = NearestNeighbour().fit(series, targets, classes=2).probabilities(others)
    blind = NearestNeighbour(scale="series").fit(series, targets, classes=2).probabilities(others)
    assert (chosen.argmax(1) == truth).all()
    assert (blind.argmax(1) == truth).mean() < 0.8


def test_where_neighbours_mislead_the_nearest_one_stays_the_likeliest():
    series = [np.array([[0.0], [1.0], [float(number)]]) for number in range(4)]
    predicted = NearestNeighbour(scale="series").fit(series, np.array([0, 1, 0, 1]), classes=2).probabilities(series)
    assert predicted.argmax(1).tolist() == [0, 1, 0, 1] and predicted.max() < 0.51


def test_several_labels_are_those_of_the_neighbour():
    series = [np.sin(np.arange(20) * rate)[:, None] for rate in (0.2, 0.21, 0.9, 0.91)]
    marks = np.array([[1, 1, 0], [1, 1, 0], [0, 1, 1], [0, 1, 1]])
    predicted = NearestNeighbour().fit(series, marks, classes=3).probabilities(series)
    assert predicted == pytest.approx(np.where(marks, 13 / 14, 1 / 14))


def test_the_cost_is_estimated_before_it_is_paid():
    series = [np.zeros((100, 2))] * 50
    assert NearestNeighbour(scale="data").cost(series, 150) == 50 * (150 + 50) * 100 * 2
    assert NearestNeighbour("dtw", band=0.1).cost(series, 150) == pytest.approx(50 * (150 + 2 * 50) * 100 * 21 * 2)
    assert NearestNeighbour("dtw", band=1.0, scale="series").cost(series, 150) == 50 * 200 * 100 * 100 * 2


def test_one_series_alone_is_everyones_neighbour():
    predicted = (
        NearestNeighbour("dtw").fit([np.ones((5, 1))], np.array([1]), classes=2).probabilities([np.zeros((3, 1))])
    )
    assert predicted.argmax() == 1
    only = NearestNeighbour().fit([np.ones((5, 1))] * 2, np.array([0, 0]), classes=1)
    assert only.probabilities([np.ones((5, 1))]).tolist() == [[1.0]]


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: NearestNeighbour("cosine"), "metric: expected euclidean or dtw"),
        (lambda: NearestNeighbour(band=2), "band: expected a share"),
        (lambda: NearestNeighbour(scale="none"), "scale: expected series, data"),
        (lambda: NearestNeighbour().probabilities([]), "call fit first"),
        (
            lambda: NearestNeighbour().fit([np.ones((3, 1)), np.ones((3, 2))], np.array([0, 1]), 2),
            r"series \(steps, 1 channels\), got \(3, 2\) at place 1",
        ),
        (
            lambda: NearestNeighbour().fit([np.ones((3, 1))], np.array([0]), 1).probabilities([np.ones((3, 2))]),
            r"got \(3, 2\) at place 0",
        ),
        (lambda: NearestNeighbour().fit([np.ones(3)], np.array([0]), 1), r"got \(3,\) at place 0"),
    ],
)
def test_what_makes_no_sense_is_refused(attempt, message):
    with pytest.raises(UsageError, match=message):
        attempt()


def read_ts(path: Path) -> tuple[list[np.ndarray], list[str]]:
    rows = [line.split(":") for line in path.read_text("utf-8").splitlines() if line.strip() and line[0] not in "#@"]
    return [np.array([row[0].split(",")], np.float32).T for row in rows], [row[-1].strip() for row in rows]


DATA = Path(os.environ.get("RECURRA_DATA", "")) / "ts-classification"


@pytest.mark.skipif(not os.environ.get("RECURRA_DATA") or not DATA.is_dir(), reason="needs the sets of RECURRA_DATA")
@pytest.mark.parametrize(
    ("name", "euclidean", "warped"),
    [
        ("GunPoint", 0.9133, 0.9067),
        ("ItalyPowerDemand", 0.9553, 0.9504),
        ("ECG200", 0.88, 0.77),
        ("SyntheticControl", 0.88, 0.9933),
        ("ArrowHead", 0.80, 0.7029),
    ],
)
def test_published_accuracies(name, euclidean, warped):
    """Of the UCR archive (Dau et al. 2019, timeseriesclassification.com): 1-NN, and DTW without a limit to warping."""
    (train, labels), (test, truth) = (read_ts(DATA / name / f"{name}_{part}.ts") for part in ("TRAIN", "TEST"))
    classes = sorted(set(labels))
    for metric, published in (("euclidean", euclidean), ("dtw", warped)):
        model = NearestNeighbour(metric, band=1.0, scale="series")
        found = model.fit(train, np.array([classes.index(each) for each in labels]), len(classes)).probabilities(test)
        right = np.mean([classes[number] == each for number, each in zip(found.argmax(1), truth, strict=True)])
        assert right == pytest.approx(published, abs=1e-4)
