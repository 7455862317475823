"""Pictures and what people have written of them: tables, Flickr8k's token files, the JSON of Karpathy and of COCO."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any

from recurra.data.header import Header, find_header
from recurra.data.sources import common_folder, is_documentation, location, open_data, to_utf8
from recurra.errors import DataError, UsageError
from recurra.images import PICTURE, picture_kind
from recurra.text import (
    Faults,
    OnError,
    Place,
    Source,
    decode,
    fields_message,
    flatten,
    iter_rows,
    open_sources,
    record_kind_from_name,
    resolve_column,
    sample_records,
)

IMAGE_NAMES = ("image", "filename", "file_name", "file", "picture", "photo", "path", "image_name")
CAPTION_NAMES = ("caption", "sentence", "text", "description", "comment", "raw")
SPLITS = {"train": "train", "restval": "train", "val": "valid", "valid": "valid", "dev": "valid", "test": "test"}
"""What fields that name a part may hold, and which part it is."""
MAX_CHARACTERS = 2_000
"""Of a caption: what is longer is no sentence."""
_PICTURE = r"[^\t,]+\.(?:jpe?g|png|webp|tiff?|gif|bmp)"
_TOKEN_LINE = re.compile(rf"({_PICTURE})(?:#\d+)?\t(.*)", re.IGNORECASE)
_LIST_LINE = re.compile(rf"\s*({_PICTURE})\s*", re.IGNORECASE)
_COLUMNS = 2


@dataclass(frozen=True)
class CaptionOptions:
    """Which column of a table, or field of a record, is the picture's name, and which the caption; None: by what they are called."""

    image: str | None = None
    caption: str | None = None
    header: Header = "auto"
    on_error: OnError = "stop"


@dataclass
class Captioned:
    """Pictures by name, in the order in which they come, with all captions of each, where these stand, and the part that the data name."""

    names: list[str] = field(default_factory=list)
    captions: list[list[str]] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    splits: list[str | None] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.names)

    def select(self, indices: Sequence[int]) -> Captioned:
        """Give some of the pictures, without what was noted of reading all of them."""
        columns = (self.names, self.captions, self.places, self.splits)
        return Captioned(*([column[index] for index in indices] for column in columns))


Caption = tuple[str, str, "str | None", Place]
"""A picture's name, one caption of it, the part that it is in, and where that stands."""


