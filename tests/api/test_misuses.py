"""Whatever a caller can cause is a `RecurraError`: every public function with every wrong value in every argument."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.api.misuses import Target, failure, misuses

import recurra
from recurra.errors import RecurraError
from recurra.kernels.native import engine
from recurra.runs.config import fields
from recurra.runs.run import Run
from recurra.tasks import task_names

TINY: dict[str, Any] = {"epochs": 0.2, "hidden": 4, "layers": 1, "threads": 1, "quiet": True}
NUMBERS = ["10**30", "1e30", "inf"]
ENDLESS = dict.fromkeys(("length", "count", "beam", "top_k", "length_penalty"), frozenset(NUMBERS))
"""Numbers that ask for so much output or memory: their bounds are those of the options, not of their types."""


def write_data(folder: Path) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Write data for a run of each kind; gives by its name the task, the file and the settings."""
    rows = [f"the rain number {n % 7} is {'good' if n % 2 else 'bad'}" for n in range(40)]
    (folder / "verse.txt").write_text("\n".join(rows * 2), encoding="utf-8")
    labelled = [f"{row},{'yes' if n % 2 else 'no'}" for n, row in enumerate(rows)]
    (folder / "reviews.csv").write_text("\n".join(["text,label", *labelled]), encoding="utf-8")
    tagged = ["\n".join(f"{word}\t{'N' if len(word) > 3 else 'O'}" for word in row.split()) for row in rows]
    (folder / "names.conll").write_text("\n\n".join(tagged), encoding="utf-8")
    waves = np.sin(np.arange(12) * np.linspace(0.2, 0.9, 40)[:, None])[:, :, None]
    np.savez(folder / "waves.npz", x=waves, y=np.array(["slow", "fast"] * 20))
    values = "\n".join(f"{np.sin(n / 3):.3f}" for n in range(120))
    (folder / "values.csv").write_text(f"value\n{values}\n", encoding="utf-8")
    forward = {"bidirectional": False, "test_share": 0}
    return {
        "lm": ("lm", "verse.txt", {"bptt": 16, "batch": 8}),
        "classify text": ("classify", "reviews.csv", forward),
        "classify characters": ("classify", "reviews.csv", {**forward, "unit": "char", "linear": "none"}),
        "classify series": ("classify", "waves.npz", forward),
        "tag": ("tag", "names.conll", forward),
        "embed text": ("embed", "reviews.csv", forward),
        "embed series": ("embed", "waves.npz", {**forward, "scale": "data"}),
        "forecast": ("forecast", "values.csv", {"horizon": 3}),
        "detect": ("detect", "values.csv", {}),
    }


KINDS = ["lm", "classify text", "classify characters", "classify series", "tag", "embed text", "embed series",
         "forecast", "detect"]  # fmt: skip


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


def example(kind: str) -> Any:
    """Give an input for a run of a kind."""
    if kind == "tag":
        return ["the", "rain"]
    return "the rain" if kind in ("lm", "classify text", "classify characters", "embed text") else np.zeros((5, 1))


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
        ("lm", lambda run: run.predict(None), "inputs: expected a text, an array, a dict, a data frame or a list, got None"),
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
        ("lm", lambda run: run.evaluate(b"x"), "data: expected a path, each part of at most 255 bytes or a list"),
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
        (lambda: recurra.load(b"x"), "path: expected a path, each part of at most 255 bytes, got b'x'"),
        (lambda: recurra.load("a\0b"), "path: expected a path, .*, got 'a.*b'"),
        (lambda: recurra.train("lm", None), "data: expected a path, .*a dict, a data frame or a list .*, got None"),
        (lambda: recurra.train("lm", "a", epochs=np.zeros((3, 3))), "epochs: .* got array"),
        (lambda: recurra.train(), "task: train needs this argument"),
        (lambda: recurra.accelerate(3), "model: expected a Module, got 3"),
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


def run_targets(kind: str, run: Run) -> list[Target]:
    """List the methods of a run."""
    one, task = example(kind), run.predictor
    predicting = tuple(type(task).PredictOptions.model_fields)
    evaluating = tuple(type(task).EvaluateOptions.model_fields)
    found = [
        Target("predict", lambda: run.predict, {"inputs": [one]}, tuple({*predicting} - {"k", "steps"})),
        Target("evaluate", lambda: run.evaluate, {"data": "nosuch.txt"}, evaluating),
        Target("score", lambda: run.score, {"texts": ["the"]}),
        Target("embed", lambda: run.embed, {"inputs": one}),
        Target("stream", lambda: run.stream, {"prompt": one}),
        Target("events", lambda: run.events),
        Target("to", lambda: run.to, {"device": "cpu"}),
        Target("info", lambda: run.info),
    ]
    sampling = ("length", "temperature", "top_k", "top_p", "seed", "greedy", "count", "beam", "length_penalty")
    valid = {"prompt": "the", "length": 2}
    found += [
        Target("generate", lambda: run.generate, valid, sampling, ENDLESS),
        Target("generate_chunks", lambda: run.generate_chunks, valid, sampling, ENDLESS),
        Target("beam_search", lambda: run.beam_search, {**valid, "beam": 2}, sampling, ENDLESS),
    ]
    return found


