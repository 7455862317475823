"""How the tests of times read a table, and look at what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from recurra.data.timeseries.reader import Panel, TimeSeriesOptions, read_time_series


def read(folder: Path, text: str, **options: Any) -> Panel:
    path = folder / "a.csv"
    path.write_text(text, encoding="utf-8")
    return read_time_series([path], TimeSeriesOptions(**options))


def daily(days: list[str], values: list[Any] | None = None) -> str:
    values = list(range(len(days))) if values is None else values
    return "time,v\n" + "".join(f"{day},{value}\n" for day, value in zip(days, values, strict=True))


def column(panel: Panel, at: int = 0) -> list[Any]:
    return [None if np.isnan(value) else value for value in panel.series[at].values[:, 0].tolist()]


def note(panel: Panel, part: str) -> bool:
    return any(part in line for line in panel.notes)
