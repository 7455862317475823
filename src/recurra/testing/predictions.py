"""What a task promises before and after training: what it initializes, what it calibrates, and what its predictor gives."""

from __future__ import annotations

import json
from typing import Any

import torch
from safetensors.torch import save

from recurra.kernels.native import engine
from recurra.tasks.base.predictor import WEIGHTS, Predictor
from recurra.testing.case import TaskCase, untouched
from recurra.testing.expect import expect, expect_same


def check_initialize(case: TaskCase) -> None:
    """What the data set of a fresh network is finite, draws no random number, and is the same for another that is as fresh."""
    task = case.ready()
    initialized = []
    for _ in range(2):
        network = case.network(task)
        with untouched():
            sentence = task.initialize(network)
        for name, value in network.state_dict().items():
            finite = not value.is_floating_point() or bool(value.isfinite().all())
            expect(finite, f"{name}: expected it finite, got {value}")
        initialized.append((sentence, list(network.state_dict().values())))
    (first, weights), (second, again) = initialized
    expect(first == second, f"expected the same sentence on both, got {first!r} and {second!r}")
    expect_same("what is initialized, done again", again, weights)


def check_calibrate(case: TaskCase) -> None:
    """What is calibrated by the validation data is finite, changes no weight that was learnt, and is the same when done again."""
    task = case.ready()
    network = case.network(task).train()
    learnt = {name: value.detach().clone() for name, value in network.named_parameters()}
    modes = [module.training for module in network.modules()]
    with untouched():
        task.calibrate(task.predictor(network))
    first = {name: value.clone() for name, value in network.state_dict().items()}
    for name, value in first.items():
        expect(
            not value.is_floating_point() or bool(value.isfinite().all()), f"{name}: expected it finite, got {value}"
        )
    expect_same("the weights that were learnt", list(dict(network.named_parameters()).values()), list(learnt.values()))
    expect([m.training for m in network.modules()] == modes, "expected the network to stay in its training mode")
    task.calibrate(task.predictor(network))
    expect_same("what is calibrated, done again", list(network.state_dict().values()), list(first.values()))


def check_predictions(case: TaskCase) -> None:
    """Lines are read, predicted in JSON and in words, the same alone and in a batch, and the network is left as it was.

    Only where the case has lines to predict for.
    """
    if not case.lines:
        return
    task = case.ready()
    network = case.network(task).eval()
    predictor = task.predictor(network)
    expect(predictor.read_file("-") is None, "read_file('-'): expected None, since standard input is read line by line")
    items = [predictor.parse(line) for line in case.lines]
    for item in items:
        warnings = predictor.input_warnings(item)
        good = isinstance(warnings, list) and all(map(_is_words, warnings))
        expect(good, f"input_warnings: expected sentences, got {warnings!r}")
    with untouched(network):
        together, stepped = predictor.predict(items), predictor.predict(items, steps=True)
        alone = [predictor.predict([item], steps=False)[0] for item in items]
        few = predictor.predict(items, k=1) if "k" in predictor.PredictOptions.model_fields else together
    for name, results in (("predict", together), ("predict, steps", stepped), ("predict, k=1", few)):
        _check_results(predictor, name, results, len(items))
    if engine() is not None:
        for line, one, other in zip(case.lines, together, alone, strict=True):
            expect(one == other, f"{line!r}: expected the same alone and in a batch, got {other} and {one}")
    for one, other in zip(together, stepped, strict=True):
        expect(isinstance(other.get("steps"), list), f"steps: expected a list of them in 'steps', got {sorted(other)}")
        rest = {name: value for name, value in other.items() if name != "steps"}
        expect(rest == one, f"steps: expected the rest as without them, {one}; got {rest}")
    with torch.no_grad():
        expect(predictor.predict([]) == [], "predict: expected nothing of nothing")


def _check_results(predictor: Predictor, name: str, results: list[dict[str, Any]], count: int) -> None:
    expect(len(results) == count, f"{name}: expected {count} results, got {len(results)}")
    for result in results:
        expect(isinstance(result, dict) and bool(result), f"{name}: expected an object, got {result!r}")
        json.dumps(result, allow_nan=False)
        line = predictor.format_result(result)
        expect(isinstance(line, str), f"format_result, {name}: expected text, got {line!r}")
        if (header := predictor.format_header(result)) is not None:
            cells = {row.count("\t") for row in line.splitlines()}
            expect(
                cells <= {header.count("\t")},
                f"format_header, {name}: expected a cell for each of {header!r}, got {line!r}",
            )


def check_loaded(case: TaskCase) -> None:
    """A predictor that is loaded from a folder, without any data, predicts what the one in training does."""
    if not case.lines:
        return
    task = case.ready()
    network = case.network(task).eval()
    folder = case.empty_folder()
    task.save(folder)
    (folder / WEIGHTS).write_bytes(save({name: value.contiguous() for name, value in network.state_dict().items()}))
    loaded = case.kind.Predictor.load(folder, task.config.model_copy(deep=True))
    predictor = task.predictor(network)
    wanted, got = (one.predict([one.parse(line) for line in case.lines]) for one in (predictor, loaded))
    expect(got == wanted, f"expected the predictions of the network that was saved, {wanted}; got {got}")


def _is_words(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
