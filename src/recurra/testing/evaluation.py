"""What every task promises of the metrics that it computes."""

from __future__ import annotations

import json
import math
from typing import Any

from recurra.tasks import Task
from recurra.testing.case import TaskCase, untouched
from recurra.testing.expect import expect


def check_validation(case: TaskCase) -> None:
    """Validation gives finite metrics, the criterion among them, the same each time, and leaves no trace."""
    task = case.ready()
    network = case.network(task).train()
    with untouched(network):
        metrics, again = task.validate(task.predictor(network)), task.validate(task.predictor(network))
    if metrics is None:
        raise AssertionError("expected metrics, got None; configure the task so that something is held out")
    expect(task.criterion in metrics, f"expected {task.criterion!r} among the metrics, got {sorted(metrics)}")
    _expect_metrics("validate", metrics)
    expect(metrics == again, f"expected the same metrics of the same weights, got {metrics} and {again}")


def check_evaluation(case: TaskCase) -> None:
    """Evaluation gives the object that `recurra evaluate --json` prints, and of which a report can be drawn."""
    task = case.ready()
    expect(task.has_held_out, "held_out: expected True; configure the task so that something is held out")
    network = case.network(task).train()
    lines: list[str] = []
    with untouched(network):
        result = task.evaluate(task.predictor(network), None, lines.append)
    json.dumps(result, allow_nan=False)
    keys = ["task", "data", "count", "metrics", "baselines"]
    expect(list(result)[:5] == keys, f"expected the keys {keys} in this order, got {list(result)}")
    extra = set(result) - {*keys, "details", "skipped"}
    expect(not extra, f"expected details and skipped at most beside {keys}, got {sorted(extra)}")
    expect(result["task"] == task.name, f"task: expected {task.name!r}, got {result['task']!r}")
    expect(isinstance(result["data"], str), f"data: expected what was measured on, got {result['data']!r}")
    expect(type(result["count"]) is int and result["count"] > 0, f"count: expected above 0, got {result['count']!r}")
    metrics = result["metrics"]
    expect(task.criterion in metrics, f"metrics: expected {task.criterion!r} among them, got {sorted(metrics)}")
    _expect_metrics("metrics", metrics)
    _expect_report(task, result)
    for name, measured in result["baselines"].items():
        _expect_metrics(f"baselines, {name}", measured)
        expect(bool(measured), f"baselines, {name}: expected a metric at least, got none")
        unknown = set(measured) - set(metrics)
        expect(not unknown, f"baselines, {name}: expected metrics that the model has too, got {sorted(unknown)}")
    expect(all(isinstance(line, str) and line for line in lines), f"progress: expected words, got {lines}")
    expect(task.rereadable in (True, False), f"rereadable: expected True or False, got {task.rereadable!r}")
    alone = task.evaluate(task.predictor(network), None, lines.append, baselines=False)
    wanted = {**result, "baselines": {}}
    if "beside" in result.get("details", {}):  # what the report shows of the baselines
        wanted["details"] = {name: value for name, value in result["details"].items() if name != "beside"}
    expect(alone == wanted, f"without baselines: expected the same metrics {wanted}, got {alone}")


def _expect_report(task: Task, result: dict[str, Any]) -> None:
    """The task's part of the report can be drawn, of its evaluation as a run keeps it; nothing is written."""
    kept = json.loads(json.dumps(result))
    try:
        for block in task.report_blocks(kept):
            block.draw(), block.script()
            json.dumps(block.to_json(), allow_nan=False)
        for purpose, line in task.description().usage:
            expect(bool(purpose) and "{run}" in line, f"usage: expected {{run}} in a command line, got {line!r}")
    except AssertionError:
        raise
    except Exception as error:
        raise AssertionError(f"report: expected one that can be drawn, got {type(error).__name__}: {error}") from error


def _expect_metrics(where: str, metrics: dict[str, float]) -> None:
    expect(bool(metrics), f"{where}: expected at least one metric, got none")
    for name, value in metrics.items():
        good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        expect(good, f"{where}, {name}: expected a finite number, got {value!r}")
