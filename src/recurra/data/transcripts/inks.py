"""UNIPEN files with those that they include, and InkML."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from recurra.data.transcripts.options import Label, TranscriptOptions
from recurra.data.transcripts.pattern import fits
from recurra.data.transcripts.sidecars import one_line
from recurra.errors import DataError, UsageError
from recurra.files import is_end
from recurra.ink import Component, Ink, Segment, Unipen, parse_unipen, read_inkml, segment_ink
from recurra.text import Faults, Source, handled

_WRITER_BYTES = 4


def ink_of_xml(source: Source) -> Iterator[tuple[Ink, Label]]:
    """Give the inks of an InkML file with what is written of them."""
    for one in read_inkml(source):
        text = None if one.text is None else one_line(one.text)
        group = None if one.writer is None else writer_name(one.writer)
        yield one.ink, Label(text, source.name, {"row": one.number}, group)


def writer_name(writer: str) -> str:
    """Name a writer by a sum of what the files say: they may say a person's name, which is to stand in no report.

    >>> writer_name("Jane Doe")
    'writer 53ba7f28'
    """
    return f"writer {hashlib.blake2b(writer.encode('utf-8', 'surrogatepass'), digest_size=_WRITER_BYTES).hexdigest()}"


def read_unipen(
    pens: Sequence[Source], sources: Sequence[Source], options: TranscriptOptions, faults: Faults
) -> Iterator[tuple[Ink, Label]]:
    """Give the segments of UNIPEN files that have a text; a file that they include is found among all sources by the end of its path.

    A segment's writer is who the file with its points says, or else that file; the name of neither is shown.

    Raises `UsageError` where segments are of several levels and none is chosen, and `DataError` for a file that is not there.
    """
    files = _Files(sources)
    chosen = []
    for source in pens:
        with handled(faults):
            file = files.parse(source)
            if options.only is None or fits(source.name, options.only):
                chosen += [(source, file, one) for one in file.segments if one.text]
    level = _choose_level([one for _, _, one in chosen], options)
    whole: dict[str, tuple[list[Component], str]] = {}
    for source, file, segment in chosen:
        if segment.level != level:
            continue
        with handled(faults):
            if source.name not in whole:
                whole[source.name] = files.whole(source, file)
            components, writer = whole[source.name]
            ink = segment_ink(components, segment, source.name)
            shown = str(PurePosixPath(source.name).with_name(writer))
            yield ink, Label(one_line(segment.text or ""), source.name, {"line": segment.line}, writer, shown=shown)


def _choose_level(segments: list[Segment], options: TranscriptOptions) -> str | None:
    levels = Counter(one.level for one in segments)
    if options.level is not None:
        level = options.level.upper()
        if levels and level not in levels:
            raise UsageError(
                f"level: expected one of {', '.join(levels)}, of which there are segments; got {options.level!r}"
            )
        return level
    if len(levels) > 1:
        shown = ", ".join(f"{name} ({count:,})" for name, count in levels.most_common())
        raise UsageError(
            f"level: the segments are of several levels, {shown}; say --level {levels.most_common()[0][0]}"
        )
    return next(iter(levels), None)


class _Files:
    """UNIPEN files, each parsed once, and those that they include."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._by_last: dict[str, list[Source]] = {}
        for source in sources:
            self._by_last.setdefault(PurePosixPath(source.name).name, []).append(source)
        self._parsed: dict[str, Unipen] = {}

    def parse(self, source: Source) -> Unipen:
        """Read a file, once."""
        if source.name not in self._parsed:
            self._parsed[source.name] = parse_unipen(source.data, source.name)
        return self._parsed[source.name]

    def whole(self, source: Source, file: Unipen) -> tuple[list[Component], str]:
        """Give the components of a file after those of all that it includes, and who wrote them."""
        components: list[Component] = []
        columns: Sequence[str] = ("X", "Y")
        writer, last = file.writer, source
        for path, line in file.includes:
            included = self._find(path, source, line)
            inner = self.parse(included)
            columns = inner.columns or columns
            components += inner.components(columns)
            if inner.bodies:
                writer, last = writer or inner.writer, included
        return [*components, *file.components(columns)], writer_name(writer or last.name)

    def _find(self, path: str, source: Source, line: int) -> Source:
        found = [one for one in self._by_last.get(PurePosixPath(path).name, []) if is_end(path, one.name)]
        if len(found) != 1:
            problem = (
                f"includes {path}, which is not there"
                if not found
                else f"includes {path}, which could be several files"
            )
            raise DataError(problem, source=source.name, line=line, hint="name the folder or archive that has it too")
        return found[0]
