"""A result's input, in a line for people, and whether all its numbers are finite."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

MAX_VALUES_SHOWN = 8
"""Values of a step that fit into a line."""
_BREAKS = re.compile(r"[\r\n\t\v\f\x85\u2028\u2029]")
_WRITTEN = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def is_finite(value: Any) -> bool:
    """Tell whether all numbers of a result are finite, however deep in it they are.

    >>> is_finite([{"label": "a", "probabilities": {"a": 1.0}}]), is_finite([[float("nan")]])
    (True, False)
    """
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(map(is_finite, value.values()))
    if isinstance(value, list | tuple):
        return all(map(is_finite, value))
    return not isinstance(value, np.ndarray) or value.dtype.kind != "f" or bool(np.isfinite(value).all())


def preview(result: Mapping[str, Any]) -> str:
    """Show the text or series that a result is of, or the step of one.

    >>> preview({"text": "two\\nlines"}), preview({"series": [1.0, 2.5]}), preview({"step": 3, "value": 0.5})
    ('two\\\\nlines', '2 steps, the last 2.5', 'step 3: 0.5')
    """
    if "step" in result:
        return f"step {result['step']}: {json.dumps(result['value'])}"
    if "series" in result:
        series = result["series"]
        if not series or (isinstance(series[-1], list) and len(series[-1]) > MAX_VALUES_SHOWN):
            return f"{len(series)} steps"
        return f"{len(series)} steps, the last {json.dumps(series[-1])}"
    text = result["text"]
    # A text of several lines is one all the same.
    return " ".join(text) if isinstance(text, list) else _BREAKS.sub(lambda found: _WRITTEN.get(found[0], " "), text)


def preview_column(result: Mapping[str, Any]) -> str:
    """Name what `preview` shows, as the head of a column.

    >>> preview_column({"text": "so warm"}), preview_column({"step": 3, "value": 0.5})
    ('text', 'step')
    """
    return next(name for name in ("step", "series", "text") if name in result)
