"""Files to tagged sequences: words, or the steps of a series, with a tag each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from recurra.data.header import Header, find_header
from recurra.data.labelled.reader import Kind, label_text, reorder_channels
from recurra.data.labelled.tables import column_names
from recurra.data.sources import add_each, common_folder, location, to_utf8
from recurra.errors import DataError, UsageError
from recurra.series import Series, match_arrays, read_arrays, read_long, read_npz, value_columns
from recurra.text import (
    CONLLU,
    LAST_COLUMN,
    Faults,
    Source,
    TaggedWords,
    conllu_column_index,
    guess_list_fields,
    open_sources,
    read_conll,
    read_conllu,
    read_lists,
    record_kind_from_name,
    resolve_column,
    sample_records,
)

_SUFFIXES = {"conllu": "conllu", "conllx": "conllu", "npz": "npz"}


@dataclass(frozen=True)
class Tagged:
    """Sentences, or series, with a tag for every word or step.

    sentences: the words of each, in NFC; [] for series.  sequences: float32 arrays (T, C), NaN where a value is missing; [] for
    text.  tags: one a word or step; [] where none were needed and none are there.  places, channels, skipped, notes: as in
    `recurra.data.labelled.reader.Labelled`.
    """

    kind: Kind
    sentences: list[list[str]]
    tags: list[list[str]]
    places: list[str]
    skipped: list[str]
    sequences: list[np.ndarray] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> list[list[str]] | list[np.ndarray]:
        """What the tags are of: lists of words, or series."""
        return self.sentences or self.sequences

    @property
    def keys(self) -> list[bytes]:
        """The bytes of each input, by which examples are split."""
        if self.kind == "text":
            return [b"\0".join(word.encode() for word in words) for words in self.sentences]
        return [series.tobytes() for series in self.sequences]

    def select(self, indices: Sequence[int]) -> Self:
        """Give some of the examples, without what was noted of reading all of them."""
        lists = {name: getattr(self, name) for name in ("sentences", "tags", "places", "sequences")}
        chosen = {name: [values[index] for index in indices] if values else [] for name, values in lists.items()}
        return replace(self, **chosen, skipped=[], notes=[])


@dataclass(frozen=True)
class TaggedOptions:
    """How tagged data is to be read; every field has a default."""

    column: int | str | None = None
    """the tags: a column's number from 1, or −1 for the last (CoNLL; the last by default), its name in CoNLL-U ("upos" by
    default), a field (JSON, JSONL, Parquet), a column of a long table"""

    tokens: int | str | None = None
    """the words, likewise; the first column of CoNLL, "form" of CoNLL-U by default"""

    series: str | tuple[str, ...] | None = None
    """long tables: the column that names the series a row belongs to, or several that do so together"""

    time: str | None = None
    """long tables: the column to sort a series by (numbers or ISO dates)"""

    columns: tuple[str, ...] = ()
    """long tables: the value columns; none: all numeric ones but those above"""

    header: Header = "auto"
    """long tables: as in `LabelledOptions`"""

    need_labels: bool = True
    """False: the same files with or without tags"""

    on_error: Literal["stop", "skip"] = "stop"
    """what is done with a sentence or file that cannot be used: stop there, or list it"""

    @property
    def series_columns(self) -> tuple[str, ...]:
        """The columns that name the series a row belongs to; none where no table is long."""
        return (self.series,) if isinstance(self.series, str) else self.series or ()


def read_tagged(arguments: Sequence[str | Path], options: TaggedOptions | None = None) -> Tagged:
    """Read tagged sequences from files, folders, globs, archives and standard input, compressed or not.

    What is read: CoNLL columns, CoNLL-U, records with a list of words and a list of tags (JSON, JSONL, Parquet); and for frames:
    long tables (CSV, TSV, with `series`) and `.npz` files with a label for every step. Raises `UsageError` where it is open
    what is what, and `DataError`, with file and line or row, for the first thing that cannot be used; `on_error="skip"`
    lists such sentences and files instead.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "places.conll")
    ...     _ = path.write_text("Anna\\tB-PER\\nlives\\tO\\n\\n北京\\tB-LOC\\n", encoding="utf-8")
    ...     read = read_tagged([path])
    >>> read.sentences, read.tags, read.places
    ([['Anna', 'lives'], ['北京']], [['B-PER', 'O'], ['B-LOC']], ['places.conll, line 1', 'places.conll, line 4'])
    """
    options = options or TaggedOptions()
    faults, notes = Faults(options.on_error), []
    sources = [to_utf8(source, notes) for source in open_sources(arguments, faults, _file_kind)]
    folder = common_folder([source.name for source in sources])
    collector = _Collector(options, faults, folder)
    for source in sources:
        collector.add_file(source, _read(source, options, faults, notes))
    return collector.result(notes, ", ".join(source.name for source in sources[:3]) or "the files named")


def _file_kind(name: str) -> str | None:
    return _SUFFIXES.get(name.rpartition(".")[2]) or record_kind_from_name(name)


def _read(source: Source, options: TaggedOptions, faults: Faults, notes: list[str]) -> Iterable[TaggedWords | Series]:
    if source.kind == "npz":
        return _read_frames(source)
    if source.kind in ("json", "jsonl", "parquet") and not options.series_columns:
        words = _field_name(options.tokens, "tokens")
        fields = guess_list_fields(source, words, _field_name(options.column, "column"), options.need_labels)
        return read_lists(source, *fields, faults, need_tags=options.need_labels)
    if options.series_columns or source.kind == "csv":
        return _read_table(source, options, faults, notes)
    if source.kind == "conllu" or (isinstance(options.column, str) and options.column.lower() in CONLLU):
        words, tags = conllu_column_index(options.tokens, "form"), conllu_column_index(options.column, "upos")
        return read_conllu(source, words, tags, faults)
    words, tags = _column_number(options.tokens, "tokens", 1), _column_number(options.column, "column", -1)
    return read_conll(source, words - 1, tags - 1 if tags > 0 else tags, faults, need_tags=options.need_labels)


def _read_frames(source: Source) -> Iterator[Series]:
    arrays = read_npz(source)
    for series, labels, lengths in match_arrays(arrays, source.name):
        named = arrays[labels] if labels else None
        yield from read_arrays(arrays[series], named, arrays[lengths] if lengths else None, source.name, steps=True)


def _read_table(source: Source, options: TaggedOptions, faults: Faults, notes: list[str]) -> Iterable[Series]:
    column = LAST_COLUMN if options.column == -1 else None if options.column is None else str(options.column)
    named = (*options.series_columns, options.time, column, *options.columns)
    source = find_header(source, options.header, named, notes)
    names = column_names(source)
    if not options.series_columns or (column is None and options.need_labels):
        raise UsageError(
            f"{source.name}: a table with a row for every step needs the column that names the series and the one with the "
            "tags: --series NAME --column NAME"
        )
    series, given = (
        [resolve_column(name, names) for name in some] for some in (options.series_columns, options.columns)
    )
    time, tag = (name and resolve_column(name, names) for name in (options.time, column))
    values = value_columns(given, sample_records(source), (time, tag, *series), source)
    return read_long(source, series, time, tag, values, faults, steps=True)


def _field_name(given: int | str | None, name: str) -> str | None:
    if isinstance(given, int):
        raise UsageError(f"{name}: expected the name of a field, got the number {given}")
    return given


def _column_number(given: int | str | None, name: str, default: int) -> int:
    try:
        number = default if given is None else int(given)
    except ValueError:
        number = 0
    if number < -1 or number == 0:
        raise UsageError(f"{name}: expected the number of a column, from 1, or -1 for the last; got {given!r}")
    return number


class _Collector:
    """Collects sentences and series as they are read, and checks that they fit together."""

    def __init__(self, options: TaggedOptions, faults: Faults, folder: str) -> None:
        self._options, self._faults, self._folder = options, faults, folder
        self._kind: Kind | None = None
        self._channels: tuple[str, ...] = ()
        self._first = ""
        self._inputs: list[Any] = []
        self._tags: list[list[str] | None] = []
        self._places: list[str] = []

    def add_file(self, source: Source, examples: Iterable[TaggedWords | Series]) -> None:
        """Add all sequences of a file."""
        add_each(examples, lambda example: self._add(source, example), self._faults)

    def _add(self, source: Source, example: TaggedWords | Series) -> None:
        kind: Kind = "series" if isinstance(example, Series) else "text"
        channels = example.channels if isinstance(example, Series) else ()
        if self._kind is None:
            self._kind, self._channels, self._first = kind, channels, source.name
        elif kind != self._kind:
            raise UsageError(f"{source.name} holds {kind}, {self._first} {self._kind}: read one kind at a time")
        if isinstance(example, Series):
            sequence = reorder_channels(example, self._channels, self._first, source)
            found, steps = example.label, len(example.values)
        else:
            sequence, found, steps = example.words, example.tags, len(example.words)
        tags = None if found is None else [label_text(tag, source, example.place) for tag in found]
        if tags is not None and len(tags) != steps:
            problem = f"expected {steps} tags, one a step, got {len(tags)}"
            raise DataError(problem, source=source.name, **example.place)
        if tags is not None and "" in tags:
            if self._options.need_labels:
                at = tags.index("") + 1
                raise DataError(f"the tag of step {at} is missing", source=source.name, **example.place)
            tags = None
        if tags is None and self._options.need_labels:
            raise DataError("the tags are missing", source=source.name, **example.place)
        self._inputs.append(sequence)
        self._tags.append(tags)
        self._places.append(location(source.name, example.place, self._folder))

    def result(self, notes: list[str], where: str) -> Tagged:
        """Give all that was added; raises `DataError` when that is nothing."""
        skipped = self._faults.skipped
        if self._kind is None:
            shown = " | ".join(skipped[:3]) + (" | ..." if len(skipped) > 3 else "")
            raise DataError("holds no tagged sequences", source=where, hint=f"left out: {shown}" if shown else None)
        bare = sum(tags is None for tags in self._tags)
        if 0 < bare < len(self._tags):
            notes.append(f"{bare:,} of {len(self._tags):,} sequences have no tags: tags are not read")
        tags = [] if bare else [tags for tags in self._tags if tags is not None]
        text = self._kind == "text"
        sentences, sequences = (self._inputs, []) if text else ([], self._inputs)
        return Tagged(self._kind, sentences, tags, self._places, skipped, sequences, list(self._channels), notes)
