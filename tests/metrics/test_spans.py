"""Spans: against nervaluate over any sequence of B, I and O, by conlleval's published rules and figures, and by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.errors import UsageError
from recurra.metrics import marks_spans, span_counts, span_scores, spans, tag_scores

KINDS = ("PER", "LOC", "creative-work")
BIO = ["O", *(f"{letter}-{kind}" for letter in "BI" for kind in KINDS)]
ANY = [*BIO, *(f"{letter}-{kind}" for letter in "ESLU" for kind in KINDS)]  # L and U: E and S by the letters of BILOU
sentences = st.lists(st.lists(st.sampled_from(BIO), min_size=1, max_size=9), min_size=1, max_size=5)
chunks = st.lists(st.tuples(st.integers(0, 4), st.sampled_from(("O", *KINDS))), max_size=6)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(BIO), max_size=12))
def test_any_sequence_has_the_spans_that_nervaluate_finds(tags):
    loaders = pytest.importorskip("nervaluate.loaders")
    (found,) = loaders.ListLoader().load([tags])
    assert spans(tags) == [(entity.start, entity.end + 1, entity.label) for entity in found]


@settings(max_examples=100, deadline=None)
@given(sentences, st.randoms(use_true_random=False))
def test_scores_are_those_of_nervaluate(gold, chance):
    peer = pytest.importorskip("nervaluate.evaluator")
    predicted = [[tag if chance.random() < 0.6 else chance.choice(BIO) for tag in sentence] for sentence in gold]
    theirs = peer.Evaluator(gold, predicted, tags=list(KINDS), loader="list").evaluate()
    ours = span_scores(gold, predicted)
    # Strict: the place and the type of a span must both be right.
    assert scores_of(ours) == pytest.approx(scores_of(theirs["overall"]["strict"]))
    assert ours["types"].keys() == theirs["entities"].keys()
    for kind, scores in ours["types"].items():
        assert scores_of(scores) == pytest.approx(scores_of(theirs["entities"][kind]["strict"]))
        assert scores["support"] == theirs["entities"][kind]["strict"].possible
    whole = theirs["overall"]["strict"]
    assert span_counts(gold, predicted).sum(0).tolist() == [whole.correct, whole.possible, whole.actual]


def scores_of(result: Any) -> tuple[float, float, float]:
    if isinstance(result, dict):
        return result["precision"], result["recall"], result["f1"]
    return result.precision, result.recall, result.f1


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(ANY), max_size=12))
def test_any_sequence_is_cut_where_conlleval_cuts_it(tags):
    """By pairs of neighbours, as the script has it: of one type, only these go on with a span; all others are cut."""
    found: list[tuple[int, int, str]] = []
    for place, tag in enumerate(tags):
        if tag == "O":
            continue
        before, letter, kind = tags[place - 1][:1] if place else "O", tag[0], tag[2:]
        if before + letter in {"BI", "BE", "BL", "II", "IE", "IL"} and tags[place - 1][2:] == kind:
            found[-1] = (found[-1][0], place + 1, kind)
        else:
            found.append((place, place + 1, kind))
    assert spans(tags) == found


@settings(max_examples=200, deadline=None)
@given(chunks)
def test_every_scheme_says_the_same_spans(parts):
    written: dict[str, list[str]] = {"IOB1": [], "IOB2": [], "IOBES": [], "BILOU": []}
    there: list[tuple[int, int, str]] = []
    place = 0
    for extra, kind in parts:
        size = extra + 1
        if kind == "O":
            for tags in written.values():
                tags += ["O"] * size
        else:
            touches = bool(there) and there[-1][1:] == (place, kind)
            there.append((place, place + size, kind))
            for scheme, (first, last, alone) in {
                "IOB1": ("B", "I", "B") if touches else ("I", "I", "I"),
                "IOB2": ("B", "I", "B"),
                "IOBES": ("B", "E", "S"),
                "BILOU": ("B", "L", "U"),
            }.items():
                letters = [first, *"I" * (size - 2), last] if size > 1 else [alone]
                written[scheme] += [f"{letter}-{kind}" for letter in letters]
        place += size
    assert {scheme: spans(tags) for scheme, tags in written.items()} == dict.fromkeys(written, there)


def test_the_worked_example_of_a_port_of_conlleval():
    """The tags and the report of the README of kaniblu/conlleval 0.2: the first sentence of the example of CoNLL-2000."""
    gold = "B-NP I-NP I-NP B-NP I-NP I-NP B-VP B-NP B-VP B-NP I-NP I-NP B-VP B-NP I-NP B-PP B-NP I-NP B-VP I-VP B-NP I-NP B-PP B-NP B-NP I-NP I-NP O"
    published = "I-NP I-NP I-NP B-NP I-NP I-NP B-VP B-NP B-VP B-NP I-NP I-NP B-VP B-NP I-NP B-PP I-NP I-NP B-PP I-VP I-NP I-NP B-PP I-NP B-NP I-NP I-NP O"
    assert span_counts([gold.split()], [published.split()]).tolist() == [[14, 15, 16]]
    scores = span_scores([gold.split()], [published.split()])
    assert scores_of(scores) == pytest.approx((0.875, 0.9333333333333333, 0.9032258064516129))
    assert {kind: percents(of) for kind, of in scores["types"].items()} == {
        "NP": ["100.00", "100.00", "100.00"],
        "PP": ["66.67", "100.00", "80.00"],
        "VP": ["75.00", "75.00", "75.00"],
    }
    assert f"{tag_scores([gold.split()], [published.split()])['accuracy']:.2%}" == "82.14%"


def test_the_published_figures_of_conlleval():
    """https://www.clips.uantwerpen.be/conll2000/chunking/output.html: 459 phrases, 539 found, 371 correct, and FB1 74.35.

    The page gives the shares and how many were found of each type. What was right and what was there follow from them.
    """
    counts = {  # right, there, found
        "ADJP": (0, 6, 1),
        "ADVP": (5, 8, 11),
        "NP": (206, 262, 317),
        "PP": (89, 90, 107),
        "SBAR": (2, 6, 3),
        "VP": (69, 87, 100),
    }
    gold, predicted = [], []
    for kind, (right, there, found) in counts.items():
        gold += [[f"B-{kind}"]] * there + [["O"]] * (found - right)
        predicted += [[f"B-{kind}"]] * right + [["O"]] * (there - right) + [[f"B-{kind}"]] * (found - right)
    assert span_counts(gold, predicted).sum(0).tolist() == [371, 459, 539]
    scores = span_scores(gold, predicted)
    assert percents(scores) == ["68.83", "80.83", "74.35"]
    assert {kind: percents(of) for kind, of in scores["types"].items()} == {
        "ADJP": ["0.00", "0.00", "0.00"],
        "ADVP": ["45.45", "62.50", "52.63"],
        "NP": ["64.98", "78.63", "71.16"],
        "PP": ["83.18", "98.89", "90.36"],
        "SBAR": ["66.67", "33.33", "44.44"],
        "VP": ["69.00", "79.31", "73.80"],
    }


def percents(scores: dict[str, Any]) -> list[str]:
    return [f"{100 * share:.2f}" for share in scores_of(scores)]


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
