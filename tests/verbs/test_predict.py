"""`recurra predict`: which run its options are of, and lines of a pipe that cannot be read."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from recurra.cli import app
from recurra.errors import RunError, UsageError
from recurra.tasks.base.predictor import Predictor
from recurra.verbs.base import patience


def test_options_are_those_of_the_run_and_not_of_a_text_that_is_called_like_one(
    verse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(verse.parent)
    result = CliRunner().invoke(app, ["predict", "-t", "run", "no-run"])
    assert isinstance(result.exception, RunError) and "no-run" in str(result.exception)
    result = CliRunner().invoke(app, ["predict", "-t", "the rain", "run", "--cluster", "2"])
    message = "--cluster: a run of 'lm' does not take this option; it takes -k, --steps"
    assert isinstance(result.exception, UsageError) and str(result.exception) == message


def test_a_run_of_a_task_that_is_not_known_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('task = "sorter"\nformat = 2\n')
    result = CliRunner().invoke(app, ["predict", str(tmp_path), "-t", "x"])
    assert isinstance(result.exception, RunError) and str(tmp_path) in str(result.exception)


def test_settings_nested_deeper_than_can_be_read_are_no_task(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("x = " + "[" * 50_000 + "]" * 50_000)
    result = CliRunner().invoke(app, ["predict", str(tmp_path), "-t", "x"])
    assert isinstance(result.exception, RunError) and str(tmp_path) in str(result.exception)


def test_a_line_of_a_pipe_that_is_no_text_is_reported_and_skipped_on_request(verse: Path) -> None:
    def asked(lines: bytes) -> list[str]:
        result = CliRunner().invoke(app, ["predict", str(verse), "-", "--on-error", "skip"], input=lines)
        assert result.exit_code == 0, result.output
        return [result.stdout, *result.stderr.splitlines()]

    (whole,) = asked(b"the rain\nthe cat\n")
    shown, message = asked(b"the rain\nth\xff cat\nthe cat\n")
    assert shown == whole and message.startswith("standard input: line 2: byte 11: ") and message.endswith("; skipped")


def test_what_takes_long_is_named_on_standard_error(verse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "SECONDS", 0.05)
    original = Predictor.finite_results

    def slowly(self: Predictor, *given: Any) -> Any:
        time.sleep(0.4)
        return original(self, *given)

    quick = CliRunner().invoke(app, ["predict", str(verse), "-t", "the rain"])
    monkeypatch.setattr(Predictor, "finite_results", slowly)
    slow = CliRunner().invoke(app, ["predict", str(verse), "-t", "the rain", "-t", "the cat"])
    assert slow.exit_code == 0 and slow.stdout.startswith(quick.stdout) and not quick.stderr
    assert slow.stderr.startswith("still at it: predicting 2 inputs, 0:00 so far\n")
