"""What a language model predicts after a text and after each unit of it, and how units are shown."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from recurra.errors import UsageError
from recurra.tasks.base.capabilities import Embeds, Generates, Scores, Streams
from recurra.tasks.base.options import GenerateOptions
from recurra.tasks.lm import LanguageModel, LanguageModelConfig
from recurra.tasks.lm.tokens import TextPreprocessor, token_label
from recurra.text import build_vocabulary

TEXT = "the cat runs , the dog sleeps .\n春 眠 不 覺 曉 。\n" * 20


def untrained(unit="char"):
    preprocessor = TextPreprocessor(build_vocabulary([TEXT], unit=unit), continuous=True)
    config = LanguageModelConfig.model_validate({"model": {"hidden": 9, "dropout": 0}})
    torch.manual_seed(0)
    return LanguageModel(config, LanguageModel.build_network(config, preprocessor), preprocessor)


def test_the_next_units_are_the_likeliest_and_add_up(model):
    everything = model.predict(["the r"], k=10**6)[0]
    assert everything["text"] == "the r" and len(everything["next"]) == model.vocabulary.size
    probabilities = [p for _, p in everything["next"]]
    assert probabilities == sorted(probabilities, reverse=True) and sum(probabilities) == pytest.approx(1, abs=1e-5)
    assert model.predict(["the r"], k=2)[0]["next"] == everything["next"][:2]
    assert model.predict(["the r"])[0]["next"] == everything["next"][:5]
    (scored,) = model.score(["the ra"])
    likely = next(p for unit, p in everything["next"] if unit == "a")
    assert np.log(likely) == pytest.approx(scored["units"][5][1], abs=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"k": 0}, "k: .* greater than or equal to 1, got 0"), ({"cluster": 2}, "cluster: .* it takes k, steps")],
)
def test_options_that_it_does_not_take_are_refused(model, options, message):
    with pytest.raises(UsageError, match=message):
        model.predict(["a"], **options)


def test_it_can_be_asked_all_but_vectors(model):
    assert all(isinstance(model, capability) for capability in (Streams, Generates, Scores))
    assert not isinstance(model, Embeds) and model.GenerateOptions is GenerateOptions


@pytest.mark.parametrize("unit", ["byte", "bpe"])
def test_bytes_are_shown_by_their_numbers(unit):
    """Never as the replacement character, which would say nothing; whole characters as they are."""
    (scored,) = untrained(unit).score(["a龘"])
    assert [unit for unit, _ in scored["units"]] == ["a", "<0xE9>", "<0xBE>", "<0x98>"]
    assert "\ufffd" not in json.dumps(scored, ensure_ascii=False)


@pytest.mark.parametrize("unit", ["char", "byte", "word", "bpe"])
def test_no_two_units_look_alike(unit):
    """The letter a and the byte 0x61, by which a vocabulary without an a would spell it, are two ids."""
    model = untrained(unit)
    shown = [shown for shown, _ in model.predict(["the c"], k=10**6)[0]["next"]]
    assert len(set(shown)) == len(shown) == model.vocabulary.size
    assert {shown for shown, _ in model.stream("the c").likeliest(10**6)} == set(shown)
    (scored,) = model.score(["the cat runs"])
    assert {unit for unit, _ in scored["units"]} <= set(shown)


def test_a_byte_is_shown_by_its_number_where_its_character_is_a_unit():
    vocabulary = untrained().vocabulary
    assert "a" in TEXT and "q" not in TEXT
    by_id = {id: token_label(vocabulary, id) for id in range(vocabulary.size)}
    a, q, han = (vocabulary.encode(text).tolist() for text in ("a", "q", "龘"))
    assert [by_id[id] for id in a] == ["a"] and [by_id[id] for id in q] == ["q"]
    assert "<0x61>" in by_id.values() and "<0x71>" not in by_id.values()
    assert [by_id[id] for id in han] == ["<0xE9>", "<0xBE>", "<0x98>"]


def test_what_is_likely_after_every_unit(model):
    result = model.predict(["the r"], k=3, steps=True)[0]
    assert [step["text"] for step in result["steps"]] == ["t", "th", "the", "the ", "the r"]
    assert [unit for unit, _ in result["steps"][-1]["next"]] == [unit for unit, _ in result["next"]]
    for step in result["steps"]:
        alone = model.predict([step["text"]], k=3)[0]["next"]
        assert [unit for unit, _ in step["next"]] == [unit for unit, _ in alone]
    assert model.predict([""], steps=True)[0]["steps"] == []


def test_a_prediction_is_a_line_and_with_steps_a_line_for_each(model):
    result = {"text": "a", "next": [["\n", 0.25], ["b", 0.125]]}
    assert model.format_result(result) == "a\t'\\n' 0.250\t'b' 0.125" and model.format_header(result) is None
    steps = [{"text": "x", "next": [["y", 0.5]]}, {"text": "xy", "next": [["z", 1.0]]}]
    assert model.format_result({**result, "steps": steps}) == "x\t'y' 0.500\nxy\t'z' 1.000"


def test_a_model_that_is_saved_and_loaded_needs_no_data(trained, tmp_path):
    from safetensors.torch import save_file

    task, model = trained
    assert model.preprocessor.save(tmp_path) == ["vocabulary.json"]
    save_file(model.network.state_dict(), tmp_path / "model.safetensors")
    loaded = LanguageModel.load(tmp_path, task.config)
    assert loaded.preprocessor == model.preprocessor
    assert loaded.predict(["the r", "春"], k=3) == model.predict(["the r", "春"], k=3)
