"""A training that is killed at any moment ends, gone on with, as if nothing had been."""

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


@pytest.fixture(scope="module")
def drive() -> Iterator[Any]:
    with killing.driver() as driver:
        yield driver


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(killing.text(), encoding="utf-8")
    return path


@pytest.mark.parametrize("case", killing.CASES)
def test_killed_at_any_moment_it_ends_with_the_same_bits(drive: Any, data: Path, tmp_path: Path, case: str) -> None:
    arguments = {"task": "lm", "data": str(data), **killing.EVERYTHING, **killing.CASES[case]}
    whole = drive("train", out=str(tmp_path / "whole"), **arguments)
    assert whole["error"] is None
    expected = killing.outcome(tmp_path / "whole")
    assert expected["left over"] == []
    met = 0
    for number, kills in enumerate(killing.moments(random.Random(case), whole)):
        run = tmp_path / f"killed {number}"
        met += drive.to_the_end(run, arguments, kills)
        for key, value in killing.outcome(run).items():
            assert value == expected[key], f"{key} after {kills}"
    assert met >= 5  # of seven; four cases make twenty


def test_what_is_the_same_is_worth_comparing(drive: Any, data: Path, tmp_path: Path) -> None:
    """Another seed, and another number of steps before, change everything that the test above compares."""
    arguments = {"task": "lm", "data": str(data), **killing.EVERYTHING, **killing.CASES["few checkpoints"]}
    outcomes = []
    for number, seed in enumerate((1, 1, 2)):
        drive("train", out=str(tmp_path / str(number)), **arguments, seed=seed)
        outcomes.append(killing.outcome(tmp_path / str(number)))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0]["model.safetensors"] != outcomes[2]["model.safetensors"]
    kinds = {event["event"]: event for event in outcomes[0]["events"]}
    assert kinds.keys() >= {"start", "train", "valid", "sample", "gradient_lags", "end", "evaluation"}
    assert kinds["sample"]["text"] != {e["event"]: e for e in outcomes[2]["events"]}["sample"]["text"]
