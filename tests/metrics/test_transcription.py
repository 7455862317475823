"""Error rates of transcripts are those of jiwer, over pairs drawn by chance."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.metrics import character_confusions, count_edits, edit_distance, edit_pairs

TEXTS = st.text("abé 中", max_size=8)


def draw(count: int, seed: int) -> list[tuple[str, str]]:
    """Pairs of texts as transcripts are compared: words with one blank between; every tenth reference is empty."""
    chance = random.Random(seed)

    def text(most: int) -> str:
        words = ("".join(chance.choices("abcdé中", k=chance.randint(1, 4))) for _ in range(chance.randint(0, most)))
        return " ".join(words)

    pairs = []
    for number in range(count):
        reference = "" if number % 10 == 0 else text(6)
        kept = [letter for letter in reference if chance.random() > 0.2]
        pairs.append((" ".join("".join(kept).split()) if number % 3 else text(6), reference))
    return pairs


def test_error_rates_are_those_of_jiwer() -> None:
    jiwer = pytest.importorskip("jiwer")
    pairs = draw(10_000, 1)
    written, references = [one for one, _ in pairs], [other for _, other in pairs]
    scores = count_edits(written, references).scores()
    assert scores["word_error_rate"] == jiwer.wer(references, written)
    assert scores["character_error_rate"] == jiwer.cer(references, written)
    assert scores["error_free"] == sum(one == other for one, other in pairs) / len(pairs)


def test_each_pair_is_that_of_jiwer() -> None:
    jiwer = pytest.importorskip("jiwer")
    for written, reference in draw(500, 2):
        scores = count_edits([written], [reference]).scores()
        assert scores["word_error_rate"] == jiwer.wer([reference], [written])
        assert scores["character_error_rate"] == jiwer.cer([reference], [written])


@given(TEXTS, TEXTS)
def test_what_is_set_beside_each_other_is_both_texts_with_the_fewest_edits(written: str, reference: str) -> None:
    pairs = edit_pairs(written, reference)
    assert "".join(one for one, _ in pairs) == reference and "".join(other for _, other in pairs) == written
    assert sum(one != other for one, other in pairs) == edit_distance(written, reference)


def test_some_texts_are_measured_by_themselves() -> None:
    edits = count_edits(["a", "b c"], ["a", "b d"])
    assert edits.scores(slice(0, 1)) == {"character_error_rate": 0, "word_error_rate": 0, "error_free": 1}
    assert edits.scores(slice(1, 2))["word_error_rate"] == 0.5 and edits.scores()["character_error_rate"] == 0.25


def test_confusions_tell_what_was_left_out_and_put_in() -> None:
    found = character_confusions(["cot", "ho", "xyz"], ["cat", "hot", "xyz"])
    assert found == {("a", "o"): 1, ("t", ""): 1}
