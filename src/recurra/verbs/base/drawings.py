"""Drawings that a run has made: in an SVG file, in a folder, as strokes, or drawn in the terminal."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recurra.errors import OutputError, RunError, UsageError
from recurra.files import is_folder, path_exists, write_whole
from recurra.tasks.base.options import read_options
from recurra.verbs.base.options import note, print_json, print_line
from recurra.verbs.base.patience import still_at_it

if TYPE_CHECKING:
    from recurra.ink import Ink
    from recurra.tasks.base.capabilities import GeneratesDrawings

_SUFFIXES = (".svg", ".jsonl")


def write_drawings(predictor: GeneratesDrawings, given: Mapping[str, Any], *, json: bool) -> None:
    """Write what a run draws: into the file or the folder that the options name, else as JSON or dots.

    Raises `UsageError` where what is named cannot be written to as it is.
    """
    options: Any = read_options(predictor.GenerateOptions, given, predictor.name)
    out = None if options.out is None else _target(options.out)
    chosen = options.seed is None and options.temperature > 0
    if chosen:
        options.seed = secrets.randbelow(2**31)
    with still_at_it(f"making {options.count:,} drawings"):
        inks, before = predictor.generate_drawings(None, options)
    if chosen:
        note(f"seed {options.seed}")
    if out is not None:
        for path in _save(inks, out, before=before, animate=options.animate):
            print_json({"file": str(path)}) if json else note(f"written: {path}")
        return
    from recurra.images import to_blocks
    from recurra.ink import to_dots

    for number, ink in enumerate(inks):
        if json:
            print_json(ink.to_json())
        else:
            lines = (line.rstrip() for line in to_blocks(to_dots(ink, 40, 76)))
            print_line(("\n" if number else "") + "\n".join(lines))


def _target(name: str) -> Path:
    """Give the file, or the folder, that is named; raises `UsageError` before anything is drawn where it cannot be either."""
    path = Path(name)
    suffix = path.suffix.lower()
    if not name.strip() or "\0" in name:
        raise UsageError(f"out: expected the name of an SVG file or a folder, got {name!r}")
    if suffix and suffix not in _SUFFIXES and not is_folder(path):
        raise UsageError(f"out: expected a file that ends with {' or '.join(_SUFFIXES)}, or a folder; got {name}")
    if suffix in _SUFFIXES and not is_folder(path.parent):
        raise UsageError(f"out: there is no folder {path.parent}; make it first")
    if not suffix and path_exists(path) and not is_folder(path):
        raise UsageError(f"out: {name} is a file already; name one that ends with .svg, or a folder")
    return path


def _save(inks: list[Ink], out: Path, *, before: int, animate: bool) -> list[Path]:
    """Write one file, of several drawings a grid, or a file each into a folder.  before: strokes of each that were given."""
    from recurra.ink import grid_svg, to_svg

    try:
        if out.suffix.lower() == ".jsonl":
            lines = "".join(dumps(ink.to_json()) + "\n" for ink in inks)
            return [write_whole(out, lines)]
        if out.suffix.lower() == ".svg" and not is_folder(out):
            whole = grid_svg(inks, given=before, animate=animate) if len(inks) > 1 else None
            return [write_whole(out, whole or to_svg(inks[0], given=before, animate=animate))]
        out.mkdir(parents=True, exist_ok=True)
        digits = len(str(len(inks)))
        return [
            write_whole(out / f"{number:0{digits}}.svg", to_svg(ink, given=before, animate=animate))
            for number, ink in enumerate(inks, 1)
        ]
    except (OSError, RunError) as error:
        raise OutputError(f"{out}: cannot be written: {getattr(error, 'strerror', None) or error}") from None
