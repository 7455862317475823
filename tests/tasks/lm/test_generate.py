"""What a language model writes and says: prompts, samples as they grow, beams, next units, and how they are shown."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from recurra.errors import UsageError
from recurra.tasks.lm import LanguageModel, LanguageModelConfig
from recurra.tasks.lm import generate as writing
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.tokens import label

TEXT = "the cat runs , the dog sleeps .\n春 眠 不 覺 曉 。\n" * 20


class Scripted(LanguageNetwork):
    """A network that is sure of what it will say: after each unit of a script the next one, round and round."""

    def follow(self, ids):
        unit = dict(zip(ids, [*ids[1:], ids[0]], strict=True))
        rows = torch.full((self.size, self.size), -50.0)
        for last in range(self.size):
            rows[last, unit.get(last, ids[0])] = 50.0
        self.register_buffer("rows", rows)
        return self

    def step(self, ids, state):
        return self.rows[ids], state


def prepare(folder, text=TEXT, **data):
    (folder / "text.txt").write_text(text, encoding="utf-8")
    settings = {"data": {"data": [str(folder / "text.txt")], "window": 6, **data}, "model": {"hidden": 9, "dropout": 0}}
    task = LanguageModel(LanguageModelConfig.model_validate(settings))
    task.prepare()
    return task


def scripted(task, text):
    torch.manual_seed(0)
    return Scripted(task.vocabulary.size, task.config.model).follow(task.vocabulary.encode(text).tolist())


def samples(pieces, count):
    texts, ended = [""] * count, [0] * count
    for piece in pieces:
        assert not ended[piece.sample], "a sample goes on after its last piece"
        texts[piece.sample] += piece.text
        ended[piece.sample] += piece.last
    assert ended == [1] * count
    return texts


@pytest.mark.parametrize("at_once", [1, 3, 4096])
@pytest.mark.parametrize("prompt", ["", "t", "that was phenomenal, 春眠!"])
def test_a_prompt_read_at_once_is_a_prompt_read_step_by_step(model, monkeypatch, prompt, at_once):
    task, network = model
    monkeypatch.setattr(writing, "READ_AT_ONCE", at_once)
    network.train()
    last, state = writing.read_prompt(task, network, prompt)
    ids = [task.context, *task.vocabulary.encode(prompt).tolist()]
    assert last.tolist() == ids[-1:] and not network.training
    wanted = network.zero_state(1)
    with torch.no_grad():
        for unit in ids[:-1]:
            _, wanted = network.step(torch.tensor([unit]), wanted)
    for layer, wanted_layer in zip(state, wanted, strict=True):
        for tensor, wanted_tensor in zip(layer, wanted_layer, strict=True):
            torch.testing.assert_close(tensor, wanted_tensor, rtol=1e-5, atol=1e-5)


def test_samples_are_fixed_by_their_seed_and_do_not_depend_on_each_other(model):
    task, network = model

    def write(count, seed):
        return samples(task.write(network, prompt="the ", count=count, length=30, seed=seed), count)

    three = write(3, seed=5)
    assert len(set(three)) == 3
    assert three == write(3, seed=5) != write(3, seed=6)
    assert write(1, seed=5) == three[:1]


def test_a_sample_is_as_long_as_asked_and_never_says_a_mark(model):
    task, network = model
    bias = network.output.bias
    kept = bias.detach().clone()
    marks = [task.vocabulary.begin, task.vocabulary.end]
    with torch.no_grad():
        bias[marks] = 1000.0  # nothing but marks is likely
        texts = samples(task.write(network, count=2, length=12, seed=1), 2)
        (found,) = task.search(network, length=12, beam=3)
        bias.copy_(kept)
    if task.end is not None:  # documents end; that they do is not written either
        assert texts == ["", ""] and found["text"] == ""
    else:
        assert all(len(task.vocabulary.encode(text)) >= 6 for text in [*texts, found["text"]])
        assert not any("<begin>" in text or "<end>" in text for text in [*texts, found["text"]])


def test_a_character_in_bytes_is_written_when_it_is_whole(tmp_path):
    task = prepare(tmp_path, unit="byte")
    pieces = list(task.write(scripted(task, "春眠"), prompt="曉", length=7, temperature=0.0))
    assert [(piece.text, piece.last) for piece in pieces] == [("春", False), ("眠", False), ("\ufffd", True)]


@pytest.mark.parametrize("unit", ["char", "byte", "word", "bpe"])
def test_a_prompt_and_what_is_written_are_one_text(tmp_path, unit):
    task = prepare(tmp_path, unit=unit)
    runs = "runs" if unit == "word" else " runs"
    (text,) = samples(task.write(scripted(task, runs), prompt="the cat", length=len(runs), temperature=0.0), 1)
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
def test_a_space_stands_between_prompt_and_words_where_one_belongs(tmp_path, prompt, script, whole):
    task = prepare(tmp_path, TEXT.replace(" ,", ",").replace(" .", ".").replace("春 眠", "春眠"), unit="word")
    assert task.vocabulary.split == "punctuation"
    network = scripted(task, script)
    (text,) = samples(task.write(network, prompt=prompt, length=1, temperature=0.0), 1)
    (found,) = task.search(network, prompt=prompt, length=1)
    assert prompt + text == prompt + found["text"] == whole


def test_a_beam_of_one_is_greedy_and_a_wider_one_finds_no_worse(model):
    task, network = model
    (greedy,) = samples(task.write(network, prompt="the ", length=6, temperature=0.0), 1)
    (narrow,) = task.search(network, prompt="the ", length=6, beam=1, alpha=0.0)
    assert narrow["text"] == greedy
    found = task.search(network, prompt="the ", length=6, beam=12, count=4, alpha=0.0)
    assert len(found) == 4 and len({result["text"] for result in found}) == 4
    scores = [result["score"] for result in found]
    assert scores == sorted(scores, reverse=True)
    assert scores == [result["log_prob"] for result in found]  # without a length penalty they are the same
    assert scores[0] >= narrow["log_prob"] - 1e-6


def test_what_a_beam_finds_is_as_likely_as_scoring_says(model):
    task, network = model
    if task.end is not None:
        pytest.skip("a hypothesis that was cut off has no end to score")
    (found,) = task.search(network, prompt="the ", length=5, beam=4)
    before, whole = task.score(network, ["the ", "the " + found["text"]])
    assert found["log_prob"] == pytest.approx(whole["log_prob"] - before["log_prob"], abs=1e-4)


def test_the_next_units_are_the_likeliest_and_add_up(model):
    task, network = model
    everything = task.predict(network, ["the r"], k=10**6)[0]
    assert everything["text"] == "the r" and len(everything["next"]) == task.vocabulary.size
    probabilities = [p for _, p in everything["next"]]
    assert probabilities == sorted(probabilities, reverse=True) and sum(probabilities) == pytest.approx(1, abs=1e-5)
    assert task.predict(network, ["the r"], k=2)[0]["next"] == everything["next"][:2]
    (scored,) = task.score(network, ["the ra"])
    likely = next(p for unit, p in everything["next"] if unit == "a")
    assert np.log(likely) == pytest.approx(scored["units"][5][1], abs=1e-4)


@pytest.mark.parametrize(
    "ask", [lambda task, network: task.predict(network, ["a"], k=0), lambda task, network: task.write(network, count=0)]
)
def test_asking_for_nothing_is_refused(model, ask):
    task, network = model
    with pytest.raises(UsageError, match="expected at least one"):
        list(ask(task, network))


@pytest.mark.parametrize("unit", ["byte", "bpe"])
def test_bytes_are_shown_by_their_numbers(tmp_path, unit):
    """Never as the replacement character, which would say nothing; whole characters as they are."""
    task = prepare(tmp_path, unit=unit)
    torch.manual_seed(0)
    (scored,) = task.score(task.network(), ["a龘"])
    shown = [unit for unit, _ in scored["units"]]
    assert shown == ["a", "<0xE9>", "<0xBE>", "<0x98>"]
    assert "\ufffd" not in json.dumps(scored, ensure_ascii=False)


@pytest.mark.parametrize("unit", ["char", "byte", "word", "bpe"])
def test_no_two_units_look_alike(tmp_path, unit):
    """The letter a and the byte 0x61, by which a vocabulary without an a would spell it, are two ids."""
    task = prepare(tmp_path, unit=unit)
    torch.manual_seed(0)
    network = task.network()
    shown = [shown for shown, _ in task.predict(network, ["the c"], k=10**6)[0]["next"]]
    assert len(set(shown)) == len(shown) == task.vocabulary.size
    assert {shown for shown, _ in task.stream(network, "the c").likeliest(10**6)} == set(shown)
    (scored,) = task.score(network, ["the cat runs"])
    assert {unit for unit, _ in scored["units"]} <= set(shown)


def test_a_byte_is_shown_by_its_number_where_its_character_is_a_unit(tmp_path):
    task = prepare(tmp_path)
    assert "a" in TEXT and "q" not in TEXT
    by_id = {id: label(task.vocabulary, id) for id in range(task.vocabulary.size)}
    a, q, han = (task.vocabulary.encode(text).tolist() for text in ("a", "q", "龘"))
    assert [by_id[id] for id in a] == ["a"] and [by_id[id] for id in q] == ["q"]
    assert "<0x61>" in by_id.values() and "<0x71>" not in by_id.values()
    assert [by_id[id] for id in han] == ["<0xE9>", "<0xBE>", "<0x98>"]


def test_what_is_likely_after_every_unit(model):
    task, network = model
    said = task.predict(network, ["the r"], k=3, steps=True)[0]
    assert [step["text"] for step in said["steps"]] == ["t", "th", "the", "the ", "the r"]
    assert [unit for unit, _ in said["steps"][-1]["next"]] == [unit for unit, _ in said["next"]]
    for step in said["steps"]:
        alone = task.predict(network, [step["text"]], k=3)[0]["next"]
        assert [unit for unit, _ in step["next"]] == [unit for unit, _ in alone]
    assert task.predict(network, [""], steps=True)[0]["steps"] == []
