"""Music on a grid: MIDI files and piano rolls, alone, in folders and archives, with what a list beside them says of each."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from recurra.data.sources import add_each, common_folder, is_documentation
from recurra.errors import DataError
from recurra.music import Kind, Piece, Song, has_drums_alone, read_midi, read_rolls, to_drums, to_piece
from recurra.text import Faults, OnError, Source, open_sources

_MIDI = (".mid", ".midi", ".kar", ".rmi", ".smf")
_ROLLS = (".json", ".mat", ".npz", ".npy")
_NAME_COLUMN = "midi_filename"
"""Of a list that says of each file what it is, as the one of the Groove data set."""
_SPLITS = {"train": "train", "validation": "valid", "valid": "valid", "test": "test"}


@dataclass(frozen=True)
class MusicOptions:
    """kind: notes, voices or drums; auto: by what most files hold.  steps: of a beat.  bar: steps of a bar, where a file does not
    say; None: four beats.  metre: quarters of a bar; files of another are left out."""

    kind: Kind | Literal["auto"] = "auto"
    steps: int = 4
    bar: int | None = None
    metre: float | None = None
    on_error: OnError = "stop"


@dataclass(frozen=True)
class Music:
    """Pieces of one kind, what there is to say of reading them, and what was left out."""

    pieces: list[Piece]
    notes: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def holds_music(name: str) -> bool:
    """Tell by its name in small letters whether a file holds music.

    >>> holds_music("tune.mid"), holds_music("chorales.json"), holds_music("readme.md")
    (True, True, False)
    """
    return PurePosixPath(name).suffix in (*_MIDI, *_ROLLS)


def _kind_of(name: str) -> str | None:
    suffix = PurePosixPath(name).suffix
    return "midi" if suffix in _MIDI else suffix[1:] if suffix in (*_ROLLS, ".csv") else None


def read_music(arguments: Sequence[str | Path], options: MusicOptions | None = None) -> Music:
    """Read all music that is named, in one kind; raises `DataError`, with the file, for the first thing that cannot be used.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.json").write_text("[[60, 64], [60], []]")
    ...     read = read_music([folder])
    >>> read.pieces[0].frames.shape, read.pieces[0].name
    ((3, 88), 'a.json, piece 1')
    """
    options = options or MusicOptions()
    faults, files = Faults(options.on_error), _Files(options)
    for source in open_sources(arguments, faults, _kind_of):
        if source.kind == "csv":
            files.lists.append(source)
        elif source.kind == "text":
            _refuse(source, faults)
        else:
            add_each(files.read(source), lambda _: None, faults)
    pieces = list(files.pieces(faults))
    if not pieces:
        reason = f": {faults.skipped[0]}" if faults.skipped else ""
        if files.counted and not reason:
            reason = (
                f" that is asked for: {'; '.join(f'{count:,} {what}' for what, count in files.counted.most_common(3))}"
            )
        raise DataError(f"holds no music{reason}", source=" ".join(map(str, arguments))[:200])
    folder = common_folder([piece.name for piece in pieces])
    pieces = [replace(piece, name=piece.name.removeprefix(folder).lstrip("/")) for piece in pieces]
    counted = [f"{count:,} {what}" for what, count in files.counted.most_common()]
    return Music(pieces, counted, faults.skipped)


def _refuse(source: Source, faults: Faults) -> None:
    if source.found:
        faults.skip(f"{source.name}: {'documentation' if is_documentation(source) else 'no music'}, by its name")
        return
    faults.handle(DataError("holds no music", source=source.name, hint="expected .mid, .json, .mat, .npz or .npy"))


class _Files:
    """Collects what is read: songs, which become pieces once the kind of all is known, and pieces."""

    def __init__(self, options: MusicOptions) -> None:
        self.lists: list[Source] = []
        self.counted: Counter[str] = Counter()
        self._options = options
        self._read: list[Piece | tuple[str, Song]] = []

    def read(self, source: Source) -> Iterator[None]:
        """Read one file, piece by piece."""
        if source.kind == "midi":
            self._read.append((source.name, read_midi(source.data, source.name)))
            yield
            return
        for piece in read_rolls(source, self._options.steps, self._options.bar):
            self._read.append(piece)
            yield

    def pieces(self, faults: Faults) -> Iterator[Piece]:
        """Give all pieces, on their grids; those of another kind are faults."""
        listed = _read_lists(self.lists)
        kind = self._kind()
        for each in self._read:
            try:
                piece = each if isinstance(each, Piece) else self._on_grid(*each, kind)
                if piece.kind != kind:
                    problem = f"holds {piece.kind}, and the others {kind}"
                    raise DataError(problem, source=piece.name, hint="train on each kind by itself")
            except DataError as error:
                faults.handle(error)
                continue
            row = _row_of(piece.name, listed)
            piece = replace(piece, split=_SPLITS.get(row.get("split", ""), piece.split), group=_group(row))
            metre = self._options.metre
            if metre is not None and piece.bar != round(metre * piece.steps):
                self.counted["pieces of another metre, left out"] += 1
                continue
            yield piece

    def _kind(self) -> Kind:
        if self._options.kind != "auto":
            return self._options.kind
        kinds = Counter[Kind](
            each.kind if isinstance(each, Piece) else "drums" if has_drums_alone(each[1]) else "notes"
            for each in self._read
        )
        return kinds.most_common(1)[0][0] if kinds else "notes"

    def _on_grid(self, name: str, song: Song, kind: Kind) -> Piece:
        bring = to_drums if kind == "drums" else to_piece
        piece = bring(song, name, self._options.steps, self._options.bar)
        self.counted.update(song.faults)
        return piece


def _read_lists(lists: Sequence[Source]) -> dict[str, Mapping[str, str]]:
    """Give the rows of lists by the names of their files; tables that are no such lists are passed over."""
    rows: dict[str, Mapping[str, str]] = {}
    for source in lists:
        table = csv.DictReader(io.StringIO(source.data.decode("utf-8", "replace")))
        if _NAME_COLUMN in (table.fieldnames or ()):
            rows.update({str(row[_NAME_COLUMN]): row for row in table})
    return rows


def _row_of(name: str, listed: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    """Find the row of a file by the end of its path."""
    parts = PurePosixPath(name).parts
    ends = ("/".join(parts[start:]) for start in range(len(parts)))
    return next((listed[end] for end in ends if end in listed), {})


def _group(row: Mapping[str, str]) -> str | None:
    """Name who played: drummer, session, style and tempo, as far as they stand in the list."""
    known = [row.get(column) or "" for column in ("drummer", "session", "style", "bpm")]
    return ", ".join(known) if any(known) else None
