"""The texts of a data set, found before its signals are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from recurra.data.sources import is_documentation, to_utf8
from recurra.data.transcripts.index import Index, Signals, signal_kind, stems, unpacked
from recurra.data.transcripts.inks import ink_of_xml, read_unipen
from recurra.data.transcripts.options import Label, TranscriptOptions
from recurra.data.transcripts.pages import is_page, page_lines
from recurra.data.transcripts.pattern import NamePattern, fits
from recurra.data.transcripts.sidecars import (
    KALDI,
    LIST_ENDING,
    kaldi_folders,
    names_before_texts,
    part_of_list,
    read_kaldi,
    read_list,
    read_named,
    read_names,
    read_sidecar,
    stem_of_text,
)
from recurra.data.transcripts.tables import is_table, read_table
from recurra.errors import DataError, UsageError
from recurra.ink import Ink, is_unipen
from recurra.text import (
    STANDARD_INPUT,
    Faults,
    Source,
    handled,
    local_name,
    open_sources,
    parse_xml,
    record_kind_from_content,
    record_kind_from_name,
)

_MIN_FOLDERS = 2


def file_kind(name: str) -> str | None:
    """Tell what a file is by its name in small letters, as `open_sources` asks for it."""
    return signal_kind(name) or ("xml" if name.endswith((".xml", ".inkml")) else record_kind_from_name(name))


@dataclass
class Texts:
    """What is known of signals, which there are, and the inks, which the files of their texts hold.

    parts: the part that lists of names say a signal is in.  folders: whether the name of a signal's folder is its text.  piped: signals of standard input, which can be read once.
    """

    index: Index = field(default_factory=Index)
    signals: list[str] = field(default_factory=list)
    inks: list[tuple[Ink, Label]] = field(default_factory=list)
    piped: list[Source] = field(default_factory=list)
    parts: Index = field(default_factory=Index)
    folders: bool = False

    def unmatched(self) -> Iterator[tuple[str, Label]]:
        """Give the names in tables that none of the signals has."""
        there = Signals(self.signals)
        for name, label in self.index.missing():
            if not there.has(name):
                yield name, label


def read_texts(arguments: Sequence[str | Path], options: TranscriptOptions, faults: Faults, notes: list[str]) -> Texts:
    """Open all files, of which the signals are not looked at, and read what the others say of them."""
    texts, others = Texts(), []
    for source in open_sources(arguments, faults, file_kind):
        if source.name == STANDARD_INPUT and options.rate is not None:
            texts.piped.append(replace(source, kind="sound"))
        elif signal_kind(unpacked(source.name.lower())) is not None:
            if options.only is None or fits(unpacked(source.name), options.only):
                texts.signals.append(source.name)
        elif not is_documentation(source):
            others.append(to_utf8(source, notes))
    if options.label_from is None or not NamePattern(options.label_from).has_text:
        _Finder(texts, options, faults, notes).read(others)
        texts.folders = not texts.index and len({PurePosixPath(name).parent for name in texts.signals}) >= _MIN_FOLDERS
    return texts


class _Finder:
    """Tells of each file that is no signal what it is, and reads it."""

    def __init__(self, texts: Texts, options: TranscriptOptions, faults: Faults, notes: list[str]) -> None:
        self.texts, self.options, self.faults, self.notes = texts, options, faults, notes
        self._stems = {stem for name in texts.signals for stem in stems(unpacked(name))}
        self._unclear: list[UsageError] = []
        self._there = Signals(texts.signals)

    def read(self, sources: Sequence[Source]) -> None:
        """Read all of them."""
        used: set[str] = set()
        for folder in kaldi_folders(sources):
            with handled(self.faults):
                used |= {one.name for one in read_kaldi(folder, sources, self.texts.index, self.faults)}
        pens = [source for source in sources if source.kind == "text" and is_unipen(source.data)]
        with handled(self.faults):
            self.texts.inks += read_unipen(pens, sources, self.options, self.faults)
        used |= {source.name for source in pens}
        for source in sources:
            if source.name not in used:
                with handled(self.faults):
                    self._read_one(source)
        if self._unclear and not self.texts.index and not self.texts.inks:
            raise self._unclear[0]
        for error in self._unclear:
            self.faults.skip(f"no texts of signals: {error}")

    def _read_one(self, source: Source) -> None:
        if unpacked(source.name).lower().endswith(LIST_ENDING):
            read_list(source, self.texts.index, self.faults)
            return
        if source.kind == "xml":
            self._read_xml(source)
            return
        if source.kind != "text":
            self._read_table(source)
            return
        stem = stem_of_text(source.name)
        if stem is not None and stem in self._stems:
            self.texts.index.add_stem(stem, read_sidecar(source))
        elif (part := part_of_list(source, self._there)) is not None:
            read_names(source, part, self.texts.parts, self.faults)
            self.notes.append(f"{PurePosixPath(source.name).name}: says which are {part}")
        elif source.name == STANDARD_INPUT:
            self._read_table(replace(source, kind=record_kind_from_content(source.data)))
        elif names_before_texts(source, self._there):
            read_named(source, self.texts.index, self.faults)
        elif is_table(source):
            self._read_table(replace(source, kind="tsv"))
        elif not source.found:
            raise DataError(
                "is no table, and no text beside a signal of its name",
                source=source.name,
                hint=f"expected name.txt beside name.wav, a table, or a folder of Kaldi with {KALDI}",
            )
        else:
            self.faults.skip(f"{source.name}: no text of a signal, by its name")

    def _read_table(self, source: Source) -> None:
        """Read a table; one that was found may be of something else, if others hold texts."""
        try:
            self.texts.inks += read_table(source, self.options, self.texts.index, self._there, self.faults, self.notes)
        except UsageError as error:
            if not source.found:
                raise
            self._unclear.append(error)

    def _read_xml(self, source: Source) -> None:
        root = parse_xml(source)
        if local_name(root) == "ink":
            self.texts.inks += ink_of_xml(source)
        elif is_page(root):
            picture, labels = page_lines(root, source)
            stem = str(PurePosixPath(unpacked(source.name)).with_suffix(""))
            for label in labels:
                if stem in self._stems or not picture:
                    self.texts.index.add_stem(stem, label)
                else:
                    self.texts.index.add_name(PurePosixPath(picture.replace("\\", "/")).name, label)
        elif source.found:
            self.faults.skip(f"{source.name}: a document of <{local_name(root)}>, not PAGE XML, ALTO or InkML")
        else:
            raise DataError(
                f"expected PAGE XML, ALTO or InkML, got a document of <{local_name(root)}>", source=source.name
            )
