"""Figures are judged as the targets say, and what is stored is what is printed."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace

import pytest
from rich.console import Console

from recurra.benchmark import Measured, Report, Row, Table, Target, Timing
from recurra.benchmark.tables import print_report

TARGET = Target("every shape", 2.0, 1.0)


def row(speed: float, *, difference: float = 0.0, share: float | None = None, hidden: int = 64) -> Row:
    ours = Timing("recurra", "float32", 2, 1, 1.0, [1.0] * 5)
    peer = Timing("torch.nn", "bfloat16", 1, 1, speed, [speed] * 5)
    return Row("t", {"cell": "lstm", "hidden": hidden}, ours, peer, difference, 1e-4, share)


def test_a_target_is_a_geometric_mean_and_a_bound_for_the_worst() -> None:
    judged = TARGET.judge([row(1.5), row(6.0)])
    assert judged is not None
    assert judged["geometric_mean"] == pytest.approx(3.0)
    assert (judged["worst"], judged["rows"], judged["reached"]) == (1.5, 2, True)
    for rows in ([row(1.9), row(2.0)], [row(0.9), row(9.0)]):  # the mean too low; the worst too low
        judged = TARGET.judge(rows)
        assert judged is not None and not judged["reached"]


def test_the_rows_that_are_meant_are_judged() -> None:
    target = replace(TARGET, rows=lambda row: row.what["hidden"] == 512)
    judged = target.judge([row(9.0), row(1.5, hidden=512)])
    assert judged is not None
    assert (judged["rows"], judged["worst_row"], judged["reached"]) == (1, "lstm, 512", False)
    assert target.judge([row(9.0)]) is None


def test_less_time_is_better() -> None:
    judged = Target("peepholes", 1.2, figure="time").judge([row(1.0), row(1 / 1.3)])
    assert judged is not None
    assert judged["worst"] == pytest.approx(1.3)
    assert judged["reached"]
    judged = Target("peepholes", 1.2, 1.25, figure="time").judge([row(1.0), row(1 / 1.3)])
    assert judged is not None and not judged["reached"]


def test_shares_are_judged_where_they_were_measured() -> None:
    target = Target("of GEMM", 0.65, figure="share")
    assert target.judge([row(1.0)]) is None
    judged = target.judge([row(1.0), row(1.0, share=0.7)])
    assert judged is not None and judged["rows"] == 1 and judged["reached"]


@pytest.mark.parametrize("difference", [1e-2, math.nan])
def test_speed_with_other_results_reaches_nothing(difference: float) -> None:
    assert row(9.0, difference=1e-5).agrees
    judged = TARGET.judge([row(9.0), row(9.0, difference=difference)])
    assert judged is not None
    assert (judged["differing"], judged["reached"]) == (1, False)


def report() -> Report:
    made = Report([Table("t", "A table", (TARGET,), limit="GEMM"), Table("empty", "Another", (TARGET,))])
    gemm = Timing("GEMM", "float32", 1, 2, 1e-9, [1e-11] * 5)
    rows = [row(3.0, share=0.5), row(4.0, difference=0.5)]
    made.groups["one"] = Measured(rows, [rows[0].ours, gemm])
    made.left_out.append("two: interrupted")
    return made


def test_what_is_stored_is_json_with_every_sample() -> None:
    stored = json.loads(json.dumps(report().as_dict(), allow_nan=False))
    assert stored["version"] == 2
    assert stored["machine"]["torch"]
    (table,) = stored["tables"]  # nothing was measured for the other
    assert [each["speed"] for each in table["rows"]] == [3.0, 4.0]
    assert table["rows"][0]["peer"] == {"name": "torch.nn", "precision": "bfloat16", "threads": 1, "microseconds": 3e6}
    assert stored["timings"]["one"][0]["seconds"] == [1.0] * 5
    assert stored["limits"] == [
        {"limit": "GEMM", "precision": "float32", "threads": 1, "count": 2, "rate": pytest.approx(100.0)}
    ]
    assert stored["left_out"] == ["two: interrupted"]


def test_a_stored_run_is_printed_whole() -> None:
    page = io.StringIO()
    print_report(json.loads(json.dumps(report().as_dict())), Console(file=page, width=160))
    shown = page.getvalue()
    line = next(line for line in shown.splitlines() if "3,000.00 ms" in line)
    assert "torch.nn bfloat16" in line and "3.00×" in line and "50.0%" in line and "2 threads" in line
    assert "results differ by 5e-01, more than 1e-04" in shown
    assert "every shape: geometric mean 3.46× of 2 rows, target ≥ 2.00×; worst 3.00×" in shown
    assert "1 differ from the peer: not reached" in shown
    assert "GEMM float32, 1 thread: 100 GF/s" in shown
