"""The table of `first_try.py`: of each set our figure, the best plain baseline's, and which of the two is better."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from recurra.formatting import finite
from recurra.metrics import Metric, get_metric, headline_metric

LEVEL_DIFFERENCE, LEVEL_RATIO = 0.005, 0.01
"""How far two figures that are level may lie apart: shares by half a point, errors and perplexities by 1 % of the baseline's."""
VERDICTS = ("won", "level", "lost", "failed")


@dataclass(frozen=True)
class Row:
    """A set in the table; figures are means over the seeds.

    spread: our lowest and highest figure.  seconds: of a whole command, with reading and baselines.
    weights: how much each part of the model counts; empty where the evaluation reports none.
    failed: why there is no figure.
    """

    name: str
    task: str
    metric: Metric | None = None
    ours: float = float("nan")
    spread: tuple[float, float] = (float("nan"), float("nan"))
    baseline: str = ""
    best: float = float("nan")
    seconds: float | None = None
    weights: Mapping[str, float] | None = None
    failed: str = ""

    @property
    def verdict(self) -> str:
        """One of VERDICTS."""
        return "failed" if self.metric is None else verdict(self.metric, self.ours, self.best)


def verdict(metric: Metric, ours: float, best: float) -> str:
    """Compare two figures by their metric.

    >>> verdict(get_metric("accuracy"), 0.911, 0.915), verdict(get_metric("accuracy"), 0.911, 0.917)
    ('level', 'lost')
    >>> verdict(get_metric("mase"), 0.991, 1.0), verdict(get_metric("perplexity"), 3.9, 4.0)
    ('level', 'won')
    """
    is_share = metric.versus == "difference" and metric.lower_is_better is False
    tolerance = LEVEL_DIFFERENCE if is_share else LEVEL_RATIO * abs(best)
    if abs(ours - best) <= tolerance + 1e-9:  # 0.905 - 0.9 is above 0.005 by its last bit
        return "level"
    return "won" if (ours < best) == metric.lower_is_better else "lost"


def make_row(name: str, found: Mapping[str, Any], metrics: Sequence[str] = ()) -> Row:
    """Make a set's row of what was stored of it.

    metrics: the first of these that the model and a baseline have is compared, or else the headline metric.
    """
    if found.get("failed"):
        return Row(name, found["task"], failed=found["failed"])
    runs = found["runs"]
    metric = choose_metric(runs, metrics)
    baselines = {} if metric is None else common_baselines(runs, metric.key)
    if metric is None or not baselines or metric.lower_is_better is None:
        missing = "no metric" if metric is None else f"no baseline has the model's {metric.title}"
        return Row(name, found["task"], failed=missing)
    baseline = (min if metric.lower_is_better else max)(baselines, key=lambda each: baselines[each])
    ours = [run["metrics"][metric.key] for run in runs]
    fewer = any(baseline in run.get("fewer", ()) for run in runs)
    shares = [run["shares"] for run in runs if run.get("shares")]
    return Row(
        name,
        found["task"],
        metric,
        fmean(ours),
        (min(ours), max(ours)),
        baseline + "*" * fewer,
        baselines[baseline],
        _mean(run.get("wall_seconds") for run in runs),
        {part: fmean(each.get(part, 0.0) for each in shares) for part in dict.fromkeys(p for s in shares for p in s)},
    )


def choose_metric(runs: Sequence[Mapping[str, Any]], metrics: Sequence[str]) -> Metric | None:
    """Choose what is compared: it is finite in every run."""
    known = {key: value for key, value in runs[0]["metrics"].items() if all(_has(run["metrics"], key) for run in runs)}
    wanted = [key for key in metrics if key in known and common_baselines(runs, key)]
    return get_metric(wanted[0]) if wanted else headline_metric(known)


def common_baselines(runs: Sequence[Mapping[str, Any]], key: str) -> dict[str, float]:
    """Give a metric's mean of each baseline that every run has."""
    names = [name for name in runs[0]["baselines"] if all(_has(run["baselines"].get(name, {}), key) for run in runs)]
    return {name: fmean(run["baselines"][name][key] for run in runs) for name in names}


def _has(metrics: Mapping[str, Any], key: str) -> bool:
    return finite(metrics.get(key)) is not None


def _mean(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def cells(rows: Sequence[Row], older: Mapping[str, Any]) -> list[list[str]]:
    """Write the table, its heading first; older: the sets of an older table, compared by the same metric where it has that."""
    weights = any(row.weights for row in rows)
    table = [["", "task", "set", "figure", "ours", "best plain baseline", "", "seconds"]]
    table[0] += ["weights"] * weights + ["before"] * bool(older)
    for row in rows:
        line = [row.verdict, row.task, row.name, "", row.failed, "", "", ""]
        if row.metric is not None:
            low, high = row.spread
            ours = f"{row.ours:.4f}" + (f" ({low:.4f}–{high:.4f})" if low < high else "")
            line[3:] = [row.metric.title, ours, row.baseline, f"{row.best:.4f}", _seconds(row)]
        if weights:
            line.append(", ".join(f"{part} {share:.2f}" for part, share in (row.weights or {}).items()))
        if older:
            line.append(_before(row, older.get(row.name)))
        table.append(line)
    return table


def _seconds(row: Row) -> str:
    return "" if row.seconds is None else f"{row.seconds:.0f}"


def older_row(row: Row, found: Mapping[str, Any] | None) -> Row | None:
    """Make the row that a set had in an older table; None where it has none by the same metric."""
    if found is None:
        return None
    older = make_row(row.name, found, [] if row.metric is None else [row.metric.key])
    return older if row.metric is None or older.metric in (None, row.metric) else None


def _before(row: Row, found: Mapping[str, Any] | None) -> str:
    older = older_row(row, found)
    if older is None:
        return "–"
    return older.verdict if older.metric is None else f"{older.verdict}, {older.ours:.4f}"


def markdown(table: Sequence[Sequence[str]]) -> list[str]:
    """Write a table for a page; a bar in a cell is no end of it."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table]
    return [lines[0], "|" + "---|" * len(table[0]), *lines[1:]]


def aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """Write a table for a terminal; the reason of a failure may be longer than its column."""
    widths = [max(len(row[at]) for row in table if row[0] != "failed" or at < 4) for at in range(len(table[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


def totals(rows: Sequence[Row], older: Mapping[str, Any]) -> list[str]:
    """Count the verdicts of each task and of all, with those of an older table where it has the same sets."""
    groups = {task: [row for row in rows if row.task == task] for task in sorted({row.task for row in rows})}
    if len(groups) > 1:
        groups["all"] = list(rows)
    lines = []
    for task, some in groups.items():
        line = f"{task}: {_counts(some)} of {len(some)}"
        before = [found for found in (older_row(row, older.get(row.name)) for row in some) if found is not None]
        lines.append(line + (f"; before: {_counts(before)} of {len(before)}" if before else ""))
    return lines


def _counts(rows: Sequence[Row]) -> str:
    counts = Counter(row.verdict for row in rows)
    return ", ".join(f"{each} {counts[each]}" for each in VERDICTS if counts[each] or each != "failed")
