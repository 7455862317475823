"""How good a classifier is: from the probabilities it gave to each class, and the true classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recurra.errors import UsageError
from recurra.metrics.base import Metric, register_metric, share_metric
from recurra.metrics.calibration import label_gap, top_label_gap
from recurra.metrics.checks import class_marks, class_numbers, probability_rows

FLOOR = float(np.finfo(np.float64).eps)
"""A probability below this counts as this (36 nats): one sure mistake must not make a mean infinite."""


register_metric(
    share_metric("accuracy", "accuracy", 30, "{value} were right."),
    share_metric(
        "micro_f1",
        "micro F1",
        40,
        "The harmonic mean of how many of the labels that it gave are right and how many of those that hold it gave.",
    ),
    share_metric("exact_match", "exact match", 50, "{value} were given just the labels that they have."),
    share_metric("macro_f1", "macro F1", 60, "The mean of the F1 of each class, however rare it is."),
    share_metric(
        "balanced_accuracy",
        "balanced accuracy",
        70,
        "The mean share of each class's examples that was found, however rare the class is.",
    ),
    Metric(
        "auroc",
        "AUROC",
        rank=170,
        lower_is_better=False,
        versus="difference",
        gloss="In {value} of the pairs of an example of a class and one of another, the first has the higher probability.",
    ),
)


def classification(probabilities: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Measure a classifier that gives each example one class.

        nll = −mean log p(true class)      accuracy = share of examples whose likeliest class is the true one
        balanced_accuracy = mean over the classes that occur of the share of their examples that were found
        macro_f1 = mean over the classes that occur or were predicted of 2·precision·recall / (precision + recall)
        auroc = share of the pairs (an example of the class, one of another) that are put in the right order
        calibration_error: see `top_label_gap`

    A label that training never saw (target −1) cannot be predicted. Such an example is wrong in the accuracy; all of them
    are together one more class with recall and F1 of 0; the nll counts `FLOOR` for its probability, since the model gave it
    none; `auroc` leaves it out, as it has no score that could be ordered. Of equally likely classes the first is predicted.

    Args:
        probabilities: (N, C), rows add up to 1.
        targets: (N,), the number of the true class, or −1.

    Returns:
        The figures, in the order above. `auroc` is that of class 1 when C is 2, else the mean over the classes that occur
        (one against the rest); it is left out where no class has an example inside and one outside.

    Raises:
        DivergedError: a probability is infinite or not a number.
        UsageError: no examples, or shapes and values other than above.

    >>> metrics = classification(np.array([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2], [0.3, 0.7]]), np.array([0, 0, 1, 1]))
    >>> {name: round(value, 3) for name, value in metrics.items()}
    {'nll': 0.747, 'accuracy': 0.5, 'balanced_accuracy': 0.5, 'macro_f1': 0.5, 'auroc': 0.75, 'calibration_error': 0.45}
    """
    rows = probability_rows(probabilities, one=True)
    numbers = class_numbers(targets, *rows.shape)
    predicted = rows.argmax(1)
    right, true, guessed = tallies(predicted, numbers, rows.shape[1])
    metrics = {
        "nll": float(example_nll(rows, numbers).mean()),
        "accuracy": float(right.sum() / len(rows)),
        "balanced_accuracy": float(mean_recall(right, true)),
        "macro_f1": float(mean_f1(right, true, guessed)),
    }
    area = area_under_roc(rows, numbers)
    if area is not None:
        metrics["auroc"] = area
    return {**metrics, "calibration_error": top_label_gap(rows, numbers)}


