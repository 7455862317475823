"""Captions in the JSON of Karpathy's splits, and in that of COCO."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from recurra.errors import DataError
from recurra.text import Faults, Place, Source, handled

SPLITS = {"train": "train", "restval": "train", "val": "valid", "valid": "valid", "dev": "valid", "test": "test"}
"""What fields and names of files that name a part may hold, and which part it is."""
Caption = tuple[str, str, "str | None", Place]
"""A picture's name, one caption of it, the part that it is in, and where that stands."""


def read_document(document: dict[str, Any], source: Source, faults: Faults) -> Iterator[Caption]:
    """Read a document that has a list of `images`: their `sentences`, or `annotations` beside them."""
    read = _read_coco if "annotations" in document else _read_karpathy
    yield from read(document, source, faults)


def _read_karpathy(document: dict[str, Any], source: Source, faults: Faults) -> Iterator[Caption]:
    for number, image in enumerate(document["images"], 1):
        with handled(faults):
            yield from list(_sentences(image, source, {"row": number}))


def _sentences(image: Any, source: Source, place: Place) -> Iterator[Caption]:
    name, sentences = _get(image, "filename", str, source, place), _get(image, "sentences", list, source, place)
    folder = image.get("filepath")
    name = f"{folder}/{name}" if isinstance(folder, str) and folder else name
    for sentence in sentences:
        yield name, _get(sentence, "raw", str, source, place), split_of(image.get("split"), source, place), place


def _read_coco(document: dict[str, Any], source: Source, faults: Faults) -> Iterator[Caption]:
    images: dict[Any, str] = {}
    for number, image in enumerate(document["images"], 1):
        with handled(faults):
            place: Place = {"row": number}
            images[_get(image, "id", (int, str), source, place)] = _get(image, "file_name", str, source, place)
    annotations = document["annotations"]
    if not isinstance(annotations, list):
        raise DataError("annotations: expected a list", source=source.name)
    for number, one in enumerate(annotations, 1):
        with handled(faults):
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


def split_of(value: Any, source: Source, place: Place) -> str | None:
    """Give the part that a field names, or None for an empty one; raises `DataError` for another word."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or value.lower() not in SPLITS:
        known = ", ".join(SPLITS)
        raise DataError(f"split: expected one of {known}, got {value!r}", source=source.name, **place)
    return SPLITS[value.lower()]
