"""What every block is."""

from __future__ import annotations

import math
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
        """Give the kind and all data; a number that is not finite is None."""
        return {"kind": self.kind, **_finite(asdict(self))}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
