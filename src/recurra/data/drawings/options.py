"""How drawings are to be read, and what is read."""

from __future__ import annotations

from dataclasses import dataclass

from recurra.data.header import Header
from recurra.data.transcripts import TranscriptOptions
from recurra.ink import Ink
from recurra.text import OnError


@dataclass(frozen=True)
class DrawingOptions:
    """How drawings are to be read; every field has a default."""

    label: str | None = None
    """field with the label or the text of a table or record; None: by what it is called"""

    only: str | None = None
    """pattern of the files that are read; None: all"""

    level: str | None = None
    """UNIPEN: which segments are read; None: those there are, if they are of one level"""

    header: Header = "auto"
    """whether the first row of a CSV or TSV table names its columns"""

    on_error: OnError = "stop"
    """what is done with a row or file that cannot be used: stop there, or list it"""

    def as_transcripts(self) -> TranscriptOptions:
        """Give the same for the readers that drawings share with signals that are transcribed."""
        return TranscriptOptions(
            text=self.label,
            only=self.only,
            level=self.level,
            header=self.header,
            on_error=self.on_error,
            need_texts=False,
        )


@dataclass(frozen=True, eq=False)
class Drawing:
    """A drawing.

    text: its label, or what is written; None where the files say neither.  group: who drew it.  place: where it stands.
    split: the part that the data say it is in.
    """

    ink: Ink
    text: str | None
    group: str | None
    place: str
    split: str | None = None
