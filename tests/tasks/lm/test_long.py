"""Long texts: what is validated on stays short, what is measured is told as it goes, what was not learnt from is said."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import pytest
import torch

from recurra.baselines import KneserNey
from recurra.tasks.lm import LanguageModel, LanguageModelConfig
from recurra.tasks.lm import data as examples
from recurra.tasks.lm import evaluate as measure
from recurra.tasks.lm.config import Data
from recurra.tasks.lm.data import Part, encode, read_examples
from recurra.tasks.lm.evaluate import measure_baseline, measure_network
from recurra.text import build_vocabulary

WORDS = ["the", "rain", "in", "spain", "falls", "mainly", "on", "the", "plain"]


def prose(characters):
    rng = np.random.default_rng(4)
    return " ".join(rng.choice(WORDS, characters))[:characters]


@pytest.fixture
def network(tmp_path):
    """A task on a text of 8,000 characters, and a network with fresh weights."""
    (tmp_path / "text.txt").write_text(prose(8000))
    settings = {
        "data": {"data": [str(tmp_path / "text.txt")], "window": 8},
        "model": {"hidden": 8, "layers": 1, "dropout": 0.0},
    }
    task = LanguageModel(LanguageModelConfig.model_validate(settings))
    task.prepare()
    torch.manual_seed(1)
    return task, task.network()


@pytest.mark.parametrize("continuous", [True, False])
def test_a_long_text_has_the_figures_that_its_lanes_have_one_by_one(network, monkeypatch, continuous):
    task, model = network
    text = prose(40_000)
    texts = [text] if continuous else [text[i : i + 60] for i in range(0, 40_000, 60)]
    part = encode(texts, continuous, task.vocabulary)
    end = None if continuous else task.vocabulary.end
    said = []
    whole = measure_network(model, part, task.vocabulary, task.context, end, said.append)
    assert not said
    monkeypatch.setattr(measure, "LONG", 1000)
    monkeypatch.setattr(measure, "LANE", 100)
    monkeypatch.setattr(measure, "LANES", 4)
    monkeypatch.setattr(measure, "DOCUMENTS", 100)
    clock = itertools.count(step=30)
    monkeypatch.setattr(measure.time, "monotonic", lambda: next(clock))
    cut = measure_network(model, part, task.vocabulary, task.context, end, said.append)
    assert cut["count"] == whole["count"] == 40_000 + (0 if continuous else len(texts))
    # A lane is warmed up with 512 units; a network that has read so many knows nothing of those before.
    assert {name: cut[name] for name in whole} == pytest.approx(whole, rel=1e-5)
    shares = [int(line.removeprefix("measured ").removesuffix(" %")) for line in said]
    assert len(shares) >= 2 and shares == sorted(shares) and 0 < shares[0] < shares[-1] < 100


def test_a_baseline_that_could_not_learn_from_all_says_from_how_much():
    vocabulary = build_vocabulary(["ab"], unit="byte")
    noise = np.random.default_rng(2).integers(2, 258, 40_000).astype(np.int32)
    train, part = Part([], [noise], True), Part([], [noise[:500]], True)
    figures = measure_baseline(KneserNey(4, memory=2**20), train, part, vocabulary, None)
    assert figures["trained_on"] == 5000
    kept = measure_baseline(KneserNey(4), Part([], [noise[-5000:]], True), part, vocabulary, None)
    assert "trained_on" not in kept and {**kept, "trained_on": 5000} == figures


@pytest.mark.parametrize("own_file", [True, False])
def test_a_long_text_is_validated_on_its_beginning_and_tested_on_all_that_was_held_out(tmp_path, monkeypatch, own_file):
    text = prose(8000)
    (tmp_path / "text.txt").write_text(text)
    (tmp_path / "valid.txt").write_text(text[:900])
    given = {"valid": [str(tmp_path / "valid.txt")]} if own_file else {"valid_share": 0.1}
    data = Data.model_validate({"data": [str(tmp_path / "text.txt")], "test_share": 0.1, **given})
    plain = read_examples(data)
    assert plain.valid is not None and len(plain.valid.texts[0]) == (900 if own_file else 800) and not plain.notes
    monkeypatch.setattr(examples, "WATCHED", 300)
    short = read_examples(data)
    assert short.valid is not None and short.test is not None
    assert short.valid.texts == [plain.valid.texts[0][:300]] and len(short.test.texts[0]) == 800
    assert np.array_equal(short.valid.sequences[0], plain.valid.sequences[0][:300])
    assert np.array_equal(short.train.sequences[0], plain.train.sequences[0])
    (note,) = short.notes
    assert note.startswith(f"validating on 300 of {900 if own_file else 800} characters")


def test_of_many_documents_some_from_everywhere_are_validated_on(tmp_path, monkeypatch):
    lines = [f"{number} {prose(40)}" for number in range(100, 500)]
    (tmp_path / "lines.txt").write_text("\n".join(lines))
    data = Data(data=[str(tmp_path / "lines.txt")], documents="line", valid_share=0.5, test_share=0.1)
    plain = read_examples(data)
    monkeypatch.setattr(examples, "WATCHED", 1500)
    short = read_examples(data)
    assert plain.valid is not None and short.valid is not None
    held_out, kept = plain.valid.texts, short.valid.texts
    assert kept == held_out[:: len(held_out) // len(kept) + (len(held_out) % len(kept) > 0)]
    assert 1000 < sum(map(len, kept)) <= 1500 + 44 and kept[-1] in held_out[-len(held_out) // 4 :]
    assert len(short.notes) == 1 and not plain.notes


def test_the_fingerprint_of_data_is_that_of_their_ids(network):
    """As it was in runs that were trained before: over lengths in 8 bytes and ids in 4, parts ended by a bar."""
    task, _ = network
    expected = hashlib.sha256()
    for part in (task.examples.train, task.examples.valid, task.examples.test):
        for ids in part.sequences:
            expected.update(len(ids).to_bytes(8, "little") + b"".join(int(i).to_bytes(4, "little") for i in ids))
        expected.update(b"|")
    assert task.examples.fingerprint == expected.hexdigest()
