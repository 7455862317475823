"""Spans: against seqeval over any sequence of tags, by conlleval's published rules, and by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.errors import UsageError
from recurra.metrics import marks_spans, span_counts, span_scores, spans, tag_scores

TAGS = ["O", *(f"{letter}-{kind}" for letter in "BIES" for kind in ("PER", "LOC", "creative-work"))]
sentences = st.lists(st.lists(st.sampled_from(TAGS), min_size=1, max_size=9), min_size=1, max_size=5)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(TAGS), max_size=12))
def test_any_sequence_has_the_spans_that_seqeval_finds(tags):
    entities = pytest.importorskip("seqeval.metrics.sequence_labeling")
    theirs = [(start, end + 1, kind) for kind, start, end in entities.get_entities(tags)]
    assert spans(tags) == theirs


@settings(max_examples=60, deadline=None)
@pytest.mark.filterwarnings("ignore::UserWarning")  # seqeval's own, where nothing is predicted
@given(sentences, st.randoms(use_true_random=False))
def test_scores_are_those_of_seqeval(gold, chance):
    peer = pytest.importorskip("seqeval.metrics")
    predicted = [[tag if chance.random() < 0.6 else chance.choice(TAGS) for tag in sentence] for sentence in gold]
    ours = span_scores(gold, predicted)
    assert ours["precision"] == pytest.approx(peer.precision_score(gold, predicted, zero_division=0))
    assert ours["recall"] == pytest.approx(peer.recall_score(gold, predicted, zero_division=0))
    assert ours["f1"] == pytest.approx(peer.f1_score(gold, predicted, zero_division=0))
    if not ours["types"]:
        return
    theirs = peer.classification_report(gold, predicted, output_dict=True, zero_division=0)
    for kind, scores in ours["types"].items():
        assert scores == pytest.approx({("f1" if k == "f1-score" else k): v for k, v in theirs[kind].items()})
    right, there, guessed = span_counts(gold, predicted).sum(0)
    assert ours["f1"] == pytest.approx(2 * right / (there + guessed) if there + guessed else 0)


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("B-A I-A O B-B", [(0, 2, "A"), (3, 4, "B")]),
        ("I-A I-A B-A I-A", [(0, 2, "A"), (2, 4, "A")]),  # IOB1: B only where two of a type meet
        ("O I-A I-B I-B", [(1, 2, "A"), (2, 4, "B")]),  # a new type begins a span
        ("B-A I-B", [(0, 1, "A"), (1, 2, "B")]),
        ("B-A I-A E-A S-A", [(0, 3, "A"), (3, 4, "A")]),
        ("B-A I-A L-A U-A", [(0, 3, "A"), (3, 4, "A")]),  # BILOU is IOBES by other letters
        ("E-A E-A", [(0, 1, "A"), (1, 2, "A")]),
        ("S-A I-A", [(0, 1, "A"), (1, 2, "A")]),
        ("B-A E-B", [(0, 1, "A"), (1, 2, "B")]),
        ("B I O B", [(0, 2, ""), (3, 4, "")]),
        ("B-creative-work I-creative-work", [(0, 2, "creative-work")]),
        ("B-人名 I-人名 O", [(0, 2, "人名")]),
        ("", []),
        ("O O", []),
    ],
)
def test_schemes_and_broken_sequences_by_hand(tags, found):
    assert spans(tags.split()) == found


def test_a_worked_example():
    """[The cat]NP [sat]VP [a mat]NP . [on]PP: the second noun phrase is cut in two, and "on" tagged as a verb phrase."""
    gold = [["B-NP", "I-NP", "B-VP", "B-NP", "I-NP", "O", "B-PP"]]
    predicted = [["B-NP", "I-NP", "B-VP", "I-NP", "B-NP", "O", "B-VP"]]
    assert spans(gold[0]) == [(0, 2, "NP"), (2, 3, "VP"), (3, 5, "NP"), (6, 7, "PP")]
    assert spans(predicted[0]) == [(0, 2, "NP"), (2, 3, "VP"), (3, 4, "NP"), (4, 5, "NP"), (6, 7, "VP")]
    scores = tag_scores(gold, predicted)
    assert scores == pytest.approx({"accuracy": 4 / 7, "precision": 2 / 5, "recall": 2 / 4, "f1": 4 / 9})


def test_parts_of_speech_have_an_accuracy_alone():
    assert tag_scores([["DET", "NOUN"], ["X"]], [["DET", "X"], ["X"]]) == {"accuracy": 2 / 3}


@pytest.mark.parametrize(
    ("tags", "marks"),
    [
        (["B-PER", "I-PER"], True),
        (["S-PER", "O"], True),
        (["O"], False),
        ([], False),
        (["O", "B", "I"], True),
        (["B", "E", "S"], False),
        (["NOUN", "O", "B-PER"], False),
        (["I-", "O"], False),
        (["B-PER-", "O"], True),
    ],
)
def test_which_tags_mark_spans(tags, marks):
    assert marks_spans(tags) is marks


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: spans(["O", "NOUN"]), "got 'NOUN' at place 1"),
        (lambda: span_scores([["O"]], []), "tags for 1 sentences, got 0"),
        (lambda: span_counts([["O"], ["O", "O"]], [["O"], ["O"]]), "expected 2 tags in sentence 1, got 1"),
        (lambda: tag_scores([[]], [[]]), "is the data empty"),
    ],
)
def test_what_makes_no_sense_is_refused(attempt, message):
    with pytest.raises(UsageError, match=message):
        attempt()
