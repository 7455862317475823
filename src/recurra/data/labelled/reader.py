"""Files to labelled sequences: texts or series, the labels of each, and where each stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from recurra.data.labelled.formats import file_kind, is_test_images, read_examples
from recurra.data.labelled.label_columns import check_labels
from recurra.data.labelled.options import LABEL_SOURCES, LabelledOptions, parse_renames
from recurra.data.sources import add_each, common_folder, location, open_data
from recurra.errors import DataError, UsageError
from recurra.series import Series, channel_order
from recurra.text import Faults, LabelledText, Place, Source, find_defect, normalise

Kind = Literal["text", "series"]
LABEL_SEPARATORS = "|;,"

__all__ = ["Kind", "Labelled", "LabelledOptions", "parse_renames", "read_labelled"]


@dataclass(frozen=True)
class Labelled:
    """Sequences and the labels of each.

    sequences: NFC strings, or float32 arrays (T, C) with NaN where a value is missing; T may be 0.  labels: one each;
    several or none with `multi_label`; none where none were needed and none are there.  places: where each stands, as in
    "reviews.csv, line 12".  channels: names of the C channels of series; [] for text.  skipped: a message for what was left
    out.  notes: what else a user may want to know of how the files were read.  chosen: the options `text`, `label` and `time` that
    were open or were positions, as they read the first file; with these, others are read alike.  test: numbers of the
    examples that are published as the test, by the names of files that were found beside those to train on.
    """

    kind: Kind
    sequences: list[str] | list[np.ndarray]
    labels: list[tuple[str, ...]]
    places: list[str]
    channels: list[str]
    skipped: list[str]
    notes: list[str] = field(default_factory=list)
    chosen: dict[str, str] = field(default_factory=dict)
    test: list[int] = field(default_factory=list)

    @property
    def inputs(self) -> list[str] | list[np.ndarray]:
        """What the labels are of: texts, or series."""
        return self.sequences

    @property
    def keys(self) -> list[bytes]:
        """The bytes of each input, by which examples are split."""
        return [one.encode() if isinstance(one, str) else one.tobytes() for one in self.inputs]

    def select(self, indices: Sequence[int]) -> Self:
        """Give some of the examples, without what was noted of reading all of them."""
        lists = {name: getattr(self, name) for name in ("sequences", "labels", "places")}
        chosen = {name: [values[index] for index in indices] if values else [] for name, values in lists.items()}
        return replace(self, **chosen, skipped=[], notes=[], test=[])


def read_labelled(arguments: Sequence[str | Path], options: LabelledOptions | None = None) -> Labelled:
    """Read labelled sequences from files, folders, globs, archives and standard input, compressed or not.

    What is read: records with a text field (CSV, TSV, JSON, JSONL, Parquet); a folder per class; a file per class; labelled
    trees; lines that begin with their label; FASTA; and series: `.ts`, `.arff`, tables in wide and long form, `.npz`, `.npy`,
    `.mat`, idx images, and the skeletons that `recurra.series` knows. An empty text is an example like any other, unless
    faults are skipped. A file in Windows-1252, GB18030, Big5 or UTF-16 is read as such where that is plain, and noted.

    Raises `UsageError` where the files leave open what is what, and `DataError`, with file and line or row, for the first
    thing that cannot be used; `on_error="skip"` lists such rows and files instead.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "reviews.csv")
    ...     _ = path.write_text("review,sentiment\\nwhat a mess,bad\\n很好吃,good\\n", encoding="utf-8")
    ...     read = read_labelled([path])
    >>> read.sequences, read.labels, read.places
    (['what a mess', '很好吃'], [('bad',), ('good',)], ['reviews.csv, line 2', 'reviews.csv, line 3'])
    """
    options = options or LabelledOptions()
    if options.label is not None and not options.label:
        raise UsageError(f"label: expected the name of a field, or one of {', '.join(LABEL_SOURCES)}; got nothing")
    faults, notes = Faults(options.on_error), []
    sources = open_data(arguments, file_kind, faults, notes)
    collector = _Collector(options, faults, [source.name for source in sources])
    chosen: dict[str, str] = {}
    read_sources = []
    for source, examples in read_examples(sources, options, faults, notes, chosen):
        collector.add_file(source, examples)
        read_sources.append(source)
    read = collector.result(notes)
    if options.need_labels and not options.multi_label:
        check_labels(read.labels, read_sources)
    return replace(read, chosen=chosen)


MAX_EXAMPLES = 4_000_000
"""Of a single training: each takes a few hundred bytes beside its text, so that so many of two letters take a gigabyte."""


class _Collector:
    """Collects examples as they are read: checks their labels, and that they fit together."""

    def __init__(self, options: LabelledOptions, faults: Faults, names: list[str]) -> None:
        self._options, self._faults, self._names, self._folder = options, faults, names, common_folder(names)
        self._rename = dict(options.rename)
        self._left_out: Counter[str] = Counter()
        self._kind: Kind | None = None
        self._channels: tuple[str, ...] = ()
        self._first = ""
        self._sequences: list[Any] = []
        self._labels: list[tuple[str, ...] | None] = []
        self._places: list[str] = []
        self._test: list[int] = []
        self._alike: dict[
            tuple[str, ...], tuple[str, ...]
        ] = {}  # of millions of examples with the same labels one tuple

    def add_file(self, source: Source, examples: Iterable[LabelledText | Series]) -> None:
        """Add all examples of a file."""
        before = len(self._places)
        add_each(self._limited(source, examples), lambda example: self._add(source, example), self._faults)
        if is_test_images(source):
            self._test += range(before, len(self._places))

    def _limited(self, source: Source, examples: Iterable[LabelledText | Series]) -> Iterator[LabelledText | Series]:
        """Give the examples, up to the limit; raises `DataError` for the first one beyond it."""
        for example in examples:
            if len(self._places) >= MAX_EXAMPLES:
                hint = "give a part of them, such as the first lines (head -n)"
                raise DataError(f"more than {MAX_EXAMPLES:,} examples", source=source.name, hint=hint, **example.place)
            yield example

    def _add(self, source: Source, example: LabelledText | Series) -> None:
        kind: Kind = "text" if isinstance(example, LabelledText) else "series"
        labels = self._labels_of(source, example)
        if labels is not None and self._rename:
            renamed = tuple(self._rename.get(label, label) for label in labels)
            if "" in renamed:
                self._left_out[labels[renamed.index("")]] += 1
                return
            labels = tuple(dict.fromkeys(renamed))
        sequence: Any = None
        if isinstance(example, LabelledText):
            if self._faults.skipping and not example.text.strip():
                raise DataError("empty text", source=source.name, **example.place)
            sequence = example.text
        self._check_kind(kind, example, source)
        if isinstance(example, Series):
            sequence = reorder_channels(example, self._channels, self._first, source)
        self._sequences.append(sequence)
        self._labels.append(labels if labels is None else self._alike.setdefault(labels, labels))
        self._places.append(location(source.name, example.place, self._folder))

    def _check_kind(self, kind: Kind, example: LabelledText | Series, source: Source) -> None:
        channels = example.channels if isinstance(example, Series) else ()
        if self._kind is None:
            self._kind, self._channels, self._first = kind, channels, source.name
        elif kind != self._kind:
            raise UsageError(f"{source.name} holds {kind}, {self._first} {self._kind}: read one kind at a time")

    def _labels_of(self, source: Source, example: LabelledText | Series) -> tuple[str, ...] | None:
        value, place = example.label, example.place
        if self._options.multi_label:
            if value is None and self._options.need_labels and not isinstance(example, LabelledText):
                return ()
            return None if value is None and not self._options.need_labels else _split_labels(value, source, place)
        if isinstance(value, list):
            if len(value) != 1:
                problem = f"expected one label, got a list of {len(value)}"
                hint = "several labels of one example are read with --multi-label"
                raise DataError(problem, source=source.name, hint=hint, **place)
            value = value[0]
        label = label_text(value, source, place)
        if label:
            return (label,)
        if self._options.need_labels:
            raise DataError("the label is missing", source=source.name, **place)
        return None

    def result(self, notes: list[str]) -> Labelled:
        """Give all that was added; raises `DataError` when that is nothing, or only some of it has labels."""
        skipped = self._faults.skipped
        for label, count in self._left_out.items():
            skipped.append(f"{count:,} examples labelled {label!r} left out, as rename says")
        if self._kind is None:
            shown = " | ".join(skipped[:3]) + (" | ..." if len(skipped) > 3 else "")
            where = ", ".join(self._names[:3]) or "the files named"
            raise DataError("holds no examples", source=where, hint=f"left out: {shown}" if shown else None)
        bare = [at for at, labels in enumerate(self._labels) if labels is None]
        if 0 < len(bare) < len(self._labels):
            if self._options.need_labels:
                raise DataError("the label is missing", source=self._places[bare[0]])
            notes.append(f"{len(bare):,} of {len(self._labels):,} examples have no label: labels are not read")
        labels = [] if bare else [labels for labels in self._labels if labels is not None]
        test = self._test if len(self._test) < len(self._places) else []
        channels = list(self._channels)
        return Labelled(self._kind, self._sequences, labels, self._places, channels, skipped, notes, test=test)


def reorder_channels(series: Series, wanted: Sequence[str], first: str, source: Source) -> np.ndarray:
    """Give the values of a series (T, C) with the channels in the order of the first file's.

    Raises `DataError`, with the place, for another number of channels, and for channels of other names.
    """
    if series.channels == wanted:
        return series.values
    if len(series.channels) != len(wanted):
        problem = f"a series of {len(series.channels)} channels, where {first} has {len(wanted)}"
        raise DataError(problem, source=source.name, **series.place)
    try:
        order = channel_order(series.channels, wanted)
    except DataError as error:
        raise DataError(f"{error} ({first} is read first)", source=source.name, **series.place) from None
    return series.values if order is None else series.values[:, order]


def label_text(value: Any, source: Source, place: Place) -> str:
    """Give a label as a string; "" for one that is missing. A whole number has no decimals: 1.0 is "1".

    >>> label_text(1.0, Source("a", "json", b"", False), {}), label_text(" good ", Source("a", "csv", b"", False), {})
    ('1', 'good')
    """
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str | int | float):
        problem = f"expected a label (a word or a number), got {type(value).__name__}"
        raise DataError(problem, source=source.name, **place)
    label = normalise(str(value)).strip()
    defect = find_defect(label, lenient=True)
    if defect:
        raise DataError(f"the label {defect}", source=source.name, **place)
    return label


def _split_labels(value: Any, source: Source, place: Place) -> tuple[str, ...]:
    """Give the labels of a cell, each once, in their order."""
    if isinstance(value, str):
        separator = next((mark for mark in LABEL_SEPARATORS if mark in value), None)
        parts: list[Any] = value.split(separator) if separator else [value]
    else:
        parts = value if isinstance(value, list) else [value]
    labels = (label_text(part, source, place) for part in parts)
    return tuple(dict.fromkeys(label for label in labels if label))
