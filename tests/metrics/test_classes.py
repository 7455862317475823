"""The figures of classifiers: against scikit-learn, and by hand where labels are unknown or classes missing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.errors import DivergedError, UsageError
from recurra.metrics import classification, confusion, most_confident_mistakes, multi_label, per_class
from recurra.metrics.classes import FLOOR

peer = pytest.importorskip("sklearn.metrics")


def made_up(count: int, classes: int, seed: int, *, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that know something of the targets; rounded so that many are equal, if asked."""
    chance = np.random.default_rng(seed)
    targets = chance.integers(0, classes, count)
    logits = chance.normal(size=(count, classes))
    logits[np.arange(count), targets] += 1
    if ties:
        logits = logits.round()
    rows = np.exp(logits)
    return rows / rows.sum(1, keepdims=True), targets


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 6), st.integers(8, 60), st.integers(0, 10**6), st.booleans())
def test_figures_are_those_of_scikit_learn(classes, count, seed, ties):
    rows, targets = made_up(count, classes, seed, ties=ties)
    targets[:classes] = np.arange(classes)  # all classes occur
    predicted = rows.argmax(1)
    labels = list(range(classes))
    ours = classification(rows, targets)
    area = (
        peer.roc_auc_score(targets, rows[:, 1])
        if classes == 2
        else peer.roc_auc_score(targets, rows, multi_class="ovr", average="macro")
    )
    expected = {
        "nll": peer.log_loss(targets, rows, labels=labels),
        "accuracy": peer.accuracy_score(targets, predicted),
        "balanced_accuracy": peer.balanced_accuracy_score(targets, predicted),
        "macro_f1": peer.f1_score(targets, predicted, average="macro"),
        "auroc": area,
    }
    assert {name: ours[name] for name in expected} == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert list(ours) == [*expected, "calibration_error"]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.integers(4, 40), st.integers(0, 10**6))
def test_figures_of_several_labels_are_those_of_scikit_learn(classes, count, seed):
    chance = np.random.default_rng(seed)
    marks = chance.integers(0, 2, (count, classes))
    marks[0], marks[1] = 0, 1
    rows = np.clip(chance.random((count, classes)).round(2), 0.01, 0.99)
    given_ = rows >= 0.5
    ours = multi_label(rows, marks)
    losses = [peer.log_loss(marks[:, label], rows[:, label]) for label in range(classes)]
    expected = {
        "nll": float(np.mean(losses)),
        "exact_match": float((given_ == marks).all(1).mean()),
        "micro_f1": peer.f1_score(marks.ravel(), given_.ravel(), zero_division=0),
        "macro_f1": float(
            np.nanmean([peer.f1_score(marks[:, label], given_[:, label], zero_division=0) for label in range(classes)])
        ),
        "auroc": float(np.mean([peer.roc_auc_score(marks[:, label], rows[:, label]) for label in range(classes)])),
    }
    assert {name: ours[name] for name in expected} == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert list(ours) == [*expected, "calibration_error"]


def test_classes_that_do_not_occur_are_left_out_unless_they_were_predicted():
    rows = np.array([[0.7, 0.1, 0.1, 0.1], [0.1, 0.1, 0.7, 0.1], [0.6, 0.2, 0.1, 0.1]])
    ours = classification(rows, np.array([0, 0, 0]))
    assert ours["balanced_accuracy"] == pytest.approx(2 / 3)
    assert ours["macro_f1"] == pytest.approx(
        peer.f1_score([0, 0, 0], [0, 2, 0], average="macro")
    )  # 0 and 2, not 1 and 3
    assert "auroc" not in ours


def test_a_class_that_occurs_in_no_example_has_no_ranking():
    rows, targets = made_up(50, 3, 0)
    targets = np.where(targets == 2, 0, targets)
    areas = [peer.roc_auc_score(targets == number, rows[:, number]) for number in (0, 1)]
    assert classification(rows, targets)["auroc"] == pytest.approx(np.mean(areas))


def test_a_label_that_training_never_saw_is_always_wrong():
    rows = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.5, 0.5]])
    targets = np.array([0, -1, 1, 0])
    ours = classification(rows, targets)
    assert ours["accuracy"] == 3 / 4
    assert ours["balanced_accuracy"] == pytest.approx(peer.balanced_accuracy_score(targets, [0, 0, 1, 0]))
    assert ours["macro_f1"] == pytest.approx(peer.f1_score(targets, [0, 0, 1, 0], average="macro", zero_division=0))
    assert ours["auroc"] == 1.0
    logs = [math.log(0.9), math.log(FLOOR), math.log(0.7), math.log(0.5)]
    assert ours["nll"] == pytest.approx(-sum(logs) / 4, rel=1e-12)
    assert confusion(rows.argmax(1), targets, ["a", "b"]) == [[2, 0], [0, 1], [1, 0]]
    assert most_confident_mistakes(rows, targets) == [1]


