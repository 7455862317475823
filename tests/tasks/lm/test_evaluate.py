"""The figures of a language model and of the baselines beside it, held to what is worked out unit by unit."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from recurra.baselines import KneserNey, Uniform
from recurra.tasks.lm import evaluate as measure
from recurra.tasks.lm.data import encode
from recurra.tasks.lm.evaluate import measure_baseline, measure_network
from recurra.text import build_vocabulary

TRAIN = ["the rain in spain falls mainly on the plain", "春眠不覺曉", "the cat in the hat", "春眠不覺曉"]
HELD_OUT = ["the rain on the cat", "春 龘 in spain", ""]  # a character that was never seen: three bytes, one unit


def parts(*, continuous: bool):
    vocabulary = build_vocabulary(TRAIN, unit="char", min_count=1)
    join = (lambda texts: ["\n".join(texts)]) if continuous else list
    train, held_out = (encode(join(texts), continuous, vocabulary) for texts in (TRAIN, HELD_OUT))
    return train, held_out, vocabulary, None if continuous else vocabulary.end


def units_right(model, held_out, vocabulary, end):
    """Try every id after every context: a unit is right when each of its ids is the likeliest where it stands."""
    right = []
    for ids in held_out.sequences:
        wanted = [*ids.tolist(), *([end] if end is not None else [])]
        starts = [*vocabulary.starts(ids).tolist(), *([True] if end is not None else [])]
        for place, (id, begins) in enumerate(zip(wanted, starts, strict=True)):
            hit = int(model.distribution(np.array([vocabulary.begin, *wanted[:place]])).argmax()) == id
            right = [*right, hit] if begins else [*right[:-1], right[-1] and hit]
    return right


@pytest.mark.parametrize("continuous", [True, False])
@pytest.mark.parametrize("order", [1, 2, 5])
def test_a_baseline_is_right_where_its_likeliest_ids_are(continuous, order):
    train, held_out, vocabulary, end = parts(continuous=continuous)
    figures = measure_baseline(KneserNey(order), train, held_out, vocabulary, end)
    model = KneserNey(order).fit(train.sequences, vocabulary.size, vocabulary.begin, end)
    right = units_right(model, held_out, vocabulary, end)
    assert figures["count"] == len(right)
    assert figures["accuracy"] == pytest.approx(sum(right) / len(right), abs=1e-12)
    assert order == 1 or 0 < figures["accuracy"] < 1


@pytest.mark.parametrize("continuous", [True, False])
def test_uniform_is_right_by_chance_all_bytes_of_a_unit_at_once(continuous):
    train, held_out, vocabulary, end = parts(continuous=continuous)
    figures = measure_baseline(Uniform(), train, held_out, vocabulary, end)
    characters = sum(map(len, HELD_OUT)) + (len(HELD_OUT) - 1 if continuous else len(HELD_OUT))
    chance = 1 / (vocabulary.size - 1)
    # A line break is no unit of this vocabulary, but one byte.
    assert figures["count"] == characters
    assert figures["accuracy"] == pytest.approx(((characters - 1) * chance + chance**3) / characters, rel=1e-12)


def test_a_network_is_right_where_its_stream_says_so(model):
    task, network = model
    part = task.examples.test
    figures = measure_network(network, part, task.vocabulary, task.context, task.end)
    right = []
    for ids in part.sequences:
        stream = task.stream(network, "")
        starts = [*task.vocabulary.starts(ids).tolist(), *([True] if task.end is not None else [])]
        wanted = [*ids.tolist(), *([task.end] if task.end is not None else [])]
        for id, begins in zip(wanted, starts, strict=True):
            hit = int(stream.log_probs.argmax()) == id
            right = [*right, hit] if begins else [*right[:-1], right[-1] and hit]
            stream.step(id)
    assert figures["count"] == len(right)
    assert figures["accuracy"] == pytest.approx(sum(right) / len(right), abs=1e-12)


def test_the_baselines_have_the_figures_of_the_network(model):
    task, network = model
    result = task.evaluate(network, None, lambda _: None)
    assert result["baselines"]
    for figures in result["baselines"].values():
        assert figures.keys() == result["metrics"].keys()


def test_evaluation_says_how_far_it_is_where_it_takes_long(model, monkeypatch):
    task, network = model
    # A few units make a lane, and each lane or document is told of.
    few = {"DOCUMENTS": 1, "LANES": 1, "LONG": 1, "LANE": 10, "text_items": partial(measure.text_items, warmup=2)}
    for name, value in {**few, "SECONDS": -1}.items():
        monkeypatch.setattr(measure, name, value)
    said: list[str] = []
    task.evaluate(network, None, said.append, baselines=False)
    part = task.examples.test
    count = len(part.sequences[0]) // 10 if part.continuous else len(part.sequences)
    assert count > 2
    assert said[1:] == [f"measured {100 * done // count} %" for done in range(1, count)]


def test_it_is_said_of_how_much_a_baseline_learnt(model, monkeypatch):
    task, network = model
    said: list[str] = []
    task.evaluate(network, None, said.append)
    assert not any("learnt from" in line for line in said)
    fit = KneserNey.fit

    def fit_on_less(self, *arguments):
        fit(self, *arguments).trained_on //= 2
        return self

    monkeypatch.setattr(KneserNey, "fit", fit_on_less)
    task.evaluate(network, None, said.append)
    units = task.examples.train.units
    assert f"bigram: learnt from the last {units // 2:,} of {units:,} units; more do not fit into memory" in said
