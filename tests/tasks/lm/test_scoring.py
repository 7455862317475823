"""Scores are those of reading one sequence after another, one unit after another, whatever is batched with what."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.tasks.lm import scoring
from recurra.tasks.lm.config import Model
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.scoring import Item, document_item, score_items, text_items

SIZE = 11


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    built = LanguageNetwork(SIZE, Model(cell="lstm", hidden=7, layers=2, dropout=0.5, recurrent_dropout=0.3))
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    return built.train()


def naive(network, item):
    """One unit after another, in float64, with nothing kept but the state."""
    double = LanguageNetwork(SIZE, Model(cell="lstm", hidden=7, layers=2, dropout=0.0)).double().eval()
    double.load_state_dict(network.state_dict())
    state, log_probs, top1 = double.zero_state(1), [], []
    with torch.no_grad():
        for unit, target in zip(item.inputs.tolist(), item.targets.tolist(), strict=True):
            logits, state = double.step(torch.tensor([unit]), state)
            log_probs.append(float(logits[0].log_softmax(-1)[target]))
            top1.append(int(logits[0].argmax()) == target)
    return np.array(log_probs[item.warmup :]), np.array(top1[item.warmup :], dtype=bool)


def draw(rng, length, warmup=0):
    ids = rng.integers(0, SIZE, length + 1)
    return Item(ids[:-1], ids[1:], min(warmup, length))


def check(network, items):
    scored = score_items(network, items)
    assert len(scored) == len(items)
    for item, result in zip(items, scored, strict=True):
        log_probs, top1 = naive(network, item)
        assert result.log_probs.dtype == np.float64
        # Logits of float32 arithmetic; their errors are a few units in the last place of numbers around 10.
        np.testing.assert_allclose(result.log_probs, log_probs, rtol=0, atol=2e-5)
        assert np.array_equal(result.top1, top1)


@pytest.mark.parametrize(("steps", "lanes"), [(256, 64), (5, 64), (5, 3), (1, 1)])
def test_long_and_short_mixed(network, monkeypatch, steps, lanes):
    monkeypatch.setattr(scoring, "STEPS_PER_WINDOW", steps)
    monkeypatch.setattr(scoring, "LANES_PER_BATCH", lanes)
    rng = np.random.default_rng(0)
    check(
        network,
        [draw(rng, length, warmup) for length, warmup in ((3, 0), (0, 0), (40, 12), (1, 0), (40, 0), (11, 11), (6, 2))],
    )


def test_logits_that_would_not_fit_are_made_in_shorter_windows(network, monkeypatch):
    monkeypatch.setattr(scoring, "MAX_LOGITS_SCORING", 60)
    rng = np.random.default_rng(1)
    check(network, [draw(rng, length) for length in (9, 4, 6)])


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(0, 20), max_size=8), st.integers(0, 5), st.integers(0, 9))
def test_any_lengths_in_any_order(network, lengths, warmup, seed):
    rng = np.random.default_rng(seed)
    check(network, [draw(rng, length, warmup) for length in lengths])


def test_nothing_to_score(network):
    assert score_items(network, []) == []
    (empty,) = score_items(network, [Item(np.zeros(0, np.int64), np.zeros(0, np.int64))])
    assert len(empty.log_probs) == len(empty.top1) == 0


def test_the_network_stays_in_its_mode_and_the_weights_as_they_are(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    item = draw(np.random.default_rng(0), 8)
    first, again = score_items(network, [item, item])
    assert network.training
    assert np.array_equal(first.log_probs, again.log_probs)  # nothing is dropped while it is measured
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    network.eval()
    score_items(network, [item])
    assert not network.training
    network.train()


def test_the_state_of_one_sequence_never_reaches_another(network):
    rng = np.random.default_rng(2)
    first, second = draw(rng, 12), draw(rng, 12)
    alone = score_items(network, [second])[0].log_probs
    together = score_items(network, [first, second])[1].log_probs
    np.testing.assert_allclose(together, alone, rtol=0, atol=2e-6)


class TestTexts:
    @settings(deadline=None, max_examples=100)
    @given(st.integers(0, 400), st.integers(1, 8), st.integers(0, 40))
    def test_every_unit_is_predicted_once_after_enough_has_been_read(self, count, lanes, warmup):
        ids = np.arange(1, count + 1)
        items = text_items(ids, 0, lanes=lanes, warmup=warmup)
        assert 1 <= len(items) <= lanes
        predicted = np.concatenate([item.targets[item.warmup :] for item in items])
        assert np.array_equal(predicted, ids)
        for item in items:
            assert len(item.inputs) == len(item.targets)
            assert np.array_equal(item.inputs + 1, item.targets)  # each unit comes after the one before it
            if len(item.targets) > item.warmup:
                first = int(item.targets[item.warmup])
                assert item.warmup >= min(warmup, first - 1)
                assert item.warmup == warmup or item.inputs[0] == 0

    def test_lanes_agree_with_one_long_reading_once_they_are_warm(self):
        """A network that forgets by 0.3 a step knows nothing any more, in float32, of what it read 40 steps ago."""
        torch.manual_seed(0)
        forgetful = LanguageNetwork(SIZE, Model(cell="rnn", hidden=8, dropout=0.0, init_gain=0.3))
        ids = np.random.default_rng(3).integers(0, SIZE, 700)
        (whole,) = score_items(forgetful, text_items(ids, 0, lanes=1, warmup=40))
        items = text_items(ids, 0, lanes=4, warmup=40)
        assert len(items) == 4
        scored = score_items(forgetful, items)
        parts = np.concatenate([result.log_probs for result in scored])
        np.testing.assert_allclose(parts, whole.log_probs, rtol=0, atol=2e-6)
        cold = score_items(forgetful, text_items(ids, 0, lanes=4, warmup=0))
        assert np.abs(np.concatenate([result.log_probs for result in cold]) - whole.log_probs).max() > 1e-3

    def test_documents_begin_and_end(self):
        item = document_item(np.array([5, 6, 7]), 0, 1)
        assert (item.inputs.tolist(), item.targets.tolist()) == ([0, 5, 6, 7], [5, 6, 7, 1])
        item = document_item(np.array([5, 6, 7]), 9, None)
        assert (item.inputs.tolist(), item.targets.tolist()) == ([9, 5, 6], [5, 6, 7])
        item = document_item(np.zeros(0, np.int32), 0, 1)
        assert (item.inputs.tolist(), item.targets.tolist()) == ([0], [1])


class TestModel:
    def test_a_text_has_the_probability_of_its_units(self, model):
        texts = ["that was phenomenal", "", "春眠不覺曉", "café", "ZZ"]  # the last has characters never seen
        results = model.score(texts)
        assert [result["text"] for result in results] == texts
        for text, result in zip(texts, results, strict=True):
            values = [value for _, value in result["units"]]
            assert result["log_prob"] == pytest.approx(sum(values), abs=1e-9)
            assert result["log_prob_per_unit"] == pytest.approx(sum(values) / max(1, len(values)), abs=1e-9)
            spoken = [unit for unit, _ in result["units"]]
            assert "".join(spoken if model.preprocessor.eos_id is None else spoken[:-1]) == text
            assert all(value <= 1e-6 for value in values)

    def test_validation_is_the_loss_of_reading_it_alone(self, trained):
        task, model = trained
        preprocessor = model.preprocessor
        split = task.dataset.valid
        total = count = 0
        for ids in split.sequences:
            (scored,) = score_items(model.network, [document_item(ids, preprocessor.bos_id, preprocessor.eos_id)])
            total, count = total - scored.log_probs.sum(), count + len(scored.log_probs)
        assert task.validate(model)["nll"] == pytest.approx(total / count, rel=1e-5)

    def test_the_loss_of_an_epoch_is_that_of_its_sequences(self, trained):
        """Windows, lanes and carried state change nothing: the training loss is what scoring gives."""
        task, model = trained
        preprocessor = model.preprocessor
        task.config.data.random_offset = False
        total = count = 0.0
        carry = None
        with torch.no_grad():
            for window in task.batches(0, batch=1 if preprocessor.continuous else 5, seed=11):
                loss, number, carry = task.loss(model.network, window, carry)
                total, count = total + float(loss), count + number
        marks = preprocessor.bos_id, preprocessor.eos_id
        items = [document_item(ids, *marks) for ids in task.dataset.train.sequences]
        wanted = -sum(scored.log_probs.sum() for scored in score_items(model.network, items))
        assert count == sum(len(item.targets) for item in items)
        assert total == pytest.approx(wanted, rel=1e-5)