def multi_label(probabilities: np.ndarray, targets: np.ndarray, unseen: np.ndarray | None = None) -> dict[str, float]:
    """Measure a classifier that gives each example any number of labels: those of a probability of 0.5 or more.

        nll = −mean over all N·C decisions of log p(what is true of the label)
        exact_match = share of examples whose labels are all right, and none is missing
        micro_f1 = 2·TP / (2·TP + FP + FN) over all decisions      macro_f1 = mean F1 of the labels that occur or were given
        auroc = mean over the labels that some examples have and some have not      calibration_error: see `label_gap`

    Args:
        probabilities: (N, C), of each label.
        targets: (N, C), 1 where the example has the label.
        unseen: (N,), how many labels of the example training never saw. None of them is ever found: each is a miss in
            the F1 figures (together one more label in the macro F1), and no such example is an exact match.

    Returns:
        The figures, in the order above; `auroc` is left out where it has no meaning.

    Raises:
        DivergedError: a probability is infinite or not a number.
        UsageError: no examples, or shapes and values other than above.

    >>> metrics = multi_label(np.array([[0.9, 0.2], [0.6, 0.7]]), np.array([[1, 0], [0, 1]]))
    >>> {name: round(value, 3) for name, value in metrics.items()}
    {'nll': 0.4, 'exact_match': 0.5, 'micro_f1': 0.8, 'macro_f1': 0.833, 'auroc': 1.0, 'calibration_error': 0.3}
    """
    rows = probability_rows(probabilities, one=False)
    marks = class_marks(targets, rows.shape)
    missed = np.zeros(len(rows), np.int64) if unseen is None else np.asarray(unseen, np.int64)
    if missed.shape != (len(rows),):
        raise UsageError(f"unseen: expected a count for each of {len(rows)} examples, got {missed.shape}")
    given = rows >= 0.5
    right = np.append((given & marks).sum(0), 0)
    true = np.append(marks.sum(0), missed.sum())
    guessed = np.append(given.sum(0), 0)
    likely = np.where(marks, rows, 1 - rows)
    metrics = {
        "nll": float(-np.log(np.clip(likely, FLOOR, 1.0)).mean()) + 0.0,
        "exact_match": float(((given == marks).all(1) & (missed == 0)).mean()),
        "micro_f1": float(2 * right.sum() / max(1, true.sum() + guessed.sum())),
        "macro_f1": float(mean_f1(right, true, guessed)),
    }
    areas = [ranking(rows[:, label], marks[:, label]) for label in range(rows.shape[1])]
    known = [area for area in areas if area is not None]
    if known:
        metrics["auroc"] = float(np.mean(known))
    return {**metrics, "calibration_error": label_gap(rows, marks)}


