"""Sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, ClassVar

from recurra.report.blocks.base import Block
from recurra.report.fields import details, texts


@dataclass(frozen=True)
class Text(Block):
    """Sentences, each by itself.

    in_headline: they say how far the headline can be trusted, and stand below it instead of in a section.

    >>> Text("Notes", ["1 < 2"]).draw()
    '<ul><li>1 &lt; 2</li></ul>'
    """

    kind: ClassVar[str] = "text"

    sentences: Sequence[str]
    in_headline: bool = False

    def draw(self) -> str:
        if self.in_headline:
            return "".join(f'<p class="note">{escape(each)}</p>' for each in self.sentences)
        items = "".join(f"<li>{escape(each)}</li>" for each in self.sentences)
        return f"<ul>{items}</ul>" if items else ""


def note_blocks(evaluation: Mapping[str, Any]) -> list[Block]:
    """Give the notes of an evaluation, which any task's may have: nothing where there are none."""
    notes = texts(details(evaluation).get("notes"))
    return [Text("Notes", notes)] if notes else []
