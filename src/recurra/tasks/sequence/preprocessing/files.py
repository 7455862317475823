"""What the file of a preprocessor of series holds, as a type that it is checked against."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from recurra.documents import Document, Finite, NotNegative

MAX_FRAME = 1_000_000
"""Steps of a frame, and from one to the next."""


class _Cutting(Document):
    """How series are made ready."""

    scale: Literal["data", "series", "none"] = "data"
    differences: bool = False
    frame: int = Field(default=1, ge=1, le=MAX_FRAME)
    hop: int = Field(default=1, ge=1, le=MAX_FRAME)


class ChannelsFile(Document):
    """What `channels.json` holds."""

    channels: list[str] = Field(min_length=1)
    mean: list[Finite]
    spread: list[NotNegative]
    gaps: list[bool]
    cutting: _Cutting
