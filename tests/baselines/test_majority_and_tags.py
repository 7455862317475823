"""The plainest guesses: the commonest class, and the commonest tag of a word."""

from __future__ import annotations

import numpy as np
import pytest

from recurra.baselines import Majority, MostFrequentTag
from recurra.errors import UsageError


def test_the_commonest_class_is_likeliest_and_none_is_impossible():
    model = Majority().fit(["a"] * 10, np.array([2] * 6 + [0] * 4), classes=4)
    assert model.probabilities(["x", ""]) == pytest.approx(np.tile([5 / 14, 1 / 14, 7 / 14, 1 / 14], (2, 1)))
    assert model.probabilities([]).shape == (0, 4)


def test_each_of_several_labels_has_its_own_frequency():
    marks = np.array([[1, 0, 1], [1, 0, 0]])
    assert Majority().fit(["a", "b"], marks, classes=3).probabilities(["c"]) == pytest.approx(
        np.array([[0.75, 0.25, 0.5]])
    )


@pytest.mark.parametrize(
    ("sequences", "targets", "message"),
    [
        ([], np.zeros(0, int), "expected at least one to learn from"),
        (["a"], np.array([3]), "classes from 0 to 2, got classes from 3 to 3"),
        (["a"], np.array([-1]), "classes from 0 to 2"),
        (["a", "b"], np.array([1]), "a class for each of 2 sequences"),
        (["a"], np.zeros((1, 2)), r"marks \(1, 3\), got \(1, 2\)"),
    ],
)
def test_targets_that_do_not_fit_are_refused(sequences, targets, message):
    with pytest.raises(UsageError, match=message):
        Majority().fit(sequences, targets, classes=3)


def test_nothing_is_said_before_anything_was_learnt():
    with pytest.raises(UsageError, match="call fit first"):
        Majority().probabilities(["a"])
    with pytest.raises(UsageError, match="call fit first"):
        MostFrequentTag().predict([["a"]])


def test_a_word_has_its_commonest_tag_then_that_of_its_lower_case_then_that_of_all():
    sentences = [["Will", "will", "will", "go"], ["will", "GO", "。", "我们"], ["go", "go"]]
    tags = [["PROPN", "AUX", "AUX", "VERB"], ["NOUN", "NOUN", "PUNCT", "PRON"], ["VERB", "VERB"]]
    model = MostFrequentTag().fit(sentences, tags)
    assert model.predict([["Will", "will", "WILL", "GO", "Go", "我们", "他们"], []]) == [
        ["PROPN", "AUX", "AUX", "NOUN", "VERB", "PRON", "VERB"],
        [],
    ]


def test_of_equally_common_tags_the_first_counts():
    assert MostFrequentTag().fit([["a", "a", "b"]], [["Y", "X", "X"]]).predict([["a", "c"]]) == [["Y", "X"]]


@pytest.mark.parametrize(
    ("sentences", "tags", "message"),
    [
        ([[]], [[]], "at least one word"),
        ([["a"]], [], "those of 1 sentences, got 0"),
        ([["a"], ["a", "b"]], [["X"], ["X"]], "expected 2 in sentence 1, got 1"),
    ],
)
def test_tags_that_do_not_fit_are_refused(sentences, tags, message):
    with pytest.raises(UsageError, match=message):
        MostFrequentTag().fit(sentences, tags)
