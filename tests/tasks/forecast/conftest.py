from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

AHEAD = 4
"""Days to come of which is known whether there is a promotion."""


def shops(folder: Path, *, stamps: bool = True, steps: int = 90, holes: bool = True) -> Path:
    """Write two shops of daily sales, which go up on days of promotion, known ahead; some values are missing."""
    chance = np.random.default_rng(3)
    rows = ["time,shop,size,sales,visits,promotion"]
    for shop, level in (("north", 40.0), ("south", 90.0)):
        before = 0.0
        for day in range(steps):
            time = np.datetime64("2024-01-01") + day if stamps else day
            promotion = int(chance.random() < 0.3)
            before = 0.7 * before + chance.normal()
            sales = level + 3 * np.sin(2 * np.pi * day / 7) + 10 * promotion + before
            written = "" if holes and day in (20, 21, 50) else f"{sales:.3f}"
            rows.append(f"{time},{shop},{level},{written},{sales / 2 + chance.normal():.3f},{promotion}")
        for day in range(steps, steps + AHEAD):  # of the days to come only what is known ahead
            time = np.datetime64("2024-01-01") + day if stamps else day
            rows.append(f"{time},{shop},{level},,,{int(chance.random() < 0.3)}")
    path = folder / "shops.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def walk(folder: Path, steps: int = 600, *, channels: int = 1) -> Path:
    """Write a series that falls back to its level, without time stamps."""
    chance = np.random.default_rng(4)
    values = np.zeros((steps, channels))
    for step in range(1, steps):
        values[step] = 0.2 * values[step - 1] + chance.normal(size=channels)
    header = ",".join(f"c{number}" for number in range(channels))
    path = folder / "walk.csv"
    path.write_text("\n".join([header, *(",".join(f"{20 + v:.4f}" for v in row) for row in values)]) + "\n")
    return path


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    return shops(tmp_path)
