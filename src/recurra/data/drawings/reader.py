"""Files in, drawings out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath, PurePosixPath

from recurra.data.drawings.arrays import read_mat_inks, read_npz_inks
from recurra.data.drawings.options import Drawing, DrawingOptions
from recurra.data.drawings.points import is_points, read_points
from recurra.data.sources import common_folder, is_documentation, location, to_utf8
from recurra.data.transcripts.index import Index, Signals, unpacked
from recurra.data.transcripts.inks import ink_of_xml, read_unipen
from recurra.data.transcripts.options import Label
from recurra.data.transcripts.pattern import fits
from recurra.data.transcripts.tables import read_table
from recurra.errors import DataError
from recurra.ink import Ink, is_unipen, read_svg
from recurra.text import Faults, Source, handled, open_sources, record_kind_from_content, record_kind_from_name

Found = tuple[Ink, Label]
_SUFFIXES = {".svg": "svg", ".npz": "npz", ".mat": "mat", ".inkml": "xml", ".xml": "xml"}
_MIN_FOLDERS = 2
_SVG_HEAD = 2_000
_NOTES_SHOWN = 3


def drawing_kind(name: str) -> str | None:
    """Tell by its name in small letters what a file with drawings is; None for one that is looked into.

    >>> drawing_kind("cat.svg"), drawing_kind("kanji.npz"), drawing_kind("pen.dat")
    ('svg', 'npz', None)
    """
    return _SUFFIXES.get(PurePosixPath(name).suffix) or record_kind_from_name(name)


def read_drawings(
    arguments: Sequence[str | Path],
    options: DrawingOptions | None = None,
    faults: Faults | None = None,
    notes: list[str] | None = None,
) -> list[Drawing]:
    """Read drawings from files, folders, globs and archives, compressed or not.

    What is read: SVG; the `.npz` of sketch-rnn and arrays of steps; a MATLAB cell array of a pen's velocities; tables of points;
    JSON and JSONL with strokes, Quick, Draw!'s too; InkML; UNIPEN with the files that it includes. Of SVG files in several folders
    a folder's name is the label.

    Raises `UsageError` where it is open what is what, and `DataError`, with file and line or row, for the first thing that cannot be
    used; faults that skip list it instead.

    Args:
        arguments: what a user names.
        options: how it is read.
        faults: takes what cannot be used; by default as the options say.
        notes: gets what there is to say of the files.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0L3 4"/></svg>')
    ...     read = read_drawings([folder])
    >>> read[0].ink.points, read[0].place
    (2, 'a.svg')
    """
    options = options or DrawingOptions()
    reader = _Reader(options, faults or Faults(options.on_error), [] if notes is None else notes)
    return reader.read(arguments)


class _Reader:
    """Tells of each file what it is, and reads it."""

    def __init__(self, options: DrawingOptions, faults: Faults, notes: list[str]) -> None:
        self.options, self.faults, self.notes = options, faults, notes
        self._found: list[Found] = []
        self._svg: list[int] = []

    def read(self, arguments: Sequence[str | Path]) -> list[Drawing]:
        sources = []
        for source in open_sources(arguments, self.faults, drawing_kind):
            if is_documentation(source):
                self.faults.skip(f"{source.name}: documentation, by its name")
            else:
                sources.append(to_utf8(source, self.notes))
        pens = [one for one in sources if one.kind == "text" and is_unipen(one.data)]
        unipen = self.options.as_transcripts()
        with handled(self.faults):
            self._found += read_unipen(pens, sources, unipen, self.faults)
        for source in sources:
            if source not in pens and self._is_wanted(source):
                with handled(self.faults):
                    self._add(source)
        if not self._found:
            reason = f": {self.faults.skipped[0]}" if self.faults.skipped else ""
            raise DataError(f"holds no drawings{reason}", source=" ".join(str(name) for name in arguments)[:200])
        self._note_inks()
        return self._drawings()

    def _is_wanted(self, source: Source) -> bool:
        return self.options.only is None or fits(unpacked(source.name), self.options.only)

    def _add(self, source: Source) -> None:
        """Read one file; each of its drawings that cannot be used is a fault of its own."""
        for one in self._of_file(source):
            self._found.append(one)

    def _of_file(self, source: Source) -> Iterator[Found]:
        kind = source.kind
        if kind == "xml" and b"<svg" in source.data[:_SVG_HEAD]:
            kind = "svg"
        if kind == "svg":
            ink = read_svg(source)
            self._svg.append(len(self._found))
            yield ink, Label(None, source.name, {})
        elif kind == "npz":
            yield from read_npz_inks(source, self.faults)
        elif kind == "mat":
            yield from read_mat_inks(source)
        elif kind == "xml":
            yield from ink_of_xml(source)
        elif kind in ("csv", "tsv") and is_points(source):
            yield from read_points(source, self.options, self.faults)
        elif kind != "text":
            yield from self._of_records(source)
        elif not source.found and (records := record_kind_from_content(source.data)) in ("json", "jsonl"):
            yield from self._of_records(Source(source.name, records, source.data, source.found))
        elif source.found:
            self.faults.skip(f"{source.name}: holds no strokes, by its beginning")
        else:
            hint = "expected SVG, .npz, .mat, a table of points, JSON with strokes, InkML or UNIPEN"
            raise DataError("holds no strokes", source=source.name, hint=hint)

    def _of_records(self, source: Source) -> Iterator[Found]:
        index = Index()
        yield from read_table(source, self.options.as_transcripts(), index, Signals([]), self.faults, self.notes)
        if index:
            raise DataError(
                "holds no strokes",
                source=source.name,
                hint="expected a field strokes, ink or drawing, or columns x and y",
            )

    def _note_inks(self) -> None:
        counts: dict[str, int] = {}
        for ink, _ in self._found:
            for note in ink.notes:
                counts[note] = counts.get(note, 0) + 1
        ordered = sorted(counts.items(), key=lambda each: -each[1])[:_NOTES_SHOWN]
        self.notes += [f"{count:,} {'drawings' if count > 1 else 'drawing'}: {note}" for note, count in ordered]

    def _drawings(self) -> list[Drawing]:
        shown = [label.shown or label.source for _, label in self._found]
        folder = common_folder(shown)
        folders = {PurePath(self._found[at][1].source).parent.name for at in self._svg}
        named = len(folders) >= _MIN_FOLDERS and len(self._svg) == len(self._found)
        drawings = []
        for (ink, label), name in zip(self._found, shown, strict=True):
            text = PurePath(label.source).parent.name if named else label.text
            place = location(name, label.place, folder)
            drawings.append(Drawing(ink, text or None, label.group, place, label.split))
        return drawings
