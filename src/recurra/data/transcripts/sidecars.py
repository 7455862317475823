"""Texts in files beside their signals: one each, LibriSpeech's lists, and Kaldi's folders."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from recurra.data.caption_json import SPLITS
from recurra.data.transcripts.index import Index, Signals, unpacked
from recurra.data.transcripts.options import Label
from recurra.errors import DataError
from recurra.text import Faults, Source, decode, handled, normalise, numbered_lines

_ENDINGS = (".gt.txt", ".txt", ".lab", ".trn", ".transcription")
LIST_ENDING = ".trans.txt"
KALDI = "wav.scp"
_PART = re.compile("(?<![a-z])(?:train|valid|val|dev|test)")
_HEAD_BYTES, _LINES_INSPECTED, _MIN_SHARE = 65_536, 100, 0.5


def one_line(text: str) -> str:
    """Give a text in NFC, in one line, with one space where there was any other white space."""
    return re.sub(r"\s+", " ", normalise(text)).strip()


def stem_of_text(name: str) -> str | None:
    """Give the path of a signal without its suffix beside which this is the text, by its name; None for a file that is no text beside.

    >>> stem_of_text("a/0001.gt.txt"), stem_of_text("a/0001.png")
    ('a/0001', None)
    """
    name = unpacked(name)
    ending = next((one for one in _ENDINGS if name.lower().endswith(one)), None)
    return None if ending is None else name[: -len(ending)]


def read_sidecar(source: Source) -> Label:
    """Read a file as one text."""
    return Label(one_line(decode(source.data, source.name)), source.name, {})


def read_list(source: Source, index: Index, faults: Faults) -> None:
    """Read a list of LibriSpeech: in each line the name of a sound beside it, without suffix, and its text; a name begins with its speaker."""
    folder = PurePosixPath(source.name).parent
    for number, line in numbered_lines(source, faults):
        name, _, text = line.partition(" ")
        group = name.split("-")[0] if "-" in name else None
        with handled(faults):
            index.add_stem(str(folder / name), Label(one_line(text), source.name, {"line": number}, group))


def names_before_texts(source: Source, there: Signals) -> bool:
    """Tell whether lines begin with the name of a signal that is there, as lists of utterances do."""
    lines = _sample_lines(source)
    return (
        _MIN_SHARE * len(lines)
        <= sum(len(line.split(None, 1)) > 1 and there.has(line.split(None, 1)[0]) for line in lines)
        > 0
    )


def read_named(source: Source, index: Index, faults: Faults) -> None:
    """Read a list of utterances: in each line the name of a signal, with or without its suffix, and its text."""
    for number, line in numbered_lines(source, faults):
        name, *rest = line.split(None, 1)
        with handled(faults):
            index.add_name(name, Label(one_line(rest[0]) if rest else "", source.name, {"line": number}))


def part_of_list(source: Source, there: Signals) -> str | None:
    """Tell of which part a file lists the signals, by its name (`validation_list.txt`); None where it is no list of their names."""
    found = _PART.search(PurePosixPath(source.name).name.lower())
    lines = _sample_lines(source)
    if found is None or not lines or not all(there.has(line) for line in lines):
        return None
    return SPLITS[found[0]]


def read_names(source: Source, part: str, parts: Index, faults: Faults) -> None:
    """Read a list of the signals of one part, a name in each line."""
    for number, line in numbered_lines(source, faults):
        with handled(faults):
            parts.add_name(line, Label(None, source.name, {"line": number}, split=part))


def _sample_lines(source: Source) -> list[str]:
    head = source.data[:_HEAD_BYTES].decode("utf-8", "replace").split("\n")[:_LINES_INSPECTED]
    whole = head if len(source.data) <= _HEAD_BYTES else head[:-1]
    return [line.strip() for line in whole if line.strip() and "\0" not in line]


def read_kaldi(folder: str, sources: Sequence[Source], index: Index, faults: Faults) -> list[Source]:
    """Read a data folder of Kaldi: `wav.scp`, `text`, and `utt2spk` and `segments` where they are there; gives what of the files was read.

    Raises `DataError` for a command in the place of a file, which is never run, and for a text without a sound.
    """
    files = {
        PurePosixPath(unpacked(one.name)).name: one for one in sources if str(PurePosixPath(one.name).parent) == folder
    }
    paths = _table(files[KALDI], faults)
    for name, (path, number) in paths.items():
        if path.endswith("|"):
            raise DataError(
                f"{name}: expected the name of a file, got a command, which is not run",
                source=files[KALDI].name,
                line=number,
                hint="run it, and name its output here",
            )
    speakers = {name: who for name, (who, _) in _table(files.get("utt2spk"), faults).items()}
    spans = _spans(files.get("segments"), faults)
    for name, (text, number) in _table(files.get("text"), faults).items():
        recording, span = spans.get(name, (name, None))
        label = Label(one_line(text), files["text"].name, {"line": number}, speakers.get(name), span=span)
        with handled(faults):
            if recording not in paths:
                raise DataError(f"no sound has the name {recording} in {KALDI}", source=label.source, line=number)
            index.add_name(paths[recording][0], label)
    return list(files.values())


def _table(source: Source | None, faults: Faults) -> dict[str, tuple[str, int]]:
    """Read lines of a name and something of it: this, and the line, by the name."""
    found: dict[str, tuple[str, int]] = {}
    for number, line in numbered_lines(source, faults) if source is not None else ():
        name, *rest = line.split(None, 1)
        if name in found:
            problem = f"{name} stands in line {found[name][1]} already"
            faults.handle(DataError(problem, source=source.name if source else None, line=number))
            continue
        found[name] = (rest[0].strip() if rest else "", number)
    return found


def _spans(source: Source | None, faults: Faults) -> dict[str, tuple[str, tuple[float, float]]]:
    """Read `segments`: of each utterance its recording, and where in it it is, in seconds."""
    found = {}
    for name, (rest, number) in _table(source, faults).items():
        parts = rest.split()
        try:
            recording, start, end = parts
            span = float(start), float(end)
            if not 0 <= span[0] < span[1] < float("inf"):
                raise ValueError
        except ValueError:
            problem = f"expected a recording, a start and a later end in seconds, got {rest[:60]!r}"
            faults.handle(DataError(problem, source=source.name if source else None, line=number))
            continue
        found[name] = (recording, span)
    return found


def kaldi_folders(sources: Sequence[Source]) -> Iterator[str]:
    """Give the folders that have a `wav.scp`."""
    for source in sources:
        path = PurePosixPath(unpacked(source.name))
        if path.name == KALDI:
            yield str(PurePosixPath(source.name).parent)
