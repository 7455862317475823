"""Whatever a caller can cause is a `RecurraError`: every public function with every wrong value in every argument."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.api.misuses import Target, failure, misuses
from tests.api.targets import (
    KINDS,
    TINY,
    function_targets,
    module_stream_targets,
    predictor_targets,
    run_targets,
    setting_targets,
    stream_targets,
    write_data,
)

import recurra
from recurra.errors import RecurraError
from recurra.kernels.native import engine
from recurra.runs.run import Run
from recurra.tasks import task_names


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Run]:
    folder = tmp_path_factory.mktemp("misuses")
    return {
        name: recurra.train(task, folder / file, folder / f"run {name}", **TINY, **settings)
        for name, (task, file, settings) in write_data(folder).items()
    }


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What names files finds none, whatever is there else."""
    monkeypatch.chdir(tmp_path)
    yield


@pytest.mark.parametrize("kind", KINDS)
def test_every_public_method_goes_through_the_gate(kind: str, runs: Mapping[str, Run]) -> None:
    run = runs[kind]
    things = [Run, *([] if kind == "forecast" else [type(run.stream())])]
    named = [(thing, name) for thing in things for name in dir(thing) if not name.startswith("_")]
    methods = [(thing, name) for thing, name in named if callable(getattr(thing, name))]
    named_in_docs = [
        (type(run.predictor), name) for name in ("predict", "parse", "read_file", "embed", "stream", "score")
    ]
    every = [*methods, *(one for one in named_in_docs if hasattr(*one))]
    assert len(every) > 12
    unchecked = [
        f"{thing.__name__}.{name}" for thing, name in every if not hasattr(getattr(thing, name), "__wrapped__")
    ]
    assert unchecked == []


@pytest.mark.parametrize(
    ("kind", "call", "message"),
    [
        ("lm", lambda run: run.predict(None), "inputs: expected a text, an array, a signal, a dict, a data frame or a list, got None"),
        ("lm", lambda run: run.predict(), "inputs: predict needs this argument"),
        ("lm", lambda run: run.predict("a", input="b"), "input: a run of 'lm' does not take this option; it takes k, steps"),
        ("lm", lambda run: run.predict([3]), "text: expected a text, got 3"),
        ("lm", lambda run: run.generate(length=2.5), "length: input should be a valid integer, got a number with a fractional part"),
        ("lm", lambda run: run.generate(nosuch=1), "nosuch: a run of 'lm' does not take this option; it takes beam, count"),
        ("lm", lambda run: run.generate(lenght=1), "lenght: a run of 'lm' does not take this option; .*did you mean length?"),
        ("lm", lambda run: run.generate("a", 3), "generate: expected 1 argument at most without a name, got 2"),
        ("lm", lambda run: run.generate("a", prompt="b"), "prompt: generate got this argument twice"),
        ("lm", lambda run: run.events(knd="train"), "knd: events does not take this argument; did you mean kind?"),
        ("lm", lambda run: run.stream().likeliest(-1), "k: expected a whole number from 1, got -1"),
        ("lm", lambda run: run.stream().read(b"a"), "text: expected a text, got b'a'"),
        ("lm", lambda run: run.evaluate(b"x"), "data: expected a path, a dict, a data frame or a list"),
        ("classify series", lambda run: run.predict(np.array([[1 + 2j]])), "expected a series of real numbers, got array"),
        ("detect", lambda run: run.predict(np.array([[1 + 2j]])), "expected a series of real numbers, got array"),
        ("forecast", lambda run: run.predict(np.array([[1 + 2j]])), "expected a series of real numbers, got array"),
        ("detect", lambda run: run.stream().step(1j), "values: expected numbers, got 1j"),
        ("detect", lambda run: run.stream().step(1.0, time=[]), r"expected a time, got \[\]"),
        ("detect", lambda run: run.stream().step(1.0, static=["a"]), r"static: expected 0 \(none\), got 1"),
    ],
)  # fmt: skip
def test_it_says_what_was_expected(kind: str, call: Any, message: str, runs: Mapping[str, Run]) -> None:
    with pytest.raises(RecurraError, match=f"^{message}"):
        call(runs[kind])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: recurra.load(b"x"), "path: expected a path, got b'x'"),
        (lambda: recurra.load("a\0b"), "path: expected a path, got 'a.*b'"),
        (lambda: recurra.train("lm", None), "data: expected a path, .*a dict, a data frame or a list .*, got None"),
        (lambda: recurra.train("lm", "a", epochs=np.zeros((3, 3))), "epochs: .* got array"),
        (lambda: recurra.train(), "task: train needs this argument"),
        (lambda: recurra.accelerate(3), "model: expected a torch.nn.Module, got 3"),
    ],
)
def test_functions_say_what_was_expected(call: Any, message: str) -> None:
    with pytest.raises(RecurraError, match=f"^{message}") as caught:
        call()
    assert "\n" not in str(caught.value)


def test_what_is_right_stays_right(runs: Mapping[str, Run]) -> None:
    """Numbers of numpy, texts that can be read once, tensors with a gradient, masked arrays."""
    run, detect = runs["lm"], runs["detect"]
    assert run.predict("the", k=np.int64(2)) == run.predict("the", k=2)
    assert run.score(text for text in ("a", "b")) == run.score(["a", "b"])
    assert run.generate("the", length=np.int64(3), seed=1) == run.generate("the", length=3, seed=1)
    assert run.to(torch.device("cpu")) is run
    x = np.sin(np.arange(6.0))[:, None]
    assert detect.predict(torch.tensor(x, requires_grad=True)) == detect.predict(x)
    masked, missing = np.ma.masked_equal(x, float(x[2, 0])), np.where(x == x[2], np.nan, x)
    assert detect.predict(masked, steps=True) == detect.predict(missing, steps=True)


def failures(targets: list[Target]) -> tuple[int, list[str]]:
    """Give how many misuses there are, and which of them end in anything but a result or a `RecurraError`."""
    every = [misuse for target in targets for misuse in misuses(target)]
    return len(every), [found for misuse in every if (found := failure(misuse))]


def check(targets: list[Target], least: int) -> None:
    count, found = failures(targets)
    assert count >= least
    assert not found, f"{len(found)} of {count} misuses, as {'; '.join(found[:20])}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("of", [run_targets, predictor_targets, stream_targets])
def test_misuses_of_a_run(of: Any, kind: str, runs: Mapping[str, Run]) -> None:
    targets = of(kind, runs[kind])
    check(targets, 40 * len(targets))


@pytest.mark.parametrize("task", task_names())
def test_misuses_of_settings(task: str) -> None:
    check(setting_targets(task), 500)


def test_misuses_of_functions(runs: Mapping[str, Run]) -> None:
    check(function_targets(runs["lm"]), 400)


@pytest.mark.skipif(engine() is None, reason="a ModuleStream needs the native engine")
def test_misuses_of_a_module_stream(capsys: pytest.CaptureFixture[str]) -> None:
    check(module_stream_targets(), 200)
