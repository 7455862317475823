"""The top of the page: the one metric, whether it beats the baselines, and by how much it could be off."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from recurra.baselines import baseline_title
from recurra.formatting import count, finite
from recurra.metrics import Metric, headline_metric, metric_keys
from recurra.report.fields import details, mapping
from recurra.report.record import Event, Record

_LEVEL = {True: "good", False: "bad", None: ""}


def section(record: Record, cautions: Sequence[str] = ()) -> str:
    """Write the headline of the main evaluation, or else of the best held-out measurement.

    cautions: what the task's blocks hold for this place, drawn.
    """
    evaluation = main_evaluation(record)
    if evaluation is not None:
        metrics = mapping(evaluation["metrics"])
        metric = headline_metric(metrics)
        assert metric is not None
        part = str(evaluation.get("data", "")) or "other"
        interval = mapping(details(evaluation).get("intervals")).get(metric.key)
        return (
            _big(metric, metrics[metric.key], f"on held-out data ({part})", interval)
            + _verdict(metric, float(metrics[metric.key]), baselines(evaluation, metric), interval)
            + _gloss(metric, metrics[metric.key])
            + "".join(cautions)
        )
    best = record.best or (record.valid[-1] if record.valid else None)
    metric = headline_metric({key: best[key] for key in metric_keys(best)}) if best else None
    if best is None or metric is None:
        state = "No held-out metric yet." if record.train or record.start else "Training has not begun."
        return f'<p class="headline"><span class="what">{state}</span></p>'
    where = f"on held-out data while training, at step {count(best['step'])}"
    missing = '<p class="note">Not compared with baselines yet: <code>recurra evaluate</code> does.</p>'
    return _big(metric, best[metric.key], where) + missing + _gloss(metric, best[metric.key])


def main_evaluation(record: Record) -> Event | None:
    """Choose the evaluation that the headline quotes: the test part, else the last one with metrics."""
    measured = [each for each in record.evaluations if headline_metric(mapping(each.get("metrics")))]
    return next((each for each in measured if each.get("data") == "test"), measured[-1] if measured else None)


def baselines(evaluation: Event, metric: Metric) -> list[tuple[str, float]]:
    """List the baselines that have the metric, by their values, best first."""
    rows = [
        (name, number)
        for name, metrics in mapping(evaluation.get("baselines")).items()
        if (number := finite(mapping(metrics).get(metric.key))) is not None
    ]
    return sorted(rows, key=lambda row: row[1], reverse=metric.lower_is_better is False)


def _big(metric: Metric, value: object, where: str, interval: object = None) -> str:
    label = f"{metric.title} {where}"
    written = metric.format_interval(interval)
    spread = f'<span class="between">95\u00a0% interval {escape(written)}</span>' if written else ""
    return f'<p class="headline"><strong>{metric.format(value)}</strong><span class="what">{escape(label)}</span>{spread}</p>'


def _gloss(metric: Metric, value: object) -> str:
    return f'<p class="note">{escape(metric.gloss.format(value=metric.format(value)))}</p>' if metric.gloss else ""


def _verdict(metric: Metric, model: float, others: list[tuple[str, float]], interval: object) -> str:
    """Compare with the best baseline, and say so plainly when the baseline is better, or when chance could make it so."""
    if not others:
        return '<p class="note">No baseline was measured to compare it with.</p>'
    name, value = others[0]
    words, better = metric.compare(model, value)
    title = baseline_title(name)
    if better is False:
        text = f"{title} is better: {metric.format(value)}. The model is {words} it."
    elif better:
        text = f"{words} {title}" + (f", the best of {len(others)} baselines" if len(others) > 1 else "")
    else:
        text = f"{words} {title}"
    verdict = f'<p class="verdict {_LEVEL[better]}">{escape(text)}</p>'
    ends = [finite(end) for end in interval] if metric.format_interval(interval) and isinstance(interval, list) else []
    if better is not None and len(ends) == 2 and (ends[0] or 0) <= value <= (ends[1] or 0):
        verdict += '<p class="note">The baseline lies within the interval of the model: so small a difference can be chance.</p>'
    return verdict
