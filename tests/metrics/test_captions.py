"""Scores of captions are those of pycocoevalcap 1.2, whose figures stand here."""

from __future__ import annotations

import numpy as np
import pytest

from recurra.errors import UsageError
from recurra.metrics import CaptionScores, bleu_of, caption_words, join_caption_words

REFERENCES = [
    ["a man in a blue shirt is standing on a ladder", "a man cleans a window", "someone on a ladder"],
    ["two dogs run over green grass", "a brown dog chases a black dog"],
    ["children play with a red ball in the park", "two kids and a ball", "the children play", "kids playing outside"],
    ["a boy jumps into the water", "a child dives into a pool"],
    ["a woman rides a horse on the beach"],
]
WRITTEN = [
    "a man in a blue shirt is on a ladder",
    "a dog runs over the grass",
    "two kids play with a ball in the park",
    "zebra",
    "a woman rides a horse on the beach",
]
CIDER = [3.2177951687506483, 0.9952183863531289, 1.8720511019450479, 0.0, 10.0]
ROUGE = [0.9442724458204335, 1 / 3, 0.7907407407407409, 0.0, 1.0]
BLEU = [76.42625412818964, 69.71296063357052, 62.5238962819699, 55.88813934613746]


@pytest.fixture
def scores() -> CaptionScores:
    return CaptionScores([[caption.split() for caption in some] for some in REFERENCES])


def test_scores_are_those_of_the_coco_evaluation(scores: CaptionScores) -> None:
    written = [caption.split() for caption in WRITTEN]
    assert scores.cider(written) == pytest.approx(CIDER, rel=1e-12)
    assert scores.rouge(written) == pytest.approx(ROUGE, rel=1e-12)
    found = scores.measure(written)
    assert [found[f"bleu_{order}"] for order in (1, 2, 3, 4)] == pytest.approx(BLEU, rel=1e-9)
    assert found["cider"] == pytest.approx(np.mean(CIDER)) and found["rouge_l"] == pytest.approx(np.mean(ROUGE))
    assert bleu_of(scores.bleu_terms(written).sum(0)) == pytest.approx(BLEU, rel=1e-9)


def test_what_is_written_of_another_picture_scores_less(scores: CaptionScores) -> None:
    written = [caption.split() for caption in WRITTEN]
    moved = scores.measure([*written[2:], *written[:2]])
    assert all(moved[name] < value for name, value in scores.measure(written).items())


def test_nothing_written_scores_nothing(scores: CaptionScores) -> None:
    found = scores.measure([[]] * 5)
    assert found["cider"] == 0 and found["rouge_l"] == 0 and found["bleu_4"] < 1e-6


def test_references_have_to_be_there() -> None:
    for references in ([], [[["a"]], []]):
        with pytest.raises(UsageError, match="references: expected at least one for each of some pictures"):
            CaptionScores(references)
    with pytest.raises(UsageError, match="captions: expected one for each of 1 pictures, got 2"):
        CaptionScores([[["a"]]]).measure([["a"], ["b"]])


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("A man's T-shirt .", ["a", "man", "'s", "t-shirt"]),
        ("They don’t look!", ["they", "do", "n't", "look"]),
        ("3,000 people -- 2 dogs", ["3,000", "people", "2", "dogs"]),
        ("'quoted'", ["quoted"]),
        ("一只狗 runs。", ["一", "只", "狗", "runs"]),
        ("!?", []),
    ],
)
def test_words_of_captions(caption: str, words: list[str]) -> None:
    assert caption_words(caption) == words
    assert caption_words(join_caption_words(words)) == words


def test_one_picture_has_no_cider() -> None:
    found = CaptionScores([[["a", "red", "cat"]]]).measure([["a", "red", "cat"]])
    assert "cider" not in found and found["bleu_1"] == pytest.approx(100)
