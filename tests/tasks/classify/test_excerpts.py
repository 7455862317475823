from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import recurra
from recurra.tasks.classify.excerpts import STEPS_PER_PIECE, choose, cut, encode_excerpts, join

SETTINGS = {"hidden": 8, "embedding": 8, "epochs": 2, "batch": 8, "quiet": True}
RNG = np.random.default_rng(0)


def long_texts(folder: Path, count: int = 60, words: int = 400) -> Path:
    """Texts of which one word, far inside, says the class."""
    lines = ["text,label"]
    for number in range(count):
        text = [f"w{word}" for word in RNG.integers(0, 30, words)]
        text[150 + int(RNG.integers(100))] = ("goal", "vote")[number % 2]
        lines.append(f"{' '.join(text)},{('sport', 'politics')[number % 2]}")
    (folder / "long.csv").write_text("\n".join(lines) + "\n")
    return folder / "long.csv"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> recurra.Run:
    folder = tmp_path_factory.mktemp("excerpts")
    return recurra.train("classify", long_texts(folder), folder / "run", excerpt=150, test_share=0.2, **SETTINGS)


def test_an_excerpt_has_the_beginning_the_end_and_the_word_that_decides(run):
    predictor, found = run.predictor, 0
    texts = [line.split(",")[0] for line in Path(run.configuration.settings.data.data[0]).read_text().split("\n")[1:21]]
    known = predictor.inputs.vocabulary
    for text in texts:
        full = predictor.inputs.encode(text)
        (short,) = encode_excerpts([text], [full], predictor.preprocessor, 150)
        pieces = cut(text, 400 // STEPS_PER_PIECE)
        made = {best: known.encode(join([pieces[0], pieces[best], pieces[-1]])) for best in range(1, len(pieces) - 1)}
        (chosen,) = (best for best, one in made.items() if np.array_equal(one.ids[one.places], short.ids[short.places]))
        found += bool({"goal", "vote"} & set(pieces[chosen].split()))
    assert found >= 15  # of 20, each with six pieces to choose from: by chance 15 come once in 10⁸


def test_short_texts_and_runs_without_an_excerpt_are_read_whole(run):
    predictor = run.predictor
    text = "w1 w2 goal"
    encoded = predictor.inputs.encode(text)
    assert encode_excerpts([text], [encoded], predictor.preprocessor, 150) == [encoded]
    long = "w1 " * 500
    whole = predictor.inputs.encode(long)
    for most in (0, None, 500):
        assert encode_excerpts([long], [whole], predictor.preprocessor, most) == [whole]


def test_the_steps_of_a_long_text_end_with_what_the_whole_gives(run):
    text = " ".join(["w1 w2 w3"] * 60 + ["goal"] + ["w4 w5"] * 30)
    (result,) = run.predict([text], steps=True)
    assert result["steps"][-1]["probabilities"] == result["probabilities"]
    (alone,) = run.predict([result["steps"][200]["text"]])
    assert alone["probabilities"] == pytest.approx(result["steps"][200]["probabilities"], abs=2e-6)


def test_a_network_that_reads_forward_alone_reads_all(tmp_path):
    run = recurra.train("classify", long_texts(tmp_path, 40), tmp_path / "run", bidirectional=False, **SETTINGS)
    assert run.configuration.settings.model.excerpt == 0


def test_pieces_are_all_of_the_text_and_chosen_ones_stay_in_their_order():
    words = [f"w{number}" for number in range(103)]
    assert [word for piece in cut(" ".join(words), 7) for word in piece.split()] == words
    assert "".join(cut("房" * 103, 7)) == "房" * 103
    assert join(cut(words, 5)) == words
    assert choose(np.array([9.0, 0, 5, 1, 7, 0, 9]), 3) == [0, 4, 6]
    assert choose(np.array([0.0, 1, 0]), 1) == [1]
