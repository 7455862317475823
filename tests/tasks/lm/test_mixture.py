"""A network mixed with n-grams: one distribution, however it is asked."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tests.tasks.lm.conftest import make

from recurra.errors import RunError
from recurra.tasks.base.options import GenerateOptions
from recurra.tasks.lm import LanguageModel
from recurra.tasks.lm.adapt import Adaptation, AdaptiveReader, Cache, Dynamic, choose_adaptation, reading_items
from recurra.tasks.lm.calibrate import calibrate
from recurra.tasks.lm.config import EvaluateOptions
from recurra.tasks.lm.mixture import fit_shares, mixture_of
from recurra.tasks.lm.tokens import NGRAM

TEXTS = ["that was phenomenal", "春眠不覺曉", "", "the rain\nnever met: Ж€ zzz"]


@pytest.fixture(scope="module", params=[False, True], ids=["text", "documents"])
def mixed(request, tmp_path_factory):
    """A task, and a model whose network knows little, so that its n-grams count for much."""
    task, _ = make(tmp_path_factory.mktemp("lm"), documents=request.param, ngram="5")
    task.fit_linear(None, lambda _: None)
    torch.manual_seed(0)
    network = task.build_network()
    task.initialize(network)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    model = task.predictor(network)
    task.calibrate(model)
    return task, model


def test_every_distribution_is_one_and_a_stream_has_the_scores_of_the_whole(mixed):
    _, model = mixed
    for text, result in zip(TEXTS, model.score(TEXTS), strict=True):
        stream, total = model.stream(), 0.0
        for unit in model.vocabulary.encode(text).tolist():
            assert np.exp(stream.log_probs).sum() == pytest.approx(1, abs=1e-6)
            total += float(stream.log_probs[unit])
            stream.step(unit)
        if model.preprocessor.eos_id is not None:
            total += float(stream.log_probs[model.preprocessor.eos_id])
        assert result["log_prob"] == pytest.approx(total, abs=2e-5 * (1 + len(text)))


def test_a_batch_has_the_scores_of_one_by_one_to_the_bit(mixed):
    _, model = mixed
    assert model.score(TEXTS) == [model.score([text])[0] for text in TEXTS]


def test_what_comes_next_is_that_of_the_stream(mixed):
    _, model = mixed
    (result,) = model.predict(["the rain"], k=3, steps=True)
    stream = model.stream("the rain")
    for (unit, share), (wanted, probability) in zip(result["next"], stream.likeliest(3), strict=True):
        assert unit == wanted and share == pytest.approx(probability, abs=1e-6)
    assert [unit for unit, _ in result["steps"][-1]["next"]] == [unit for unit, _ in result["next"]]


def test_the_samples_of_one_are_those_among_others_and_a_beam_knows_its_score(mixed):
    _, model = mixed
    options = GenerateOptions(length=30, seed=4)
    alone = "".join(chunk.text for chunk in model.generate(["the "], options))
    among = [chunk for chunk in model.generate(["the ", "春", ""], options) if chunk.sample == 0]
    assert alone == "".join(chunk.text for chunk in among)
    found = model.beam_search(["the "], GenerateOptions(length=6, beam=3))[0][0]
    stream = model.stream("the ")
    total = stream.read(found["text"])
    if model.preprocessor.eos_id is None:
        assert found["log_prob"] == pytest.approx(total, abs=1e-4)


def test_a_mixture_is_better_than_its_parts_and_is_kept(mixed, tmp_path):
    task, model = mixed
    result = task.evaluate(model, None, lambda _: None, baselines=False)
    parts = result["details"]["parts"]
    assert result["metrics"]["nll"] < min(parts["network"]["nll"], parts["ngrams"]["nll"]) + 0.02
    assert sorted(model.preprocessor.save(tmp_path)) == [NGRAM, "vocabulary.json"]
    save_file(model.network.state_dict(), tmp_path / "model.safetensors")
    loaded = LanguageModel.load(tmp_path, task.config)
    assert loaded.score(TEXTS) == model.score(TEXTS)
    whole = (tmp_path / NGRAM).read_bytes()
    (tmp_path / NGRAM).write_bytes(whole[:-9])
    with pytest.raises(RunError, match=NGRAM):
        LanguageModel.load(tmp_path, task.config)


def test_n_grams_that_do_not_help_are_left_out(mixed):
    task, model = mixed
    rng = np.random.default_rng(0)
    good, noise = np.log(np.full(2000, 0.5)), rng.choice([0.4, 0.001], 2000)
    assert fit_shares(good, noise, np.zeros(2000, np.int64), 4) is None
    kept = model.network.ngram_shares.clone()
    calibrate(model, None, required=False)
    assert mixture_of(model.network, model.preprocessor) is None
    alone = LanguageModel(task.config, model.network, replace(model.preprocessor, ngram=None))
    assert model.score(TEXTS) == alone.score(TEXTS)
    model.network.ngram_shares.copy_(kept)


def test_learning_from_the_text_is_by_what_was_predicted_already(mixed):
    task, model = mixed
    before = {name: tensor.clone() for name, tensor in model.network.state_dict().items()}
    test, mixture = task.dataset.test, mixture_of(model.network, model.preprocessor)
    items = reading_items(test, model)
    plain = AdaptiveReader(model.network, mixture, Adaptation()).read(items)
    wanted = model.score(test.texts)
    assert sum(one.log_probs.sum() for one in plain) == pytest.approx(sum(one["log_prob"] for one in wanted), rel=1e-5)
    nothing = Adaptation(Cache(5.0, 500, 0.0), None)
    cached = AdaptiveReader(model.network, mixture, nothing).read(items)
    np.testing.assert_allclose(cached[0].log_probs, plain[0].log_probs, atol=1e-9)
    chosen, roots = choose_adaptation(
        model, task.dataset.valid, task.dataset.train, cache=True, dynamic=True, progress=lambda _: None
    )
    assert isinstance(chosen.dynamic, Dynamic) and isinstance(chosen.cache, Cache) and roots
    result = task.evaluate(
        model, None, lambda _: None, baselines=False, options=EvaluateOptions(cache=True, dynamic=True)
    )
    json.dumps(result, allow_nan=False)
    assert (
        result["metrics"]["nll"] < result["details"]["fixed"]["nll"] + 1e-6
    )  # nothing is left to learn of lines known by heart
    for name, tensor in model.network.state_dict().items():
        assert torch.equal(tensor, before[name]), name
