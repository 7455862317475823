"""What people call a baseline."""

from __future__ import annotations

import pytest

from recurra.baselines import NearestNeighbour, baseline_title, register_baseline, register_title
from recurra.baselines.ngram import language_baselines


class Dice:
    name = "dice-of-mine"
    title = "a die"


def test_a_baseline_brings_its_title() -> None:
    assert baseline_title("dice-of-mine") == "dice-of-mine"
    assert register_baseline(Dice) is Dice
    assert baseline_title("dice-of-mine") == "a die"
    with pytest.raises(ValueError, match="'dice-of-mine' is called 'a die' already"):
        register_title("dice-of-mine", "two dice")


def test_those_that_are_several_are_told_apart() -> None:
    assert [baseline_title(name) for name in language_baselines()] == ["uniform", "bigram", "Kneser–Ney 5-gram"]
    for model in (NearestNeighbour(), NearestNeighbour("dtw")):
        assert baseline_title(model.name) == model.title
    assert baseline_title("kneser-ney-3") == "Kneser–Ney 3-gram"