def predictor_targets(kind: str, run: Run) -> list[Target]:
    """List the methods of a predictor that docs/python.md or docs/tasks.md name."""
    predictor: Any = run.predictor
    one = example(kind)
    targets = [
        Target("predictor.predict", lambda: predictor.predict, {"inputs": [one]}),
        Target("predictor.parse", lambda: predictor.parse, {"line": "the rain"}),
        Target("predictor.read_file", lambda: predictor.read_file, {"source": "nosuch.txt"}),
    ]
    if kind == "lm":
        targets += [
            Target("predictor.score", lambda: predictor.score, {"texts": ["the"]}),
            Target("predictor.predict_next", lambda: predictor.predict_next, {"text": "the", "k": 2}),
        ]
    if hasattr(predictor, "embed"):
        targets.append(Target("predictor.embed", lambda: predictor.embed, {"inputs": [one]}))
    if hasattr(predictor, "errors"):
        targets.append(Target("predictor.errors", lambda: predictor.errors, {"inputs": [one]}))
    if hasattr(predictor, "stream"):
        targets.append(Target("predictor.stream", lambda: predictor.stream, {"prompt": one}))
    return targets


def stream_targets(kind: str, run: Run) -> list[Target]:
    """List the methods of the stream of a run, each call on a stream of its own."""
    if kind == "forecast":
        return []
    one = example(kind)
    first = run.stream()

    def set_state(state: Any) -> None:
        first.fork().state = state

    def method(name: str) -> Target | None:
        if not hasattr(first, name):
            return None
        valid = {
            "read": {"text" if kind == "lm" else "series" if kind == "detect" else "sequence": one},
            "step": {"unit": 3} if kind == "lm" else {"values": 0.5} if kind == "detect" else {"value": one[0]},
            "log_prob": {"text": "the"},
        }.get(name, {})
        return Target(f"stream.{name}", lambda: getattr(first.fork(), name), valid)

    names = ["read", "step", "log_prob", "likeliest", "prediction", "vector", "feed", "fork", "feed_all"]
    state = Target("stream.state", lambda: set_state, {"state": first.state}, calls=False)
    parts = Target("stream.state parts", lambda: lambda part: set_state((part, *first.state[1:])), calls=False)
    last = Target("stream.state last", lambda: lambda part: set_state((*first.state[:-1], part)), calls=False)
    deep = Target("stream.state deep", lambda: lambda part: set_state((*first.state[:-1], (part,))), calls=False)
    return [state, parts, last, deep, *(made for name in names if (made := method(name)))]


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


VALUES_TRIED_IN_SETTINGS = (
    "None", "True", "2.5", "nan", "10**30", "str", "bytes", "object", "[1, 'a']", "dict", "array (0,)",
    "structured array", "complex array",
)  # fmt: skip
"""For settings, of which there are hundreds: one of each kind that a validator may stumble over."""


def setting_targets(task: str) -> list[Target]:
    """List all settings of a task, as arguments of a training whose data are not there."""
    names = tuple(name for name in fields(task) if name != "data")
    valid = {"task": task, "data": "nosuch.txt", "quiet": True}
    return [
        Target(f"train {task} settings", lambda: recurra.train, valid, names, values=VALUES_TRIED_IN_SETTINGS),
        Target(f"train {task}", lambda: recurra.train, valid),
    ]


@pytest.mark.parametrize("task", task_names())
def test_misuses_of_settings(task: str) -> None:
    check(setting_targets(task), 500)


def function_targets(run: Run) -> list[Target]:
    """List the functions and classes of `recurra` itself."""
    path = run.path
    return [
        Target("load", lambda: recurra.load, {"path": path}),
        Target("resume", lambda: recurra.resume, {"folder": "nosuch", "quiet": True}),
        Target("resume finished", lambda: recurra.resume, {"folder": path, "quiet": True}, ("hidden", "lr")),
        Target("exact", lambda: recurra.exact),
        Target("accelerate", lambda: recurra.accelerate, {"model": torch.nn.Sequential()}),
        Target("Run", lambda: Run, {"path": path, "configuration": None, "predictor": None}),
        Target("Stream", lambda: recurra.Stream, {"step": lambda x, s: (x, s), "state": ((torch.zeros(1),),)}),
    ]


def test_misuses_of_functions(runs: Mapping[str, Run]) -> None:
    check(function_targets(runs["lm"]), 400)


def module_stream_targets() -> list[Target]:
    """List the methods of a stream of a module."""
    stream = recurra.ModuleStream(torch.nn.GRU(3, 5))

    def set_state(state: Any) -> None:
        stream.fork().state = state

    return [
        Target("ModuleStream", lambda: recurra.ModuleStream, {"module": torch.nn.GRU(3, 5)}),
        Target("ModuleStream.step", lambda: stream.fork().step, {"x": np.zeros(3)}, calls=False),
        Target("ModuleStream.state", lambda: set_state, {"state": stream.state}, calls=False),
        Target("ModuleStream.state parts", lambda: lambda part: set_state(((part,),)), calls=False),
    ]


@pytest.mark.skipif(engine() is None, reason="a ModuleStream needs the native engine")
def test_misuses_of_a_module_stream(capsys: pytest.CaptureFixture[str]) -> None:
    check(module_stream_targets(), 200)
