"""Which texts belong to which signal, by the names of their files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from recurra.audio import is_sound
from recurra.data.transcripts.options import Kind, Label
from recurra.errors import DataError
from recurra.files import is_end
from recurra.images import is_picture
from recurra.text import COMPRESSIONS

SIGNAL_KINDS = ("sound", "picture")
"""What `signal_kind` tells."""

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".png", ".jpg", ".jpeg", ".tif")
"""What a name without a suffix is looked for with."""


def signal_kind(name: str) -> Kind | None:
    """Tell by its name in small letters what kind of signal a file is; None for what is no sound and no picture."""
    return "sound" if is_sound(name) else "picture" if is_picture(name) else None


def unpacked(name: str) -> str:
    """Give a file's path without its compressions.

    >>> unpacked("a/b.wav.gz")
    'a/b.wav'
    """
    path = PurePosixPath(name)
    while path.suffix.lower() in COMPRESSIONS:
        path = path.with_suffix("")
    return str(path)


def stems(path: str) -> Iterator[str]:
    """Give a path without its last suffix, then without the one before, and so on.

    >>> list(stems("a/0001.bin.png"))
    ['a/0001.bin', 'a/0001']
    """
    pure = PurePosixPath(path)
    while pure.suffix:
        pure = pure.with_suffix("")
        yield str(pure)


class Index:
    """What is known of signals before they are read.

    Of a text that lies beside its signal the path is known, up to its suffix; what a table says is a name, or the end of a path.
    """

    def __init__(self) -> None:
        self._by_stem: dict[str, list[Label]] = {}
        self._by_name: dict[str, dict[str, list[Label]]] = {}
        self._found: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._by_stem or self._by_name)

    def add_stem(self, stem: str, label: Label) -> None:
        """Add what is known of the signal whose path without its suffix this is."""
        _add(self._by_stem.setdefault(stem, []), label, stem)

    def add_name(self, name: str, label: Label) -> None:
        """Add what is known of a signal of this name, or path; it may be without its suffix."""
        name = str(PurePosixPath(name.replace("\\", "/")))
        _add(self._by_name.setdefault(_key(name), {}).setdefault(name, []), label, name)

    def find(self, path: str) -> list[Label]:
        """Give all that is known of the signal at this path, and note that it was found."""
        path = unpacked(path)
        for stem in stems(path):
            if stem in self._by_stem:
                return self._by_stem[stem]
        for name, labels in self._by_name.get(_key(path), {}).items():
            if _is_called(path, name):
                self._found.add(name)
                return labels
        return []

    def missing(self) -> Iterator[tuple[str, Label]]:
        """Give the names for which no signal was found, each with what is known of it."""
        for names in self._by_name.values():
            for name, labels in names.items():
                if name not in self._found:
                    yield name, labels[0]


def _add(labels: list[Label], label: Label, name: str) -> None:
    """Add what is known of a signal, unless it is known; raises `DataError` where something else is known of all of it."""
    if label.is_whole:
        for other in labels:
            if other.is_whole and other.text == label.text:
                return
            if other.is_whole:
                problem = f"another text of {PurePosixPath(name).name} stands in {PurePosixPath(other.source).name}"
                raise DataError(problem, source=label.source, **label.place)
    labels.append(label)


class Signals:
    """The paths of signals that are there.

    >>> signals = Signals(["clips/1.wav"])
    >>> signals.has("1"), signals.has("clips/1.wav"), signals.has("2.wav")
    (True, True, False)
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._by_key: dict[str, list[str]] = {}
        for path in map(unpacked, paths):
            self._by_key.setdefault(_key(path), []).append(path)

    def __bool__(self) -> bool:
        return bool(self._by_key)

    def has(self, name: str) -> bool:
        """Tell whether one of them has this name, which may be the end of a path and without its suffix."""
        return any(_is_called(path, name) for path in self._by_key.get(_key(name), []))


def _is_called(path: str, name: str) -> bool:
    return is_end(name, path) or is_end(name, str(PurePosixPath(path).with_suffix("")))


def _key(path: str) -> str:
    """Give the last part of a path, without the suffix of a signal."""
    pure = PurePosixPath(path)
    return pure.stem if signal_kind(pure.name.lower()) else pure.name
