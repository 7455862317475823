"""Tiny pictures with captions, for tests."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from recurra.images import encode_png

COLOURS = {"red": (220, 30, 30), "green": (30, 190, 40), "blue": (30, 60, 220), "grey": (120, 120, 120)}


def pixels(colour: str, *, top: bool, chance: random.Random) -> np.ndarray:
    """Draw a box of a colour in the upper or lower half of a picture, somewhere (32, 32, 3)."""
    picture = np.full((32, 32, 3), 235, np.uint8)
    y, x = chance.randint(0, 4) + (0 if top else 16), chance.randint(0, 20)
    picture[y : y + 12, x : x + 12] = COLOURS[colour]
    return picture


def write_pictures(folder: Path, count: int = 40) -> Path:
    """Write pictures into `images/` of a folder, and two captions of each into a table beside them; gives the table."""
    chance = random.Random(1)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    rows = ["image,caption"]
    for number in range(count):
        colour, top = list(COLOURS)[number % 4], number // 4 % 2 == 0
        (folder / "images" / f"{number}.png").write_bytes(encode_png(pixels(colour, top=top, chance=chance)))
        where = "top" if top else "bottom"
        rows += [f"{number}.png,A {colour} box at the {where} .", f"{number}.png,the box is {colour}"]
    path = folder / "captions.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path
