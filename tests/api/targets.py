"""What of the Python interface is tried with wrong values: the methods of runs of each kind, and the functions of `recurra`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from tests.api.misuses import Target

import recurra
from recurra.runs.config import fields
from recurra.runs.run import Run

TINY: dict[str, Any] = {"epochs": 0.2, "hidden": 4, "layers": 1, "threads": 1, "quiet": True}


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


def example(kind: str) -> Any:
    """Give an input for a run of a kind."""
    if kind == "tag":
        return ["the", "rain"]
    return "the rain" if kind in ("lm", "classify text", "classify characters", "embed text") else np.zeros((5, 1))


def run_targets(kind: str, run: Run) -> list[Target]:
    """List the methods of a run."""
    one, task = example(kind), run.predictor
    predicting = tuple(type(task).PredictOptions.model_fields)
    evaluating = tuple(type(task).EvaluateOptions.model_fields)
    found = [
        Target("predict", lambda: run.predict, {"inputs": [one]}, tuple({*predicting} - {"k", "steps"})),
        Target("explain", lambda: run.explain, {"inputs": [one]}, tuple(type(task).ExplainOptions.model_fields)),
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
        Target("generate", lambda: run.generate, valid, sampling),
        Target("generate_chunks", lambda: run.generate_chunks, valid, sampling),
        Target("beam_search", lambda: run.beam_search, {**valid, "beam": 2}, sampling),
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


def function_targets(run: Run) -> list[Target]:
    """List the functions and classes of `recurra` itself."""
    path = run.path
    return [
        Target("load", lambda: recurra.load, {"path": path}),
        Target("resume", lambda: recurra.resume, {"folder": "nosuch", "quiet": True}),
        Target("resume finished", lambda: recurra.resume, {"folder": path, "quiet": True}, ("hidden", "lr")),
        Target("exact", lambda: recurra.exact),
        Target("accelerate", lambda: recurra.accelerate, {"model": torch.nn.Sequential()}),
        Target("restore", lambda: recurra.restore, {"model": torch.nn.Sequential()}),
        Target("Run", lambda: Run, {"path": path, "configuration": None, "predictor": None}),
        Target("Stream", lambda: recurra.Stream, {"step": lambda x, s: (x, s), "state": ((torch.zeros(1),),)}),
    ]


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
