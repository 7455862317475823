"""Which column of a table holds the labels, and whether what it holds can be labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from recurra.data.header import first_text
from recurra.data.labelled.options import LABEL_SOURCES, LabelledOptions
from recurra.errors import DataError
from recurra.series import cell_number, find_label, is_missing, is_number, split_cells
from recurra.text import LAST_COLUMN, Faults, Source, decode, missing_field_error, table_columns, whole_number

_MIN_LABELS = 8  # from which on numbers that all differ are measurements
_MIN_DIFFERENT = 0.9  # of measurements
_MIN_FRACTIONS = 0.5  # of measurements, that are no whole numbers
_MAX_LABEL_LENGTH = 30.0  # characters, on average


def label_position(source: Source, options: LabelledOptions, notes: list[str], chosen: dict[str, str]) -> int | None:
    """Give where the label stands in lines of numbers, as `find_label` does, or where it is said to stand; None: nowhere.

    notes, chosen: get what is to be said, and remembered, of a label that is last.  Raises `DataError` for the name of a column:
    lines of numbers have none.
    """
    text, needed = decode(source.data, source.name, lenient=True), options.need_labels
    given = None if options.label in LABEL_SOURCES else options.label
    width = len(split_cells(first_text(source).split("\n", 1)[0]))
    found = find_label(text, needed=needed)
    if given in (None, LAST_COLUMN):
        at = found if given is None or not needed else -1
        if at == -1:
            chosen.setdefault("label", str(width))
        if at == -1 and given is None:
            few = len({cell_number(line, -1) for line in text.split("\n") if line.strip()})
            notes.append(
                f"{PurePath(source.name).name}: the label is the last column, which has {few:,} different values, as is said by "
                f"--label last too (--label 1: the first column)"
            )
        return at if given is None or at == -1 else None
    number = whole_number(given)
    if number is None or not 1 <= number <= max(width, 1 if needed else number):
        raise missing_field_error(given, [str(number) for number in range(1, width + 1)], source, {})
    at = number - 1
    if needed:
        return at
    return (0 if found == 0 else None) if at == 0 else at if at < width else None


def unnamed_label(source: Source, needed: bool) -> str | None:
    """Give the column with the label of a table without a header whose rows are series; None where it is open.

    It is the one of words, or the first or the last, as `find_label` has it.
    """
    columns = table_columns(source, Faults("skip"))[0]
    words = [name for name, cells in columns.items() if not _are_numbers(cells)]
    if len(words) == 1:
        return words[0]
    if words or not columns:
        return None
    rows = "\n".join(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))
    at = find_label(rows, needed=needed)
    return None if at is None else list(columns)[at]


def likely_label(source: Source) -> str | None:
    """Say which column of a table most likely holds the labels, as an error names it; None where none does, or several.

    >>> rows = b"a,b,kind\\n0.1,3,x\\n0.2,5,y\\n0.3,7,x\\n0.4,9,y\\n"
    >>> likely_label(Source("a.csv", "csv", rows, False))
    "the last column, 'kind', has 2 different values: --label last"
    """
    if source.kind not in ("csv", "tsv"):
        return None
    columns = table_columns(source, Faults("skip"))[0]
    counts = {name: len(set(cells)) for name, cells in columns.items() if _may_be_labels(cells)}
    names = list(columns)
    if names and names[-1] in counts:
        shown = f", '{names[-1]}'," if source.header else ""
        return f"the last column{shown} has {counts[names[-1]]:,} different values: --label {LAST_COLUMN}"
    if len(counts) == 1:
        ((name, few),) = counts.items()
        return f"column '{name}' has {few:,} different values: --label {name}"
    return None


def check_labels(labels: Sequence[tuple[str, ...]], sources: Sequence[Source]) -> None:
    """Raise `DataError` for labels that are measurements: numbers with fractions, nearly all of them different.

    It names the column that more likely holds the labels.
    """
    first = [label[0] for label in labels if label]
    if not are_measurements(first):
        return
    likely = next(filter(None, map(likely_label, sources)), None)
    problem = (
        f"expected labels, a few that come again and again; got {len(set(first)):,} different numbers for {len(first):,} "
        f"examples, such as {first[0]}, which look like measurements"
    )
    where = ", ".join(source.name for source in sources[:3])
    raise DataError(problem, source=where, hint=likely or "name the column with the labels: --label NAME")


def are_measurements(labels: Sequence[str]) -> bool:
    """Say whether labels are measurements rather than names of classes.

    >>> are_measurements(["0.13", "2.5", "1.75", "3.1", "0.5", "2.25", "8.5", "9.1"]), are_measurements(["1.5", "2.0"] * 10)
    (True, False)
    """
    if len(labels) < _MIN_LABELS or len(set(labels)) < _MIN_DIFFERENT * len(labels):
        return False
    return all(map(is_number, labels)) and _fractions(labels) >= _MIN_FRACTIONS * len(labels)


def whole_label(label: Any) -> Any:
    """Give a label that is a whole number without decimals, as of lines of numbers.

    >>> whole_label("1.0e+00"), whole_label("1.5"), whole_label("good")
    ('1', '1.5', 'good')
    """
    whole = isinstance(label, str) and is_number(label) and not is_missing(label) and float(label).is_integer()
    return str(int(float(label))) if whole else label


def _fractions(labels: Sequence[str]) -> int:
    return sum(not float(label).is_integer() for label in labels)


def _are_numbers(cells: Sequence[Any]) -> bool:
    return all(is_number(cell) or is_missing(cell) for cell in cells)


def _may_be_labels(cells: Sequence[Any]) -> bool:
    there = [str(cell) for cell in cells if not is_missing(cell)]
    if not there or len(there) < len(cells) or sum(map(len, there)) > _MAX_LABEL_LENGTH * len(there):
        return False
    few = 2 <= len(set(there)) <= max(2, len(there) // 2)
    return few and not (all(map(is_number, there)) and _fractions(there))
