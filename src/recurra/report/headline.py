"""The top of the page: the one figure, whether it beats the baselines, and by how much it could be off."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from recurra.report.figures import Figure, compare, figure, headline, write_between
from recurra.report.names import baseline_name
from recurra.report.numbers import count, finite
from recurra.report.record import Event, Record, figure_keys

_LEVEL = {True: "good", False: "bad", None: ""}
_LOPSIDED = 2 / 3
"""From this share of one class on, a high accuracy says little: always naming that class has one as well."""


def section(record: Record) -> str:
    """Write the headline of the evaluation on the test part, or else of the best held-out measurement."""
    evaluation = _main_evaluation(record)
    if evaluation is not None:
        metrics = mapping(evaluation["metrics"])
        what = headline(metrics)
        assert what is not None
        part = str(evaluation.get("data", "")) or "other"
        between = mapping(mapping(evaluation.get("details")).get("intervals")).get(what.key)
        return (
            _big(what, metrics[what.key], f"on held-out data ({part})", between)
            + _verdict(what, float(metrics[what.key]), baselines(evaluation, what), between)
            + _gloss(what, metrics[what.key])
            + _lopsided(what, evaluation)
        )
    best = record.best or (record.valid[-1] if record.valid else None)
    what = headline({key: best[key] for key in figure_keys(best)}) if best else None
    if best is None or what is None:
        state = "No held-out figure yet." if record.train or record.start else "Training has not begun."
        return f'<p class="headline"><span class="what">{state}</span></p>'
    where = f"on held-out data while training, at step {count(best['step'])}"
    missing = '<p class="note">Not measured beside baselines yet: <code>recurra evaluate</code> does.</p>'
    return _big(what, best[what.key], where) + missing + _gloss(what, best[what.key])


def mapping(value: object) -> Mapping[str, Any]:
    """Give the value if it is a mapping, else an empty one: an event may hold anything."""
    return value if isinstance(value, Mapping) else {}


def baselines(evaluation: Event, what: Figure) -> list[tuple[str, float]]:
    """List the baselines that have the figure, by their values, best first."""
    rows = [
        (name, number)
        for name, metrics in mapping(evaluation.get("baselines")).items()
        if (number := finite(mapping(metrics).get(what.key))) is not None
    ]
    return sorted(rows, key=lambda row: row[1], reverse=what.lower is False)


def _main_evaluation(record: Record) -> Event | None:
    """Choose the evaluation that the headline quotes: the test part, else the last one with figures."""
    measured = [each for each in record.evaluations if headline(mapping(each.get("metrics")))]
    return next((each for each in measured if each.get("data") == "test"), measured[-1] if measured else None)


def _big(what: Figure, value: object, where: str, between: object = None) -> str:
    label = f"{what.name} {where}"
    written = write_between(what, between)
    spread = f'<span class="between">95\u00a0% interval {escape(written)}</span>' if written else ""
    return (
        f'<p class="headline"><strong>{what.write(value)}</strong><span class="what">{escape(label)}</span>{spread}</p>'
    )


def _gloss(what: Figure, value: object) -> str:
    return f'<p class="note">{escape(what.gloss.format(value=what.write(value)))}</p>' if what.gloss else ""


def _verdict(what: Figure, model: float, beside: list[tuple[str, float]], between: object) -> str:
    """Compare with the best baseline, and say so plainly when the baseline is better, or when chance could make it so."""
    if not beside:
        return '<p class="note">No baseline was measured beside it.</p>'
    name, value = beside[0]
    words, better = compare(what, model, value)
    shown = baseline_name(name)
    if better is False:
        text = f"{shown} is better: {what.write(value)}. The model is {words} it."
    elif better:
        text = f"{words} {shown}" + (f", the best of {len(beside)} baselines" if len(beside) > 1 else "")
    else:
        text = f"{words} {shown}"
    verdict = f'<p class="verdict {_LEVEL[better]}">{escape(text)}</p>'
    ends = [finite(end) for end in between] if write_between(what, between) and isinstance(between, list) else []
    if better is not None and len(ends) == 2 and (ends[0] or 0) <= value <= (ends[1] or 0):
        verdict += '<p class="note">The baseline lies within the interval of the model: so small a difference can be chance.</p>'
    return verdict


def _lopsided(what: Figure, evaluation: Event) -> str:
    """Say how little an accuracy means where nearly all examples are of one class."""
    if what.key != "accuracy":
        return ""
    rows = mapping(mapping(evaluation.get("details")).get("per_class"))
    sizes = {name: finite(mapping(row).get("support")) or 0.0 for name, row in rows.items()}
    whole = sum(sizes.values())
    if not whole or max(sizes.values()) < _LOPSIDED * whole:
        return ""
    name = max(sizes, key=lambda each: sizes[each])
    fairer = figure("macro_f1")
    value = finite(mapping(evaluation.get("metrics")).get(fairer.key))
    instead = f" Look at the {fairer.name} too: {fairer.write(value)}." if value is not None else ""
    share = figure("accuracy").write(sizes[name] / whole)
    text = f"{share} of the examples are of one class, {name}: always naming it would be right as often.{instead}"
    return f'<p class="note">{escape(text)}</p>'
