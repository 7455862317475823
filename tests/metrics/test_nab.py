"""The benchmark's score: by hand, against its rules applied row by row, and the published scores on the real files."""

from __future__ import annotations

import csv
import json
import math
import os
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.baselines import windowed_gaussian
from recurra.errors import UsageError
from recurra.metrics import NAB_PROFILES, nab_probation, nab_score, nab_sweep, nab_weights, nab_windows

NAB = Path(os.environ.get("RECURRA_DATA", "")) / "nab"
needs_nab = pytest.mark.skipif(
    not (NAB / "labels" / "combined_windows.json").is_file(), reason="RECURRA_DATA has no nab"
)

# results/final_results.json of numenta/NAB, commit 5a98e4f, of the detectors that need nothing but the files.
PUBLISHED = {
    "null": {"standard": 0.0, "reward_low_FP_rate": 0.0, "reward_low_FN_rate": 0.0},
    "windowedGaussian": {
        "standard": 39.649523496077585,
        "reward_low_FP_rate": 20.86798582474138,
        "reward_low_FN_rate": 47.4100271583046,
    },
    "random": {
        "standard": 16.831768350517237,
        "reward_low_FP_rate": 5.763682319827586,
        "reward_low_FN_rate": 25.876351314080456,
    },
}


def sigma(place: float) -> float:
    return -1.0 if place > 3 else 2 / (1 + math.exp(5 * place)) - 1


def by_row(scores, windows, threshold, profile):
    """The raw score of one file as the rules say it, row by row."""
    raw, first = 0.0, nab_probation(len(scores))
    flagged = [row for row in range(first, len(scores)) if scores[row] >= threshold]
    for start, stop in windows:
        hits = [row for row in flagged if start <= row < stop]
        if hits:
            raw += profile.found * sigma(-(stop - hits[0]) / (stop - start)) / sigma(-1)
        elif stop > first:
            raw -= profile.missed
    for row in flagged:
        if any(start <= row < stop for start, stop in windows):
            continue
        before = [(start, stop) for start, stop in windows if stop <= row]
        place = (row - before[-1][1] + 1) / (before[-1][1] - before[-1][0] - 1) if before else 9
        raw += profile.false * sigma(place)
    return raw


@st.composite
def corpora(draw):
    """A few files with windows behind the probation, of two rows or more."""
    scores, windows = {}, {}
    for number in range(draw(st.integers(1, 3))):
        rows = draw(st.integers(12, 40))
        values = draw(st.lists(st.integers(0, 6), min_size=rows, max_size=rows))
        cuts = sorted(draw(st.sets(st.integers(nab_probation(rows), rows), max_size=6)))
        pairs = [(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False) if b - a > 1]
        scores[str(number)], windows[str(number)] = np.array(values) / 6, pairs
    windows["0"] = windows["0"] or [(8, 12)]
    return scores, windows


@settings(max_examples=60, deadline=None)
@given(corpora())
def test_the_best_threshold_is_the_best_of_all(corpus):
    scores, windows = corpus
    total = sum(map(len, windows.values()))
    results = nab_sweep(scores, windows)
    for name, profile in NAB_PROFILES.items():
        thresholds = [2.0, *sorted({value for each in scores.values() for value in each}, reverse=True)]
        raws = [sum(by_row(scores[k], windows[k], at, profile) for k in scores) for at in thresholds]
        best = results[name]
        assert best.raw == pytest.approx(max(raws))
        null = -profile.missed * total
        assert best.score == pytest.approx(100 * (max(raws) - null) / (total - null))
        for at, raw in zip(thresholds, raws, strict=True):
            assert nab_score(scores, windows, at)[name].raw == pytest.approx(raw)


def test_weights_by_hand():
    worth, window = nab_weights(12, [(2, 6)])
    assert window.tolist() == [-1, -1, 0, 0, 0, 0, *[-1] * 6]
    inside = [(2 / (1 + math.exp(-5 * left / 4)) - 1) / (2 / (1 + math.exp(-5)) - 1) for left in (4, 3, 2, 1)]
    behind = [2 / (1 + math.exp(5 * steps / 3)) - 1 for steps in range(1, 7)]
    assert worth.tolist() == pytest.approx([-1, -1, *inside, *behind])
    assert worth[2] == 1
    assert nab_weights(30, [(2, 6)])[0][-14:].tolist() == [-1.0] * 14  # more than three widths behind


