"""Parts of an event or an evaluation, read for showing: an event may hold anything, and what does not fit counts as missing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from recurra.formatting import finite


def mapping(value: object) -> Mapping[str, Any]:
    """Give the value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def rows(value: object) -> list[Any]:
    """Give the value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def mappings(value: object) -> list[Mapping[str, Any]]:
    """Give the mappings of a list.

    >>> mappings([{"a": 1}, 2]), mappings(None)
    ([{'a': 1}], [])
    """
    return [each for each in rows(value) if isinstance(each, Mapping)]


def texts(value: object) -> list[str]:
    """Give the texts of a list."""
    return [each for each in rows(value) if isinstance(each, str)]


def numbers(value: object) -> list[float]:
    """Give a list of numbers, NaN where one is missing or not finite.

    >>> numbers([1, None, "2"])
    [1.0, nan, nan]
    """
    return [math.nan if (number := finite(each)) is None else number for each in rows(value)]


def details(evaluation: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give what an evaluation holds beside its metrics."""
    return mapping(evaluation.get("details"))
