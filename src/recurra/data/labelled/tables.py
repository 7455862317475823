"""Tables and records to examples: a text field with a label, or series in wide or long form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any

from recurra.data.labelled.options import LABEL_WAYS, Reading
from recurra.data.labelled.text_files import file_labels, is_folder_per_class
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
    starts_with_label,
    value_columns,
)
from recurra.text import (
    Faults,
    LabelledText,
    Source,
    fields_message,
    guess_fields,
    has_decimal_commas,
    label_field,
    read_labelled_records,
    sample_records,
)

Examples = Iterable[LabelledText | Series]
_SERIES = {"series", "series_id", "sequence", "sequence_id", "case", "case_id", "trial", "recording", "id"}
_TIMES = {"time", "t", "timestamp", "step", "date", "datetime", "frame"}
_LONG_TEXT = 20.0  # characters a cell, on average, that are no code or name


def read_table(
    sources: list[Source], how: Reading, faults: Faults, notes: list[str]
) -> Iterator[tuple[Source, Examples]]:
    """Yield each table or file of records with its examples; the fields that are guessed are guessed once.

    Raises `UsageError` where it is open which field is what.
    """
    names = [source.name for source in sources]
    outer: list[str | None] = [None] * len(sources)
    if not how.need_labels:
        pass  # neither their names nor their folders say what is not asked for
    elif how.label == "file":
        outer = [*file_labels(names)]
    elif how.label == "folder" or (
        how.label is None and all(source.found for source in sources) and is_folder_per_class(names)
    ):
        outer = [PurePath(name).parent.name for name in names]
    label = None if how.label in LABEL_WAYS else how.label
    text: tuple[str, str | None] | None = None
    for source, said in zip(sources, outer, strict=True):
        if source.kind in ("csv", "tsv") and not (how.text or how.series) and is_headerless(_head(source)):
            yield source, _matrix(source, said, how, faults)
        elif text is None and _holds_series(source, how, label, said):
            yield source, _series(source, how, label, said, faults, notes)
        else:
            text = text or guess_fields(source, how.text, label, how.need_labels and said is None)
            yield source, _texts(source, text, said, how, faults)


def _head(source: Source) -> str:
    return source.data[:100_000].decode("utf-8", "replace").lstrip("\ufeff").replace("\r\n", "\n")


def _matrix(source: Source, said: str | None, how: Reading, faults: Faults) -> Iterator[Series]:
    if said is None:
        yield from read_headerless(source, faults, labelled=how.need_labels or starts_with_label(_head(source)))
    else:
        values = read_matrix(source)
        yield Series(values, said, {}, channel_names(values.shape[1]))


def _texts(
    source: Source, fields: tuple[str, str | None], said: str | None, how: Reading, faults: Faults
) -> Iterator[LabelledText]:
    text, label = fields
    if said is None:
        yield from read_labelled_records(source, text, label, faults, need_label=how.need_labels)
        return
    for piece in read_labelled_records(source, text, None, faults):
        yield LabelledText(piece.text, said, piece.place)


def _holds_series(source: Source, how: Reading, label: str | None, said: str | None) -> bool:
    """Say whether a table holds series rather than texts: numbers, and no words but labels and short names.

    said: the label that the table's place gives it; then no column is one, and a single column of numbers is a series.
    """
    if how.text is not None:
        return False
    if how.series is not None or how.columns:
        return True
    sample = sample_records(source)
    label = label or (label_field(sample) if said is None else None)
    numeric = [name for name in numeric_columns(sample, has_decimal_commas(source)) if name != label]
    words = [name for name in (sample[0] if sample else {}) if name not in numeric and name != label]
    lengths = [_mean_length(name, sample) for name in words]
    enough = len(numeric) > 1 or (said is not None and bool(numeric) and not words)
    return enough and all(length < _LONG_TEXT for length in lengths)


def _mean_length(name: str, sample: list[dict[str, Any]]) -> float:
    cells = [row.get(name) for row in sample]
    return sum(0 if is_missing(cell) else len(str(cell)) for cell in cells) / max(1, len(cells))


def _series(
    source: Source, how: Reading, label: str | None, said: str | None, faults: Faults, notes: list[str]
) -> Iterator[Series]:
    sample = sample_records(source)
    names = list(sample[0]) if sample else []
    if label is None and said is None:
        label = label_field(sample)
    elif label not in names and not how.need_labels:
        label = None
    if label is None and said is None and how.need_labels:
        raise UsageError(
            f"{source.name}: cannot tell which column is the label; {fields_message(names)}; name it: --label NAME"
        )
    values = value_columns(how.columns, sample, (label, how.series, how.time), source)
    if how.series is not None:
        examples = read_long(source, how.series, how.time, label, values, faults)
    elif said is not None:
        yield Series(read_steps(source, values, faults), said, {}, tuple(values))
        return
    else:
        _beware_of_long(source, sample)
        ignored = [name for name in names if name not in values and name != label]
        if ignored:
            notes.append(f"{PurePath(source.name).name}: a row is a series; left out of it: {', '.join(ignored[:10])}")
        examples = read_wide(source, label, values, faults)
    for one in examples:
        yield one if said is None else Series(one.values, said, one.place, one.channels)


def _beware_of_long(source: Source, sample: list[dict[str, Any]]) -> None:
    """Raise `UsageError` for a table that looks like a long one, which would be read wrongly as a wide one."""
    names = {name.strip().lower(): name for name in (sample[0] if sample else {})}
    series = next((names[name] for name in names if name in _SERIES), None)
    time = next((names[name] for name in names if name in _TIMES), None)
    if series is None or time is None or len({str(row.get(series)) for row in sample}) == len(sample):
        return
    raise UsageError(
        f"{source.name}: it looks like a table with a row for every step, and would be read as one with a row for every series; "
        f"say --series {series} --time {time}, or name the values of a series in a row: --columns"
    )
