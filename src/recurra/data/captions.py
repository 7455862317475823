"""Pictures and what people have written of them: tables, Flickr8k's token files, the JSON of Karpathy and of COCO."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any, cast

from recurra.data.caption_json import SPLITS, Caption, read_document, split_of
from recurra.data.columns import choose_columns
from recurra.data.header import Header, find_header
from recurra.data.sources import common_folder, is_documentation, location, open_data, to_utf8
from recurra.errors import DataError, UsageError
from recurra.images import PICTURE, picture_kind
from recurra.metrics import caption_words
from recurra.text import (
    STANDARD_INPUT,
    Faults,
    OnError,
    Place,
    Source,
    base_name,
    decode,
    fields_message,
    flatten,
    handled,
    iter_lines,
    iter_rows,
    normalise,
    open_sources,
    record_kind_from_content,
    record_kind_from_name,
    sample_records,
)

IMAGE_NAMES = ("image", "filename", "file_name", "file", "picture", "photo", "path", "image_name")
CAPTION_NAMES = ("caption", "sentence", "text", "description", "comment", "raw")
MAX_CHARACTERS = 2_000
"""Of a caption: what is longer is no sentence."""
_PICTURE = r"[^\t,]+\.(?:jpe?g|png|webp|tiff?|gif|bmp)"
_TOKEN_LINE = re.compile(rf"({_PICTURE}(?=#\d+\t|\t)|[^\t]+?(?=#\d+\t))(?:#\d+)?\t(.*)", re.IGNORECASE)
"""Before `#` and a number any name may stand: one of Flickr8k's ends with `.jpg.1`."""
_LIST_LINE = re.compile(rf"\s*({_PICTURE})\s*", re.IGNORECASE)
_PART = re.compile("(?<![a-z])(?:train|valid|val|dev|test)")
_HEAD_BYTES = 8192


@dataclass(frozen=True)
class CaptionOptions:
    """Which column of a table, or field of a record, is the picture's name, and which the caption; None: by what they are called."""

    image: str | None = None
    caption: str | None = None
    header: Header = "auto"
    on_error: OnError = "stop"


