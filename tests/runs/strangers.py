"""Run folders as a stranger may send them: copies of good ones, with any value in any place, and a manifest of their own."""

from __future__ import annotations

import json
import random
import shutil
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from recurra.errors import RecurraError
from recurra.runs.manifest import MANIFEST, write_manifest
from recurra.runs.run import Run

GOLDEN = Path(__file__).parents[1] / "golden"
RUNS = sorted(path.name for path in (GOLDEN / "runs").iterdir() if (path / MANIFEST).is_file())
SMALL: dict[str, Any] = {"quiet": True, "hidden": 4, "layers": 1, "epochs": 1, "threads": 1, "precision": "float32"}
MADE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "classify words": ("classify", "reviews.csv", {}),
    "classify channels": ("classify", "waves.ts", {}),
    "lm words": ("lm", "verse.txt", {"unit": "word"}),
}
"""Kinds of files that the stored runs have none of."""
FILES = {"detect": "plant_new.csv", "forecast": "sales_new.csv"}
"""What runs of these tasks are asked about."""
VALUES: list[Any] = [
    None, True, 0, -1, 2, 6000, 65_536, 10**9, 2**63 - 1, 2**64, 10**30, 0.5, 1e308, float("inf"), float("nan"),
    "", "x", "auto", "a" * 5000, "../x", "\n", "none", [], [1], ["x", "x"], [[]], {}, {"a": 1}, [None], [True],
]  # fmt: skip
MUTATIONS = 40
"""Of each run."""
MAX_CHARACTERS = 900
"""Of an error's line, with the name of the file."""


def copied(source: Path, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("checkpoint"))
    return target


def sign(run: Path) -> None:
    write_manifest(run, [path.name for path in run.iterdir() if path.name != MANIFEST])


def use(run: Path) -> None:
    """Do with a run what its verbs do."""
    loaded = Run.load(run)
    json.dumps(loaded.info(), allow_nan=False)
    predictor: Any = loaded.predictor
    if (task := loaded.configuration.task) in FILES:
        inputs = predictor.read_file(str(GOLDEN / "data" / FILES[task]))
    elif task == "lm" or predictor.inputs.discrete:
        inputs = ["the good rain"]
    else:
        inputs = [np.linspace(0, 1, 24).reshape(12, 2)]
    json.dumps(predictor.predict(inputs), allow_nan=False)
    if loaded.configuration.task == "lm":
        loaded.generate("the", length=3, seed=1)
        loaded.score("the rain")


def held(run: Path, what: str) -> bool:
    """Use a run, and tell whether that is refused; fails for anything but a result or an error in one line."""
    try:
        use(run)
    except RecurraError as error:
        assert "\n" not in str(error), what
        assert len(str(error)) < MAX_CHARACTERS, what
        return True
    except BaseException as error:
        raise AssertionError(f"{what}: {type(error).__name__}: {error}") from error
    return False


# Any value in any place


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*place, key))
    elif isinstance(value, list):
        for index in range(min(len(value), 5)):
            yield from places(value[index], (*place, index))


def put(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    *outer, last = place
    inner = document
    for key in outer:
        inner = inner[key]
    inner[last] = value
    return document


def mutate_toml(path: Path, chance: random.Random) -> str:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    place = chance.choice([place for place in places(document) if place])
    value = chance.choice([each for each in VALUES if each not in (None, [None], 2**64, 10**30)])
    path.write_text(tomli_w.dumps(put(document, place, value)), encoding="utf-8")
    return f"{place} = {value!r:.60}"


def mutate_json(path: Path, chance: random.Random) -> str:
    document = json.loads(path.read_text(encoding="utf-8"))
    place, value = chance.choice(list(places(document))), chance.choice(VALUES)
    path.write_text(json.dumps(put(document, place, value)), encoding="utf-8")
    return f"{place} = {value!r:.60}"


def mutate_lines(path: Path, chance: random.Random) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    number = chance.choice([0, len(lines) - 1, len(lines) - 2, chance.randrange(len(lines))])
    document = json.loads(lines[number])
    place, value = chance.choice(list(places(document))), chance.choice(VALUES)
    lines[number] = json.dumps(put(document, place, value))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"line {number + 1}, {place} = {value!r:.60}"


def mutate_tensors(path: Path, chance: random.Random) -> str:
    with safe_open(path, "pt") as file:
        about = dict(file.metadata() or {})
    tensors = load_file(path)
    name = chance.choice(list(tensors))
    old, kind = tensors[name], chance.choice(["nan", "shape", "type", "drop", "add", "zero", "huge", "about"])
    if kind == "nan" and old.is_floating_point():
        tensors[name] = old * float("nan")
    elif kind == "shape":
        tensors[name] = torch.cat([old.reshape(-1), old.reshape(-1)[:1]])
    elif kind == "type":
        tensors[name] = old.to(chance.choice([torch.float16, torch.float64, torch.int8, torch.bool]))
    elif kind == "drop":
        del tensors[name]
    elif kind == "add":
        tensors["x" * 5000] = torch.zeros(3)
    elif kind == "zero":
        tensors[name] = torch.zeros_like(old)
    elif kind == "huge" and old.dtype != torch.bool:
        tensors[name] = torch.full_like(
            old, 1e30 if old.is_floating_point() else min(2**40, torch.iinfo(old.dtype).max)
        )
    elif "linear" in about:
        document = json.loads(about["linear"])
        place, value = chance.choice(list(places(document))), chance.choice(VALUES)
        about["linear"] = json.dumps(put(document, place, value))
        kind = f"{place} = {value!r:.60}"
    save_file(tensors, path, about)
    return f"{name}: {kind}"


MUTATORS: dict[str, Callable[[Path, random.Random], str]] = {
    ".toml": mutate_toml,
    ".json": mutate_json,
    ".jsonl": mutate_lines,
    ".safetensors": mutate_tensors,
}
