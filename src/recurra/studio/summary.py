"""What a list of runs shows of each: its state, and its metrics beside the baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple

from recurra.baselines import baseline_title
from recurra.errors import RunError
from recurra.files import is_file
from recurra.formatting import finite
from recurra.metrics import Metric, get_metric, headline_metric, metric_keys
from recurra.report.headline import baselines, main_evaluation
from recurra.report.page import data_name
from recurra.report.record import Event, Record
from recurra.runs.manifest import MANIFEST
from recurra.studio.catalog import Catalog
from recurra.training.folder import LOG
from recurra.training.log import is_locked

State = Literal["running", "done", "interrupted", "unfinished", "diverged", "failed"]
"""interrupted: stopped and saved.  unfinished: killed; it can be resumed.  failed: nothing is left of it but what it wrote."""
_BY_REASON: dict[str, State] = {"interrupted": "interrupted", "diverged": "diverged"}
RESUMABLE = ("interrupted", "unfinished")


class JobFacts(NamedTuple):
    """What is known of a training that the studio began: its task and data by name, whether it runs, and its last words where it failed."""

    task: str
    data: str
    running: bool
    error: str | None


def state_of(folder: Path, record: Record | None, job: JobFacts | None) -> State:
    """Say how far a run is."""
    if job is not None and job.running:
        return "running"
    if record is not None and is_file(folder / MANIFEST):
        return _BY_REASON.get(str(record.end.get("reason")), "done")
    if is_locked(folder / LOG):
        return "running"
    return "unfinished" if record is not None and (folder / "checkpoint").is_dir() else "failed"


def summarize(catalog: Catalog, id: str, folder: Path, job: JobFacts | None = None) -> dict[str, Any]:
    """Give what a list shows of a run; a damaged one is listed with its error."""
    try:
        record = catalog.record(folder)
    except RunError as error:
        state = state_of(folder, None, job)
        problem = job.error if job is not None else str(error)
        return {**_empty(id, folder, job), "state": state, "error": None if state == "running" else problem}
    state = state_of(folder, record, job)
    model = record.config.get("model")
    model = model if isinstance(model, dict) else {}
    reached = [finite(event.get("step")) for event in (*record.train[-1:], *record.valid[-1:])]
    clock = max((finite(event.get("seconds")) or 0 for event in record.train[-1:]), default=None)
    # The end of a training that is resumed is that of its part before.
    end = {} if state == "running" else record.end
    return {
        **_empty(id, folder, job),
        "task": record.task,
        "data": data_name(record, folder),
        "state": state,
        "began": record.start.get("began"),
        "seconds": end.get("seconds", clock),
        "step": end.get("step", max((step for step in reached if step is not None), default=None)),
        "steps": planned_steps(record),
        "parameters": record.start.get("parameters"),
        "cell": model.get("cell"),
        "layers": model.get("layers"),
        "resumable": state in RESUMABLE,
        "error": job.error if job is not None and state != "running" else None,
        **measured(record),
    }


def _empty(id: str, folder: Path, job: JobFacts | None) -> dict[str, Any]:
    unknown = ("began", "seconds", "step", "steps", "parameters", "cell", "layers", "headline", "baseline")
    named = {"task": "" if job is None else job.task, "data": "" if job is None else job.data}
    nothing = {"metrics": {}, "baselines": {}, "resumable": False, "error": None}
    return {"id": id, "name": folder.name, **named, **dict.fromkeys(unknown), **nothing}


def planned_steps(record: Record) -> int | None:
    """Give how many steps there are to be in all, by the last plan."""
    return record.plan.get("steps", record.start.get("steps"))


def measured(record: Record) -> dict[str, Any]:
    """Give the metrics of the main evaluation beside its baselines; before there is one, those of the best validation."""
    evaluation = main_evaluation(record)
    if evaluation is None:
        best = record.best or (record.valid[-1] if record.valid else None)
        metrics = {} if best is None else {key: best[key] for key in metric_keys(best)}
        return {"headline": _headline(metrics, "valid"), "baseline": None, "metrics": metrics, "baselines": {}}
    metrics = dict(evaluation["metrics"])
    headline = _headline(metrics, str(evaluation.get("data", "")))
    return {
        "headline": headline,
        "baseline": _best_baseline(evaluation, headline_metric(metrics)),
        "metrics": metrics,
        "baselines": evaluation.get("baselines", {}),
    }


def better(metric: Metric) -> Literal["lower", "higher"] | None:
    """Say which way a metric is better, where that is known."""
    return None if metric.lower_is_better is None else "lower" if metric.lower_is_better else "higher"


def _headline(metrics: dict[str, Any], part: str) -> dict[str, Any] | None:
    metric = headline_metric(metrics)
    if metric is None:
        return None
    value = metrics[metric.key]
    named = {"metric": metric.key, "title": metric.title, "better": better(metric), "data": part}
    return {**named, "value": value, "text": metric.format(value)}


def _best_baseline(evaluation: Event, metric: Metric | None) -> dict[str, Any] | None:
    found = [] if metric is None else baselines(evaluation, metric)
    if metric is None or not found:
        return None
    name, value = found[0]
    return {"name": name, "title": baseline_title(name), "value": value, "text": metric.format(value)}


def metric_titles(keys: list[str]) -> dict[str, dict[str, Any]]:
    """Give what metrics are called, and which way each is better."""
    found = {key: get_metric(key) for key in keys}
    return {
        key: {
            "title": one.title,
            "better": better(one),
            "percent": one.percent,
            "logarithmic": one.logarithmic,
            "gloss": one.gloss,
        }
        for key, one in found.items()
    }
