"""What every block is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Block(ABC):
    """A part of a report: what is to be seen, under a title. Its fields are data, which JSON can hold."""

    kind: ClassVar[str]
    """What it is called in JSON."""

    title: str

    @abstractmethod
    def draw(self) -> str:
        """Draw it as HTML, without its title; "" where there is nothing to see. Every text is escaped here."""

    @classmethod
    def script(cls) -> str | None:
        """Give the source of the script that makes it answer to the pointer, where there is one: without it, it is a still picture."""
        return None

    def to_json(self) -> dict[str, Any]:
        """Give the kind and all data."""
        return {"kind": self.kind, **asdict(self)}
