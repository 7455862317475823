"""What each task gives to be explained: the value is the one that it predicts, and the shares add up to it."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import recurra
from recurra.errors import UsageError
from recurra.explain.explanation import Explanation, explain_inputs
from recurra.linear import NgramClassifier, NgramCoalitions
from recurra.tasks.sequence.explain import text_elements

RUNS = Path(__file__).resolve().parents[1] / "golden" / "runs"
DATA = RUNS.parent / "data"
BEATS = [[float(n), float(n % 3)] for n in range(9)]
INPUTS: dict[str, Any] = {
    "classify_text": "so good",
    "classify_series": np.array(BEATS),
    "tag": ["Anna", "went", "to", "Paris"],
    "embed": None,
    "lm": "the cat",
    "forecast": None,
    "detect": None,
}


def input_of(run: recurra.Run, name: str) -> Any:
    """Give one input that the run can read."""
    if INPUTS[name] is not None:
        return INPUTS[name]
    if name != "embed":
        (first, *_) = run.predictor.read_file(DATA / ("sales_new.csv" if name == "forecast" else "plant.csv")) or []
        return first
    if run.predictor.inputs.discrete:
        return "so good"
    return np.abs(np.sin(np.arange(20.0)))[:, None] * np.ones(len(run.predictor.inputs.channel_names))


def explain(run: recurra.Run, given: Any, **options: Any) -> Explanation:
    """Explain one input, which may be a list of words."""
    (found,) = run.explain([given], **options)
    return found


@pytest.fixture(scope="module")
def runs() -> dict[str, recurra.Run]:
    return {name: recurra.load(RUNS / name) for name in INPUTS}


@pytest.mark.parametrize("name", INPUTS)
def test_shares_add_up_and_the_value_is_whole(runs: dict[str, recurra.Run], name: str) -> None:
    run = runs[name]
    given = input_of(run, name)
    found = explain(run, given, memory=True, permutations=2)
    assert isinstance(found, Explanation)
    assert found.attributions.sum_error <= 1e-6
    output = run.predictor.explained(given, run.predictor.ExplainOptions())
    (level,) = output.arranged(np.arange(output.steps)[None])
    assert level == pytest.approx(found.attributions.whole, abs=1e-5)
    content = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert len(content["segments"]) == len(output.segments)
    assert "<html" in found._repr_html_().replace("&lt;", "<")


def test_the_log_odds_are_those_of_the_predicted_probability(runs: dict[str, recurra.Run]) -> None:
    for name in ("classify_text", "classify_series"):
        run, given = runs[name], INPUTS[name]
        result = run.predict(given)
        share = result["probabilities"][result["label"]]
        found = run.explain(given)
        assert found.target.name == result["label"]
        assert found.attributions.whole == pytest.approx(np.log(share / (1 - share)), abs=1e-4)
    (result,) = runs["tag"].predict([INPUTS["tag"]])
    found = explain(runs["tag"], INPUTS["tag"], at=1)
    share = result["probabilities"][0]
    assert found.target.name == f"{result['tags'][0]} at Anna"
    assert found.attributions.whole == pytest.approx(np.log(share / (1 - share)), abs=1e-3)


def test_the_next_unit_is_explained_by_its_log_probability(runs: dict[str, recurra.Run]) -> None:
    run = runs["lm"]
    ((unit, share),) = run.predict("the cat", k=1)["next"]
    found = run.explain("the cat")
    assert found.target.name == repr(unit)
    assert found.attributions.whole == pytest.approx(np.log(share), abs=1e-5)
    two = run.explain("the cat", target=" s")
    parts = [
        run.explain("the cat", target=" ").attributions.whole,
        run.explain("the cat ", target="s").attributions.whole,
    ]
    assert two.attributions.whole == pytest.approx(sum(parts), abs=1e-5)


@pytest.mark.parametrize("name", ["classify_text", "tag", "lm"])
def test_gradients_are_those_of_differences(runs: dict[str, recurra.Run], name: str) -> None:
    run = runs[name]
    output = run.predictor.explained(INPUTS[name], run.predictor.ExplainOptions())
    fast = explain(run, INPUTS[name], fast=True)
    assert fast.attributions.sum_error < 0.1 * max(0.05, abs(fast.attributions.whole - fast.attributions.nothing))
    assert len(output.layer_gradients()) >= 1


def test_a_translation_is_explained_by_its_log_probability(tmp_path: Path) -> None:
    lines = (DATA / "dates.tsv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "dates.tsv").write_text("\n".join(lines[:25]) + "\n", encoding="utf-8")
    settings: dict[str, Any] = {"hidden": 8, "layers": 1, "epochs": 1, "quiet": True, "threads": 1}
    run = recurra.train("translate", tmp_path / "dates.tsv", tmp_path / "run", **settings)
    (scored,) = run.score(["24 May 2029\t2029-05-24"])
    found = run.explain("24 May 2029", target="2029-05-24", memory=True)
    assert found.attributions.whole == pytest.approx(scored["log_prob"], abs=1e-4)
    assert found.attributions.sum_error <= 1e-6
    one = run.explain("24 May 2029", target="2029-05-24", at=3, fast=True)
    assert one.attributions.whole == pytest.approx(scored["units"][2][1], abs=1e-4)
    assert one.attributions.sum_error < 1e-3


def test_what_cannot_be_explained_says_so(runs: dict[str, recurra.Run]) -> None:
    run = runs["classify_text"]
    with pytest.raises(UsageError, match="target: expected one of the classes"):
        run.explain("so good", target="splendid")
    with pytest.raises(UsageError, match="does not take this option"):
        run.explain("so good", quantile=0.5)
    with pytest.raises(UsageError, match="fast: what this run reads has no gradient"):
        explain(runs["detect"], input_of(runs["detect"], "detect"), fast=True)
    with pytest.raises(UsageError, match="at: expected 1 to 4"):
        explain(runs["tag"], INPUTS["tag"], at=9)

    with pytest.raises(UsageError, match="at: expected a step that has an error, as 2 has, got 1"):
        explain(runs["detect"], input_of(runs["detect"], "detect"), at=1)

    class Silent:
        name = "dance"

    with pytest.raises(UsageError, match="a run of 'dance' cannot be explained"):
        explain_inputs(Silent(), ["a"], {})  # type: ignore[arg-type]


def test_that_a_value_is_missing_has_a_share_too(runs: dict[str, recurra.Run]) -> None:
    run = runs["classify_series"]
    assert run.predictor.inputs.gaps.all()
    whole = explain(run, np.array(BEATS), target="fast").attributions
    gaps = np.array(BEATS)
    gaps[3] = np.nan
    missing = explain(run, gaps, target="fast").attributions
    assert missing.nothing == pytest.approx(whole.nothing, abs=1e-6)
    assert abs(missing.shares[3]) > 1e-3 and missing.sum_error < 1e-6


def test_a_long_text_is_cut_in_little_memory(runs: dict[str, recurra.Run]) -> None:
    inputs, words = runs["classify_text"].predictor.inputs, runs["tag"].predictor.inputs
    tracemalloc.start()
    text, elements = text_elements("so good " * 5_000, inputs)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(elements) == len(text) == 40_000 and peak < 100e6  # all prefixes together would be 800 MB
    assert text_elements(["Anna", "went"], words)[1] == text_elements("Anna went", words)[1]


def test_channels_can_be_left_out_as_a_whole(runs: dict[str, recurra.Run]) -> None:
    run = runs["classify_series"]
    found = run.explain(INPUTS["classify_series"], by="channels")
    assert [segment.text for segment in found.segments] == run.predictor.inputs.channel_names


def test_ngrams_of_a_text_without_a_word_are_those_of_the_rest() -> None:
    texts, targets = ["so good", "very good", "so bad", "very bad"] * 5, np.array([1, 1, 0, 0] * 5)
    model = NgramClassifier().fit(texts, targets, 2)
    text = "so very  good"
    owner = np.array([0, 0, -1, 1, 1, 1, 1, -1, -1, 2, 2, 2, 2])
    coalitions = NgramCoalitions(model, text, owner)
    masks = torch.tensor([[1.0, 1.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    found = coalitions.logits(masks).numpy()
    expected = model.logits([text, "very good", "so very", ""])
    np.testing.assert_allclose(found[[0, 3]], expected[[0, 3]], atol=1e-5)
    np.testing.assert_allclose(found[1:3], expected[1:3], atol=0.2)  # but for the spaces at either end
