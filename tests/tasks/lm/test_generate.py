"""What a language model writes: prompts, samples as they grow, beams, one prompt and several."""

from __future__ import annotations

import pytest
import torch

from recurra.decoding import SearchOptions, beam_search
from recurra.errors import DataError, UsageError
from recurra.kernels.native import engine
from recurra.tasks.base.options import GenerateOptions
from recurra.tasks.lm import LanguageModel, LanguageModelConfig, generate
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.tokens import TextPreprocessor
from recurra.text import build_vocabulary

TEXT = "the cat runs , the dog sleeps .\n春 眠 不 覺 曉 。\n" * 20
PROMPTS = ["the ", "", "春眠不覺曉，處處", "t", "the rain in spain falls mainly", "the "]


class Scripted(LanguageNetwork):
    """A network that is sure of what it writes: after each unit of a script the next one, round and round."""

    def follow(self, ids):
        unit = dict(zip(ids, [*ids[1:], ids[0]], strict=True))
        rows = torch.full((self.size, self.size), -50.0)
        for last in range(self.size):
            rows[last, unit.get(last, ids[0])] = 50.0
        self.register_buffer("rows", rows)
        return self

    def step(self, ids, state):
        return self.rows[ids], state


def scripted(script, text=TEXT, unit="char"):
    """A model that writes a script, with the vocabulary of a text."""
    config = LanguageModelConfig.model_validate({"model": {"hidden": 9, "dropout": 0}})
    preprocessor = TextPreprocessor(build_vocabulary([text], unit=unit), continuous=True)
    torch.manual_seed(0)
    network = Scripted(preprocessor.vocabulary.size, config.model)
    return LanguageModel(config, network.follow(preprocessor.vocabulary.encode(script).tolist()), preprocessor)


def write(model, *prompts, **options):
    return model.generate(prompts or [""], GenerateOptions(**options))


def search(model, *prompts, **options):
    return model.beam_search(prompts or [""], GenerateOptions(**options))


def samples(chunks, count):
    texts, ended = [""] * count, [0] * count
    for chunk in chunks:
        assert not ended[chunk.sample], "a sample goes on after its last chunk"
        texts[chunk.sample] += chunk.text
        ended[chunk.sample] += chunk.last
    assert ended == [1] * count
    return texts


@pytest.mark.parametrize("steps", [1, 3, 4096])
@pytest.mark.parametrize("prompt", ["", "t", "that was phenomenal, 春眠!"])
def test_a_prompt_read_at_once_is_a_prompt_read_step_by_step(model, monkeypatch, prompt, steps):
    network, preprocessor = model.network, model.preprocessor
    monkeypatch.setattr(generate, "STEPS_PER_PREFILL", steps)
    network.train()
    last, state = generate.prefill(network, preprocessor.encode(prompt))
    ids = [preprocessor.bos_id, *model.vocabulary.encode(prompt).tolist()]
    assert last.tolist() == ids[-1:] and not network.training
    wanted = network.zero_state(1)
    with torch.no_grad():
        for unit in ids[:-1]:
            _, wanted = network.step(torch.tensor([unit]), wanted)
    for layer, wanted_layer in zip(state, wanted, strict=True):
        for tensor, wanted_tensor in zip(layer, wanted_layer, strict=True):
            torch.testing.assert_close(tensor, wanted_tensor, rtol=1e-5, atol=1e-5)


def test_samples_are_fixed_by_their_seed_and_do_not_depend_on_each_other(model):
    def written(count, seed):
        return samples(write(model, "the ", count=count, length=30, seed=seed), count)

    three = written(3, seed=5)
    assert len(set(three)) == 3
    assert three == written(3, seed=5) != written(3, seed=6)
    assert written(1, seed=5) == three[:1]


def test_a_sample_is_as_long_as_asked_and_has_no_mark(model):
    bias, vocabulary = model.network.output.bias, model.vocabulary
    kept = bias.detach().clone()
    with torch.no_grad():
        bias[[vocabulary.bos_id, vocabulary.eos_id]] = 1000.0  # nothing but marks is likely
        texts = samples(write(model, count=2, length=12, seed=1), 2)
        ((found,),) = search(model, length=12, beam=3)
        bias.copy_(kept)
    if model.preprocessor.eos_id is not None:  # documents end; that they do is not written either
        assert texts == ["", ""] and found["text"] == ""
    else:
        assert all(len(vocabulary.encode(text)) >= 6 for text in [*texts, found["text"]])
        assert not any("<begin>" in text or "<end>" in text for text in [*texts, found["text"]])


def test_a_character_in_bytes_is_written_when_it_is_whole():
    chunks = list(write(scripted("春眠", unit="byte"), "曉", length=7, temperature=0.0))
    assert [(chunk.text, chunk.last) for chunk in chunks] == [
        ("春", False),
        ("眠", False),
        ("", True),
    ]  # of the third one byte


@pytest.mark.parametrize("unit", ["char", "byte", "word", "bpe"])
def test_a_prompt_and_what_is_written_are_one_text(unit):
    runs = "runs" if unit == "word" else " runs"
    (text,) = samples(write(scripted(runs, unit=unit), "the cat", length=len(runs), temperature=0.0), 1)
    assert ("the cat" + text).startswith("the cat runs")


