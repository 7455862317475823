"""What other packages add by entry points: one that is broken is left out, with a line that says so."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points


def load_entry_points(group: str, load: Callable[[EntryPoint], object]) -> None:
    """Load every entry point of a group; where that fails, say so on standard error and go on."""
    for point in entry_points(group=group):
        try:
            load(point)
        except Exception as error:  # noqa: BLE001  code of other packages may raise anything
            print(_complaint(point, error), file=sys.stderr)  # noqa: T201


def _complaint(point: EntryPoint, error: Exception) -> str:
    package = "an unknown package" if point.dist is None else point.dist.name
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return f"recurra: {point.group}, {point.name} of {package}: is left out, for it cannot be loaded: {reason}"
