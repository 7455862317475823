"""Tables and records to examples: a text field with a label, or series in wide or long form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from recurra.data.header import find_header, first_text
from recurra.data.labelled.label_columns import label_position, likely_label, unnamed_label, whole_label
from recurra.data.labelled.options import LABEL_SOURCES, LabelledOptions
from recurra.data.labelled.text_files import Examples, file_labels, is_folder_per_class
from recurra.errors import UsageError
from recurra.series import (
    Series,
    channel_names,
    is_headerless,
    is_missing,
    numeric_columns,
    read_headerless,
    read_long,
    read_matrix,
    read_steps,
    read_wide,
    value_columns,
)
from recurra.text import (
    Faults,
    LabelledText,
    Source,
    fields_message,
    guess_fields,
    guess_unnamed,
    has_decimal_commas,
    iter_rows,
    label_field,
    read_labelled_records,
    sample_records,
)

_SERIES_NAMES = {"series", "series_id", "sequence", "sequence_id", "case", "case_id", "trial", "recording", "id"}
_TIME_NAMES = {"time", "t", "timestamp", "step", "date", "datetime", "frame"}
_MIN_TEXT_LENGTH = 20.0  # characters a cell, on average, that are no code or name


def read_table(
    sources: list[Source], options: LabelledOptions, faults: Faults, notes: list[str], chosen: dict[str, str]
) -> Iterator[tuple[Source, Examples]]:
    """Yield each table or file of records with its examples; the fields that are guessed are guessed once.

    Raises `UsageError` where it is open which field is what.
    """
    sources = [find_header(source, options.header, options.named, notes) for source in sources]
    names = [source.name for source in sources]
    outer_labels: list[str | None] = [None] * len(sources)
    if not options.need_labels:
        pass  # neither their names nor their folders say what is not asked for
    elif options.label == "file":
        outer_labels = [*file_labels(names)]
    elif options.label == "folder" or (
        options.label is None and all(source.found for source in sources) and is_folder_per_class(names)
    ):
        outer_labels = [PurePath(name).parent.name for name in names]
    text: tuple[str, str | None] | None = None
    for source, file_label in zip(sources, outer_labels, strict=True):
        numbers = not source.header and is_headerless(first_text(source))
        if numbers and not (options.text or options.series_columns or options.columns):
            yield source, _matrix(source, file_label, options, faults, notes, chosen)
            continue
        how = options.with_names(column_names(source))
        _note_chosen(chosen, options, text=how.text, label=how.label, time=how.time)
        label = None if how.label in LABEL_SOURCES else how.label
        if text is None and _holds_series(source, how, label, file_label):
            yield source, _series(source, how, label, file_label, faults, notes)
            continue
        need_label = options.need_labels and file_label is None
        if text is None:
            text = _text_fields(source, how.text, label, need_label, notes)
            if not source.header:
                _note_chosen(chosen, options, text=text[0], label=text[1])
        yield source, _texts(source, text, file_label, options, faults)


def _note_chosen(chosen: dict[str, str], options: LabelledOptions, **found: str | None) -> None:
    """Remember what options were found to be, where they were open or are positions; those of the first file."""
    for name, value in found.items():
        if value is not None and value != getattr(options, name):
            chosen.setdefault(name, value)


def column_names(source: Source) -> list[str]:
    """Name the columns of a CSV or TSV table in their order; none of another file, whose fields have no positions."""
    if source.kind not in ("csv", "tsv"):
        return []
    row = next(iter(iter_rows(source, (), Faults("skip"))), None)
    return [] if row is None else list(row.cells)


def _text_fields(
    source: Source, text: str | None, label: str | None, need_label: bool, notes: list[str]
) -> tuple[str, str | None]:
    if source.header:
        return guess_fields(source, text, label, need_label)
    found = guess_unnamed(source, text, label, need_label)
    if found != (text, label):
        named = f"text {found[0]}" + (f", label {found[1]}" if found[1] is not None else "")
        notes.append(f"{PurePath(source.name).name}: columns are taken by what they hold: {named}")
    return found


def _matrix(
    source: Source,
    file_label: str | None,
    options: LabelledOptions,
    faults: Faults,
    notes: list[str],
    chosen: dict[str, str],
) -> Iterator[Series]:
    if file_label is None:
        yield from read_headerless(source, faults, label_at=label_position(source, options, notes, chosen))
    else:
        values = read_matrix(source)
        yield Series(values, file_label, {}, channel_names(values.shape[1]))


def _texts(
    source: Source, fields: tuple[str, str | None], file_label: str | None, options: LabelledOptions, faults: Faults
) -> Iterator[LabelledText]:
    text, label = fields
    if file_label is None:
        yield from read_labelled_records(source, text, label, faults, need_label=options.need_labels)
        return
    for piece in read_labelled_records(source, text, None, faults):
        yield LabelledText(piece.text, file_label, piece.place)


def _holds_series(source: Source, options: LabelledOptions, label: str | None, file_label: str | None) -> bool:
    """Say whether a table holds series rather than texts: numbers, and no words but labels and short names.

    file_label: the label that the table's place gives it; then no column is one, and a single column of numbers is a series.
    """
    if options.text is not None:
        return False
    if options.series_columns or options.columns:
        return True
    sample = sample_records(source)
    label = label or (label_field(sample) if file_label is None else None)
    numeric = [name for name in numeric_columns(sample, has_decimal_commas(source)) if name != label]
    words = [name for name in (sample[0] if sample else {}) if name not in numeric and name != label]
    lengths = [_mean_length(name, sample) for name in words]
    enough = len(numeric) > 1 or (file_label is not None and bool(numeric) and not words)
    return enough and all(length < _MIN_TEXT_LENGTH for length in lengths)


def _mean_length(name: str, sample: list[dict[str, Any]]) -> float:
    cells = [row.get(name) for row in sample]
    return sum(0 if is_missing(cell) else len(str(cell)) for cell in cells) / max(1, len(cells))


def _series(
    source: Source,
    options: LabelledOptions,
    label: str | None,
    file_label: str | None,
    faults: Faults,
    notes: list[str],
) -> Iterator[Series]:
    sample = sample_records(source)
    names = list(sample[0]) if sample else []
    if label is None and file_label is None:
        label = label_field(sample) if source.header else unnamed_label(source, options.need_labels)
    elif label not in names and not options.need_labels:
        label = None
    if label is None and file_label is None and options.need_labels:
        raise UsageError(
            f"{source.name}: cannot tell which column is the label; {fields_message(names)}; "
            f"{likely_label(source) or 'name it: --label NAME'}"
        )
    values = value_columns(options.columns, sample, (label, options.time, *options.series_columns), source)
    if options.series_columns:
        examples = read_long(source, options.series_columns, options.time, label, values, faults)
    elif file_label is not None:
        yield Series(read_steps(source, values, faults), file_label, {}, tuple(values))
        return
    else:
        _refuse_long(source, sample)
        ignored = [name for name in names if name not in values and name != label]
        if ignored:
            notes.append(f"{PurePath(source.name).name}: a row is a series; left out of it: {', '.join(ignored[:10])}")
        examples = read_wide(source, label, values, faults)
    for one in examples:
        found = file_label if file_label is not None else one.label if source.header else whole_label(one.label)
        yield Series(one.values, found, one.place, one.channels)


def _refuse_long(source: Source, sample: list[dict[str, Any]]) -> None:
    """Raise `UsageError` for a table that looks like a long one, which would be read wrongly as a wide one."""
    names = {name.strip().lower(): name for name in (sample[0] if sample else {})}
    series = next((names[name] for name in names if name in _SERIES_NAMES), None)
    time = next((names[name] for name in names if name in _TIME_NAMES), None)
    if series is None or time is None or len({str(row.get(series)) for row in sample}) == len(sample):
        return
    raise UsageError(
        f"{source.name}: it looks like a table with a row for every step, and would be read as one with a row for every series; "
        f"say --series {series} --time {time}, or name the values of a series in a row: --columns"
    )