@pytest.mark.parametrize(
    ("prompt", "script", "whole"),
    [
        ("the cat", "runs", "the cat runs"),
        ("the cat ", "runs", "the cat runs"),
        ("the cat\n", "runs", "the cat\nruns"),
        ("", "runs", "runs"),
        ("the rabbit", "runs", "the rabbit runs"),  # a word that is not known is a word
        ("The cat", ",", "The cat,"),
        ("「春", "眠", "「春眠"),
    ],
)
def test_a_space_stands_between_prompt_and_words_where_one_belongs(prompt, script, whole):
    model = scripted(script, TEXT.replace(" ,", ",").replace(" .", ".").replace("春 眠", "春眠"), unit="word")
    assert model.vocabulary.split == "punctuation"
    (text,) = samples(write(model, prompt, length=1, temperature=0.0), 1)
    ((found,),) = search(model, prompt, length=1)
    assert prompt + text == prompt + found["text"] == whole


def test_a_beam_of_one_is_greedy_and_a_wider_one_finds_no_worse(model):
    (greedy,) = samples(write(model, "the ", length=6, greedy=True), 1)
    ((narrow,),) = search(model, "the ", length=6, beam=1, length_penalty=0.0)
    assert narrow["text"] == greedy
    (found,) = search(model, "the ", length=6, beam=12, count=4, length_penalty=0.0)
    assert len(found) == 4 and len({result["text"] for result in found}) == 4
    scores = [result["score"] for result in found]
    assert scores == sorted(scores, reverse=True)
    assert scores == [result["log_prob"] for result in found]  # without a length penalty they are the same
    assert scores[0] >= narrow["log_prob"] - 1e-6


def test_what_a_beam_finds_is_as_likely_as_scoring_says(model):
    if model.preprocessor.eos_id is not None:
        pytest.skip("a hypothesis that was cut off has no end to score")
    ((found,),) = search(model, "the ", length=5, beam=4)
    before, whole = model.score(["the ", "the " + found["text"]])
    assert found["log_prob"] == pytest.approx(whole["log_prob"] - before["log_prob"], abs=1e-4)


@pytest.mark.parametrize("per_batch", [1, 7, 256])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("options", [{"temperature": 1.3}, {"top_k": 5, "temperature": 0.9}, {"greedy": True}])
def test_several_prompts_are_continued_as_each_is_alone(model, monkeypatch, per_batch, count, options):
    """Samples are numbered through, prompt by prompt, and depend neither on the other prompts nor on the batches."""
    monkeypatch.setattr(generate, "ROWS_PER_BATCH", per_batch)
    options = {"length": 20, "count": count, **options} | ({} if "greedy" in options else {"seed": 5})
    together = samples(write(model, *PROMPTS, **options), len(PROMPTS) * count)
    alone = [text for prompt in PROMPTS for text in samples(write(model, prompt, **options), count)]
    if engine() is not None:
        assert together == alone
    assert len({len(text) for text in together}) > 1 or model.preprocessor.eos_id is None


def test_chunks_of_later_prompts_come_after_the_first_batch_is_written(model, monkeypatch):
    monkeypatch.setattr(generate, "ROWS_PER_BATCH", 4)
    seen = [chunk.sample for chunk in write(model, *PROMPTS, length=4, count=2, seed=1)]
    first = [sample < 4 for sample in seen]
    assert first == sorted(first, reverse=True) and set(seen) == set(range(12))


@pytest.mark.parametrize("per_batch", [1, 15, 256])
def test_several_prompts_are_searched_as_each_is_alone(model, monkeypatch, per_batch):
    """Bit for bit whatever the batch; a prompt that is searched alone by torch's own product has the same texts."""
    options = {"length": 9, "count": 2, "beam": 5}
    wanted = search(model, *PROMPTS, **options)
    assert [len(found) for found in wanted] == [2] * len(PROMPTS)
    monkeypatch.setattr(generate, "ROWS_PER_BATCH", per_batch)
    if engine() is not None:
        assert search(model, *PROMPTS, **options) == wanted
        assert search(model, *PROMPTS[3:], **options) == wanted[3:]
    for prompt, found in zip(PROMPTS, wanted, strict=True):
        (alone,) = search(model, prompt, **options)
        assert [one["text"] for one in alone] == [one["text"] for one in found]
        for name in ("log_prob", "score"):
            assert [one[name] for one in alone] == pytest.approx([one[name] for one in found], abs=1e-5)


@pytest.mark.skipif(engine() is None, reason="the native engine was not built")
def test_a_search_over_several_prompts_gives_the_bits_of_each_alone_though_they_end_at_different_steps(model):
    network, preprocessor = model.network, model.preprocessor
    options = SearchOptions(
        width=4, length=12, end=int(model.vocabulary.encode("a")[0]), count=3, forbid=preprocessor.forbidden
    )
    step, rows = generate.exact_step(network), []

    def counted(ids, state):
        rows.append(len(ids))
        return step(ids, state)

    encoded = [preprocessor.encode(prompt) for prompt in PROMPTS]
    last, state = generate.prefill_all(network, encoded)
    together = beam_search(counted, state, last, options)
    assert len(set(rows)) > 3
    for ids, found in zip(encoded, together, strict=True):
        last, state = generate.prefill(network, ids)
        (alone,) = beam_search(step, state, last, options)
        assert [(one.ids.tolist(), one.log_prob, one.score) for one in found] == [
            (one.ids.tolist(), one.log_prob, one.score) for one in alone
        ]


def test_no_prompt_gives_nothing(model):
    options = GenerateOptions(length=4)
    assert list(model.generate([], options)) == [] and model.beam_search([], options) == []


def test_a_prompt_that_is_no_text_is_refused_at_the_call(model):
    with pytest.raises(DataError, match="surrogate"):
        write(model, "the", "\ud800")


def test_a_search_needs_a_unit_to_write(model):
    with pytest.raises(UsageError, match="length: expected 1 or more"):
        search(model, "the ", length=0)
