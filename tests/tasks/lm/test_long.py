"""Long texts: what is validated on stays short, measuring reports how far it is, what was not learnt from is reported."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import pytest
import torch

from recurra.baselines import KneserNey
from recurra.tasks.lm import LanguageModel, LanguageModelConfig, LanguageModelingTask, data, evaluate, scoring
from recurra.tasks.lm.config import Data
from recurra.tasks.lm.data import Split, encode, read_dataset
from recurra.tasks.lm.evaluate import compute_baseline_metrics, compute_metrics
from recurra.tasks.lm.tokens import TextPreprocessor
from recurra.text import build_vocabulary

WORDS = ["the", "rain", "in", "spain", "falls", "mainly", "on", "the", "plain"]


def prose(characters):
    rng = np.random.default_rng(4)
    return " ".join(rng.choice(WORDS, characters))[:characters]


@pytest.fixture
def task(tmp_path):
    """A task on a text of 8,000 characters."""
    (tmp_path / "text.txt").write_text(prose(8000))
    settings = {
        "data": {"data": [str(tmp_path / "text.txt")], "bptt": 8},
        "model": {"hidden": 8, "layers": 1, "dropout": 0.0},
    }
    task = LanguageModelingTask(LanguageModelConfig.model_validate(settings))
    task.prepare()
    return task


@pytest.mark.parametrize("continuous", [True, False])
def test_a_long_text_has_the_metrics_that_its_lanes_have_one_by_one(task, monkeypatch, continuous):
    torch.manual_seed(1)
    network = task.build_network()
    task.initialize(network)
    vocabulary = task.preprocessor.vocabulary
    model = LanguageModel(task.config, network, TextPreprocessor(vocabulary, continuous))
    text = prose(40_000)
    texts = [text] if continuous else [text[i : i + 60] for i in range(0, 40_000, 60)]
    split = encode(texts, continuous, vocabulary)
    notes = []
    whole = compute_metrics(model, split, notes.append)
    assert not notes
    monkeypatch.setattr(scoring, "MAX_UNITS_IN_FEW_LANES", 1000)
    monkeypatch.setattr(scoring, "UNITS_PER_LANE", 100)
    monkeypatch.setattr(evaluate, "LANES_PER_BATCH", 4)
    monkeypatch.setattr(evaluate, "DOCUMENTS_PER_BATCH", 100)
    clock = itertools.count(step=30)
    monkeypatch.setattr(evaluate.time, "monotonic", lambda: next(clock))
    cut = compute_metrics(model, split, notes.append)
    assert cut["count"] == whole["count"] == 40_000 + (0 if continuous else len(texts))
    # A lane is warmed up with 512 units; a network that has read so many knows nothing of those before.
    assert {name: cut[name] for name in whole} == pytest.approx(whole, rel=1e-5)
    shares = [int(line.removeprefix("measured ").removesuffix(" %")) for line in notes]
    assert len(shares) >= 2 and shares == sorted(shares) and 0 < shares[0] < shares[-1] < 100


def test_a_baseline_that_could_not_learn_from_all_says_from_how_much():
    vocabulary = build_vocabulary(["ab"], unit="byte")
    noise = np.random.default_rng(2).integers(2, 258, 40_000).astype(np.int32)
    preprocessor = TextPreprocessor(vocabulary, continuous=True)
    train, split = Split([], [noise], True), Split([], [noise[:500]], True)
    metrics = compute_baseline_metrics(KneserNey(4, memory=2**20), train, split, preprocessor)
    assert metrics["trained_on"] == 5000
    kept = compute_baseline_metrics(KneserNey(4), Split([], [noise[-5000:]], True), split, preprocessor)
    assert "trained_on" not in kept and {**kept, "trained_on": 5000} == metrics


@pytest.mark.parametrize("own_file", [True, False])
def test_a_long_text_is_validated_on_its_beginning_and_tested_on_all_that_was_held_out(tmp_path, monkeypatch, own_file):
    text = prose(8000)
    (tmp_path / "text.txt").write_text(text)
    (tmp_path / "valid.txt").write_text(text[:900])
    given = {"valid": [str(tmp_path / "valid.txt")]} if own_file else {"valid_share": 0.1}
    settings = Data.model_validate({"data": [str(tmp_path / "text.txt")], "test_share": 0.1, **given})
    plain = read_dataset(settings)
    assert plain.valid is not None and len(plain.valid.texts[0]) == (900 if own_file else 800) and not plain.notes
    monkeypatch.setattr(data, "MAX_VALIDATION_CHARACTERS", 300)
    short = read_dataset(settings)
    assert short.valid is not None and short.test is not None
    assert short.valid.texts == [plain.valid.texts[0][:300]] and len(short.test.texts[0]) == 800
    assert np.array_equal(short.valid.sequences[0], plain.valid.sequences[0][:300])
    assert np.array_equal(short.train.sequences[0], plain.train.sequences[0])
    (note,) = short.notes
    assert note.startswith(f"validating on 300 of {900 if own_file else 800} characters")


def test_of_many_documents_some_from_everywhere_are_validated_on(tmp_path, monkeypatch):
    lines = [f"{number} {prose(40)}" for number in range(100, 500)]
    (tmp_path / "lines.txt").write_text("\n".join(lines))
    settings = Data(data=[str(tmp_path / "lines.txt")], documents="line", valid_share=0.5, test_share=0.1)
    plain = read_dataset(settings)
    monkeypatch.setattr(data, "MAX_VALIDATION_CHARACTERS", 1500)
    short = read_dataset(settings)
    assert plain.valid is not None and short.valid is not None
    held_out, kept = plain.valid.texts, short.valid.texts
    assert kept == held_out[:: len(held_out) // len(kept) + (len(held_out) % len(kept) > 0)]
    assert 1000 < sum(map(len, kept)) <= 1500 + 44 and kept[-1] in held_out[-len(held_out) // 4 :]
    assert len(short.notes) == 1 and not plain.notes


def test_the_fingerprint_of_data_is_that_of_their_ids(task):
    """As it was in runs that were trained before: over lengths in 8 bytes and ids in 4, parts ended by a bar."""
    expected = hashlib.sha256()
    for split in (task.dataset.train, task.dataset.valid, task.dataset.test):
        for ids in split.sequences:
            expected.update(len(ids).to_bytes(8, "little") + b"".join(int(i).to_bytes(4, "little") for i in ids))
        expected.update(b"|")
    assert task.dataset.fingerprint == expected.hexdigest()
