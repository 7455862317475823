from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import recurra
from recurra.errors import UsageError
from recurra.tasks.classify.excerpts import choose, encode_excerpts

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
    marks = {int(predictor.inputs.encode(word).ids[0]) for word in ("goal", "vote")}
    for text in texts:
        full = predictor.inputs.encode(text)
        (short,) = encode_excerpts([text], [full], predictor.preprocessor, 160)
        assert len(short) == 160 < len(full)
        ids, whole = short.ids[short.places], full.ids[full.places]
        assert np.array_equal(ids[:40], whole[:40])
        assert np.array_equal(ids[-40:], whole[-40:])
        found += bool(marks & set(ids.tolist()))
    assert found >= 15  # of 20, each with two pieces of eight chosen: by chance 15 come once in 10⁵


@pytest.mark.parametrize("unit", ["word", "char", "byte"])
def test_an_excerpt_has_as_many_steps_as_are_asked_for_whatever_the_script(tmp_path, unit):
    lines = ["text,label"] + [f"{'很好' if n % 2 else '太差'}的房间{n % 7} a,{'ab'[n % 2]}" for n in range(40)]
    (tmp_path / "zh.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run = recurra.train("classify", tmp_path / "zh.csv", tmp_path / "run", unit=unit, test_share=0.2, **SETTINGS)
    predictor = run.predictor
    for text in ("天 " * 160 + "很" * 3000 + " 好", "a " * 20 + "很好" * 2000 + " b" * 200, "x" * 5000):
        encoded = predictor.inputs.encode(text)
        for most in (400, 10, 3):
            (short,) = encode_excerpts([text], [encoded], predictor.preprocessor, most)
            assert min(len(encoded), most - 49) <= len(short) <= most


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


def test_chosen_pieces_stay_in_their_order_with_both_ends():
    assert choose(np.array([9.0, 0, 5, 1, 7, 0, 9]), 3) == [0, 4, 6]
    assert choose(np.array([0.0, 1, 0]), 1) == [1]
    assert choose(np.array([0.0, 1, 2, 3, 4, 5, 6, 7, 8, 0]), 8) == [0, 1, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("settings", [{"linear": "none"}, {"bidirectional": False}])
def test_an_excerpt_that_cannot_be_taken_is_refused(tmp_path, settings):
    with pytest.raises(UsageError, match="excerpt: only of texts"):
        recurra.train("classify", long_texts(tmp_path, 40), tmp_path / "run", excerpt=50, **settings, **SETTINGS)
