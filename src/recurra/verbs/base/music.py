"""Music that a run has written: as MIDI files, as WAV files, or drawn in the terminal."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recurra.errors import OutputError, RunError, UsageError
from recurra.files import is_folder, path_exists, write_whole
from recurra.tasks.base.options import read_options
from recurra.verbs.base.options import note, print_json, print_line
from recurra.verbs.base.patience import still_at_it

if TYPE_CHECKING:
    from recurra.music import Piece
    from recurra.tasks.base.capabilities import Composes


def write_music(predictor: Composes, given: Mapping[str, Any], *, json: bool) -> None:
    """Write what a run composes: into the files or folders that the options name, else as JSON or lines.

    Raises `UsageError` where what is named cannot be written to as it is.
    """
    from recurra.music import render, to_song, wav_bytes, write_midi

    options: Any = read_options(predictor.GenerateOptions, given, predictor.name)
    targets: list[tuple[str, str, Callable[[Piece], bytes]]] = [
        ("out", ".mid", lambda piece: write_midi(*_song(piece))),
        ("wav", ".wav", lambda piece: wav_bytes(render(to_song(piece)))),
    ]
    wanted = [(name, suffix, make) for name, suffix, make in targets if getattr(options, name) is not None]
    paths = {name: _paths(name, getattr(options, name), suffix, options.count) for name, suffix, _ in wanted}
    chosen = options.seed is None and options.temperature != 0
    if chosen:
        options.seed = secrets.randbelow(2**31)
    with still_at_it("composing"):
        pieces = predictor.compose(None, options)
    if chosen:
        note(f"seed {options.seed}")
    for name, _, make in wanted:
        for path, piece in zip(paths[name], pieces, strict=True):
            _write(path, make(piece))
            print_json({"file": str(path)}) if json else note(f"written: {path}")
    if not wanted:
        _show(pieces, json)


def _song(piece: Piece) -> tuple[Any, int, float]:
    from recurra.music import USUAL_TEMPO, to_song

    song = to_song(piece)
    return song.notes, song.ticks, song.tempo or USUAL_TEMPO


def _show(pieces: Sequence[Piece], json: bool) -> None:
    from recurra.music import to_lines, to_steps

    for number, piece in enumerate(pieces):
        if json:
            print_json({"steps": to_steps(piece)})
        else:
            print_line(("\n" if number else "") + to_lines(piece))


def _paths(option: str, name: str, suffix: str, count: int) -> list[Path]:
    """Give the files to write; raises `UsageError` before anything is composed where they cannot be written."""
    path = Path(name)
    if not name.strip() or "\0" in name:
        raise UsageError(f"{option}: expected the name of a {suffix} file or a folder, got {name!r}")
    if path.suffix and path.suffix.lower() != suffix and not is_folder(path):
        raise UsageError(f"{option}: expected a file that ends with {suffix}, or a folder; got {name}")
    if path.suffix.lower() == suffix and not is_folder(path):
        if count > 1:
            raise UsageError(f"{option}: expected a folder for {count} pieces, got the file {name}; name a folder")
        if not is_folder(path.parent):
            raise UsageError(f"{option}: there is no folder {path.parent}; make it first")
        return [path]
    if path_exists(path) and not is_folder(path):
        raise UsageError(f"{option}: {name} is a file already; name one that ends with {suffix}, or a folder")
    digits = len(str(count))
    return [path / f"{number:0{digits}}{suffix}" for number in range(1, count + 1)]


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data)
    except (OSError, RunError) as error:
        raise OutputError(f"{path}: cannot be written: {getattr(error, 'strerror', None) or error}") from None
