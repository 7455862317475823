"""Tables in memory: read as the training data were, or refused in words of the table; never predicted as one text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recurra
from recurra.errors import DataError, UsageError

RUNS = Path(__file__).parents[1] / "golden" / "runs"
TEXTS = ["fine and late, the service was warm", "late and late", "so good"]


@pytest.fixture(scope="module")
def pandas() -> Any:
    return pytest.importorskip("pandas")


@pytest.mark.parametrize("table", [lambda columns, pandas: columns, lambda columns, pandas: pandas.DataFrame(columns)])
def test_texts_of_a_table_are_those_of_its_column(table: Callable[..., Any], pandas: Any) -> None:
    run = recurra.load(RUNS / "classify_text")
    assert run.predict(table({"text": TEXTS}, pandas)) == run.predict(TEXTS)
    assert run.predict(table({"number": [1, 2, 3], "text": TEXTS, "label": ["a", "b", "c"]}, pandas)) == run.predict(
        TEXTS
    )


@pytest.mark.parametrize("table", [lambda columns, pandas: columns, lambda columns, pandas: pandas.DataFrame(columns)])
def test_a_table_without_sentences_is_refused_by_a_tagger(table: Callable[..., Any], pandas: Any) -> None:
    run = recurra.load(RUNS / "tag")
    with pytest.raises((DataError, UsageError), match="the data frame") as caught:
        run.predict(table({"text": TEXTS}, pandas))
    assert "/" not in str(caught.value)


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "Int8", "Sparse[float]"])
def test_columns_of_pandas_own_types_are_numbers(pandas: Any, tmp_path: Path, dtype: str) -> None:
    plain = np.arange(40.0) % 7
    frame = pandas.DataFrame({"v": pandas.array(plain, dtype=dtype)}, index=pandas.date_range("2020", periods=40))
    small: dict[str, Any] = {"epochs": 1, "hidden": 2, "horizon": 2, "quiet": True, "threads": 1}
    found = recurra.train("forecast", frame, tmp_path / "own", **small)
    same = recurra.train("forecast", frame.assign(v=plain), tmp_path / "plain", **small)
    assert found.evaluation == same.evaluation


def test_an_error_names_the_table_and_no_file(pandas: Any, tmp_path: Path) -> None:
    frame = pandas.DataFrame({"v": ["a", "b"] * 20}, index=pandas.date_range("2020", periods=40))
    with pytest.raises(UsageError, match=r"^the data frame: no column of numbers is left"):
        recurra.train("forecast", frame, tmp_path / "run", horizon=2, quiet=True)


def test_evaluate_without_files_is_none_of_the_runs_own(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="evaluate: expected files to measure on, got none"):
        recurra.load(RUNS / "lm").evaluate([])


@pytest.mark.parametrize(("content", "message"), [(None, "cannot be read"), ("{", "labels.json")])
def test_labels_of_anomalies_are_read_before_training(tmp_path: Path, content: str | None, message: str) -> None:
    (tmp_path / "data.csv").write_text("v\n" + "\n".join(str(n % 5) for n in range(60)), encoding="utf-8")
    if content is not None:
        (tmp_path / "labels.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        recurra.train(
            "detect", tmp_path / "data.csv", tmp_path / "run", anomaly_labels=str(tmp_path / "labels.json"), quiet=True
        )
    assert not (tmp_path / "run").exists()