@dataclass
class Captioned:
    """Pictures by name, in the order in which they come, with all captions of each, where these stand, and the part that the data name.

    lists: names of pictures by the part that the name of a file beside the captions says they are.
    """

    names: list[str] = field(default_factory=list)
    captions: list[list[str]] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    splits: list[str | None] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    lists: dict[str, list[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    def select(self, indices: Sequence[int]) -> Captioned:
        """Give some of the pictures, without what was noted of reading all of them."""
        names, places, splits = (
            [column[index] for index in indices] for column in (self.names, self.places, self.splits)
        )
        return Captioned(cast(Any, names), [self.captions[index] for index in indices], cast(Any, places), splits)


def read_captions(arguments: Sequence[str | Path], options: CaptionOptions | None = None) -> Captioned:
    """Read captions, of which the pictures are not looked at.

    What is read: tables and records with a column for the picture's name and one for a caption; lines `1.jpg#0<tab>a caption`;
    JSON with `images`, and in these `filename`, `sentences` and `split`; JSON with `images` and `annotations`. A file of names of
    pictures alone, whose own name has train, dev, val or test in it, says which pictures are that part.

    Raises `UsageError` where it is open which column is what, and `DataError`, with file and line or row, for the first thing that
    cannot be used, an empty caption among them; `on_error="skip"` lists it instead.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "captions.csv")
    ...     _ = path.write_text("image,caption\\n1.jpg,A dog runs .\\n1.jpg,the dog\\n", encoding="utf-8")
    ...     read = read_captions([path])
    >>> read.names, read.captions, read.places
    (['1.jpg'], [['A dog runs .', 'the dog']], ['captions.csv, line 2'])
    """
    options = options or CaptionOptions()
    faults = Faults(options.on_error)
    found = Captioned(skipped=faults.skipped)
    sources = _open(arguments, faults, found.notes)
    folder = common_folder([source.name for source in sources])
    numbers: dict[str, int] = {}
    for source in sources:
        with handled(faults):
            if (part := _list_of(source)) is not None:
                found.lists.setdefault(part, []).extend(_names(source))
                found.notes.append(f"{PurePath(source.name).name}: says which pictures are {part}")
                continue
            for name, caption, split, place in _read_each(source, options, faults, found.notes):
                with handled(faults):
                    _check(name, caption, source, place)
                    if name not in numbers:
                        numbers[name] = len(found.names)
                        found.names.append(name)
                        found.captions.append([])
                        found.places.append(location(source.name, place, folder))
                        found.splits.append(split)
                    found.captions[numbers[name]].append(caption.strip())
    if not found.names:
        reason = f": {faults.skipped[0]}" if faults.skipped else ""
        raise DataError(f"holds no captions{reason}", source=" ".join(map(str, arguments))[:200])
    return found


def _open(arguments: Sequence[str | Path], faults: Faults, notes: list[str]) -> list[Source]:
    """Open all files but pictures, which may lie among the captions."""
    opened = open_sources(arguments, faults, lambda name: picture_kind(name) or record_kind_from_name(name))
    sources = [to_utf8(one, notes) for one in opened if one.kind != PICTURE and not is_documentation(one)]
    return [_of_pipe(one) if one.name == STANDARD_INPUT else one for one in sources]


def _of_pipe(source: Source) -> Source:
    """Tell by its content what has no name: JSON, or else lines as those of a text."""
    kind = record_kind_from_content(source.data)
    kind = "json" if kind == "jsonl" and b"\n" not in source.data.strip() else kind
    return replace(source, kind=kind) if kind.startswith("json") else source


def read_names(arguments: Sequence[str | Path]) -> list[str]:
    """Read lists of pictures, a name in each line; nothing of none."""
    sources = open_data(arguments, lambda _: None, Faults("stop"), []) if arguments else []
    return [name for source in sources for name in _names(source)]


def _names(source: Source) -> list[str]:
    names = []
    for number, line in enumerate(_lines(source), 1):
        match = _LIST_LINE.fullmatch(line)
        if line.strip() and match is None:
            raise DataError("expected the name of a picture", source=source.name, line=number)
        names += [match[1]] if match else []
    return names


def _lines(source: Source) -> Iterator[str]:
    """Give the lines as an editor counts them: other marks that Python takes for ends of lines may stand in a caption."""
    return (line.removesuffix("\r") for line in iter_lines(decode(source.data, source.name)))


def _list_of(source: Source) -> str | None:
    """Give the part of which a file lists the pictures, by its name; None for what is no list, or of nothing that is known."""
    found = _PART.search(base_name(source.name)) if source.kind == "text" else None
    return SPLITS[found[0]] if found and _LIST_LINE.fullmatch(_first_line(source)) else None


def _first_line(source: Source) -> str:
    lines = source.data[:_HEAD_BYTES].decode("utf-8", "replace").lstrip("\ufeff").split("\n")
    return next((line.removesuffix("\r") for line in lines if line.strip()), "")


def _read_each(source: Source, options: CaptionOptions, faults: Faults, notes: list[str]) -> Iterator[Caption]:
    if source.kind == "json":
        document = _document(source)
        if isinstance(document, dict) and isinstance(document.get("images"), list):
            yield from read_document(document, source, faults)
            return
    if source.kind == "text":
        first = _first_line(source)
        if _LIST_LINE.fullmatch(first) and source.found:
            faults.skip(f"{source.name}: a list of names, without captions")
            return
        if _TOKEN_LINE.fullmatch(first):
            yield from _read_tokens(source, faults)
            return
        source = replace(source, kind="tsv" if "\t" in first else "csv")
    yield from _read_table(source, options, faults, notes)


def _document(source: Source) -> Any:
    try:
        return json.loads(decode(source.data, source.name))
    except (ValueError, RecursionError) as error:
        raise DataError(f"is no valid JSON ({error})", source=source.name) from None


def _read_tokens(source: Source, faults: Faults) -> Iterator[Caption]:
    for number, line in enumerate(_lines(source), 1):
        if match := _TOKEN_LINE.fullmatch(line):
            yield match[1], match[2], None, {"line": number}
        elif line.strip():
            faults.handle(DataError("expected a picture, a tab and its caption", source=source.name, line=number))


def _read_table(source: Source, options: CaptionOptions, faults: Faults, notes: list[str]) -> Iterator[Caption]:
    named = (options.image, options.caption, *IMAGE_NAMES)
    table = find_header(source, options.header, named, notes)
    names = list(dict.fromkeys(name for record in sample_records(table) for name in record))
    if not names:
        raise DataError("holds no records", source=source.name)
    image, caption = _columns(names, options, table)
    split = next((name for name in names if name.lower() == "split"), None)
    for row in iter_rows(table, [image, caption, *([split] if split else [])], faults):
        cells = dict(flatten(row.cells)) if isinstance(row.cells, dict) else {}
        with handled(faults):
            name, text = (_text(cells.get(column), column, table, row.place) for column in (image, caption))
            part = split_of(cells.get(split), source, row.place) if split else None
            yield name, text, part, row.place


def _text(cell: Any, name: str, source: Source, place: Place) -> str:
    if cell is not None and not isinstance(cell, str):
        raise DataError(f"field {name!r} is no text", source=source.name, **place)
    return cell or ""


def _columns(names: list[str], options: CaptionOptions, table: Source) -> tuple[str, str]:
    """Choose the columns: those that are named, else those with the usual names, else the only two."""
    found = choose_columns(names, (options.image, options.caption), (IMAGE_NAMES, CAPTION_NAMES))
    if found[0] is None or found[1] is None or found[0] == found[1]:
        raise UsageError(
            f"{table.name}: which column is the picture's name, and which the caption? {fields_message(names)}; "
            "say --image NAME --caption NAME"
        )
    return found[0], found[1]


def _check(name: str, caption: str, source: Source, place: Place) -> None:
    if not name.strip():
        raise DataError("the name of the picture is empty", source=source.name, **place)
    if not caption.strip():
        raise DataError(
            f"the caption of {name} is empty",
            source=source.name,
            hint="write one, or leave it out (--on-error skip)",
            **place,
        )
    if len(caption) > MAX_CHARACTERS:
        raise DataError(
            f"expected a caption of at most {MAX_CHARACTERS:,} characters, got {len(caption):,}",
            source=source.name,
            **place,
        )
    if not caption_words(normalise(caption)):
        raise DataError(
            f"expected words in the caption of {name}, got marks alone",
            source=source.name,
            hint="write some, or leave it out (--on-error skip)",
            **place,
        )
