"""The events of a run's record that are read again, as types that they are checked against."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, ValidationError

from recurra.documents import MAX_LEVELS, Document, Finite, damaged, levels_exceed


class _Event(Document):
    model_config = ConfigDict(extra="allow", strict=True)

    event: str


class _Start(_Event):
    fingerprint: str | None = None
    began: str | None = None
    parameters: int | None = None


class _End(_Event):
    reason: str | None = None
    step: int | None = Field(default=None, ge=0)
    seconds: Finite | None = None


class _Evaluation(_Event):
    data: str
    count: int = Field(ge=0)
    metrics: dict[str, Finite]
    baselines: dict[str, dict[str, Finite]]
    details: dict[str, Any] = Field(default={})


_KINDS = {"start": _Start, "end": _End, "evaluation": _Evaluation}


def check_event(path: Path, event: dict[str, Any]) -> dict[str, Any]:
    """Give an event as it is; raises `RunError`, which names the file, for one of another make than a training writes."""
    kind = event.get("event")
    try:
        if levels_exceed(event, MAX_LEVELS):
            raise ValueError(f"expected events with up to {MAX_LEVELS} levels of nesting, got more")
        if isinstance(kind, str) and kind in _KINDS:
            _KINDS[kind].model_validate(event)
    except (ValueError, ValidationError) as error:
        raise damaged(path, error) from None
    return event
