"""Which reader reads which file: by its name where that says, else by what its lines look like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePath, PurePosixPath

import numpy as np

from recurra.data.labelled.label_lines import table_kind
from recurra.data.labelled.options import LabelledOptions
from recurra.data.labelled.tables import read_table
from recurra.data.labelled.text_files import Examples, are_tables, file_labels, read_text_files
from recurra.errors import DataError
from recurra.series import (
    Series,
    array_labels_name,
    image_labels_name,
    is_idx,
    match_arrays,
    read_arff,
    read_arrays,
    read_images,
    read_mat,
    read_npy,
    read_npz,
    read_ts,
)
from recurra.text import (
    COMPRESSIONS,
    STANDARD_INPUT,
    Faults,
    Source,
    base_name,
    open_sources,
    read_fasta,
    record_kind_from_content,
    record_kind_from_name,
)

_SUFFIXES = {".ts": "ts", ".arff": "arff", ".npz": "npz", ".npy": "npy", ".mat": "mat"}
_SUFFIXES |= dict.fromkeys((".fasta", ".fa", ".faa", ".fna"), "fasta")
_TEST_NAME = re.compile(r"(?<![a-z])(t10k|test)(?![a-z])")
TABLE_KINDS = ("csv", "tsv", "json", "jsonl", "parquet")


def file_kind(name: str) -> str | None:
    """Tell the format of a file by its name in small letters; None: it must be text.

    >>> file_kind("gunpoint_train.ts"), file_kind("t10k-images-idx3-ubyte"), file_kind("rt-polarity.pos")
    ('ts', 'idx', None)
    """
    return "idx" if is_idx(name) else _SUFFIXES.get(PurePosixPath(name).suffix) or record_kind_from_name(name)


def is_test_images(source: Source) -> bool:
    """Say whether images found in a folder or an archive are those that are published to test on, by the file's name.

    >>> [is_test_images(Source(name, "idx", b"", True)) for name in ("t10k-images-idx3-ubyte", "train-images-idx3-ubyte")]
    [True, False]
    """
    return source.found and source.kind == "idx" and _TEST_NAME.search(base_name(source.name)) is not None


def read_examples(
    sources: list[Source], options: LabelledOptions, faults: Faults, notes: list[str], chosen: dict[str, str]
) -> Iterator[tuple[Source, Examples]]:
    """Yield each file with its examples; chosen: gets what `Labelled.chosen` is. Raises `UsageError` where it is open how a file is to be read."""
    sources = [_detect_piped_kind(source, options) for source in sources]
    plain = [source for source in sources if source.kind == "text"]
    if plain and are_tables(plain, options):
        sources = [
            replace(source, kind=table_kind(source, sure=True) or "text") if source in plain else source
            for source in sources
        ]
    elif plain:
        yield from read_text_files(plain, options, faults, notes, chosen)
    tables = [source for source in sources if source.kind in TABLE_KINDS]
    if tables:
        yield from read_table(tables, options, faults, notes, chosen)
    candidates = {source.name: source for source in sources if source.kind in ("idx", "npy")}
    for source in sources:
        if source.kind == "ts":
            yield source, read_ts(source, faults)
        elif source.kind == "arff":
            yield source, read_arff(source, faults)
        elif source.kind == "mat":
            yield source, read_mat(source)
        elif source.kind == "fasta":
            yield source, read_fasta(source, faults, _outer_label(source, sources, options))
        elif source.kind == "npz":
            yield source, _archive(source, notes)
        elif source.kind == "idx" and "labels" not in PurePath(source.name).name.lower():
            yield source, _images(source, candidates, options, faults)
        elif source.kind == "npy" and not is_labels_array(source.name, candidates):
            yield source, _array(source, candidates, options, faults)


def _detect_piped_kind(source: Source, options: LabelledOptions) -> Source:
    """Tell the format of what comes without a file name, where records are expected or it begins like some."""
    if source.name != STANDARD_INPUT or source.kind != "text":
        return source
    named = (
        options.text or options.series_columns or (options.label and options.label not in ("file", "folder", "line"))
    )
    return (
        replace(source, kind=record_kind_from_content(source.data))
        if named or source.data.lstrip()[:1] == b"{"
        else source
    )


def _outer_label(source: Source, sources: list[Source], options: LabelledOptions) -> str | None:
    if options.label == "folder" and options.need_labels:
        return PurePath(source.name).parent.name
    if options.label != "file" or not options.need_labels:
        return None
    names = [other.name for other in sources]
    return file_labels(names)[names.index(source.name)]


def find_labels(name: str, candidates: dict[str, Source], faults: Faults) -> Source | None:
    """Find the file with the labels: among those that were named or, beside them, on the disk."""
    plain = _without_compression(name)
    for other, source in candidates.items():
        if _without_compression(other) == plain:
            return source
    for path in (Path(plain), *(Path(plain + suffix) for suffix in COMPRESSIONS)):
        if path.is_file():
            return next(open_sources([path], faults, file_kind))
    return None


def _without_compression(name: str) -> str:
    suffix = next((suffix for suffix in COMPRESSIONS if name.lower().endswith(suffix)), "")
    return name.removesuffix(name[len(name) - len(suffix) :]) if suffix else name


def is_labels_array(name: str, candidates: dict[str, Source]) -> bool:
    """Say whether an array holds the labels of another one that was named."""
    wanted = (array_labels_name(other) for other in candidates)
    return any(labels is not None and _without_compression(labels) == _without_compression(name) for labels in wanted)


def _images(
    source: Source, candidates: dict[str, Source], options: LabelledOptions, faults: Faults
) -> Iterator[Series]:
    labels = find_labels(image_labels_name(source.name), candidates, faults)
    if labels is None and options.need_labels:
        wanted = PurePath(image_labels_name(source.name)).name
        raise DataError(
            "the file with the labels of these images is missing", source=source.name, hint=f"put {wanted} beside it"
        )
    yield from read_images(source, labels, options.images)


def _array(source: Source, candidates: dict[str, Source], options: LabelledOptions, faults: Faults) -> Iterator[Series]:
    values = read_npy(source)
    name = array_labels_name(source.name)
    if options.label == "folder":
        one = values[None, :, None] if values.ndim == 1 else values[None] if values.ndim == 2 else values
        label = PurePath(source.name).parent.name
        yield from read_arrays(one, np.array([label] * len(one)), None, source.name)
        return
    labels = find_labels(name, candidates, faults) if name else None
    if labels is None and options.need_labels:
        wanted = PurePath(name).name if name else "y.npy, for a file X.npy,"
        raise DataError(
            "the file with the labels of these series is missing", source=source.name, hint=f"put {wanted} beside it"
        )
    yield from read_arrays(values, read_npy(labels) if labels else None, None, source.name)


def _archive(source: Source, notes: list[str]) -> Iterator[Series]:
    arrays = read_npz(source)
    pairs = match_arrays(arrays, source.name)
    if len(pairs) > 1:
        named = ", ".join(series for series, _, _ in pairs)
        notes.append(
            f"{PurePath(source.name).name}: {named} are read one after another; give files of their own to keep them apart"
        )
    for series, labels, lengths in pairs:
        yield from read_arrays(
            arrays[series], arrays[labels] if labels else None, arrays[lengths] if lengths else None, source.name
        )
