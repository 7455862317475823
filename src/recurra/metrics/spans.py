"""Spans that tags mark (names, chunks), and how many of them were found."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from recurra.errors import UsageError
from recurra.metrics.base import register_metric, share_metric
from recurra.metrics.classes import precision_recall_f1

_TAG = re.compile(r"([BIESLU])(?:-(.*))?", re.DOTALL)
_LAST = frozenset("ESLU")
_FIRST = frozenset("BSU")


register_metric(
    # Before the accuracy: most words are in no span, so a tagger that finds none is right nearly everywhere.
    share_metric(
        "f1",
        "span F1",
        20,
        "The harmonic mean of how many of the spans that it marked are right (precision) and how many of those that are "
        "there it found (recall).",
    ),
    share_metric("precision", "precision", 150),
    share_metric("recall", "recall", 160),
)


def marks_spans(tags: Iterable[str]) -> bool:
    """Say whether a set of tags marks spans: each is O, or one of B I E S L U with a type, and some span can begin.

    >>> marks_spans(["B-person", "I-person", "O"]), marks_spans(["NOUN", "VERB"]), marks_spans(["O", "B", "I"])
    (True, False, True)
    """
    known = set(tags)
    matches = [_TAG.fullmatch(tag) for tag in known if tag != "O"]
    if not matches or not all(matches):
        return False
    # Single letters alone could be names of anything, such as the sleep stages of a night.
    return all(match[2] for match in matches if match) or ("O" in known and bool(known & {"B", "I"}))


def spans(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """Find the spans that a sequence of tags marks, in any of the usual schemes: BIO, IOB1, IOBES, BILOU.

    The rules are conlleval's (Tjong Kim Sang and Buchholz 2000), so a broken sequence has spans too: one ends before O, before a
    tag that begins one (B, S, U), before another type, and after a tag that ends one (E, S, L, U); whatever else is not
    O goes on with the span, or begins one where none is open.

    Returns:
        (start, end, type) in order; `end` is the first place after the span. The type of a bare "B" is "".

    Raises:
        UsageError: a tag of no such scheme.

    >>> spans(["B-PER", "I-PER", "O", "I-LOC", "B-LOC", "E-LOC", "I-LOC", "S-ORG"])
    [(0, 2, 'PER'), (3, 4, 'LOC'), (4, 6, 'LOC'), (6, 7, 'LOC'), (7, 8, 'ORG')]
    """
    found: list[tuple[int, int, str]] = []
    start, kind, ended = -1, "", True  # of the span that is open, unless `ended`
    for place, tag in enumerate(tags):
        match = None if tag == "O" else _TAG.fullmatch(tag)
        if match is None and tag != "O":
            raise UsageError(
                f"tags: expected O or B-, I-, E-, S-, L-, U- with a type (BIO, IOBES, BILOU), got {tag!r} at place {place}"
            )
        letter, of = (match[1], match[2] or "") if match else ("O", "")
        if not ended and (letter == "O" or letter in _FIRST or of != kind):
            found.append((start, place, kind))
            ended = True
        if letter == "O":
            continue
        if ended:
            start, kind, ended = place, of, False
        if letter in _LAST:
            found.append((start, place + 1, kind))
            ended = True
    return found if ended else [*found, (start, len(tags), kind)]


def span_counts(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> np.ndarray:
    """Count in each sentence the spans that were rightly predicted, that are there, and that were predicted: (N, 3).

    What `ratio_intervals` needs, since F1 = 2·right / (there + predicted).

    Raises:
        UsageError: another number of sentences, or of tags in one of them.

    >>> span_counts([["B-A", "O"], ["O"]], [["B-A", "B-A"], ["O"]]).tolist()
    [[1, 1, 2], [0, 0, 0]]
    """
    pairs = [(set(spans(true)), set(spans(guessed))) for true, guessed in _paired(gold, predicted)]
    return np.array([[len(true & guessed), len(true), len(guessed)] for true, guessed in pairs], np.int64).reshape(
        -1, 3
    )


def span_scores(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Give precision, recall and F1 over the spans of all sentences; a span is right when its place and its type are.

    Returns:
        "precision", "recall", "f1", and under "types" the same and the support of each type, by name. All are 0 where there
        is nothing to share, as in conlleval.

    Raises:
        UsageError: another number of sentences, or of tags in one of them, or a tag of no scheme (`spans`).

    >>> scores = span_scores([["B-PER", "I-PER", "O"]], [["B-PER", "I-PER", "B-LOC"]])
    >>> scores["precision"], scores["recall"], scores["types"]["LOC"]
    (0.5, 1.0, {'precision': 0.0, 'recall': 0.0, 'f1': 0.0, 'support': 0})
    """
    right: Counter[str] = Counter()
    true: Counter[str] = Counter()
    guessed: Counter[str] = Counter()
    for there, given in _paired(gold, predicted):
        wanted, found = set(spans(there)), set(spans(given))
        right.update(kind for _, _, kind in wanted & found)
        true.update(kind for _, _, kind in wanted)
        guessed.update(kind for _, _, kind in found)
    whole = precision_recall_f1(right.total(), true.total(), guessed.total())
    types = {kind: precision_recall_f1(right[kind], true[kind], guessed[kind]) for kind in sorted(true | guessed)}
    return {**{name: whole[name] for name in ("precision", "recall", "f1")}, "types": types}


def tag_scores(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> dict[str, float]:
    """Give the accuracy over all tags, and precision, recall and F1 of the spans where the true tags mark some.

    Raises:
        UsageError: another number of sentences, or of tags in one of them, or no tags at all.

    >>> tag_scores([["DET", "NOUN"]], [["DET", "VERB"]])
    {'accuracy': 0.5}
    """
    pairs = _paired(gold, predicted)
    size = sum(len(true) for true, _ in pairs)
    if not size:
        raise UsageError("expected at least one tag to measure, got none: is the data empty?")
    right = sum(a == b for true, guessed in pairs for a, b in zip(true, guessed, strict=True))
    scores = {"accuracy": right / size}
    if marks_spans({tag for true, guessed in pairs for tag in (*true, *guessed)}):
        whole = span_scores(gold, predicted)
        scores |= {name: whole[name] for name in ("precision", "recall", "f1")}
    return scores


def _paired(
    gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]
) -> list[tuple[Sequence[str], Sequence[str]]]:
    if len(gold) != len(predicted):
        raise UsageError(f"predicted: expected tags for {len(gold)} sentences, got {len(predicted)}")
    for number, (true, guessed) in enumerate(zip(gold, predicted, strict=True)):
        if len(true) != len(guessed):
            raise UsageError(f"predicted: expected {len(true)} tags in sentence {number}, got {len(guessed)}")
    return list(zip(gold, predicted, strict=True))
