"""Measure whether a captioner looks at what it names: at each colour and shape of a drawn scene, where its attention is highest.

    python recipes/two_objects.py [--within 5m] [--seed 1] [--run FOLDER]

Trains on the data set two-objects, then writes captions of its test pictures. Of each caption that is right, each word of an object
counts: whether the cell of the grid that was looked at most when it was written touches the object's box. Prints one JSON object;
the bar is 0.9. `chance`: the share of cells that touch the box.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import recurra
from recurra.data import locate
from recurra.data.datasets.scenes import COLOURS, SHAPES, SIDE

BAR = 0.9


def touched(box: list[int], grid: tuple[int, int]) -> np.ndarray:
    """Give which cells of a grid touch a box of pixels (left, top, right, bottom)."""
    rows, columns = grid
    tops, lefts = np.arange(rows) * SIDE / rows, np.arange(columns) * SIDE / columns
    down = (tops < box[3]) & (tops + SIDE / rows > box[1])
    across = (lefts < box[2]) & (lefts + SIDE / columns > box[0])
    return down[:, None] & across


def look(result: dict[str, Any], objects: list[dict[str, Any]]) -> list[tuple[str, bool, float]]:
    """Give of each word of an object of a right caption its kind, whether the highest weight lies on that object, and how likely that is by chance."""
    attention, found = result["attention"], []
    grid = tuple(attention["grid"])
    named = [(word, one["box"]) for one in objects for word in one["words"]]
    words = [word for word in attention["words"] if word in COLOURS or word in SHAPES]
    places = [at for at, word in enumerate(attention["words"]) if word in COLOURS or word in SHAPES]
    assert words == [word for word, _ in named]
    for at, (word, box) in zip(places, named, strict=True):
        cells, weights = touched(box, grid), np.array(attention["weights"][at])
        best = np.unravel_index(weights.argmax(), grid)
        found.append(("colour" if word in COLOURS else "shape", bool(cells[best]), float(cells.mean())))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--within", default="5m")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--run", type=Path, help="a run of the data set, instead of training one")
    given = parser.parse_args()
    data = locate("two-objects")
    boxes = [json.loads(line) for line in (data.folder / "boxes.jsonl").read_text().splitlines()]
    if given.run is None:
        out = Path(tempfile.mkdtemp()) / "run"
        run = recurra.train("caption", "two-objects", out, within=given.within, seed=given.seed)
    else:
        run = recurra.load(given.run)
    test = run.task.dataset if run.task.is_prepared else (run.task.prepare(run.path), run.task.dataset)[1]
    split, by_name = test.test, {one["image"]: one for one in boxes}
    results = run.predict(list(split.pixels), attention=True)
    scenes = [by_name[name] for name in split.names]
    right = [(result, one) for result, one in zip(results, scenes, strict=True) if result["caption"] == one["caption"]]
    looked = [each for result, one in right for each in look(result, one["objects"])]
    figure = float(np.mean([hit for _, hit, _ in looked])) if looked else 0.0
    kinds = (
        {kind: float(np.mean([hit for one, hit, _ in looked if one == kind])) for kind in ("colour", "shape")}
        if looked
        else {}
    )
    print(
        json.dumps(
            {
                "pictures": len(results),
                "right": len(right) / len(results),
                "words": len(looked),
                "on_object": figure,
                **kinds,
                "chance": float(np.mean([chance for _, _, chance in looked])) if looked else 0.0,
                "bar": BAR,
                "reached": figure >= BAR,
            }
        )
    )


if __name__ == "__main__":
    main()
