"""Pairs of sequences: parallel files, tables with two columns, lines with a tab, TMX; a source text, and the target it becomes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any

from recurra.data.header import Header, find_header
from recurra.data.parallel import expand_endings, match_parallel, read_parallel
from recurra.data.sources import add_each, common_folder, location, open_data
from recurra.data.translation_memory import read_memory
from recurra.errors import DataError, UsageError
from recurra.text import (
    STANDARD_INPUT,
    Faults,
    OnError,
    Place,
    Source,
    base_name,
    fields_message,
    flatten,
    iter_rows,
    record_kind_from_content,
    record_kind_from_name,
    resolve_column,
    sample_records,
)

SOURCE_NAMES = ("source", "src", "input", "question", "from", "x")
TARGET_NAMES = ("target", "tgt", "trg", "output", "answer", "to", "y", "label", "reference")
MAX_CHARACTERS = 2_000
"""Of a source or a target: what is longer is no sentence, and all of it is trained on together."""
_LINES_INSPECTED, _SHARE_WITH_TABS = 100, 0.8
_MIN_COLUMNS = 2


@dataclass(frozen=True)
class PairOptions:
    """What of the files is the source, and what the target.

    source, target: endings of parallel files (de for train.de), columns or fields, languages of TMX; None: by what is there.
    need_targets: False: sources alone will do, so that there is a prediction for everything.
    """

    source: str | None = None
    target: str | None = None
    header: Header = "auto"
    need_targets: bool = True
    on_error: OnError = "stop"


@dataclass(frozen=True)
class Pairs:
    """Pairs as they were read; places: where each stands."""

    sources: list[str]
    targets: list[str]
    places: list[str]
    notes: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> list[str]:
        """The sources."""
        return self.sources

    @property
    def keys(self) -> list[bytes]:
        """What a split goes by: the same source is on one side only."""
        return [source.encode("utf-8", "surrogatepass") for source in self.sources]

    def select(self, indices: Sequence[int]) -> Pairs:
        """Give some of the pairs, without what was noted of reading all of them."""
        sources, targets, places = (
            [values[index] for index in indices] for values in (self.sources, self.targets, self.places)
        )
        return replace(self, sources=sources, targets=targets, places=places, skipped=[], notes=[])


Pair = tuple[str, str | None, Place]


def read_pairs(arguments: Sequence[str | Path], options: PairOptions | None = None) -> Pairs:
    """Read pairs from files, folders, globs, archives and standard input, compressed or not.

    What is read: two parallel files, line n of one the target of line n of the other, the first the source; more of them with
    `source` and `target` their endings (`train.de` and `train.en`, or the name that they share, `train`); tables (CSV, TSV, JSON,
    JSONL, Parquet) with a column for each; lines with a tab; TMX.

    Raises `UsageError` where the files leave open what is what, and `DataError`, with file and line or row, for the first thing
    that cannot be used: files of different lengths, an empty side; `on_error="skip"` lists such pairs instead.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "dates.tsv")
    ...     _ = path.write_text("source\\ttarget\\n3 May 2004\\t2004-05-03\\n", encoding="utf-8")
    ...     read = read_pairs([path])
    >>> read.sources, read.targets, read.places
    (['3 May 2004'], ['2004-05-03'], ['dates.tsv, line 2'])
    """
    options = options or PairOptions()
    faults, notes = Faults(options.on_error), []
    sources = open_data(expand_endings(arguments, options.source, options.target), _kind, faults, notes)
    folder = common_folder([source.name for source in sources])
    found = Pairs([], [], [], notes, faults.skipped)

    def add(pair: tuple[str, Pair]) -> None:
        name, (source, target, place) = pair
        _check(source, target, name, place, options)
        found.sources.append(source)
        found.targets.append(target or "")
        found.places.append(location(name, place, folder))

    for name, pairs in _read_each(sources, options, faults, notes):
        add_each(((name, pair) for pair in pairs), add, faults)
    if not found.sources:
        reason = f": {faults.skipped[0]}" if faults.skipped else ""
        raise DataError(f"holds no pairs{reason}", source=" ".join(str(name) for name in arguments)[:200])
    return found


def _kind(name: str) -> str | None:
    return "tmx" if name.endswith(".tmx") else record_kind_from_name(name)


def has_columns(name: str) -> bool:
    """Tell by its name whether a file is a table or a memory, whose sources have to be found in it; other files have one in each line.

    >>> has_columns("a.csv"), has_columns("a.de.gz")
    (True, False)
    """
    return _kind(base_name(name)) is not None


def _read_each(
    sources: list[Source], options: PairOptions, faults: Faults, notes: list[str]
) -> Iterator[tuple[str, Iterator[Pair]]]:
    languages = [options.source, options.target]  # those of the first memory are those of all
    plain = [source for source in sources if source.kind == "text" and not _has_tabs(source)]
    for source in sources:
        if source in plain:
            continue
        if source.kind == "tmx":
            yield source.name, read_memory(source, languages, notes)
        else:
            yield source.name, _read_table(source, options, faults, notes)
    for first, second in match_parallel(plain, options.source, options.target) if plain else ():
        yield first.name, read_parallel(first, second)


def _piped_kind(source: Source) -> str:
    """Tell what a text with tabs, or standard input, is."""
    found = record_kind_from_content(source.data) if source.name == STANDARD_INPUT else "tsv"
    return "tsv" if found == "csv" and b"\t" in source.data[:4096] else found


def _has_tabs(source: Source) -> bool:
    """Tell whether lines are pairs, with a tab, or standard input is a table of another kind; a few without one are faults of these."""
    if source.name == STANDARD_INPUT:
        return True
    lines = [line for line in source.data[:100_000].split(b"\n")[:_LINES_INSPECTED] if line.strip()]
    return bool(lines) and sum(b"\t" in line for line in lines) >= _SHARE_WITH_TABS * len(lines)


def _read_table(source: Source, options: PairOptions, faults: Faults, notes: list[str]) -> Iterator[Pair]:
    if source.kind == "text":
        # Lines with a tab are pairs, of which the first may name them.
        first = source.data[:1000].decode("utf-8", "replace").split("\n")[0].lower().split("\t")
        named = _usual([cell.strip() for cell in first])
        header: Header = options.header if options.header != "auto" else "no" if None in named else "yes"
        if header == "yes":
            notes.append(f"{PurePath(source.name).name}: the first line is read as names (--header no: it is a pair)")
        source, options = replace(source, kind=_piped_kind(source)), replace(options, header=header)
    table = find_header(source, options.header, (options.source, options.target), notes)
    names = list(dict.fromkeys(name for record in sample_records(table) for name in record))
    if not names:
        raise DataError("holds no records", source=source.name)
    one, other = _columns(names, options, table)
    for row in iter_rows(table, (one, other) if options.need_targets else (one,), faults):
        cells = dict(flatten(row.cells)) if isinstance(row.cells, dict) else {}
        try:
            pair = [_text(cells.get(name), name, table, row.place) for name in (one, other)]
        except DataError as error:
            faults.handle(error)
            continue
        yield pair[0] or "", pair[1], row.place


def _usual(names: Sequence[str]) -> tuple[str | None, str | None]:
    """Give the columns that are called as sources and targets usually are, another one for each; None where there is none.

    >>> _usual(["id", "question", "answer"]), _usual(["to", "up"])
    (('question', 'answer'), (None, 'to'))
    """
    by_word = {name.lower(): name for name in reversed(names)}
    source, target = (
        next((by_word[word] for word in known if word in by_word), None) for known in (SOURCE_NAMES, TARGET_NAMES)
    )
    return source, target


def _columns(names: list[str], options: PairOptions, table: Source) -> tuple[str, str]:
    """Choose the columns: those that are named, else those with the usual names, else the only two."""
    given = [None if one is None else resolve_column(one, names) for one in (options.source, options.target)]
    known = [one if one in names else None for one in given]
    found = [one or other for one, other in zip(known, _usual(names), strict=True)]
    if None in known and (None in found or found[0] == found[1]) and len(names) == _MIN_COLUMNS:
        left = [name for name in names if name not in known]
        found = [one or left.pop(0) for one in known]
    if found[1] is None and not options.need_targets:
        found[1] = ""
    if found[0] is None or found[1] is None or found[0] == found[1]:
        raise UsageError(
            f"{table.name}: which column is the source, and which the target? {fields_message(names)}; "
            "say --source NAME --target NAME"
        )
    return found[0], found[1]


def _text(cell: Any, name: str, source: Source, place: Place) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return str(cell)
    raise DataError(f"field '{name}' is no text", source=source.name, **place)


def _check(source: str, target: str | None, name: str, place: Place, options: PairOptions) -> None:
    if not source.strip():
        raise DataError("the source is empty", source=name, **place)
    if options.need_targets and not (target or "").strip():
        raise DataError("the target is empty", source=name, **place)
    for side, text in (("source", source), ("target", target or "")):
        if problem := length_problem(side, text):
            hint = "cut it into sentences, or leave it out (--on-error skip)"
            raise DataError(problem, source=name, hint=hint, **place)


def length_problem(side: str, text: str) -> str | None:
    """Say that a source or a target is too long; None where it is not.

    >>> length_problem("source", "ab"), length_problem("source", "ab" * 2000)
    (None, 'expected a source of at most 2,000 characters, got 4,000')
    """
    if len(text) <= MAX_CHARACTERS:
        return None
    return f"expected a {side} of at most {MAX_CHARACTERS:,} characters, got {len(text):,}"
