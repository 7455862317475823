"""A training that is killed at any moment ends, gone on with, as if nothing had been."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recurra.runs.config import load_configuration
from recurra.training.checkpoint import read_checkpoint

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


def test_killed_at_any_moment_before_its_first_step_it_knows_its_limit_of_time(
    drive: Any, data: Path, tmp_path: Path
) -> None:
    arguments = {"task": "lm", "data": str(data), **killing.EVERYTHING, "epochs": None, "within": "1s"}
    left = []
    for number in range(1, 200):
        run = tmp_path / str(number)
        assert drive("train", {"at": "io", "number": number}, out=str(run), **arguments)["killed"]
        started, safe = (run / "config.toml").is_file(), any(run.glob("checkpoint/*.safetensors"))
        limit = load_configuration(run / "config.toml").training.within if started else None
        left.append((started, safe, limit))
        if safe and limit is None:
            break
    # In this order: nothing that could be gone on with, then the limit, then the limit and a plan, then the plan alone.
    assert list(dict.fromkeys(left)) == [
        (False, False, None),
        (True, False, "1s"),
        (True, True, "1s"),
        (True, True, None),
    ]
    for state in ((True, False, "1s"), (True, True, "1s")):
        run = tmp_path / str(left.index(state) + 1)
        assert drive("resume", folder=str(run), quiet=True)["error"] is None
        plan = read_checkpoint(run / "checkpoint").facts["plan"]  # type: ignore[union-attr]
        assert plan["seconds"] == 1.0  # the least that a plan is made for
        assert load_configuration(run / "config.toml").training.epochs == plan["epochs"]


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
