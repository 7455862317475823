"""What lies behind the figures: notes, forecasts, mistakes, classes, and whether probabilities hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from recurra.report import confusion, forecasts, reliability, timeline
from recurra.report.headline import mapping
from recurra.report.map import section as map_section
from recurra.report.numbers import count, finite, per_cent
from recurra.report.record import Event, Record

_FEW = 12
"""Rows that a table of classes shows at once; more lie behind a click."""
_MISTAKES, _CHARACTERS = 20, 300
_SHARES = ("precision", "recall", "f1")


def section(evaluation: Event, record: Record) -> str:
    """Write all that the evaluation's "details" hold; whatever is missing or broken is left out.

    Every key is optional: "notes" (sentences), "classes" and "confusion", "per_class" and "per_type" (precision, recall,
    f1, support by name), "reliability" (bins), "mistakes", "forecasts" and "by_step", "timelines".
    """
    found = mapping(evaluation.get("details"))
    of = f": {evaluation.get('data', '')}" if len(record.evaluations) > 1 else ""
    probable = "mistakes" if finite(_first(found.get("mistakes")).get("probability")) is not None else ""
    parts = [
        ("Worth knowing", _notes(found)),
        ("A map of the vectors", map_section(found.get("map"))),
        ("Forecasts and what came", forecasts.section(found)),
        ("How far ahead it sees", forecasts.by_step(found)),
        ("What it found unusual", timeline.section(found.get("timelines"))),
        ("What it takes for what", _confusion(found)),
        ("Each class", _classes(found.get("per_class"), "class")),
        ("Each type of span", _classes(found.get("per_type"), "type")),
        ("Whether its probabilities hold", _reliability(found)),
        ("Its surest mistakes" if probable else "Some of its mistakes", _mistakes(found)),
    ]
    return "".join(f"<section><h2>{escape(title + of)}</h2>{body}</section>" for title, body in parts if body)


def _rows(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _first(value: object) -> Mapping[str, Any]:
    return mapping(_rows(value)[0]) if _rows(value) else {}


def _texts(value: object) -> list[str]:
    return [each for each in _rows(value) if isinstance(each, str)]


def _notes(found: Mapping[str, Any]) -> str:
    notes = _texts(found.get("notes"))
    return f"<ul>{''.join(f'<li>{escape(note)}</li>' for note in notes)}</ul>" if notes else ""


def _confusion(found: Mapping[str, Any]) -> str:
    """Draw the matrix, and list the commonest confusions where there are too many classes to see them at once."""
    names = _texts(found.get("classes"))
    table = [[int(finite(cell) or 0) for cell in _rows(row)] for row in _rows(found.get("confusion"))]
    if not names or len(table) not in (len(names), len(names) + 1) or any(len(row) != len(names) for row in table):
        return ""
    drawn = ""
    if len(names) <= confusion.MOST:
        drawn = (
            '<p class="note">A row is a class, a column what its examples were taken for; the stronger the colour, the '
            f'larger their share of the row.</p><div class="scroll">{confusion.picture(table, names)}</div>'
        )
    taken = confusion.confusions(table, names)
    if len(names) < 4 or not taken:
        return drawn
    lines = "".join(
        f'<tr><td>{escape(true)}</td><td>{escape(said)}</td><td class="number">{count(often)}</td>'
        f'<td class="number">{per_cent(share)}</td></tr>'
        for true, said, often, share in taken
    )
    head = '<th>true</th><th>taken for</th><th class="number">times</th><th class="number">of the class</th>'
    return drawn + _table(head, lines, f"The {len(taken)} commonest confusions." if len(taken) > 1 else "")


def _classes(value: object, kind: str) -> str:
    """Tabulate what was found of each class: the weakest first, where there are many."""
    rows = [
        (name, [finite(row.get(key)) for key in _SHARES], finite(row.get("support")))
        for name, row in ((name, mapping(row)) for name, row in mapping(value).items())
    ]
    if not rows:
        return ""
    columns = ("precision", "recall", "F1", "spans" if kind == "type" else "examples")
    head = f"<th>{kind}</th>{''.join(map(_number_head, columns))}"
    if len(rows) <= _FEW:
        return _table(head, "".join(_class_line(*row) for row in rows))
    weakest = sorted((row for row in rows if row[2]), key=lambda row: row[1][2] or 0.0)[:_FEW]
    return (
        _table(head, "".join(_class_line(*row) for row in weakest), f"The {len(weakest)} with the lowest F1.")
        + f"<details><summary>All {len(rows)}</summary>{_table(head, ''.join(_class_line(*row) for row in rows))}</details>"
    )


def _number_head(name: str) -> str:
    return f'<th class="number">{name}</th>'


def _class_line(name: str, shares: Sequence[float | None], support: float | None) -> str:
    cells = "".join(f'<td class="number">{per_cent(share)}</td>' for share in shares)
    return f'<tr><th scope="row">{escape(str(name))}</th>{cells}<td class="number">{count(support)}</td></tr>'


def _reliability(found: Mapping[str, Any]) -> str:
    bins = []
    for each in map(mapping, _rows(found.get("reliability"))):
        low, high, confidence, accuracy, size = (
            finite(each.get(key)) for key in ("from", "to", "confidence", "accuracy", "count")
        )
        if (
            low is None
            or high is None
            or confidence is None
            or accuracy is None
            or not size
            or not 0 <= low < high <= 1
        ):
            continue
        bins.append((low, high, confidence, accuracy, size))
    if not bins:
        return ""
    said = f"{reliability.verdict(bins)} Bars: how many were right; the dashed line: as many as promised; shaded: the gap. Below: how many answers."
    return f'<p class="note">{escape(said)}</p><div class="scroll">{reliability.picture(bins)}</div>'


def _mistakes(found: Mapping[str, Any]) -> str:
    """List what was taken for what, how sure the model was, and where it stands in the data."""
    lines = []
    chosen = [mapping(each) for each in _rows(found.get("mistakes"))[:_MISTAKES]]
    sure = any(finite(each.get("probability")) is not None for each in chosen)
    for each in chosen:
        probability = f'<td class="number">{per_cent(each.get("probability"))}</td>' if sure else ""
        text = str(each.get("input", ""))
        cut = text[:_CHARACTERS] + ("…" if len(text) > _CHARACTERS else "")
        label = each.get("label")
        lines.append(
            f"<tr><td>{escape(confusion.NEVER_SEEN if label is None else _said(label))}</td>"
            f"<td>{escape(_said(each.get('predicted')))}</td>"
            f"{probability}"
            f'<td dir="auto" class="input">{escape(cut)}<small dir="ltr">{escape(str(each.get("place", "")))}</small></td></tr>'
        )
    head = f"<th>true</th><th>predicted</th>{_number_head('how sure') if sure else ''}<th>what, and where</th>"
    return _table(head, "".join(lines), style="mistakes") if lines else ""


def _said(label: object) -> str:
    """Write a label, or several of them."""
    return ", ".join(map(str, label)) if isinstance(label, list) else str(label)


def _table(head: str, lines: str, caption: str = "", style: str = "") -> str:
    note = f'<p class="note">{escape(caption)}</p>' if caption else ""
    named = f' class="{style}"' if style else ""
    return f'{note}<div class="scroll"><table{named}><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'
