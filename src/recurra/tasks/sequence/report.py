"""What a report shows of predictions of classes, whether of whole sequences or of their elements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recurra.formatting import finite
from recurra.metrics import get_metric, headline_metric
from recurra.report.blocks import Bin, Block, Column, Matrix, Reliability, Table, Text
from recurra.report.blocks.matrix import NEVER_SEEN
from recurra.report.fields import details, mapping, mappings, rows, texts

MAX_CLASSES_SHOWN = 12
"""Rows that a table of classes shows at once; more lie behind a click."""
MAX_MISTAKES_SHOWN = 20
DOMINANT = 2 / 3
"""From this share of one class on, a high accuracy says little: always naming that class has one as well."""


def matrix_blocks(evaluation: Mapping[str, Any]) -> list[Block]:
    """Give the confusion matrix of an evaluation, "classes" and "confusion"."""
    found = details(evaluation)
    names = texts(found.get("classes"))
    counts = [[int(finite(cell) or 0) for cell in rows(row)] for row in rows(found.get("confusion"))]
    fits = len(counts) in (len(names), len(names) + 1) and all(len(row) == len(names) for row in counts)
    return [Matrix("Confusion matrix", names, counts)] if names and fits else []


def class_table_blocks(scores: object, title: str, kind: str, elements: str) -> list[Block]:
    """Tabulate precision, recall, F1 and support by class: the weakest first, where there are many.

    kind: what a row is, such as "class".  elements: what its support counts.
    """
    lines = [
        (str(name), *(finite(mapping(row).get(key)) for key in ("precision", "recall", "f1", "support")))
        for name, row in mapping(scores).items()
    ]
    if not lines:
        return []
    columns = [
        Column(kind, "name"),
        Column("precision", "share"),
        Column("recall", "share"),
        Column("F1", "share"),
        Column(elements, "count"),
    ]
    if len(lines) <= MAX_CLASSES_SHOWN:
        return [Table(title, columns, lines)]
    weakest = sorted((line for line in lines if line[4]), key=lambda line: line[3] or 0.0)[:MAX_CLASSES_SHOWN]
    return [Table(title, columns, weakest, f"The {len(weakest)} with the lowest F1.", all_rows=lines)]


def reliability_blocks(evaluation: Mapping[str, Any]) -> list[Block]:
    """Give how often predictions of some confidence are right, "reliability"."""
    bins: list[Bin] = []
    for each in mappings(details(evaluation).get("reliability")):
        low, high, confidence, accuracy, size = (
            finite(each.get(key)) for key in ("from", "to", "confidence", "accuracy", "count")
        )
        if low is None or high is None or confidence is None or accuracy is None or not size:
            continue
        if 0 <= low < high <= 1:
            bins.append((low, high, confidence, accuracy, size))
    return [Reliability("Calibration", bins)] if bins else []


def mistake_blocks(evaluation: Mapping[str, Any]) -> list[Block]:
    """List what was predicted as what, with which confidence, and where it stands in the data, "mistakes"."""
    found = mappings(details(evaluation).get("mistakes"))[:MAX_MISTAKES_SHOWN]
    if not found:
        return []
    confident = any(finite(each.get("probability")) is not None for each in found)
    lines = []
    for each in found:
        label = each.get("label")
        true = NEVER_SEEN if label is None else _label(label)
        confidence = [each.get("probability")] if confident else []
        passage = (str(each.get("input", "")), str(each.get("place", "")))
        lines.append((true, _label(each.get("predicted")), *confidence, passage))
    columns = [
        Column("true"),
        Column("predicted"),
        *([Column("confidence", "share")] if confident else []),
        Column("input, and where it is from", "passage"),
    ]
    return [Table("Most confident mistakes" if confident else "Some mistakes", columns, lines)]


def _label(label: object) -> str:
    """Write a label, or several of them."""
    return ", ".join(map(str, label)) if isinstance(label, list) else str(label)


def dominance_blocks(evaluation: Mapping[str, Any]) -> list[Block]:
    """Say how little an accuracy in the headline means where nearly all examples are of one class."""
    metrics = mapping(evaluation.get("metrics"))
    accuracy, fairer = get_metric("accuracy"), get_metric("macro_f1")
    if headline_metric(metrics) != accuracy:
        return []
    sizes = {
        str(name): finite(mapping(row).get("support")) or 0.0
        for name, row in mapping(details(evaluation).get("per_class")).items()
    }
    total = sum(sizes.values())
    if not total or max(sizes.values()) < DOMINANT * total:
        return []
    name = max(sizes, key=lambda each: sizes[each])
    value = finite(metrics.get(fairer.key))
    instead = f" Look at the {fairer.title} too: {fairer.format(value)}." if value is not None else ""
    share = accuracy.format(sizes[name] / total)
    return [
        Text(
            "",
            [f"{share} of the examples are of one class, {name}: always naming it would be right as often.{instead}"],
            in_headline=True,
        )
    ]
