"""The metrics of a language model and of the baselines, held to what is worked out unit by unit."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from recurra.baselines import KneserNey, Uniform
from recurra.tasks.lm import evaluate, scoring
from recurra.tasks.lm.data import encode
from recurra.tasks.lm.evaluate import compute_baseline_metrics, compute_metrics
from recurra.tasks.lm.tokens import TextPreprocessor
from recurra.text import build_vocabulary

TRAIN = ["the rain in spain falls mainly on the plain", "春眠不覺曉", "the cat in the hat", "春眠不覺曉"]
HELD_OUT = ["the rain on the cat", "春 龘 in spain", ""]  # a character that was never seen: three bytes, one unit


def splits(*, continuous: bool):
    vocabulary = build_vocabulary(TRAIN, unit="char", min_count=1)
    join = (lambda texts: ["\n".join(texts)]) if continuous else list
    train, held_out = (encode(join(texts), continuous, vocabulary) for texts in (TRAIN, HELD_OUT))
    return train, held_out, TextPreprocessor(vocabulary, continuous)


def units_right(model, held_out, preprocessor):
    """Try every id after every context: a unit is right when each of its ids is the likeliest where it stands."""
    vocabulary, end, right = preprocessor.vocabulary, preprocessor.eos_id, []
    for ids in held_out.sequences:
        wanted = [*ids.tolist(), *([end] if end is not None else [])]
        starts = [*vocabulary.unit_starts(ids).tolist(), *([True] if end is not None else [])]
        for place, (id, begins) in enumerate(zip(wanted, starts, strict=True)):
            hit = int(model.distribution(np.array([vocabulary.bos_id, *wanted[:place]])).argmax()) == id
            right = [*right, hit] if begins else [*right[:-1], right[-1] and hit]
    return right


@pytest.mark.parametrize("continuous", [True, False])
@pytest.mark.parametrize("order", [1, 2, 5])
def test_a_baseline_is_right_where_its_likeliest_ids_are(continuous, order):
    train, held_out, preprocessor = splits(continuous=continuous)
    metrics = compute_baseline_metrics(KneserNey(order), train, held_out, preprocessor)
    vocabulary = preprocessor.vocabulary
    model = KneserNey(order).fit(train.sequences, vocabulary.size, vocabulary.bos_id, preprocessor.eos_id)
    right = units_right(model, held_out, preprocessor)
    assert metrics["count"] == len(right)
    assert metrics["accuracy"] == pytest.approx(sum(right) / len(right), abs=1e-12)
    assert order == 1 or 0 < metrics["accuracy"] < 1


@pytest.mark.parametrize("continuous", [True, False])
def test_uniform_is_right_by_chance_all_bytes_of_a_unit_at_once(continuous):
    train, held_out, preprocessor = splits(continuous=continuous)
    metrics = compute_baseline_metrics(Uniform(), train, held_out, preprocessor)
    characters = sum(map(len, HELD_OUT)) + (len(HELD_OUT) - 1 if continuous else len(HELD_OUT))
    chance = 1 / (preprocessor.vocabulary.size - 1)
    # A line break is no unit of this vocabulary, but one byte.
    assert metrics["count"] == characters
    assert metrics["accuracy"] == pytest.approx(((characters - 1) * chance + chance**3) / characters, rel=1e-12)


def test_a_model_is_right_where_its_stream_says_so(trained):
    task, model = trained
    split, end = task.dataset.test, model.preprocessor.eos_id
    metrics = compute_metrics(model, split)
    right = []
    for ids in split.sequences:
        stream = model.stream()
        starts = [*model.vocabulary.unit_starts(ids).tolist(), *([True] if end is not None else [])]
        wanted = [*ids.tolist(), *([end] if end is not None else [])]
        for id, begins in zip(wanted, starts, strict=True):
            hit = int(stream.log_probs.argmax()) == id
            right = [*right, hit] if begins else [*right[:-1], right[-1] and hit]
            stream.step(id)
    assert metrics["count"] == len(right)
    assert metrics["accuracy"] == pytest.approx(sum(right) / len(right), abs=1e-12)


def test_the_baselines_have_the_metrics_of_the_model(trained):
    task, model = trained
    result = task.evaluate(model, None, lambda _: None)
    assert result["baselines"]
    for metrics in result["baselines"].values():
        assert metrics.keys() == result["metrics"].keys()


def test_evaluation_says_how_far_it_is_where_it_takes_long(trained, monkeypatch):
    task, model = trained
    # A few units make a lane, and there is a note on each lane or document.
    for name, value in {"DOCUMENTS_PER_BATCH": 1, "LANES_PER_BATCH": 1, "SECONDS_BETWEEN_NOTES": -1}.items():
        monkeypatch.setattr(evaluate, name, value)
    few = {"MAX_UNITS_IN_FEW_LANES": 1, "UNITS_PER_LANE": 10, "text_items": partial(scoring.text_items, warmup=2)}
    for name, value in few.items():
        monkeypatch.setattr(scoring, name, value)
    notes: list[str] = []
    task.evaluate(model, None, notes.append, baselines=False)
    split = task.dataset.test
    count = len(split.sequences[0]) // 10 if split.continuous else len(split.sequences)
    assert count > 2
    assert notes[1:] == [f"measured {100 * done // count} %" for done in range(1, count)]


def test_a_note_says_how_much_a_baseline_learnt_from(trained, monkeypatch):
    task, model = trained
    notes: list[str] = []
    task.evaluate(model, None, notes.append)
    assert not any("learnt from" in line for line in notes)
    fit = KneserNey.fit

    def fit_on_less(self, *arguments):
        fit(self, *arguments).trained_on //= 2
        return self

    monkeypatch.setattr(KneserNey, "fit", fit_on_less)
    task.evaluate(model, None, notes.append)
    units = task.dataset.train.units
    assert f"bigram: learnt from the last {units // 2:,} of {units:,} units; more do not fit into memory" in notes
