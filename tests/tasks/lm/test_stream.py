"""A language model as a stream predicts what it does for the whole text."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recurra.errors import DataError, UsageError

TEXTS = ["that was phenomenal", "春眠不覺曉，處處聞啼鳥", "café — naïve", "Ж"]


@pytest.mark.parametrize("text", TEXTS)
def test_unit_by_unit_is_the_whole(model, text):
    (scored,) = model.score([text])
    stream, end = model.stream(), model.preprocessor.eos_id
    units = scored["units"] if end is None else scored["units"][:-1]
    for unit, log_prob in units:
        assert stream.read(unit) == pytest.approx(log_prob, abs=1e-5)
    if end is not None:
        assert float(stream.log_probs[end]) == pytest.approx(scored["units"][-1][1], abs=1e-5)


def test_reading_at_once_or_in_parts(model):
    whole = model.stream("that was ")
    parts = model.stream()
    total = sum(parts.read(part) for part in ("th", "", "at w", "as "))
    assert np.array_equal(parts.log_probs, whole.log_probs)
    assert total == pytest.approx(model.stream().read("that was "), abs=1e-9)


def test_what_comes_next_is_a_distribution(model):
    stream = model.stream("the r")
    assert stream.log_probs.shape == (model.vocabulary.size,)
    assert float(np.exp(stream.log_probs).sum()) == pytest.approx(1, abs=1e-9)
    likeliest = stream.likeliest(4)
    assert [p for _, p in likeliest] == sorted(np.exp(stream.log_probs).tolist(), reverse=True)[:4]
    (result,) = model.predict(["the r"], k=4)
    assert [unit for unit, _ in result["next"]] == [unit for unit, _ in likeliest]
    assert [p for _, p in result["next"]] == pytest.approx([p for _, p in likeliest], abs=1e-6)


def test_asking_for_a_probability_reads_nothing(model):
    stream = model.stream("the ")
    before = stream.log_probs.copy()
    asked = stream.log_prob("rain")
    assert np.array_equal(stream.log_probs, before)
    assert stream.read("rain") == asked


def test_forks_share_the_past_only(model):
    stream = model.stream("the ")
    twin = stream.fork()
    twin.read("春眠")
    stream.read("rain")
    assert np.array_equal(stream.log_probs, model.stream("the rain").log_probs)
    assert np.array_equal(twin.log_probs, model.stream("the 春眠").log_probs)


def test_a_state_that_is_set_says_what_comes_next(model):
    stream = model.stream("the ")
    kept, wanted = stream.state, stream.log_probs.copy()
    stream.read("rain")
    stream.state = kept
    assert np.array_equal(stream.log_probs, wanted)


def test_a_stream_of_state_set_and_then_fed(model):
    stream = model.stream("the ")
    kept = stream.state
    unit = int(model.vocabulary.encode("r")[0])
    wanted = stream.step(unit).copy()
    stream.read("ain")
    stream.state = kept
    assert np.array_equal(stream.step(unit), wanted)


@pytest.mark.parametrize("unit", [-1, 10**6])
def test_a_unit_that_is_not_in_the_vocabulary(model, unit):
    with pytest.raises(UsageError, match="unit: expected an id from 0 to"):
        model.stream().step(unit)


@pytest.mark.parametrize("element", [torch.zeros(1), torch.zeros(9, 1, dtype=torch.int64)])
def test_what_is_fed_is_one_id(model, element):
    with pytest.raises(DataError, match="expected the id of a unit as a tensor"):
        model.stream().feed(element)