def test_labels_that_training_never_saw_are_misses_among_several():
    ours = multi_label(np.array([[0.9, 0.2], [0.3, 0.8]]), np.array([[1, 0], [0, 1]]), unseen=np.array([0, 2]))
    assert ours["exact_match"] == 0.5
    assert ours["micro_f1"] == pytest.approx(2 * 2 / (2 * 2 + 2))
    assert ours["macro_f1"] == pytest.approx((1 + 1 + 0) / 3)


def test_sure_mistakes_stay_finite_and_sure_hits_are_no_negative_zero():
    assert classification(np.array([[1.0, 0.0]]), np.array([1]))["nll"] == pytest.approx(-math.log(FLOOR))
    sure = classification(np.array([[1 + 1e-6, 0.0]]), np.array([0]))["nll"]
    assert sure == 0 and math.copysign(1, sure) == 1
    assert math.copysign(1, multi_label(np.array([[1.0]]), np.array([[1]]))["nll"]) == 1


def test_the_confusion_matrix_is_scikit_learns():
    rows, targets = made_up(200, 5, 3)
    ours = confusion(rows.argmax(1), targets, 5)
    assert ours == peer.confusion_matrix(targets, rows.argmax(1)).tolist()
    assert all(type(cell) is int for row in ours for cell in row)
    assert confusion(np.zeros(0, int), np.zeros(0, int), 2) == [[0, 0], [0, 0]]


def test_each_class_is_scikit_learns():
    rows, targets = made_up(200, 4, 5)
    theirs = peer.classification_report(targets, rows.argmax(1), target_names=list("甲乙cd"), output_dict=True)
    for name, ours in per_class(rows.argmax(1), targets, list("甲乙cd")).items():
        reference = {"f1" if key == "f1-score" else key: value for key, value in theirs[name].items()}
        assert ours == pytest.approx(reference, rel=1e-12)
    marks = np.eye(4, dtype=int)[targets]
    assert (
        per_class(np.eye(4)[rows.argmax(1)], marks, list("abcd"))["b"]
        == per_class(rows.argmax(1), targets, list("abcd"))["b"]
    )


def test_the_worst_mistakes_are_the_most_confident():
    rows = np.array([[0.6, 0.4], [0.95, 0.05], [0.2, 0.8], [0.95, 0.05], [0.99, 0.01]])
    assert most_confident_mistakes(rows, np.array([1, 1, 0, 1, 0])) == [1, 3, 2, 0]
    assert most_confident_mistakes(rows, np.array([1, 1, 0, 1, 0]), limit=2) == [1, 3]
    assert most_confident_mistakes(rows, np.array([0, 0, 1, 0, 0])) == []


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_no_number_is_refused(bad):
    with pytest.raises(DivergedError, match="in row 1"):
        classification(np.array([[0.5, 0.5], [bad, 0.5]]), np.array([0, 1]))


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: classification(np.zeros((0, 2)), np.zeros(0, int)), "is the data empty"),
        (lambda: classification(np.array([[0.5, 0.6]]), np.array([0])), r"add up to 1, got 1\.1 in row 0"),
        (lambda: classification(np.array([[1.5, -0.5]]), np.array([0])), "values from 0 to 1"),
        (lambda: classification(np.array([0.5, 0.5]), np.array([0])), r"a table \(examples, classes\)"),
        (lambda: classification(np.array([[0.5, 0.5]]), np.array([2])), "classes from 0 to 1, or −1"),
        (lambda: classification(np.array([[0.5, 0.5]]), np.array([0, 1])), "a class for each of 1 examples"),
        (lambda: classification(np.array([[0.5, 0.5]]), np.array([0.0])), "whole numbers of classes, got float64"),
        (lambda: multi_label(np.array([[0.5, 0.5]]), np.array([0])), r"\(1, 2\), got \(1,\)"),
        (lambda: multi_label(np.array([[0.5, 0.5]]), np.array([[2, 0]])), "1 for each label"),
        (
            lambda: multi_label(np.array([[0.5]]), np.array([[1]]), np.array([1, 1])),
            "unseen: expected a count for each of 1",
        ),
        (lambda: confusion(np.array([-1]), np.array([0]), 2), "predicted: expected classes from 0 to 1, got -1"),
        (lambda: confusion(np.array([0, 1]), np.array([0]), 2), "a class for each of 1 examples"),
    ],
)
def test_what_makes_no_sense_is_refused(attempt, message):
    with pytest.raises(UsageError, match=message):
        attempt()
