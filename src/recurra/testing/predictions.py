"""What a task promises before and behind training: what it begins with, what it settles, and what it answers."""

from __future__ import annotations

import json
from typing import Any

import torch

from recurra.kernels.native import engine
from recurra.testing.case import TaskCase, untouched
from recurra.testing.expect import expect, expect_same


def check_begun(case: TaskCase) -> None:
    """What a network begins with is finite, draws no random number, and is the same for another that is as fresh."""
    task = case.ready()
    begun = []
    for _ in range(2):
        network = case.network(task)
        with untouched():
            said = task.begin(network)
        for name, value in network.state_dict().items():
            finite = not value.is_floating_point() or bool(value.isfinite().all())
            expect(finite, f"{name}: expected it finite, got {value}")
        begun.append((said, list(network.state_dict().values())))
    expect(begun[0][0] == begun[1][0], f"expected the same said of both, got {begun[0][0]!r} and {begun[1][0]!r}")
    expect_same("what is begun with, done again", begun[1][1], begun[0][1])


def check_settled(case: TaskCase) -> None:
    """What is settled by the validation data is finite, changes no weight that was learnt, and is the same when done again."""
    task = case.ready()
    network = case.network(task).train()
    learnt = {name: value.detach().clone() for name, value in network.named_parameters()}
    modes = [module.training for module in network.modules()]
    with untouched():
        task.settle(network)
    first = {name: value.clone() for name, value in network.state_dict().items()}
    for name, value in first.items():
        expect(
            not value.is_floating_point() or bool(value.isfinite().all()), f"{name}: expected it finite, got {value}"
        )
    expect_same("the weights that were learnt", list(dict(network.named_parameters()).values()), list(learnt.values()))
    expect([m.training for m in network.modules()] == modes, "expected the network to stay in its training mode")
    task.settle(network)
    expect_same("what is settled, done again", list(network.state_dict().values()), list(first.values()))


def check_predictions(case: TaskCase) -> None:
    """Lines are read, answered in JSON and in words, the same alone and in a batch, and the network is left as it was.

    Only for a task that has `predict`, and where the case has lines to ask about.
    """
    task = case.ready()
    predict: Any = getattr(task, "predict", None)
    if predict is None or not case.lines:
        return
    network = case.network(task).eval()
    expect(task.inputs("-") is None, "inputs('-'): expected None, since standard input is read line by line")
    items = [task.parse(line) for line in case.lines]
    for item in items:
        warned = task.warnings(item)
        expect(
            isinstance(warned, list) and all(map(_is_words, warned)), f"warnings: expected sentences, got {warned!r}"
        )
    with untouched(network):
        together, stepped = predict(network, items), predict(network, items, steps=True)
        alone = [predict(network, [item], k=None, steps=False)[0] for item in items]
        few = predict(network, items, k=1)
    for name, results in (("predict", together), ("predict, steps", stepped), ("predict, k=1", few)):
        expect(len(results) == len(items), f"{name}: expected {len(items)} results, got {len(results)}")
        for result in results:
            expect(isinstance(result, dict) and bool(result), f"{name}: expected an object, got {result!r}")
            json.dumps(result, allow_nan=False)
            line = task.prediction_line(result)
            expect(isinstance(line, str), f"prediction_line, {name}: expected text, got {line!r}")
            if (header := task.prediction_header(result)) is not None:
                cells = {row.count("\t") for row in line.splitlines()}
                expect(
                    cells <= {header.count("\t")},
                    f"prediction_header, {name}: expected a cell for each of {header!r}, got {line!r}",
                )
    if engine() is not None:
        for line, one, other in zip(case.lines, together, alone, strict=True):
            expect(one == other, f"{line!r}: expected the same alone and in a batch, got {other} and {one}")
    for one, other in zip(together, stepped, strict=True):
        expect(isinstance(other.get("steps"), list), f"steps: expected a list of them in 'steps', got {sorted(other)}")
        rest = {name: value for name, value in other.items() if name != "steps"}
        expect(rest == one, f"steps: expected the rest as without them, {one}; got {rest}")
    with torch.no_grad():
        expect(predict(network, []) == [], "predict: expected nothing of nothing")


def _is_words(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
