"""What every block is."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


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


def is_base64(text: str) -> bool:
    """Tell whether a text can stand in an address as the bytes of a file: nothing else may get into a page.

    >>> is_base64("iVBO"), is_base64('x" onerror="alert(1)')
    (True, False)
    """
    return _BASE64.fullmatch(text) is not None
