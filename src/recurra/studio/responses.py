"""Responses, made of bytes that are JSON already; the library behind them is loaded when the studio is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, NamedTuple

from recurra.studio.results import to_json

JSON = "application/json"


class Route(NamedTuple):
    """An address, and what answers there. raw: it is called with the request itself, whose body it reads as it comes."""

    method: str
    path: str
    endpoint: Callable[..., Any]
    raw: bool = False


def bytes_response(
    content: bytes, kind: str = JSON, headers: Mapping[str, str] | None = None, status: int = 200
) -> Any:
    """Give a response with a content that is known."""
    from fastapi import Response

    return Response(content, status, dict(headers or {}), kind)


def json_response(value: Any, status: int = 200) -> Any:
    """Give a response with a value as JSON."""
    return bytes_response(to_json(value), status=status)


def stream_response(parts: AsyncIterator[bytes]) -> Any:
    """Give Server-Sent Events."""
    from fastapi.responses import StreamingResponse

    return StreamingResponse(parts, media_type="text/event-stream", headers={"x-accel-buffering": "no"})
