"""Files in, signals with their texts out, one at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePath, PurePosixPath

import numpy as np

from recurra.audio import Sound, read_sound
from recurra.data.sources import common_folder, location
from recurra.data.transcripts.index import SIGNAL_KINDS, SUFFIXES, signal_kind, unpacked
from recurra.data.transcripts.options import Kind, Label, Signal, Transcript, TranscriptOptions
from recurra.data.transcripts.pattern import TEXT_FIELD, NamePattern, fits
from recurra.data.transcripts.texts import Texts, file_kind, read_texts
from recurra.errors import DataError
from recurra.files import is_file
from recurra.images import cut_polygon, read_picture, to_grey
from recurra.text import Faults, Source, handled, is_hidden, open_sources

NEAR_FOLDERS = ("", "clips", "wavs", "wav", "audio", "images", "lines")
"""Where the signals of a table may be, seen from it."""
_MAX_CHARACTERS = 2_000
"""Of a text: what is longer is no utterance and no line."""
_MISSING_SHOWN = 3


def read_transcripts(
    arguments: Sequence[str | Path],
    options: TranscriptOptions | None = None,
    faults: Faults | None = None,
    notes: list[str] | None = None,
) -> list[Transcript]:
    """Give all that `iter_transcripts` does, held at once."""
    return list(iter_transcripts(arguments, options, faults, notes))


def iter_transcripts(
    arguments: Sequence[str | Path],
    options: TranscriptOptions | None = None,
    faults: Faults | None = None,
    notes: list[str] | None = None,
) -> Iterator[Transcript]:
    """Read signals and their texts from files, folders, globs and archives, compressed or not, a signal at a time.

    What is read, in this order where several would do: names that say the text (`label_from`); Kaldi's `wav.scp`, `text`, `utt2spk` and
    `segments`; LibriSpeech's `.trans.txt`; tables and JSON lines with a file and a text; PAGE XML and ALTO beside their pictures; a text
    beside each signal (`a.wav` and `a.txt`, `a.png` and `a.gt.txt`); a folder for each word. UNIPEN, InkML and JSON hold strokes themselves.

    Raises `UsageError` where the files leave open what is what, and `DataError`, with file and line, row or byte, for the first thing
    that cannot be used; faults that skip list it instead.

    Args:
        arguments: what a user names.
        options: how it is read.
        faults: takes what cannot be used; by default as the options say.
        notes: gets what there is to say of the files, once all are read.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "7_bob_0.raw").write_bytes(bytes(320))
    ...     (read,) = iter_transcripts([folder], TranscriptOptions(label_from="{text}_{speaker}_*", rate=8000))
    >>> read.kind, read.text, read.group, read.source, read.signal.seconds
    ('sound', '7', 'bob', '7_bob_0.raw', 0.02)
    """
    options = options or TranscriptOptions()
    reader = _Reader(options, faults or Faults(options.on_error), [] if notes is None else notes)
    yield from reader.read(arguments)


class _Reader:
    """Finds the texts first, then reads the signals one by one."""

    def __init__(self, options: TranscriptOptions, faults: Faults, notes: list[str]) -> None:
        self.options, self.faults, self.notes = options, faults, notes
        self._pattern = NamePattern(options.label_from) if options.label_from is not None else None
        self._remarks: Counter[str] = Counter()
        self._examples: dict[str, str] = {}
        self._untexted: list[str] = []
        self._kind: tuple[Kind, str] | None = None
        self._folder = ""
        self._count = 0
        self._texts = Texts()

    def read(self, arguments: Sequence[str | Path]) -> Iterator[Transcript]:
        shown = " ".join(str(name) for name in arguments)[:200]
        self._texts = texts = read_texts(arguments, self.options, self.faults, self.notes)
        self._folder = common_folder([*texts.signals, *(label.source for _, label in texts.inks)])
        for ink, label in texts.inks:
            with handled(self.faults):
                fields = self._fields(label.source)
                yield from self._give(ink, "ink", label.of_group(NamePattern.group(fields)))
        for source in self._open(arguments):
            yield from self._of_file(source)
        self.faults.skipped[:] = dict.fromkeys(self.faults.skipped)  # files were opened twice
        for name, label in texts.index.missing():
            self._refuse_missing(name, label)
        if not self._count:
            raise self._nothing(shown)
        self._add_notes()

    def _open(self, arguments: Sequence[str | Path]) -> Iterator[Source]:
        """Open the signals: those of the arguments, of the files that the user names for them, and where names of a table lead to."""
        own = [name for name in arguments if str(name) != "-"] if self._texts.signals else []
        places = [*own, *self.options.files, *self._near()]
        yield from self._texts.piped
        for source in open_sources(places, self.faults, file_kind) if places else ():
            if source.kind in SIGNAL_KINDS and self._is_wanted(source.name):
                yield source

    def _near(self) -> list[str]:
        """Give the files that the names of a table lead to from there, where they are not among the data."""
        if self.options.files:
            return []
        found = []
        for name, label in self._texts.unmatched():
            folder = Path(label.source).parent
            names = [name] if signal_kind(name.lower()) else [name + suffix for suffix in SUFFIXES]
            places = (folder / near / one for near in NEAR_FOLDERS for one in names)
            found += [str(path) for path in places if is_file(path)][:1]
        return found

    def _is_wanted(self, name: str) -> bool:
        return self.options.only is None or fits(unpacked(name), self.options.only)

    def _of_file(self, source: Source) -> Iterator[Transcript]:
        """Give the transcripts of a file: one, or those of its parts."""
        with handled(self.faults):
            labels = self._labels(source.name)
            if not labels:
                return
            signal, kind = self._decode(source)
            for label in labels:
                with handled(self.faults):
                    yield from self._give(_cut(signal, label, source.name), kind, label, source.name)

    def _labels(self, name: str) -> list[Label]:
        """Give what is known of a signal by its name; none where it is to be left out."""
        fields = self._fields(name)
        group = NamePattern.group(fields)
        if TEXT_FIELD in fields:
            return [Label(fields[TEXT_FIELD], name, {}, group)]
        labels = self._texts.index.find(name)
        if not labels and self._texts.folders:
            folder = PurePath(name).parent.name
            if is_hidden((folder,)) or folder.startswith("_"):
                self._untexted.append(name)
                return []
            labels = [Label(folder, name, {})]
        if not labels and not self.options.need_texts:
            labels = [Label(None, name, {})]
        if not labels:
            self._untexted.append(name)
        return [label.of_group(group) for label in labels]

    def _fields(self, name: str) -> dict[str, str]:
        """Give what the pattern says of a file by its name; nothing where there is no pattern."""
        if self._pattern is None:
            return {}
        fields = self._pattern.match(unpacked(name))
        if fields is None:
            raise DataError(
                f"the name does not fit the pattern {self._pattern.pattern}",
                source=name,
                hint="mend --label-from, or leave such files out (--only PATTERN, --on-error skip)",
            )
        return fields

    def _decode(self, source: Source) -> tuple[Signal, Kind]:
        if source.kind == "picture":
            return to_grey(read_picture(source.data, source.name)), "picture"
        sound = read_sound(source.data, source.name, rate=self.options.rate)
        for note in sound.notes:
            self._remarks[note] += 1
            self._examples.setdefault(note, PurePath(source.name).name)
        return sound, "sound"

    def _give(self, signal: Signal, kind: Kind, label: Label, name: str | None = None) -> Iterator[Transcript]:
        place = label.place.get("line", label.place.get("row"))
        if label.text is not None:
            _check_text(label)
        elif self.options.need_texts:
            raise DataError("has no text", source=label.source, **label.place)
        where = name or label.source
        if self._kind is not None and self._kind[0] != kind:
            raise DataError(
                f"expected a {self._kind[0]}, as {self._kind[1]} is, got a {kind}",
                source=where,
                hint="name those of one kind (--only PATTERN)",
            )
        self._kind = self._kind or (kind, where)
        self._count += 1
        split = label.split or self._split(where)
        shown = name or label.shown or label.source
        source = location(shown, {}, self._folder if _lies_in(shown, self._folder) else "")
        yield Transcript(signal, kind, label.text, label.group, source, place, split)

    def _split(self, name: str) -> str | None:
        listed = self._texts.parts.find(name)
        if listed:
            return listed[0].split
        parts = (("test", self.options.test_names), ("valid", self.options.valid_names))
        return next((part for part, pattern in parts if pattern and fits(unpacked(name), pattern)), None)

    def _refuse_missing(self, name: str, label: Label) -> None:
        count = sum(1 for _ in self._texts.index.missing())
        more = f" ({count:,} are missing)" if count > 1 else ""
        self.faults.handle(
            DataError(
                f"the file {name} is not there{more}",
                source=label.source,
                hint="say where the files are (--files), or leave such rows out (--on-error skip)",
                **label.place,
            )
        )

    def _nothing(self, arguments: str) -> DataError:
        if self.faults.skipped and not self._untexted:
            what = "signals with a text" if self.options.need_texts else "signals that can be read"
            return DataError(f"holds no {what}: {self.faults.skipped[0]}", source=arguments)
        what = f"has no text for {self._untexted[0]}" if self._untexted else "holds no sounds, pictures or strokes"
        hint = "expected name.txt beside name.wav, name.gt.txt beside name.png, a table, or --label-from PATTERN"
        return DataError(what, source=arguments, hint=hint if self._untexted else None)

    def _add_notes(self) -> None:
        for note, count in self._remarks.most_common():
            files = f"{count:,} files" if count > 1 else self._examples[note]
            such = f", such as {self._examples[note]}" if count > 1 else ""
            self.notes.append(f"{files}{such}: {note}")
        if self._untexted:
            names = ", ".join(PurePath(name).name for name in self._untexted[:_MISSING_SHOWN])
            count = len(self._untexted)
            self.notes.append(
                f"without a text and left out: {names if count == 1 else f'{count:,} files, such as {names}'}"
            )


def _lies_in(name: str, folder: str) -> bool:
    return folder in ("", ".") or PurePosixPath(name).is_relative_to(folder)


def _check_text(label: Label) -> None:
    text = label.text or ""
    if not text:
        hint = "write it, or leave it out (--on-error skip)"
        raise DataError("the text is empty", source=label.source, hint=hint, **label.place)
    if len(text) > _MAX_CHARACTERS:
        raise DataError(
            f"expected a text of at most {_MAX_CHARACTERS:,} characters, got {len(text):,}",
            source=label.source,
            hint="cut the signal into utterances or lines",
            **label.place,
        )


def _cut(signal: Signal, label: Label, name: str) -> Signal:
    """Give the part of a signal of which a text is: some seconds of a sound, or a line of a page."""
    if label.span is not None and isinstance(signal, Sound):
        start, end = (round(seconds * signal.rate) for seconds in label.span)
        if start >= len(signal.samples):
            problem = f"begins at {label.span[0]:g} s, and {PurePath(name).name} has {signal.seconds:.2f} s"
            raise DataError(problem, source=label.source, **label.place)
        return replace(signal, samples=signal.samples[start:end].copy())
    if label.polygon is not None and isinstance(signal, np.ndarray):
        cut = cut_polygon(signal, label.polygon)
        if cut is None:
            problem = f"the line lies beside the picture {PurePath(name).name}, which has {signal.shape[1]} x {signal.shape[0]} pixels"
            raise DataError(problem, source=label.source, **label.place)
        return cut
    return signal