def test_perfect_and_null():
    windows = {"a": [(10, 15), (30, 33)], "b": []}
    flags = {"a": np.zeros(40), "b": np.zeros(40)}
    assert {result.score for result in nab_sweep(flags, windows).values()} == {0.0}
    flags["a"][[10, 30]] = 1
    for result in nab_sweep(flags, windows).values():
        assert result.score == pytest.approx(100)
        assert (result.found, result.windows, result.tp, result.fp, result.threshold) == (2, 2, 2, 0, 1.0)
        assert result.tp + result.fp + result.fn + result.tn == 2 * (40 - nab_probation(40))


def test_what_lies_in_the_probation_does_not_count():
    scores = {"a": np.zeros(100)}
    scores["a"][:15] = 5.0
    scores["a"][50] = 1.0
    assert nab_sweep(scores, {"a": [(50, 60)]})["standard"].score == pytest.approx(100)


def test_windows_are_found_by_their_times():
    times = np.array(["2014-01-01T00:00", "2014-01-01T00:05", "2014-01-01T00:05", "2014-01-01T00:10"], "M8[us]")
    assert nab_windows(times, [("2014-01-01 00:05:00.000000", "2014-01-01 00:10:00.000000")]) == [(1, 4)]
    with pytest.raises(UsageError, match="2014-01-02, which is none of 4"):
        nab_windows(times, [("2014-01-02", "2014-01-03")])
    with pytest.raises(UsageError, match="end after they begin"):
        nab_windows(times, [("2014-01-01T00:10", "2014-01-01T00:05")])


@pytest.mark.parametrize(
    ("scores", "windows", "message"),
    [
        ({"a": np.zeros(9)}, {"b": [(2, 4)]}, "files of the scores, got a in one"),
        ({"a": np.zeros(9)}, {"a": []}, "at least one in the corpus"),
        ({"a": np.zeros(9)}, {"a": [(2, 5), (4, 6)]}, "rows from 5 to 8 in order, got 4 to 5"),
        ({"a": np.zeros(9)}, {"a": [(2, 10)]}, "got 2 to 9"),
        ({"a": np.full(9, np.nan)}, {"a": [(2, 4)]}, "a finite number for each row of a"),
    ],
)
def test_what_cannot_be_scored_is_refused(scores, windows, message):
    with pytest.raises(UsageError, match=message):
        nab_sweep(scores, windows)


def stored(scores: np.ndarray) -> np.ndarray:
    """The benchmark keeps scores in text of twelve digits, and scores what it reads back."""
    return np.array([float(f"{score:.12g}") for score in scores.tolist()])


@pytest.fixture(scope="module")
def real():
    limits = json.loads((NAB / "labels" / "combined_windows.json").read_text())
    values, windows = {}, {}
    for name, pairs in limits.items():
        with (NAB / "data" / name).open() as file:
            rows = list(csv.DictReader(file))
        values[name] = np.array([float(row["value"]) for row in rows])
        windows[name] = nab_windows(np.array([row["timestamp"] for row in rows], "M8[us]"), pairs)
    return values, windows


@needs_nab
def test_the_corpus_is_that_of_version_1_1(real):
    values, windows = real
    assert (len(values), sum(map(len, values.values())), sum(map(len, windows.values()))) == (58, 365_558, 116)
    profiles = json.loads((NAB / "config" / "profiles.json").read_text())
    for name, profile in NAB_PROFILES.items():
        costs = profiles[name]["CostMatrix"]
        assert (profile.found, profile.missed, profile.false) == (
            costs["tpWeight"],
            costs["fnWeight"],
            costs["fpWeight"],
        )


@needs_nab
def test_null_is_scored_as_published(real):
    values, windows = real
    results = nab_sweep({name: np.full(len(each), 0.5) for name, each in values.items()}, windows)
    assert {name: result.score for name, result in results.items()} == PUBLISHED["null"]
    assert results["standard"].raw == -116


@needs_nab
def test_windowed_gaussian_is_scored_as_published(real):
    values, windows = real
    results = nab_sweep({name: stored(windowed_gaussian(each)) for name, each in values.items()}, windows)
    assert {name: result.score for name, result in results.items()} == pytest.approx(
        PUBLISHED["windowedGaussian"], abs=1e-9
    )


@needs_nab
def test_random_is_scored_as_published(real):
    """Its published thresholds (config/thresholds.json) were found by climbing, and are not the best."""
    values, windows = real
    known = json.loads((NAB / "config" / "thresholds.json").read_text())["random"]
    scores = {}
    for name, each in values.items():
        chance = random.Random(42)  # again for each file, as the detector does
        scores[name] = stored(np.array([chance.uniform(0, 1) for _ in each]))
    best = nab_sweep(scores, windows)
    for name, published in PUBLISHED["random"].items():
        ours = nab_score(scores, windows, known[name]["threshold"])[name]
        assert ours.score == pytest.approx(published, abs=1e-9)
        assert best[name].score >= ours.score
