"""A run of a table without a header knows afterwards which columns it read, and says loudly where labels are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import recurra
from recurra.cli import app

SMALL: dict[str, Any] = {"hidden": 4, "epochs": 1, "quiet": True, "precision": "float32", "threads": 1}


def test_columns_are_remembered(tmp_path: Path) -> None:
    values = np.random.default_rng(1).random((60, 6))
    rows = [",".join(f"{x:.4f}" for x in row) for row in values]
    (tmp_path / "beats.csv").write_text("".join(f"{row},{n % 2}.0\n" for n, row in enumerate(rows)))
    (tmp_path / "new.csv").write_text("\n".join(rows[:2]) + "\n")
    run = recurra.train("classify", tmp_path / "beats.csv", tmp_path / "run", **SMALL)
    again = recurra.load(tmp_path / "run")
    assert again.predictor.config.data.label == "7" and run.evaluation["details"]["classes"] == ["0", "1"]
    new = again.predictor.read_file(str(tmp_path / "new.csv"))
    assert [len(one) for one in new] == [6, 6]
    (tmp_path / "one.csv").write_text(f"{rows[0]},1.0\n")
    assert [len(one) for one in again.predictor.read_file(str(tmp_path / "one.csv"))] == [6]


def test_positions_are_flags(tmp_path: Path) -> None:
    text = "".join(f'"{n % 2 * 4}",{n},"what a {("mess", "view")[n % 2]}, again {n}"\n' for n in range(40))
    (tmp_path / "a.csv").write_text(text)
    out = tmp_path / "run"
    flags = ["--text", "3", "--label", "1", "--hidden", "4", "--epochs", "1", "--threads", "1", "-o", str(out)]
    result = CliRunner().invoke(app, ["train", "classify", str(tmp_path / "a.csv"), *flags])
    assert result.exit_code == 0, result.output
    assert "no header" in result.stderr and recurra.load(out).predictor.classes == ["0", "4"]


@pytest.mark.filterwarnings("ignore:The number of unique classes")  # scikit-learn says so too
def test_a_label_of_its_own_for_each_example_is_said_loudly(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"this is text {n},user{n}\n" for n in range(240)))
    flags = ["--hidden", "4", "--epochs", "1", "--threads", "1", "-o", str(tmp_path / "run")]
    result = CliRunner().invoke(app, ["train", "classify", str(tmp_path / "a.csv"), *flags])
    assert result.exit_code == 0, result.output
    loud = [line for line in result.stderr.splitlines() if line.startswith("WARNING: ")]
    assert any("nothing is right" in line for line in loud) and any(
        "have a label that no other one has" in line for line in loud
    )


def test_predictions_of_a_text_file_that_is_a_table(tmp_path: Path) -> None:
    rows = [f"{n % 2 * 4}\t{n}\twhat a {('mess', 'view')[n % 2]}, again {n}\n" for n in range(40)]
    (tmp_path / "a.txt").write_text("".join(rows))
    run = recurra.train("classify", tmp_path / "a.txt", tmp_path / "run", text="3", label="1", **SMALL)
    assert run.predictor.read_file(str(tmp_path / "a.txt"))[1] == "what a view, again 1"
    (tmp_path / "lines.txt").write_text("what a mess, again\nwhat a view, really\n")
    assert run.predictor.read_file(str(tmp_path / "lines.txt")) is None  # a text a line


@pytest.mark.parametrize("given", ["maybe", "no "])
def test_header_is_one_of_three(tmp_path: Path, given: str) -> None:
    (tmp_path / "a.csv").write_text("1,x\n")
    with pytest.raises(recurra.errors.UsageError, match=r"header: expected one of auto, yes, no"):
        recurra.train("classify", tmp_path / "a.csv", tmp_path / "run", header=given)
