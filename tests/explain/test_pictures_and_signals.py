"""What stands in pictures and signals is explained: the value is the predicted one, the shares add up to it, and a page draws them."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.runs.trainings import CASES, train
from tests.tasks.transcribe.signals import write_lines, write_sounds

import recurra
from recurra.errors import UsageError
from recurra.explain.diagnosis import diagnose
from recurra.explain.gates import record
from recurra.nn import ctc_prefix_log_prob
from recurra.report.blocks import SharedPicture
from recurra.runs.run import Run
from recurra.tasks.base.explanation import PictureParts

SIGNALS: dict[str, Any] = {"split_by": "signal", "hidden": 4, "layers": 1, "epochs": 1, "quiet": True, "threads": 1}
KINDS = ["caption", "pixels", "inks", "sounds", "lines"]


def make(kind: str, folder: Path) -> tuple[Run, Any, dict[str, Any]]:
    """Train a little; gives the run, an input, and the options of its explanation."""
    if kind == "sounds":
        (folder / "data").mkdir()
        data = write_sounds(folder / "data", 12)
        run = recurra.train("transcribe", data, folder / "run", label_from="{text}_{speaker}_*", mels=12, **SIGNALS)
        return run, run.predictor.read_file(str(data))[0], {"target": "ab"}
    if kind == "lines":
        (folder / "data").mkdir()
        data = write_lines(folder / "data", 12)
        run = recurra.train("transcribe", data, folder / "run", **SIGNALS)
        return run, run.predictor.read_file(str(data))[0], {"target": "ab"}
    task = "transcribe" if kind == "inks" else kind
    run = train(task, folder / "run")
    return run, CASES[task][2], {"target": run.predictor.preprocessor.label_texts[1]} if kind == "inks" else {}


@pytest.fixture(scope="module", params=KINDS)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Run, Any, dict[str, Any]]:
    return request.param, *make(request.param, tmp_path_factory.mktemp(request.param))


def test_shares_add_up_and_are_drawn(made: tuple[str, Run, Any, dict[str, Any]]) -> None:
    kind, run, given, options = made
    (found,) = run.explain([given], permutations=2, **options)
    assert found.attributions.sum_error <= 1e-5
    assert isinstance(found.shown, PictureParts) and found.text is None
    assert set(np.unique(found.shown.owner)) - {-1} <= set(range(len(found.segments)))
    (picture,) = (block for block in found.blocks() if isinstance(block, SharedPicture))
    assert picture.draw().count("<path") >= 1 and "<image" in picture.draw()
    assert json.loads(json.dumps(picture.to_json(), allow_nan=False))["kind"] == "picture_shares"
    output = run.predictor.explained(given, run.predictor.ExplainOptions(**options))
    numeric = _slope(output, len(output.segments))
    gradient = output.gradients(np.full((1, len(output.segments)), 0.5))[0]
    np.testing.assert_allclose(gradient.sum(), numeric, rtol=0.05, atol=2e-3)
    if kind == "caption":
        with pytest.raises(UsageError, match="memory: this run reads its input at once"):
            run.explain([given], memory=True, permutations=2)
    else:
        (remembered,) = run.explain([given], memory=True, permutations=2, **options)
        assert remembered.memory is not None and remembered.memory.effect.lags[0] == 0


def _slope(output: Any, parts: int) -> float:
    """Give how the output changes where all parts are there to a little more than half."""
    points = torch.tensor([[0.501] * parts, [0.499] * parts])
    with torch.no_grad():
        above, below = output.compute(points, None).tolist()
    return (above - below) / 0.002


def test_gates_are_recorded_and_the_run_is_diagnosed(made: tuple[str, Run, Any, dict[str, Any]]) -> None:
    kind, run, given, _ = made
    trace = record(run.predictor, given)
    assert trace.layers and all(layer.deviation <= 1e-5 for layer in trace.layers)
    if kind == "caption":
        words = {layer.steps[0] for layer in trace.layers}
        assert words == {run.predictor.preprocessor.vocabulary.label(run.predictor.preprocessor.vocabulary.bos_id)}
    assert diagnose(run)


def test_a_row_and_a_word_have_the_probability_that_was_scored(tmp_path: Path) -> None:
    pixels = train("pixels", tmp_path / "pixels")
    picture = CASES["pixels"][2]
    (row,) = pixels.explain([picture], at=3, by="rows")
    assert row.target.name == "row 3" and [part.text for part in row.segments] == ["row 1", "row 2"]
    levels = pixels.predictor.preprocessor.encode(pixels.predictor.preprocessor.check(picture)[None])
    with torch.no_grad():
        found = pixels.predictor.network.log_probs(torch.from_numpy(levels.astype(np.int64)))
    assert row.attributions.whole == pytest.approx(float(found[0, 2].sum()), abs=1e-4)
    with pytest.raises(UsageError, match="at: expected 2 to 6"):
        pixels.explain([picture], at=1)
    captions = train("caption", tmp_path / "caption")
    shown = CASES["caption"][2]
    whole = captions.explain(shown, permutations=2)
    assert whole.attributions.whole == pytest.approx(captions.predict(shown)["log_prob"], abs=1e-3)
    vocabulary = captions.predictor.preprocessor.vocabulary
    text = vocabulary.label(next(id for id in range(vocabulary.size) if vocabulary.label(id).isalpha()))
    named, first = (captions.explain(shown, target=text, permutations=2, **at) for at in ({}, {"at": 1}))
    assert first.target.name == repr(text) and named.attributions.whole < first.attributions.whole < 0
    with pytest.raises(UsageError, match="at: expected 1 to 1"):
        captions.explain(shown, target=text, at=2)


def test_the_units_of_a_transcript_and_its_words_follow_from_prefixes(tmp_path: Path) -> None:
    run = train("transcribe", tmp_path / "run")
    given, predictor = CASES["transcribe"][2], run.predictor
    labels = predictor.preprocessor.label_texts
    text = labels[1] + labels[2]
    both = [run.explain(given, target=text, character=place, permutations=2).attributions.whole for place in (1, 2)]
    word = run.explain(given, target=text, at=1, permutations=2)
    assert word.attributions.whole == pytest.approx(sum(both), abs=1e-5)
    assert word.shown.focus is not None and word.shown.focus.any()
    for options, message in (
        ({"target": "☃"}, "target: expected a text that this run can write"),
        ({"target": text, "at": 2}, "at: expected 1 to 1"),
        ({"target": text, "at": 1, "character": 1}, "at, character: expected one of the two"),
        ({"target": text * 500}, "target: expected at most"),
    ):
        with pytest.raises(UsageError, match=message):
            run.explain(given, **options)


@pytest.mark.parametrize("labels", [[1], [1, 2], [1, 1], [2, 1, 2]])
def test_the_probability_of_a_prefix_is_that_of_all_paths_that_begin_with_it(labels: list[int]) -> None:
    frames, size = 5, 3
    log_probs = torch.randn(frames, 1, size, generator=torch.Generator().manual_seed(2)).double().log_softmax(-1)
    total = 0.0
    for path in itertools.product(range(size), repeat=frames):
        spelt = [label for label, _ in itertools.groupby(path) if label]
        if spelt[: len(labels)] == labels:
            total += float(sum(log_probs[frame, 0, label] for frame, label in enumerate(path)).exp())
    assert float(ctc_prefix_log_prob(log_probs, labels).exp()) == pytest.approx(total, rel=1e-9)
