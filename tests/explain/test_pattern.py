"""Units that are high over a stretch, and where else they are."""

from __future__ import annotations

import numpy as np
import pytest

from recurra.cells import RNN
from recurra.errors import UsageError
from recurra.explain.pattern import find_pattern
from recurra.explain.trace import LayerTrace, Segment


def layer(values):
    """A trace of a layer whose states are these, (T, H)."""
    steps, units = values.shape
    text = [chr(ord("a") + step % 26) for step in range(steps)]
    nothing = np.zeros((steps, 1), np.float32)
    segments = [Segment(0, steps, (np.zeros(units),))]
    return LayerTrace(
        "layers.0", 0, "forward", RNN, text, {"candidate": values}, {"h": values}, nothing, {}, 1, segments, 0.0
    )


@pytest.fixture
def values():
    """Five units, of which 0 and 2 rise together at steps 3 to 5, 10 to 12 and 20 to 24, and 2 alone at 30."""
    found = np.full((40, 5), -0.5, np.float32)
    for first, last in ((3, 6), (10, 13), (20, 25)):
        found[first:last, [0, 2]] = 0.8
    found[30, 2] = 0.9
    found[:, 4] = 0.9  # always high: it says nothing of the stretch
    found[3:5, 3] = 0.9  # too short
    return found


def test_units_are_high_there_and_not_around(values):
    assert find_pattern(layer(values), "h", 3, 6, 0.5).units == [0, 2]
    assert find_pattern(layer(values), "candidate", 3, 5, 0.5).units == [3]


def test_other_stretches_are_ranked_by_share_and_length(values):
    matches = find_pattern(layer(values), "h", 3, 6, 0.5).matches
    assert [(each.first, each.last) for each in matches] == [(10, 13), (20, 25), (30, 31)]
    assert [each.share for each in matches] == [1.0, 1.0, 0.5]
    assert (matches[0].before[-1], matches[0].text, matches[0].after[0]) == ("j", "klm", "n")


def test_a_stretch_at_the_edge_has_steps_on_one_side_alone(values):
    values[:2, 1] = 0.7
    assert find_pattern(layer(values), "h", 0, 2, 0.5).units == [1]
    assert find_pattern(layer(values), "h", 0, 40, 0.5).units == [4]
    nothing = find_pattern(layer(values), "h", 7, 9, 0.95)
    assert (nothing.units, nothing.matches) == ([], [])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("q", 0, 1, 0.5), "signal: expected one of h, candidate; got 'q'"),
        (("h", 3, 3, 0.5), "from, to: expected steps of 0 to 40"),
        (("h", 0, 41, 0.5), "from, to: expected steps of 0 to 40"),
        (("h", 0, 2, float("nan")), "threshold: expected a finite number"),
    ],
)
def test_what_is_not_there_is_refused(values, given, message):
    with pytest.raises(UsageError, match=message):
        find_pattern(layer(values), *given)
