"""Tables and records with a signal's file, or the strokes of a pen, and a text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from recurra.data.caption_json import SPLITS, split_of
from recurra.data.captions import CAPTION_NAMES, IMAGE_NAMES
from recurra.data.columns import choose_columns
from recurra.data.header import Header, find_header
from recurra.data.transcripts.index import Index, Signals, unpacked
from recurra.data.transcripts.options import Label, TranscriptOptions
from recurra.data.transcripts.sidecars import one_line
from recurra.errors import DataError, UsageError
from recurra.ink import Ink, make_ink, parse_drawing, parse_stroke
from recurra.text import (
    Faults,
    Place,
    Source,
    fields_message,
    first_rows,
    flatten,
    handled,
    iter_rows,
    resolve_column,
    sample_records,
)

FILE_NAMES = (*IMAGE_NAMES, "audio", "audio_filepath", "audio_file", "wav", "sound", "clip", "recording")
TEXT_NAMES = (
    "text",
    "transcription",
    "transcript",
    *(name for name in CAPTION_NAMES if name != "text"),
    "word",
    "label",
)
GROUP_NAMES = ("speaker", "speaker_id", "client_id", "writer", "writer_id", "document", "group", "user")
STROKE_FIELDS = {"strokes": parse_stroke, "ink": parse_stroke, "drawing": parse_drawing}
"""Fields with what a pen wrote; a `drawing` is written as Quick, Draw! does."""
_MATCHED = 0.5
"""Of the cells of a column, from which on they are names of signals that are there."""
START_NAMES, LENGTH_NAMES = ("offset", "start"), ("duration",)


def read_table(
    source: Source, options: TranscriptOptions, index: Index, known: Signals, faults: Faults, notes: list[str]
) -> Iterator[tuple[Ink, Label]]:
    """Read a table: what it says of files goes into the index, and inks are given as they come.

    known: the signals that are there, by which the column with their names is known if it is called by none of the usual names.

    Raises `UsageError` where it is open which column is what, and `DataError` for a row that cannot be used.
    """
    named = (options.file, options.text, options.group, *FILE_NAMES)
    table = find_header(source, _header(source, options, known), named, notes)
    sample = sample_records(table)
    names = list(dict.fromkeys(name for record in sample for name in record))
    if not names:
        raise DataError("holds no records", source=source.name)
    strokes = next((name for name in STROKE_FIELDS if isinstance(sample[0].get(name), list)), None)
    file, text = (
        (strokes, _text_column(names, options, table)) if strokes else _columns(names, sample, options, known, table)
    )
    group = _optional(names, options.group, GROUP_NAMES)
    split = next((name for name in names if name.lower() == "split"), None)
    span = [next((name for name in names if name.lower() in usual), None) for usual in (START_NAMES, LENGTH_NAMES)]
    part = SPLITS.get(PurePosixPath(unpacked(source.name)).stem.lower()) if source.found else None
    wanted = [one for one in (file, text, group, split, *span) if one is not None]
    for row in iter_rows(table, wanted if source.kind == "parquet" else [one for one in (file, text) if one], faults):
        cells = dict(flatten(row.cells)) if isinstance(row.cells, dict) else {}
        with handled(faults):
            label = Label(
                _text(cells.get(text), text, table, row.place, options) if text else None,
                source.name,
                row.place,
                _group(cells.get(group)) if group else None,
                split_of(cells.get(split), source, row.place) if split else part,
                _span([cells.get(name) if name else None for name in span], source, row.place),
            )
            if strokes:
                yield _ink(cells.get(strokes), strokes, source, row.place), label
            else:
                index.add_name(_file(cells.get(file), file, table, row.place), label)


def _header(source: Source, options: TranscriptOptions, known: Signals) -> Header:
    """Tell whether the first row names the columns: it does not where it names a signal that is there."""
    if options.header == "auto" and source.kind in ("csv", "tsv") and known:
        first = next(iter(first_rows(source)), [])
        return "no" if any(known.has(cell) for cell in first if cell.strip()) else "auto"
    return options.header


def _columns(
    names: list[str], sample: list[dict[str, Any]], options: TranscriptOptions, known: Signals, table: Source
) -> tuple[str, str | None]:
    """Choose the columns of the file and of the text: those that are named, those that are usual, those whose cells are signals that are there."""
    matched = options.file
    if matched is None and known:
        counts = {name: sum(known.has(str(record.get(name) or " ")) for record in sample) for name in names}
        best = max(names, key=lambda name: counts[name])
        matched = best if counts[best] >= _MATCHED * len(sample) else None
    found = choose_columns(names, (matched, options.text), (FILE_NAMES, TEXT_NAMES))
    file, text = found
    if file is not None and text is None and options.text is None and options.file is None and matched:
        texts = [name for name in names if name != file and any(isinstance(one.get(name), str) for one in sample)]
        text = texts[-1] if not table.header and texts else None  # as LJ Speech: the last is the one that is spelt out
    if file is None or file == text or (text is None and options.need_texts):
        raise UsageError(
            f"{table.name}: which column is the name of the file, and which the text? {fields_message(names)}; "
            "say --file NAME --text NAME"
        )
    return file, text


def _text_column(names: list[str], options: TranscriptOptions, table: Source) -> str | None:
    text = _optional(names, options.text, TEXT_NAMES)
    if text is None and options.need_texts:
        raise UsageError(f"{table.name}: which field is the text? {fields_message(names)}; say --text NAME")
    return text


def _optional(names: list[str], given: str | None, usual: tuple[str, ...]) -> str | None:
    if given is not None:
        return resolve_column(given, names)
    by_word = {name.lower(): name for name in reversed(names)}
    return next((by_word[word] for word in usual if word in by_word), None)


def _text(cell: Any, name: str, table: Source, place: Place, options: TranscriptOptions) -> str | None:
    if cell is None and not options.need_texts:
        return None
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    if not isinstance(cell, str):
        raise DataError(f"field {name!r} is no text", source=table.name, **place)
    return one_line(cell)


def _group(cell: Any) -> str | None:
    return None if cell is None or cell == "" or isinstance(cell, list | dict) else str(cell)


def _file(cell: Any, name: str, table: Source, place: Place) -> str:
    if not isinstance(cell, str) or not cell.strip() or "\0" in cell or not PurePosixPath(cell.strip()).name:
        raise DataError(f"field {name!r} is no name of a file", source=table.name, **place)
    return cell.strip()


def _span(cells: list[Any], source: Source, place: Place) -> tuple[float, float] | None:
    """Give where in a sound a text is said: an offset and a duration, in seconds; a duration alone is that of the whole file."""
    if cells[0] is None or cells[1] is None:
        return None
    try:
        start, length = (float(cell) for cell in cells)
        if not (0 <= start < float("inf") and 0 < length < float("inf")):
            raise ValueError
    except (TypeError, ValueError):
        problem = f"expected an offset and a duration in seconds, got {str(cells)[:60]}"
        raise DataError(problem, source=source.name, **place) from None
    return start, start + length


def _ink(cell: Any, field: str, source: Source, place: Place) -> Ink:
    if not isinstance(cell, list):
        raise DataError(f"field {field!r}: expected a list of strokes", source=source.name, **place)
    return make_ink([STROKE_FIELDS[field](one, source.name, **place) for one in cell], source.name, **place)


def is_table(source: Source) -> bool:
    """Tell whether a text without the suffix of a table has tabs or bars in its first line, as one."""
    first = source.data[:4096].split(b"\n")[0]
    return b"\t" in first or b"|" in first
