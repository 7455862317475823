"""Small language models, as `train` leaves them, and commands about them, as a user gives them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import recurra
from recurra.cli import app

VERSE = "the rain in spain falls mainly on the plain\nthe cat in the hat sat on the mat\n"
POEMS = ["床前明月光", "疑是地上霜", "舉頭望明月", "低頭思故鄉"]


@pytest.fixture(scope="session")
def verse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on one long text."""
    folder = tmp_path_factory.mktemp("verse")
    (folder / "verse.txt").write_text(VERSE * 60)
    settings = {"hidden": 48, "layers": 1, "epochs": 60, "dropout": 0.0, "bptt": 32, "batch": 16, "lr": 0.01}
    return recurra.train("lm", folder / "verse.txt", folder / "run", quiet=True, precision="float32", **settings).path


@pytest.fixture(scope="session")
def poems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on documents that all end: each line is a poem."""
    folder = tmp_path_factory.mktemp("poems")
    (folder / "poems.txt").write_text("\n".join(POEMS * 30), encoding="utf-8")
    settings = {"documents": "line", "hidden": 32, "layers": 1, "epochs": 60, "dropout": 0.0, "lr": 0.02, "batch": 8}
    settings |= {"valid_share": 0.0, "test_share": 0.0, "precision": "float32"}
    return recurra.train("lm", folder / "poems.txt", folder / "run", quiet=True, **settings).path


def call(*arguments: object, text: str | None = None, code: int = 0) -> str:
    """Give what a command prints on standard output; text: what it reads on standard input."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=text, catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.stdout


def lines(output: str) -> list[dict[str, Any]]:
    """Read JSON lines."""
    return [json.loads(line) for line in output.splitlines()]
