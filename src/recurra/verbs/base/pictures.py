"""Pictures that a run has written: in a file, in a folder, or drawn in the terminal."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recurra.errors import OutputError, RunError, UsageError
from recurra.files import is_folder, path_exists, write_whole
from recurra.tasks.base.options import read_options
from recurra.verbs.base.options import note, print_json, print_line
from recurra.verbs.base.patience import still_at_it

if TYPE_CHECKING:
    import numpy as np

    from recurra.tasks.base.capabilities import GeneratesPictures

_SUFFIX = ".png"
MAX_FILE_PIXELS = 100_000_000
"""Of a file that is written, be it a sheet of many pictures."""


def write_pictures(predictor: GeneratesPictures, given: Mapping[str, Any], *, json: bool) -> None:
    """Write what a run draws: into the file or the folder that the options name, else as JSON or blocks.

    Raises `UsageError` where what is named cannot be written to as it is.
    """
    options: Any = read_options(predictor.GenerateOptions, given, predictor.name)
    out = None if options.out is None else _target(options.out)
    chosen = options.seed is None and options.temperature > 0
    if chosen:
        options.seed = secrets.randbelow(2**31)
    with still_at_it(f"writing {options.count:,} pictures"):
        pictures = predictor.generate_pictures(None, options)
    if chosen:
        note(f"seed {options.seed}")
    if out is not None:
        for path in _save(pictures, out, options.scale):
            print_json({"file": str(path)}) if json else note(f"written: {path}")
        return
    from recurra.images import to_blocks

    for number, picture in enumerate(pictures):
        if json:
            print_json({"picture": picture.tolist()})
        else:
            print_line(("\n" if number else "") + "\n".join(line.rstrip() for line in to_blocks(picture)))


def _target(name: str) -> Path:
    """Give the file, or the folder, that is named; raises `UsageError` before anything is drawn where it cannot be either."""
    path = Path(name)
    if not name.strip() or "\0" in name:
        raise UsageError(f"out: expected the name of a PNG file or a folder, got {name!r}")
    if path.suffix and path.suffix.lower() != _SUFFIX and not is_folder(path):
        raise UsageError(f"out: expected a file that ends with {_SUFFIX}, or a folder; got {name}")
    if path.suffix.lower() == _SUFFIX and not is_folder(path.parent):
        raise UsageError(f"out: there is no folder {path.parent}; make it first")
    if not path.suffix and path_exists(path) and not is_folder(path):
        raise UsageError(f"out: {name} is a file already; name one that ends with {_SUFFIX}, or a folder")
    return path


def _save(pictures: np.ndarray, out: Path, scale: int) -> list[Path]:
    """Write one file, a sheet of several pictures, or a file each into a folder."""
    from recurra.images import contact_sheet, encode_png, enlarge, sheet_size

    count, (height, width) = len(pictures), (side * scale for side in pictures.shape[1:])
    as_sheet = count > 1 and out.suffix.lower() == _SUFFIX and not is_folder(out)
    if as_sheet:
        height, width = sheet_size(count, height, width)
    if height * width > MAX_FILE_PIXELS:
        raise UsageError(
            f"out: expected a file of at most {MAX_FILE_PIXELS:,} pixels, got {height:,} x {width:,}; "
            f"take a smaller --scale{', or name a folder for a file each' if as_sheet else ''}"
        )
    try:
        if as_sheet:
            return [write_whole(out, encode_png(contact_sheet(pictures, scale=scale)))]
        if out.suffix.lower() == _SUFFIX and not is_folder(out):
            return [write_whole(out, encode_png(enlarge(pictures[0], scale)))]
        out.mkdir(parents=True, exist_ok=True)
        digits = len(str(count))
        return [
            write_whole(out / f"{number:0{digits}}{_SUFFIX}", encode_png(enlarge(picture, scale)))
            for number, picture in enumerate(pictures, 1)
        ]
    except (OSError, RunError) as error:
        raise OutputError(f"{out}: cannot be written: {getattr(error, 'strerror', None) or error}") from None
