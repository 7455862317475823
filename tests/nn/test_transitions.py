"""What may follow what: each scheme against its definition, spelt out by hand."""

from __future__ import annotations

import itertools

import pytest
import torch

from recurra.errors import UsageError
from recurra.nn import transitions, violations, widen

TYPED = {  # the spans of type A of one, two and three steps
    "BIO": ["B", "BI", "BII"],
    "IOBES": ["S", "BE", "BIE"],
    "BILOU": ["U", "BL", "BIL"],
    "BMES": ["S", "BE", "BME"],
}


def made_of_spans(length, pieces):
    """Every sequence of a length that is spans and O's, one behind the other."""
    if length == 0:
        return {()}
    found = set()
    for piece in pieces:
        if len(piece) <= length:
            found |= {(*piece, *rest) for rest in made_of_spans(length - len(piece), pieces)}
    return found


@pytest.mark.parametrize("types", [["-A", "-B"], ["_A"], [""]])
@pytest.mark.parametrize("scheme", TYPED)
def test_exactly_the_sequences_of_whole_spans_are_allowed(scheme, types):
    pieces = [["O"], *([letter + kind for letter in span] for span in TYPED[scheme] for kind in types)]
    tags = sorted({tag for piece in pieces for tag in piece})
    allowed, count = transitions(tags), len(tags)
    for length in (1, 2, 3):
        wanted = made_of_spans(length, pieces)
        for path in itertools.product(range(count), repeat=length):
            steps = itertools.pairwise([count, *path, count + 1])
            may_follow = all(bool(allowed[before, after]) for before, after in steps)
            assert may_follow == (tuple(tags[tag] for tag in path) in wanted), path


@pytest.mark.parametrize(
    "tags",
    [
        ["NOUN", "VERB", "O"],
        ["B", "Q"],
        ["I-PER", "O"],
        ["B", "S"],
        ["IN", "B-A", "I-A"],
        ["B-A", "I-A", "E-A", "L-A"],
        [],
    ],
)
def test_other_tags_may_all_follow_each_other(tags):
    assert bool(transitions(tags).all()) and transitions(tags).shape == (len(tags) + 2,) * 2


def test_tags_of_one_type_do_not_go_on_in_another_however_they_are_written():
    for sign in "-_":
        tags = ["O", f"B{sign}creative-work", f"I{sign}creative-work", f"I{sign}地名"]
        allowed = transitions(tags)
        assert allowed[1, 2] and not allowed[1, 3] and not allowed[0, 2] and not allowed[4, 2] and allowed[2, 5]


def test_what_data_holds_can_be_listed_and_allowed():
    tags = ["O", "B-A", "E-A", "S-A"]
    allowed, data = transitions(tags), [[0, 1, 2, 3], [2, 0], [], [0, 1]]
    assert list(violations(allowed, data)) == [(1, 0), (3, 2)]
    wider = widen(allowed, data)
    assert list(violations(wider, data)) == []
    new = (wider & ~allowed).nonzero().tolist()
    assert new == [[1, 5], [4, 2]]  # a span left open at the end, an E at the start
    assert not (allowed & ~wider).any() and torch.equal(allowed, transitions(tags))


def test_what_does_not_fit():
    with pytest.raises(UsageError, match="tags: expected each once, got 'O' twice"):
        transitions(["O", "B-A", "O"])
    with pytest.raises(UsageError, match=r"sequences\[1\]: expected tags from 0 to 1, got -1"):
        widen(transitions(["a", "b"]), [[0], [-1]])
    with pytest.raises(UsageError, match=r"allowed: expected bool \(K\+2, K\+2\), got torch.float32"):
        widen(torch.ones(3, 3), [])
