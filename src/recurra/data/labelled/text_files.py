"""Plain text files to examples: what their names and their lines look like says how."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from math import isqrt
from pathlib import PurePath

from recurra.data.labelled.label_columns import label_position
from recurra.data.labelled.label_lines import is_heading, label_separator, table_kind
from recurra.data.labelled.options import LABEL_SOURCES, LabelledOptions
from recurra.errors import UsageError
from recurra.series import (
    Series,
    SkeletonFormat,
    channel_names,
    is_headerless,
    read_headerless,
    read_matrix,
    read_skeleton,
    skeleton_format,
)
from recurra.text import (
    Faults,
    LabelledText,
    Source,
    is_tree,
    numbered_lines,
    read_lines,
    read_prefixed,
    read_suffixed,
    read_trees,
    read_whole,
    split_first_word,
)

Examples = Iterable[LabelledText | Series]
_SEPARATORS = re.compile(r"[/\\._\- ]+")
_COMPRESSION = re.compile(r"\.(gz|xz|bz2|zst)$", re.IGNORECASE)
_LINES_INSPECTED = 50  # lines that say what a file is
_MIN_PREFIXED_LINES = 20  # lines that begin with few words only if these are labels
_FAST_TEXT = "__label__"
_MAX_FILES_NAMED = 3


def read_text_files(
    sources: list[Source], options: LabelledOptions, faults: Faults, notes: list[str], chosen: dict[str, str]
) -> Iterator[tuple[Source, Examples]]:
    """Yield each plain text file with its examples; all are read alike.

    In this order: skeletons, by the names of the files; what `options.label` says; trees; fastText's lines; a folder per class;
    lines of numbers; lines that begin with an integer or, in a file that is alone, with one of a few labels; lines that end with
    one of a few; a file per class; and without need of labels, every line. Raises `UsageError` where it is none of these.
    """
    forms = [skeleton_format(PurePath(source.name).name) for source in sources]
    if any(forms):
        for source, form in zip(sources, forms, strict=True):
            if form is None:
                faults.skip(f"{source.name}: no skeleton file, by its name")
            else:
                yield source, _skeleton(source, form)
        return
    for source, read in zip(sources, _readers(sources, options, faults, notes, chosen), strict=True):
        yield source, read(source)


def _skeleton(source: Source, form: SkeletonFormat) -> Iterator[Series]:
    yield from read_skeleton(source, form, PurePath(source.name).name)


def are_tables(sources: list[Source], options: LabelledOptions) -> bool:
    """Say whether plain text files are tables: parted alike in all lines, and none of what else they may be."""
    if options.label in LABEL_SOURCES or any(skeleton_format(PurePath(source.name).name) for source in sources):
        return False
    heads = [_first_lines(source) for source in sources]
    if not all(heads) or all(is_tree(line) or line.startswith(_FAST_TEXT) for head in heads for line in head):
        return False
    if not options.named:
        if all(is_headerless("\n".join(lines)) for lines in heads) or _are_prefixed(heads, sources):
            return False
        in_folders = is_folder_per_class([source.name for source in sources]) and all(
            source.found for source in sources
        )
        if in_folders or label_separator(sources) is not None:
            return False
    return all(table_kind(source, sure=bool(options.named), several=len(sources) > 1) is not None for source in sources)


def _readers(
    sources: list[Source], options: LabelledOptions, faults: Faults, notes: list[str], chosen: dict[str, str]
) -> list[Callable[[Source], Examples]]:
    """Choose for each file the function that reads it."""
    if options.label == "folder":
        return _folder_per_class(sources, options)
    if options.label == "file" and options.need_labels:
        return _file_per_class(sources, faults)
    if options.label == "line":
        return [lambda source: read_prefixed(source, faults)] * len(sources)
    heads = [_first_lines(source) for source in sources]
    if all(line and all(map(is_tree, line)) for line in heads):
        return [lambda source: read_trees(source, faults, phrases=options.phrases)] * len(sources)
    if all(line and all(word.startswith(_FAST_TEXT) for word in line) for line in heads):
        return [lambda source: read_prefixed(source, faults)] * len(sources)
    numbers = all(is_headerless("\n".join(lines)) for lines in heads)
    if options.label not in (None, "file") and options.need_labels and not numbers:
        raise UsageError(
            f"{sources[0].name}: is plain text and has no field '{options.label}'; leave --label out, or give the file the suffix of "
            "what it is: .csv .tsv .json .jsonl .parquet"
        )
    if is_folder_per_class([source.name for source in sources]) and all(source.found for source in sources):
        return _folder_per_class(sources, options)
    if numbers:
        return [
            lambda source: read_headerless(source, faults, label_at=label_position(source, options, notes, chosen))
        ] * len(sources)
    if options.need_labels and _are_prefixed(heads, sources):
        return [lambda source: read_prefixed(source, faults)] * len(sources)
    separator = label_separator(sources)
    if separator is not None:
        notes.append(
            f"{_name_files(sources)}: each line ends with its label (--label file: the names of the files are the labels)"
        )
        return [lambda source: read_suffixed(source, separator, faults)] * len(sources)
    if not options.need_labels:
        return [lambda source: read_lines(source, None, faults)] * len(sources)
    if len(sources) > 1:
        return _file_per_class(sources, faults)
    raise UsageError(
        f"{sources[0].name}: plain text, of which nothing says what its label is; expected a file or a folder for each class, "
        "lines that begin with their label (--label line), labelled trees, or a table (.csv, .jsonl) with a column for the label"
    )


def _first_lines(source: Source) -> list[str]:
    return [line for _, line in islice(numbered_lines(source, Faults("skip")), _LINES_INSPECTED)]


def _name_files(sources: list[Source]) -> str:
    names = [PurePath(source.name).name for source in sources[:_MAX_FILES_NAMED]]
    more = len(sources) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more else "")


def _are_prefixed(heads: list[list[str]], sources: list[Source]) -> bool:
    """Say whether every line begins with a label: with an integer or, in a file that is alone, with one of a few words.

    Words must be followed by a tab, or there must be many lines for them: few lines of prose begin with few words too.
    """
    lines = [line for head in heads for line in head]
    parts = [split_first_word(line) for line in lines]
    labels = {label for label, text in parts if text}
    if not parts or not all(text for _, text in parts) or not 2 <= len(labels) < len(parts):
        return False
    if is_heading([label for label, _ in parts]):
        return False
    if all(re.fullmatch(r"[+-]?\d+", label) for label in labels):
        return True
    if len(heads) > 1:
        return False
    if all("\t" in line for line in lines):
        return True
    few = len(lines) >= _MIN_PREFIXED_LINES and len(labels) <= isqrt(len(lines))
    return few and label_separator(sources) is None


def _file_per_class(sources: list[Source], faults: Faults) -> list[Callable[[Source], Examples]]:
    labels = file_labels([source.name for source in sources])
    return [lambda source, label=label: read_lines(source, label, faults) for label in labels]


def _folder_per_class(sources: list[Source], options: LabelledOptions) -> list[Callable[[Source], Examples]]:
    """Read a file as one example, of the class that its folder is named after: a series, where all hold numbers alone."""

    def label(source: Source) -> str | None:
        return PurePath(source.name).parent.name if options.need_labels else None

    def series(source: Source) -> Iterator[Series]:
        values = read_matrix(source)
        yield Series(values, label(source), {}, channel_names(values.shape[1]))

    numbers = all(is_headerless("\n".join(_first_lines(source)), min_cells=1) for source in sources)
    return [series if numbers else lambda source: read_whole(source, label(source))] * len(sources)


def is_folder_per_class(names: list[str]) -> bool:
    """Say whether files lie in several folders, none of them within another.

    >>> is_folder_per_class(["data/pos/1.txt", "data/neg/1.txt"]), is_folder_per_class(["sst/README", "sst/trees/a.txt"])
    (True, False)
    """
    folders = {PurePath(name).parent for name in names}
    return len(folders) > 1 and not any(folder in other.parents for folder in folders for other in folders)


def file_labels(names: list[str]) -> list[str]:
    """Name classes by what tells their files apart: the words of the names that they do not all begin or end with.

    Raises `UsageError` where that leaves a file without a name.

    >>> file_labels(["data/rt-polarity.neg", "data/rt-polarity.pos"]), file_labels(["positive.txt", "negative.txt.gz"])
    (['neg', 'pos'], ['positive', 'negative'])
    """
    words = [_SEPARATORS.split(_COMPRESSION.sub("", name)) for name in names]
    least = min(len(parts) for parts in words)
    start = next((at for at in range(least) if len({parts[at] for parts in words}) > 1), least)
    end = next((at for at in range(1, least + 1) if len({parts[-at] for parts in words}) > 1), least + 1) - 1
    labels = ["-".join(parts[start : len(parts) - end]) for parts in words]
    if len(names) < 2 or not all(labels) or len(set(labels)) < len(labels):
        odd = names[labels.index("")] if "" in labels else names[0]
        raise UsageError(
            f"{odd}: the names of the files do not tell classes apart; a file for each class is named like its class, as in "
            "good.txt and bad.txt"
        )
    return labels
