"""One labelled text, as any reader yields it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from recurra.text.read.tables import Place


@dataclass(frozen=True)
class LabelledText:
    """A text in NFC, what the file says of it, and where it stands there.

    label: a string, a number, a list of them, or None where the file says nothing.  place: empty for a whole file.
    """

    text: str
    label: Any
    place: Place
