"""A training that begins with another one ends with the same bits, whichever of its parts is killed."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.tasks.caption.pictures import write_pictures

from recurra.tasks.caption.defaults import MIN_PICTURES_TO_PRETRAIN

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
SMALL_CAPTIONER = {
    **SMALL,
    "side": 32,
    "channels": 2,
    "embedding": 4,
    "content_words": 6,
    "batch": 32,
    "valid_share": 0.05,
}


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


def reviews(folder: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    return {"task": "classify", **SMALL, **texts(folder), "ablate": True}, ("", "pretraining", "ablation")


def photos(folder: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    table = write_pictures(folder, MIN_PICTURES_TO_PRETRAIN + 100)
    return {"task": "caption", **SMALL_CAPTIONER, "data": str(table)}, ("", "pretraining")


def outcome(folder: Path, parts: tuple[str, ...]) -> dict[str, Any]:
    return {f"{part}/{name}": found for part in parts for name, found in killing.outcome(folder / part).items()}


@pytest.mark.parametrize("case", [reviews, photos], ids=lambda case: case.__name__)
def test_killed_in_any_part_it_ends_with_the_same_bits(drive: Any, tmp_path: Path, case: Any) -> None:
    arguments, parts = case(tmp_path)
    whole = drive("train", out=str(tmp_path / "whole"), **arguments)
    assert whole["error"] is None and whole["status"] == 0
    expected = outcome(tmp_path / "whole", parts)
    assert expected["/left over"] == [] and {"/model.safetensors", "pretraining/model.safetensors"} <= expected.keys()
    chance = random.Random(1)
    plans = killing.moments(chance, whole)
    # The first part is over after a third of the whole: one more training that is killed there, twice.
    early = [{"at": "io", "number": 1 + int(share * whole["io"])} for share in (0.08, 0.15)]
    met = 0
    for number, kills in enumerate([early, *plans]):
        run = tmp_path / f"killed {number}"
        met += drive.to_the_end(run, arguments, kills)
        found = outcome(run, parts)
        assert found.keys() == expected.keys()
        for key, value in found.items():
            assert value == expected[key], f"{key} after {kills}"
    assert met >= 6  # of nine
