"""What a detector takes when it is trained and measured, by the present names and by those that command lines had before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from recurra import Run
from recurra.cli import app
from recurra.errors import DataError, UsageError
from recurra.runs.config import configure
from recurra.tasks.detect.synthetic_anomalies import ANOMALY_KINDS, inject_anomaly

OLD = {
    "ahead": 3,
    "follow": False,
    "whole": True,
    "join": 2,
    "pooling": "max",
    "smoothing": 4.0,
    "labels": "marks.json",
}


def test_settings_by_their_old_names_are_those_of_today() -> None:
    new = {"horizon": 3, "persistence": False, "per_series": True, "merge_gap": 2, "aggregation": "max"}
    new |= {"error_smoothing": 4.0, "anomaly_labels": "marks.json"}
    assert configure("detect", OLD).settings == configure("detect", new).settings


@pytest.fixture
def marks(plant: Run, tmp_path: Path) -> Path:
    """A file that marks the first of the two events of faulty.csv, whose own column marks both."""
    path = tmp_path / "marks.json"
    path.write_text('{"faulty.csv": [["2024-03-17 16:00:00", "2024-03-17 21:00:00"]]}')
    return path


def test_a_file_of_labels_outranks_the_column_of_the_run(plant: Run, marks: Path) -> None:
    faulty = plant.path.parent / "faulty.csv"
    result = plant.evaluate(faulty, baselines=False, anomaly_labels=marks)
    assert result["details"]["timelines"][0]["truth"] == [[400, 406]]
    assert plant.evaluate(faulty, baselines=False, labels=str(marks)) == result
    for flag in ("--anomaly-labels", "--labels"):
        words = ["evaluate", str(plant.path), str(faulty), "--no-baselines", "--json", flag, str(marks)]
        printed = CliRunner().invoke(app, words)
        assert printed.exit_code == 0 and json.loads(printed.stdout) == result


def test_help_names_an_option_as_it_is_called_today(plant: Run) -> None:
    shown = CliRunner().invoke(app, ["evaluate", str(plant.path), "--help"], env={"COLUMNS": "200"}).stdout
    assert "--anomaly-labels" in shown and " --labels" not in shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"anomaly_labels": ["a.json", "b.json"]}, "anomaly_labels: expected one file, got 2"),
        ({"label": "fault"}, "label: names a column of files to measure on, got none"),
        ({"truth": "fault"}, "truth: a run of 'detect' does not take this option; it takes anomaly_labels, label"),
    ],
)
def test_options_that_do_not_fit_are_refused(plant: Run, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plant.evaluate(**options)


@pytest.mark.parametrize("kind", ANOMALY_KINDS)
def test_an_injected_anomaly_changes_a_quarter_of_a_series(kind: str) -> None:
    rng = np.random.default_rng(2)
    values, other = rng.normal(size=(2, 80, 3))
    kept = values.copy()
    changed = np.flatnonzero((inject_anomaly(values, other, kind, rng) != values).any(axis=1))
    assert 0 < len(changed) <= 20 and np.ptp(changed) < 20
    np.testing.assert_array_equal(values, kept)


def test_an_error_in_a_file_of_labels_says_what_named_it(plant: Run) -> None:
    faulty = plant.path.parent / "faulty.csv"
    with pytest.raises(
        DataError, match=r"漢{400}: cannot be read: File name too long \(it is what --anomaly-labels names\)"
    ):
        plant.evaluate(faulty, baselines=False, anomaly_labels="漢" * 400)
