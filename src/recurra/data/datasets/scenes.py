"""Pictures of two objects, drawn by this program, with what they show and where each object lies."""

from __future__ import annotations

import io
import json
import random
import zipfile
from dataclasses import dataclass

import numpy as np

from recurra.images import encode_png

COLOURS = {
    "red": (208, 48, 40),
    "green": (44, 160, 60),
    "blue": (40, 84, 200),
    "yellow": (228, 200, 40),
    "black": (24, 24, 24),
    "purple": (136, 56, 168),
}
SHAPES = ("circle", "square", "triangle", "cross")
PLACES = {"above": (0, -1), "below": (0, 1), "left of": (-1, 0), "right of": (1, 0)}
"""Where the first object lies, seen from the second: across, down."""
OPPOSITES = {"above": "below", "below": "above", "left of": "right of", "right of": "left of"}
SIDE, SMALLEST, LARGEST, GAP = 96, 22, 32, 6
"""Pixels: of a picture, of an object, and between the two."""
_DARKEST, _BRIGHTEST = 190, 250
"""What is behind the objects, a grey of its own in each picture."""


@dataclass(frozen=True)
class Thing:
    """An object: what it is, and its box in pixels: left, top, right, bottom."""

    colour: str
    shape: str
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class Scene:
    """A picture (96, 96, 3) uint8, its two objects, and what it shows, said from either."""

    pixels: np.ndarray
    things: tuple[Thing, Thing]
    captions: tuple[str, str]


def draw_scene(chance: random.Random) -> Scene:
    """Draw two different objects, one of them above, below, left or right of the other.

    >>> scene = draw_scene(random.Random(1))
    >>> scene.pixels.shape, scene.captions
    ((96, 96, 3), ('a black triangle below a red triangle', 'a red triangle above a black triangle'))
    """
    relation = chance.choice(list(PLACES))
    kinds = chance.sample([(colour, shape) for colour in COLOURS for shape in SHAPES], 2)
    sizes = [chance.randint(SMALLEST, LARGEST) for _ in kinds]
    # Along one side they follow each other with a gap, across it each lies anywhere.
    first = chance.randint(0, SIDE - sum(sizes) - GAP)
    second = chance.randint(first + sizes[0] + GAP, SIDE - sizes[1])
    along, across = [first, second], [chance.randint(0, SIDE - size) for size in sizes]
    if sum(PLACES[relation]) > 0:  # the first named one lies behind
        along = [SIDE - sizes[0] - first, SIDE - sizes[1] - second]
    pixels = np.full((SIDE, SIDE, 3), chance.randint(_DARKEST, _BRIGHTEST), np.uint8)
    things = []
    for (colour, shape), size, one, other in zip(kinds, sizes, along, across, strict=True):
        left, top = (one, other) if PLACES[relation][0] else (other, one)
        pixels[top : top + size, left : left + size][_mask(shape, size)] = COLOURS[colour]
        things.append(Thing(colour, shape, (left, top, left + size, top + size)))
    one, other = (f"a {colour} {shape}" for colour, shape in kinds)
    captions = f"{one} {relation} {other}", f"{other} {OPPOSITES[relation]} {one}"
    return Scene(pixels, (things[0], things[1]), captions)


def _mask(shape: str, size: int) -> np.ndarray:
    down, across = (np.mgrid[:size, :size] + 0.5) / size
    if shape == "circle":
        return (down - 0.5) ** 2 + (across - 0.5) ** 2 <= 0.25
    if shape == "triangle":
        return np.abs(across - 0.5) <= down / 2
    if shape == "cross":
        return (np.abs(across - 0.5) <= 0.18) | (np.abs(down - 0.5) <= 0.18)
    return np.ones((size, size), bool)


def scene_files(count: int, seed: int) -> dict[str, bytes]:
    """Draw so many scenes: an archive of PNG files, a table of their captions, and the boxes of the objects as JSON lines."""
    chance = random.Random(seed)
    archive, rows, boxes = io.BytesIO(), ["image,caption"], []
    with zipfile.ZipFile(archive, "w") as file:
        for number in range(count):
            scene, name = draw_scene(chance), f"{number:05}.png"
            file.writestr(zipfile.ZipInfo(name), encode_png(scene.pixels))
            rows += [f"{name},{caption}" for caption in scene.captions]
            things = [{"words": [one.colour, one.shape], "box": list(one.box)} for one in scene.things]
            boxes.append(json.dumps({"image": name, "captions": scene.captions, "objects": things}))
    return {
        "pictures.zip": archive.getvalue(),
        "captions.csv": ("\n".join(rows) + "\n").encode(),
        "boxes.jsonl": ("\n".join(boxes) + "\n").encode(),
    }
