"""What a report shows of a grammar learner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recurra.formatting import finite
from recurra.report.blocks import Block, Column, Lines, Picture, Table, Text, note_blocks
from recurra.report.chart import Chart, Series
from recurra.report.fields import details, mappings, numbers, rows, texts

SAMPLES_TITLE = "Strings that it writes"
USAGE = (
    ("What may follow the beginning of a string", 'recurra predict {run} -t "ab"'),
    ("Write strings", "recurra generate {run} -n 10 --seed 1"),
    ("How likely strings are", "recurra score {run} strings.txt --rank"),
    ("Each gate at each symbol", 'recurra explain {run} -t "ab" -o inside.html'),
)
_FAULT_COLUMNS = (
    Column("size", "count"),
    Column("after so many symbols", "count"),
    Column("beginning, its end"),
    Column("may follow"),
    Column("held to be legal"),
)
_LEAST_COLUMNS = (
    Column("string", "name"),
    Column("symbol"),
    Column("its place", "count"),
    Column("probability", "number"),
)


def blocks(evaluation: Mapping[str, Any]) -> list[Block]:
    """Give what there is to see of an evaluation; whatever is missing or broken is left out."""
    found = details(evaluation)
    name = str(found.get("size_name", "length"))
    shown: list[Block] = [*_by_size(rows(found.get("by_size")), name), *_memory(mappings(found.get("memory")))]
    if faults := [
        row for row in rows(found.get("faults")) if isinstance(row, list) and len(row) == len(_FAULT_COLUMNS)
    ]:
        shown.append(
            Table("First failures", _FAULT_COLUMNS, faults, "The shortest held-out strings that are wrong somewhere.")
        )
    if least := [
        row for row in rows(found.get("least_likely")) if isinstance(row, list) and len(row) == len(_LEAST_COLUMNS)
    ]:
        shown.append(
            Table("Least likely symbols", _LEAST_COLUMNS, least, "Held-out strings, by their least likely symbol.")
        )
    if written := texts(found.get("written")):
        shown.append(Text("Strings that it writes", written))
    return [*shown, *note_blocks(evaluation)]


def _by_size(given: list[Any], name: str) -> list[Block]:
    """Draw the share of strings that are right, by their size."""
    points = [(float(row[0]), float(row[1])) for row in given if isinstance(row, list) and len(row) == 3 and finite(row[0]) is not None and finite(row[1]) is not None]  # fmt: skip
    if len(points) < 2:
        return []
    chart = Chart(f"Strings right, by {name}", [Series("strings right", points, "held")], name, zero=True)
    return [
        Lines(f"Right by {name}", [Picture("share of the held-out strings that are right after every symbol", chart)])
    ]


def _memory(found: list[Mapping[str, Any]]) -> list[Block]:
    """Draw the memory of the unit that counts beside what is to be counted."""
    pictures = []
    for one in found:
        memory, values = numbers(one.get("memory")), numbers(one.get("values"))
        slope, offset, correlation = (finite(one.get(key)) for key in ("slope", "offset", "correlation"))
        if len(memory) != len(values) or not memory or slope is None or offset is None or correlation is None:
            continue
        line = [(float(step), slope * value + offset) for step, value in enumerate(values)]
        series = [
            Series("the counter, on the scale of the memory", line, "known"),
            Series("memory", [(float(step), value) for step, value in enumerate(memory)], "held"),
        ]
        caption = f"{one.get('counter')}: unit {one.get('unit')}, {slope:+.3f} for each, correlation {correlation:.4f}"
        pictures.append(Picture(caption, Chart(caption, series, "symbols read")))
    note = "What the unit that is closest to a counter of the grammar holds after each symbol of a long string."
    return [Lines("The memory counts", pictures, note)] if pictures else []
