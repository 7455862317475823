"""The figures of a language model: by hand, in any pieces, and for units that are several ids."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.errors import DivergedError, UsageError
from recurra.metrics import LanguageScore


def test_figures_by_hand_for_a_chinese_line():
    """床前明月光: five characters, 15 bytes; the first is unknown to the vocabulary and spelt in its three bytes."""
    log_probs = np.log([1 / 2, 1 / 4, 1 / 4, 1 / 2, 1 / 2, 1 / 4, 1 / 4])  # 1 + 2 + 2 + 1 + 1 + 2 + 2 = 11 bits
    starts = np.array([True, False, False, True, True, True, True])
    text = "床前明月光"
    score = LanguageScore().add(log_probs, starts, characters=len(text), bytes=len(text.encode()))
    assert score.units == 5
    assert score.metrics() == pytest.approx(
        {
            "nll": 11 * math.log(2) / 5,
            "perplexity": 2 ** (11 / 5),
            "bits_per_char": 11 / 5,
            "bits_per_byte": 11 / 15,
        },
        rel=1e-15,
    )


def test_a_unit_is_right_when_each_of_its_ids_is():
    starts = np.array([True, False, True, True, False])
    correct = np.array([True, False, True, True, True])
    score = LanguageScore().add(np.full(5, -1.0), starts, correct=correct)
    assert score.right == 2
    assert score.metrics()["accuracy"] == pytest.approx(2 / 3)
    assert "bits_per_char" not in score.metrics() and "bits_per_byte" not in score.metrics()


def test_a_unit_that_goes_on_over_several_pieces_is_wrong_only_once():
    score = LanguageScore().add(np.full(2, -1.0), correct=np.array([True, True]))
    for right in (False, False, True):
        score.add(np.array([-1.0]), np.array([False]), correct=np.array([right]))
    assert (score.units, score.right) == (2, 1)


ids = st.tuples(st.floats(-9, 0), st.booleans(), st.booleans())


@given(st.lists(ids, min_size=1, max_size=30), st.lists(st.integers(0, 30), max_size=5))
def test_pieces_cut_anywhere_give_what_the_whole_gives(rows, cuts):
    """Also inside a unit, which then begins in one piece and goes on in others."""
    values, starts, correct = (np.array(column) for column in zip(*rows, strict=True))
    starts[0] = True
    whole = LanguageScore().add(values, starts, characters=30, bytes=60, correct=correct)
    pieces = LanguageScore()
    places = [0, *sorted(cuts), 30]
    for first, last in pairwise(places):
        part = slice(first, last)
        pieces.add(values[part], starts[part], characters=last - first, bytes=2 * (last - first), correct=correct[part])
    assert (pieces.units, pieces.right) == (whole.units, whole.right)
    assert pieces.metrics() == pytest.approx(whole.metrics(), rel=1e-12)
    of_each_unit = [unit.all() for unit in np.split(correct, np.flatnonzero(starts)[1:])]
    assert whole.right == sum(of_each_unit)


def test_merging_rows_of_a_batch():
    first = LanguageScore().add(np.array([-1.0, -2.0]), characters=2, bytes=6, correct=np.array([True, False]))
    second = LanguageScore().add(np.array([-3.0]), characters=1, bytes=1, correct=np.array([True]))
    both = LanguageScore().merge(first).merge(second).merge(LanguageScore())
    assert (both.log_prob, both.units, both.characters, both.bytes, both.right) == (-6.0, 3, 3, 7, 2)
    assert (first.units, second.units) == (2, 1)
    with pytest.raises(UsageError, match="accuracy in both scores or in none"):
        both.merge(LanguageScore().add(np.array([-1.0])))


def test_float32_scores_are_summed_in_float64():
    score = LanguageScore()
    for _ in range(100):
        score.add(np.full(10_000, -0.1, np.float32))
    assert score.log_prob == pytest.approx(-1e6 * float(np.float32(0.1)), rel=1e-12)


def test_a_perfect_and_a_hopeless_model():
    perfect = LanguageScore().add(np.array([0.0, 1e-7], np.float32), characters=2)
    assert perfect.metrics() == pytest.approx({"nll": 0, "perplexity": 1, "bits_per_char": 0}, abs=1e-12)
    hopeless = LanguageScore().add(np.array([-1e6])).metrics()
    assert hopeless["nll"] == 1e6 and math.isfinite(hopeless["perplexity"])


@pytest.mark.parametrize("bad", [math.nan, -math.inf, math.inf])
def test_what_is_no_number_never_reaches_a_figure(bad):
    score = LanguageScore().add(np.array([-1.0]))
    with pytest.raises(DivergedError, match="at id 2 of these"):
        score.add(np.array([-1.0, -1.0, bad]))
    assert (score.log_prob, score.units) == (-1.0, 1)


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda score: score.add(np.array([0.7])), "natural logs of probabilities .* got 0.7"),
        (lambda score: score.add(np.array([-1.0]), np.array([True, False])), "starts: expected one mark for each of 1"),
        (lambda score: score.add(np.array([-1.0]), correct=np.array([True, False])), "correct: expected one mark"),
        (lambda score: score.add(np.array([-1.0]), correct=np.array([True])).add(np.array([-1.0])), "in some only"),
        (lambda score: score.add(np.array([-1.0])).add(np.array([-1.0]), correct=np.array([True])), "in some only"),
        (lambda score: score.add(np.array([-1.0]), np.array([False]), correct=np.array([True])), "to begin a unit"),
        (lambda score: score.metrics(), "is the text empty"),
    ],
)
def test_what_makes_no_sense_is_refused(attempt, message):
    with pytest.raises(UsageError, match=message):
        attempt(LanguageScore())