def read_captions(arguments: Sequence[str | Path], options: CaptionOptions | None = None) -> Captioned:
    """Read captions, of which the pictures are not looked at.

    What is read: tables and records with a column for the picture's name and one for a caption; lines `1.jpg#0<tab>a caption`;
    JSON with `images`, and in these `filename`, `sentences` and `split`; JSON with `images` and `annotations`.

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
        with _handled(faults):
            for name, caption, split, place in _read_each(source, options, faults, found.notes):
                with _handled(faults):
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
    return [to_utf8(one, notes) for one in opened if one.kind != PICTURE and not is_documentation(one)]


@contextmanager
def _handled(faults: Faults) -> Iterator[None]:
    try:
        yield
    except DataError as error:
        faults.handle(error)


def read_names(arguments: Sequence[str | Path]) -> list[str]:
    """Read lists of pictures, a name in each line; nothing of none."""
    names: list[str] = []
    for source in open_data(arguments, lambda _: None, Faults("stop"), []) if arguments else ():
        for number, line in enumerate(decode(source.data, source.name).splitlines(), 1):
            if line.strip() and not (match := _LIST_LINE.fullmatch(line)):
                raise DataError("expected the name of a picture", source=source.name, line=number)
            names += [match[1]] if line.strip() and match else []
    return names


def _read_each(source: Source, options: CaptionOptions, faults: Faults, notes: list[str]) -> Iterator[Caption]:
    if source.kind == "json":
        document = _document(source)
        if isinstance(document, dict) and isinstance(document.get("images"), list):
            read = _read_coco if "annotations" in document else _read_karpathy
            yield from read(document, source, faults)
            return
    if source.kind == "text":
        lines = decode(source.data, source.name).splitlines()
        first = next((line for line in lines if line.strip()), "")
        if _LIST_LINE.fullmatch(first) and source.found:
            faults.skip(f"{source.name}: a list of names, without captions")
            return
        if _TOKEN_LINE.fullmatch(first):
            yield from _read_tokens(lines, source, faults)
            return
        source = replace(source, kind="tsv" if "\t" in first else "csv")
    yield from _read_table(source, options, faults, notes)


def _document(source: Source) -> Any:
    try:
        return json.loads(decode(source.data, source.name))
    except (ValueError, RecursionError) as error:
        raise DataError(f"is no valid JSON ({error})", source=source.name) from None


def _read_tokens(lines: list[str], source: Source, faults: Faults) -> Iterator[Caption]:
    for number, line in enumerate(lines, 1):
        if match := _TOKEN_LINE.fullmatch(line):
            yield match[1], match[2], None, {"line": number}
        elif line.strip():
            faults.handle(DataError("expected a picture, a tab and its caption", source=source.name, line=number))


def _read_karpathy(document: dict[str, Any], source: Source, faults: Faults) -> Iterator[Caption]:
    for number, image in enumerate(document["images"], 1):
        with _handled(faults):
            yield from list(_sentences(image, source, {"row": number}))


def _sentences(image: Any, source: Source, place: Place) -> Iterator[Caption]:
    name, sentences = _get(image, "filename", str, source, place), _get(image, "sentences", list, source, place)
    folder = image.get("filepath")
    name = f"{folder}/{name}" if isinstance(folder, str) and folder else name
    for sentence in sentences:
        yield name, _get(sentence, "raw", str, source, place), _split_of(image.get("split"), source, place), place


def _read_coco(document: dict[str, Any], source: Source, faults: Faults) -> Iterator[Caption]:
    images: dict[Any, str] = {}
    for number, image in enumerate(document["images"], 1):
        with _handled(faults):
            place: Place = {"row": number}
            images[_get(image, "id", (int, str), source, place)] = _get(image, "file_name", str, source, place)
    annotations = document["annotations"]
    if not isinstance(annotations, list):
        raise DataError("annotations: expected a list", source=source.name)
    for number, one in enumerate(annotations, 1):
        with _handled(faults):
            place = {"row": number}
            image = _get(one, "image_id", (int, str), source, place)
            if image not in images:
                raise DataError(f"annotation {number}: no image has the id {image}", source=source.name)
            yield images[image], _get(one, "caption", str, source, place), None, place


def _get(record: Any, name: str, kind: type | tuple[type, ...], source: Source, place: Place) -> Any:
    value = record.get(name) if isinstance(record, dict) else None
    if not isinstance(value, kind):
        raise DataError(f"expected an object with {name!r}, got {type(record).__name__}", source=source.name, **place)
    return value


def _split_of(value: Any, source: Source, place: Place) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or value.lower() not in SPLITS:
        known = ", ".join(SPLITS)
        raise DataError(f"split: expected one of {known}, got {value!r}", source=source.name, **place)
    return SPLITS[value.lower()]


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
        with _handled(faults):
            name, text = (_text(cells.get(column), column, table, row.place) for column in (image, caption))
            part = _split_of(cells.get(split), source, row.place) if split else None
            yield name, text, part, row.place


def _text(cell: Any, name: str, source: Source, place: Place) -> str:
    if cell is not None and not isinstance(cell, str):
        raise DataError(f"field {name!r} is no text", source=source.name, **place)
    return cell or ""


def _columns(names: list[str], options: CaptionOptions, table: Source) -> tuple[str, str]:
    """Choose the columns: those that are named, else those with the usual names, else the only two."""
    by_word = {name.lower(): name for name in reversed(names)}
    found: list[str | None] = []
    for given, usual in ((options.image, IMAGE_NAMES), (options.caption, CAPTION_NAMES)):
        own = None if given is None else resolve_column(given, names)
        known = next((by_word[word] for word in usual if word in by_word), None)
        found.append(known if own is None else own if own in names else None)
    if None in found and len(names) == _COLUMNS:
        left = [name for name in names if name not in found]
        found = [one or left.pop(0) for one in found]
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
            f"the caption of {name} is empty", source=source.name, hint="write one, or leave it out (--on-error skip)", **place
        )
    if len(caption) > MAX_CHARACTERS:
        raise DataError(
            f"expected a caption of at most {MAX_CHARACTERS:,} characters, got {len(caption):,}", source=source.name, **place
        )
