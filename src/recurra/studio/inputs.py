"""What a page hands over, as `predict` takes it: the same as the command line reads, and never a file by its name."""

from __future__ import annotations

import json
import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from recurra.errors import DataError, UsageError
from recurra.formatting import abbreviate
from recurra.tasks.base.predictor import Predictor
from recurra.text import file_lines

MAX_INPUTS = 1000
MAX_PIXELS = 4096 * 4096
_EXPECTED = {
    "text": "a text",
    "series": "numbers",
    "table": 'numbers, {"csv": "…"} or an upload',
    "sound": "an upload",
    "picture": '{"pixels": [[0, …], …]} or an upload',
    "json": "JSON, or an upload",
    "pen": '{"strokes": [[[x, y], …], …]} or an upload',
}


def parse_inputs(predictor: Predictor, given: list[Any]) -> list[Any]:
    """Read inputs of a request; raises `DataError`, with the number of the input, for one that cannot be read."""
    if not given:
        raise UsageError("inputs: expected at least one, or an upload")
    if len(given) > MAX_INPUTS:
        raise UsageError(f"inputs: expected at most {MAX_INPUTS:,}, got {len(given):,}; upload a file")
    found = []
    for number, item in enumerate(given, 1):
        try:
            found += _parse(predictor, item)
        except DataError as error:
            raise DataError(str(error), source=f"input {number}") from None
    return found


def _parse(predictor: Predictor, item: Any) -> list[Any]:
    kind = predictor.input_kind
    if isinstance(item, str) and kind in ("text", "series", "table"):
        return [predictor.parse(item)]
    if (isinstance(item, list) and kind in ("series", "table", "json")) or (isinstance(item, dict) and kind == "json"):
        return [predictor.parse(json.dumps(item))]
    if isinstance(item, dict) and kind == "table" and set(item) == {"csv"} and isinstance(item["csv"], str):
        return _table(predictor, item["csv"])
    if isinstance(item, dict) and kind == "picture" and set(item) == {"pixels"}:
        return [_pixels(item["pixels"])]
    if isinstance(item, dict) and kind == "pen" and "strokes" in item:
        return [predictor.parse(json.dumps(item))]
    if isinstance(item, str) and kind in ("pen", "json") and item.lstrip().startswith(("{", "[")):
        return [predictor.parse(item)]
    raise DataError(f"expected {_EXPECTED[kind]}, got {abbreviate(item, 40)}")


def _table(predictor: Predictor, text: str) -> list[Any]:
    """Read a table as a file of it is read, with any number of series."""
    with TemporaryDirectory(prefix="recurra-studio-") as folder:
        path = Path(folder, "table.csv")
        path.write_text(text, encoding="utf-8")
        try:
            return predictor.read_file(str(path)) or []
        except DataError as error:
            raise DataError(str(error).replace(f"{folder}/", "")) from None


def _pixels(given: Any) -> np.ndarray:
    """Give pixels (H, W) or (H, W, 3) uint8."""
    try:
        pixels: np.ndarray = np.array(given, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        pixels = np.zeros(0)
    shape = tuple(pixels.shape)
    if len(shape) not in (2, 3) or shape[2:] not in ((), (3,)) or not pixels.size:
        raise DataError("pixels: expected rows of numbers, or of [red, green, blue], all rows as long as the first")
    if math.prod(shape[:2]) > MAX_PIXELS:
        raise DataError(f"pixels: expected at most {MAX_PIXELS:,}, got {math.prod(shape[:2]):,}")
    if not ((pixels >= 0) & (pixels <= 255)).all():
        raise DataError("pixels: expected numbers from 0 to 255")
    return pixels.round().astype(np.uint8)


def read_upload(predictor: Predictor, path: Path) -> list[Any]:
    """Read an uploaded file as `recurra predict RUN FILE` does; raises `DataError` where it cannot be read."""
    known = predictor.read_file(str(path))
    if known is not None:
        return known
    kind, found = predictor.input_kind, []
    if kind in ("sound", "picture"):
        raise DataError(f"expected a {kind}, or a folder of them as an archive", source=path.name)
    for number, line in enumerate(file_lines(str(path)), 1):
        if kind in ("pen", "json") and not line.lstrip().startswith(("{", "[")):
            raise DataError("expected JSON", source=path.name, line=number)
        try:
            found.append(predictor.parse(line))
        except DataError as error:
            raise DataError(str(error), source=path.name, line=number) from None
    return found
