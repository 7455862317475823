"""A training that begins with a language model of its own ends with the same bits, whichever of its parts is killed."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_spec = importlib.util.spec_from_file_location("killing", Path(__file__).with_name("killing.py"))
assert _spec is not None and _spec.loader is not None
killing: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(killing)

SMALL = {
    "hidden": 4,
    "epochs": 2,
    "pretraining_epochs": 2,
    "batch": 8,
    "dropout": 0.2,
    "valid_share": 0.2,
    "unfreeze": 0.2,
    "precision": "float32",
    "threads": 1,
    "quiet": True,
    "checkpoint_seconds": 0,
}
PARTS = ("", "pretraining", "ablation")
"""Folders of a run that is compared with the same from scratch, each with a training."""


@pytest.fixture(scope="module")
def drive() -> Iterator[Any]:
    with killing.driver("sklearn.linear_model") as driver:
        yield driver


def texts(folder: Path) -> dict[str, Any]:
    labelled = [f"{'good' if n % 2 else 'bad'} film {n * n % 13},{'pos' if n % 2 else 'neg'}" for n in range(40)]
    bare = [f"a {'good' if n % 2 else 'bad'} 電影 {n * n % 17}" for n in range(90)]
    (folder / "reviews.csv").write_text("\n".join(["text,label", *labelled]) + "\n", encoding="utf-8")
    (folder / "bare.txt").write_text("\n".join(bare) + "\n", encoding="utf-8")
    return {"data": str(folder / "reviews.csv"), "unlabelled": str(folder / "bare.txt")}


def outcome(folder: Path) -> dict[str, Any]:
    return {f"{part}/{name}": found for part in PARTS for name, found in killing.outcome(folder / part).items()}


def test_killed_in_any_part_it_ends_with_the_same_bits(drive: Any, tmp_path: Path) -> None:
    arguments = {"task": "classify", **SMALL, **texts(tmp_path), "ablate": True}
    whole = drive("train", out=str(tmp_path / "whole"), **arguments)
    assert whole["error"] is None and whole["status"] == 0
    expected = outcome(tmp_path / "whole")
    assert expected["/left over"] == [] and {"/model.safetensors", "pretraining/model.safetensors"} <= expected.keys()
    chance = random.Random(1)
    plans = killing.moments(chance, whole)
    # The first part is over after a third of the whole: one more training that is killed there, twice.
    early = [{"at": "io", "number": 1 + int(share * whole["io"])} for share in (0.08, 0.15)]
    met = 0
    for number, kills in enumerate([early, *plans]):
        run = tmp_path / f"killed {number}"
        met += drive.to_the_end(run, arguments, kills)
        found = outcome(run)
        assert found.keys() == expected.keys()
        for key, value in found.items():
            assert value == expected[key], f"{key} after {kills}"
    assert met >= 6  # of nine