def example_nll(rows: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Give −log p of the true class of each example, (N,) in nats; −log `FLOOR` where it is less likely or unknown (−1)."""
    likely = np.where(numbers < 0, 0.0, np.take_along_axis(rows, np.maximum(numbers, 0)[:, None], 1)[:, 0])
    return -np.log(np.clip(likely, FLOOR, 1.0)) + 0.0  # no negative zero


def tallies(predicted: np.ndarray, numbers: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count for each class, and at last for labels that training never saw: rightly predicted, true, predicted; (C + 1,)."""
    last = np.where(numbers < 0, classes, numbers)
    size = classes + 1
    right = np.bincount(last[predicted == last], minlength=size)
    return right, np.bincount(last, minlength=size), np.bincount(predicted, minlength=size)


def mean_recall(right: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Give the mean recall over the classes that occur; counts are (…, K), the result (…)."""
    occurs = true > 0
    return (right / np.maximum(true, 1)).sum(-1) / np.maximum(occurs.sum(-1), 1)


def mean_f1(right: np.ndarray, true: np.ndarray, guessed: np.ndarray) -> np.ndarray:
    """Give the mean F1 over the classes that occur or were predicted; counts are (…, K), the result (…)."""
    both = true + guessed
    return (2 * right / np.maximum(both, 1)).sum(-1) / np.maximum((both > 0).sum(-1), 1)


def area_under_roc(rows: np.ndarray, numbers: np.ndarray) -> float | None:
    """Give the area under the ROC curve: of class 1 of two, else the mean of one class against the rest; None if undefined."""
    known = numbers >= 0
    compared = [1] if rows.shape[1] == 2 else list(range(rows.shape[1]))
    areas = [ranking(rows[known, number], numbers[known] == number) for number in compared]
    defined = [area for area in areas if area is not None]
    return float(np.mean(defined)) if defined else None


def ranking(scores: np.ndarray, inside: np.ndarray) -> float | None:
    """Give the share of pairs (inside, outside) with the higher score inside, ties by half: Mann and Whitney's U.

    Returns None when one side is empty.

    >>> ranking(np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, False, True, True]))
    0.875
    """
    positive = int(inside.sum())
    negative = len(inside) - positive
    if not positive or not negative:
        return None
    _, place, size = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(size) - (size - 1) / 2)[place]
    return float((ranks[inside].sum() - positive * (positive + 1) / 2) / (positive * negative))


def confusion(predicted: np.ndarray, targets: np.ndarray, classes: int | Sequence[str]) -> list[list[int]]:
    """Count how often each class (row) was predicted as each class (column).

    Args:
        predicted, targets: numbers of classes, (N,).
        classes: how many there are, C, or their names.

    Returns:
        C rows of C counts; one row more at the end where some targets are −1, labels that training never saw.

    Raises:
        UsageError: lengths that differ, or a number that is no class.

    >>> confusion(np.array([0, 1, 1]), np.array([0, 0, 1]), 2)
    [[1, 1], [0, 1]]
    """
    size = classes if isinstance(classes, int) else len(classes)
    numbers = class_numbers(targets, len(targets), size)
    guessed = class_numbers(predicted, len(numbers), size)
    if len(guessed) and guessed.min() < 0:
        raise UsageError(f"predicted: expected classes from 0 to {size - 1}, got {guessed.min()}")
    rows = np.where(numbers < 0, size, numbers)
    table = np.bincount(rows * size + guessed, minlength=(size + 1) * size).reshape(size + 1, size)
    return (table if (numbers < 0).any() else table[:size]).tolist()


def per_class(predicted: np.ndarray, targets: np.ndarray, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Give precision, recall, F1 and support (how many there are) of each class by its name; 0 where nothing can be shared.

    Args:
        predicted, targets: numbers of classes, (N,); or which labels each example has and was given, (N, C).

    >>> per_class(np.array([0, 1, 1]), np.array([0, 0, 1]), ["no", "yes"])["yes"]
    {'precision': 0.5, 'recall': 1.0, 'f1': 0.6666666666666666, 'support': 1}
    """
    if np.ndim(targets) == 2:
        marks, given = np.asarray(targets, bool), np.asarray(predicted, bool)
        right, true, guessed = (marks & given).sum(0), marks.sum(0), given.sum(0)
    else:
        numbers = class_numbers(targets, len(targets), len(names))
        right, true, guessed = tallies(np.asarray(predicted), numbers, len(names))
    return {name: precision_recall_f1(*map(int, row)) for name, *row in zip(names, right, true, guessed, strict=False)}


def precision_recall_f1(right: int, true: int, guessed: int) -> dict[str, float]:
    """Give precision, recall, F1 and support from counts.

    >>> precision_recall_f1(right=1, true=2, guessed=4)
    {'precision': 0.25, 'recall': 0.5, 'f1': 0.3333333333333333, 'support': 2}
    """
    return {
        "precision": right / guessed if guessed else 0.0,
        "recall": right / true if true else 0.0,
        "f1": 2 * right / (true + guessed) if true + guessed else 0.0,
        "support": true,
    }


def most_confident_mistakes(probabilities: np.ndarray, targets: np.ndarray, limit: int = 20) -> list[int]:
    """Find the mistakes that the model was most confident in: the numbers of the examples, the worst first, the earlier of equals.

    >>> most_confident_mistakes(np.array([[0.6, 0.4], [0.1, 0.9], [0.9, 0.1]]), np.array([1, 0, 0]))
    [1, 0]
    """
    rows = probability_rows(probabilities, one=True)
    wrong = np.flatnonzero(rows.argmax(1) != class_numbers(targets, *rows.shape))
    sure = rows.max(1)[wrong]
    return wrong[np.argsort(-sure, kind="stable")][:limit].tolist()
