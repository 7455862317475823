"""Whatever a task learns: a training that is killed at any moment leaves a folder that can be read, and ends with the same bits."""

from __future__ import annotations

import importlib.util
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from tests.tasks.caption.pictures import write_pictures
from tests.tasks.transcribe.signals import write_inks

from recurra.runs.config import load_configuration
from recurra.runs.manifest import MANIFEST, check_manifest
from recurra.tasks import task_names
from recurra.training.checkpoint import read_checkpoint
from recurra.training.folder import LOG
from recurra.training.log import read_events

_spec = importlib.util.spec_from_file_location("killing", Path(__file__).with_name("killing.py"))
assert _spec is not None and _spec.loader is not None
killing: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(killing)

SMALL = {"hidden": 4, "epochs": 3, "precision": "float32", "threads": 1, "quiet": True, "checkpoint_seconds": 0}


def write(folder: Path, name: str, lines: list[str]) -> str:
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(folder / name)


def verses(folder: Path) -> dict[str, Any]:
    lines = [f"{n} 白日依山盡 rain {n * n % 101}" for n in range(16)]
    return {"data": write(folder, "verse.txt", lines), "batch": 4, "bptt": 8, "epochs": 1}


def reviews(folder: Path) -> dict[str, Any]:
    lines = [f"{'good' if n % 2 else 'bad'} film {n * n % 13},{'pos' if n % 2 else 'neg'}" for n in range(40)]
    return {
        "data": write(folder, "reviews.csv", ["text,label", *lines]),
        "batch": 8,
        "dropout": 0.2,
        "valid_share": 0.2,
    }


def tagged(folder: Path) -> dict[str, Any]:
    words = [[f"the\tDET\ncat{n % 7}\tNOUN\nsits\tVERB\n"] for n in range(30)]
    return {
        "data": write(folder, "words.conll", [line for one in words for line in one]),
        "batch": 6,
        "valid_share": 0.2,
    }


def sales(folder: Path) -> dict[str, Any]:
    lines = [f"{np.datetime64('2024-01-01') + n // 2},{'ab'[n % 2]},{np.sin(n / 5):.4f}" for n in range(160)]
    return {"data": write(folder, "sales.csv", ["day,shop,sold", *lines]), "series": "shop", "horizon": 2, "batch": 1}


def machines(folder: Path) -> dict[str, Any]:
    lines = [f"{np.datetime64('2024-01-01T00') + n + 30 * (n > 120)},{np.sin(n / 9):.4f}" for n in range(200)]
    return {"data": write(folder, "machine.csv", ["time,x", *lines]), "horizon": 3, "window": 8, "batch": 3}


def waves(folder: Path) -> dict[str, Any]:
    np.savez(folder / "waves.npz", x=np.random.default_rng(1).normal(size=(30, 7, 2)), y=[0, 1] * 15)
    return {
        "data": str(folder / "waves.npz"),
        "valid_share": 0.2,
        "noise": 0.1,
        "decoder_input_dropout": 0.5,
        "batch": 8,
    }


def dates(folder: Path) -> dict[str, Any]:
    rows = [
        f"{n % 28 + 1} of {n % 12 + 1} {1990 + n % 30}\t{1990 + n % 30}-{n % 12 + 1}-{n % 28 + 1}" for n in range(60)
    ]
    path = folder / "dates.tsv"
    path.write_text("\n".join(["source\ttarget", *rows]) + "\n")
    return {"data": str(path), "hidden": 8, "embedding": 8, "valid_share": 0.2, "attention": "additive"}


def crosses(folder: Path) -> dict[str, Any]:
    pictures = np.zeros((50, 5, 6), np.uint8)
    for number, picture in enumerate(pictures):
        picture[number % 5] = picture[:, number % 6] = 255
        picture[number // 10, number // 9] = 0
    np.save(folder / "crosses.npy", pictures)
    return {"data": str(folder / "crosses.npy"), "valid_share": 0.2, "dropout": 0.2, "batch": 8}


def boxes(folder: Path) -> dict[str, Any]:
    return {"data": str(write_pictures(folder, 30)), "side": 32, "channels": 2, "valid_share": 0.2, "batch": 4}


def inks(folder: Path) -> dict[str, Any]:
    return {"data": str(write_inks(folder, 30)), "valid_share": 0.2, "dropout": 0.2, "batch": 4}


def scales(folder: Path) -> dict[str, Any]:
    pieces = [[[n + 40, n + 47 + at % (2 + n % 3)] for at in range(9)] for n in range(30)]
    return {"data": write(folder, "scales.json", [json.dumps(pieces)]), "valid_share": 0.2, "dropout": 0.2, "batch": 4}


def drawings(folder: Path) -> dict[str, Any]:
    return {**inks(folder), "condition": "none"}


def strings(folder: Path) -> dict[str, Any]:
    lines = [f"{'ab'[n % 2]}{'cd' * (n % 5)}{n % 7}" for n in range(60)]
    return {"data": write(folder, "strings.txt", lines), "valid_share": 0.2, "dropout": 0.2, "batch": 8}


CASES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "lm": verses,
    "classify": reviews,
    "tag": tagged,
    "forecast": sales,
    "detect": machines,
    "embed": waves,
    "translate": dates,
    "pixels": crosses,
    "music": scales,
    "strokes": drawings,
    "caption": boxes,
    "transcribe": inks,
    "grammar": strings,
}


@pytest.fixture(scope="module")
def drive() -> Iterator[Any]:
    with killing.driver("sklearn.linear_model", "statsforecast.models") as driver:
        yield driver


def readable(folder: Path) -> None:
    """Hold that a kill has left nothing half-written under a name of its own."""
    if (folder / "config.toml").is_file():
        load_configuration(folder / "config.toml")
    for path in folder.rglob("*.safetensors"):
        assert path.name.startswith(".") or load_file(path)
    if (folder / "checkpoint").is_dir():
        read_checkpoint(folder / "checkpoint")
    if (folder / LOG).is_file():
        read_events(folder / LOG)
    if (folder / MANIFEST).is_file():
        check_manifest(folder)


def test_every_task_has_a_case() -> None:
    assert set(CASES) == set(task_names())


@pytest.mark.parametrize("task", CASES)
def test_killed_at_any_moment_every_task_ends_with_the_same_bits(drive: Any, tmp_path: Path, task: str) -> None:
    arguments = {"task": task, **SMALL, **CASES[task](tmp_path)}
    whole = drive("train", out=str(tmp_path / "whole"), **arguments)
    assert whole["error"] is None and whole["status"] == 0
    expected = killing.outcome(tmp_path / "whole")
    assert expected["left over"] == [] and {"model.safetensors", "config.toml"} <= expected.keys()
    met = 0
    for number, kills in enumerate(killing.moments(random.Random(task), whole)):
        run = tmp_path / f"killed {number}"
        met += drive.to_the_end(run, arguments, kills, readable)
        found = killing.outcome(run)
        assert found.keys() == expected.keys()
        for key, value in found.items():
            assert value == expected[key], f"{key} after {kills}"
    assert met >= 4  # of seven
