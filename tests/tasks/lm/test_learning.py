"""Every cell learns a language: far beyond what the last unit alone tells, and which order of its words is a sentence."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from recurra.cells import cell_names
from recurra.tasks.lm import LanguageModelConfig, LanguageModelingTask

ENGLISH = [
    ["the"],
    ["old", "young", "wise"],
    ["king", "queen", "cat"],
    ["sees", "loves"],
    ["a"],
    ["red", "small"],
    ["bird", "tree"],
]
CHINESE = [["春", "秋", "夜"], ["風", "雨", "月"], ["滿"], ["青", "空", "小"], ["山", "樓", "江"]]


def sentences(grammar, count, seed):
    rng = random.Random(seed)
    return [[rng.choice(words) for words in grammar] for _ in range(count)]


def trained(folder, text, *, steps, cell="lstm", **data):
    """Train in the plainest way there is, so that what is tested is the task and not the training loop."""
    path = folder / "text.txt"
    path.write_text(text, encoding="utf-8")
    model = {"cell": cell, "hidden": 24, "layers": 1, "dropout": 0.0}
    settings = {"data": {"data": [str(path)], "bptt": 16, **data}, "model": model}
    task = LanguageModelingTask(LanguageModelConfig.model_validate(settings))
    task.prepare()
    torch.manual_seed(0)
    network = task.build_network()
    task.initialize(network)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.02)
    carry, done, epoch = None, 0, 0
    while done < steps:
        for window in task.batches(epoch, batch=16, seed=0):
            optimiser.zero_grad()
            loss, count, carry = task.loss(network, window, carry)
            (loss / count).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            done += 1
        epoch, carry = epoch + 1, None
    return task, task.predictor(network.eval())


def test_there_are_five_cells():
    assert len(cell_names()) == 5


@pytest.mark.parametrize("cell", cell_names())
def test_every_cell_learns_what_a_bigram_cannot(tmp_path, cell):
    """Pairs of like letters in brackets: what closes them is known from what was three units before."""
    rng = random.Random(1)
    text = "".join(f"({a}{rng.choice('xyz')}{a.upper()})" for a in rng.choices("abcdef", k=800))
    task, model = trained(tmp_path, text, steps=160, cell=cell)
    result = task.evaluate(model, None, lambda _: None)
    assert result["metrics"]["nll"] < 0.8 * result["baselines"]["bigram"]["nll"]
    assert result["metrics"]["nll"] < 0.5 * result["baselines"]["uniform"]["nll"]
    # A letter of six and one of three in every five units; all else is known.
    assert result["metrics"]["nll"] < 1.15 * (np.log(6) + np.log(3)) / 5


@pytest.mark.parametrize(
    ("grammar", "join", "data"), [(ENGLISH, " ", {"unit": "word"}), (CHINESE, "", {})], ids=["english", "chinese"]
)
@pytest.mark.parametrize("documents", ["none", "line"])
def test_a_sentence_of_the_language_is_likelier_than_its_words_in_another_order(
    tmp_path, grammar, join, data, documents
):
    text = "".join(join.join(words) + "\n" for words in sentences(grammar, 250, seed=2))
    _, model = trained(tmp_path, text, steps=100, documents=documents, **data)
    rng = random.Random(3)
    for words in sentences(grammar, 8, seed=4):
        shuffles = {join.join(rng.sample(words, len(words))) for _ in range(6)} - {join.join(words)}
        sentence, *others = (result["log_prob"] for result in model.score([join.join(words), *sorted(shuffles)]))
        assert sentence > max(others) + 2
