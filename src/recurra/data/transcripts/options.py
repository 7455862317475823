"""How signals and their texts are to be read, and what is read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from recurra.audio import Sound
from recurra.data.header import Header
from recurra.ink import Ink
from recurra.text import OnError, Place

Kind = Literal["sound", "ink", "picture"]
Signal = Sound | Ink | np.ndarray
"""A sound, what a pen wrote, or a picture of a line in grey (H, W) uint8."""


@dataclass(frozen=True)
class TranscriptOptions:
    """How signals and their texts are to be read; every field has a default."""

    text: str | None = None
    """field with the text of a table or record; None: by what it is called"""

    file: str | None = None
    """field with the name of the signal's file, likewise"""

    group: str | None = None
    """field with who speaks or writes, likewise"""

    label_from: str | None = None
    """pattern of the files' names, which say the text, as in `{text}_{speaker}_*`; without `{text}` they say the group alone"""

    files: tuple[str, ...] = ()
    """where the signals are that the texts name: files, folders, archives; none: among the data, else where their names lead to"""

    only: str | None = None
    """pattern of the files that are read, `data/7/*`; None: all"""

    valid_names: str | None = None
    """pattern of the signals that are published as the part to validate on"""

    test_names: str | None = None
    """pattern of the signals that are published as the test"""

    level: str | None = None
    """UNIPEN: which segments are read, WORD, TEXT or CHARACTER; None: those there are, if they are of one level"""

    rate: int | None = None
    """samples a second of raw sounds"""

    need_texts: bool = True
    """False: signals alone will do"""

    header: Header = "auto"
    """whether the first row of a CSV or TSV table names its columns"""

    on_error: OnError = "stop"
    """what is done with a row or file that cannot be used: stop there, or list it"""


@dataclass(frozen=True, eq=False)
class Transcript:
    """A signal and its text.

    text: in NFC, None where there is none.  group: who spoke or wrote, or of which document it is; what is of one group belongs on one side
    of a split.  source: the file, as seen from the folder that all lie in.  place: the line or row there, from 1.  split: the part that
    the data say it is in.
    """

    signal: Signal
    kind: Kind
    text: str | None
    group: str | None
    source: str
    place: int | None = None
    split: str | None = None


@dataclass(frozen=True)
class Label:
    """What a file says of a signal, or of a part of it.

    source, place: where the text stands.  span: seconds, start and end, of a sound; polygon: corners (n, 2), x and y, of a line in a picture.
    shown: what results call the file, where its name is not to be shown.
    """

    text: str | None
    source: str
    place: Place
    group: str | None = None
    split: str | None = None
    span: tuple[float, float] | None = None
    polygon: np.ndarray | None = None
    shown: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is of all of the signal."""
        return self.span is None and self.polygon is None

    def of_group(self, group: str | None) -> Label:
        """Give the same, of a group, unless it says one itself."""
        return self if group is None or self.group is not None else replace(self, group=group)
