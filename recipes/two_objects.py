"""Measure whether a captioner looks at what it names: at each colour and shape of a drawn scene, where its attention is highest.

    python recipes/two_objects.py [--within 5m] [--seed 1] [--run FOLDER]

Trains on the data set two-objects, then writes captions of its test pictures. Each shape counts that is written of an object that is
there: whether the cell of the grid that was looked at most for that word touches the object's box (`on_object`; the bar is 0.9). The
colour is written a word before, when the decoder has to choose which object it will name: `on_object_at_colour` is the same of
that word, without a bar. `right`: captions that are true; `named`: objects that are there, of all that were written; `chance`: the share
of cells that touch the box. Prints one JSON object.
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
from recurra.data.datasets.scenes import SHAPES, SIDE

BAR = 0.9
SETTINGS: dict[str, Any] = {"channels": 12, "hidden": 128, "embedding": 64, "augment": False, "attention_penalty": 0.0}


def touched(box: list[int], grid: tuple[int, ...]) -> np.ndarray:
    """Give which cells of a grid touch a box of pixels (left, top, right, bottom), (rows, columns) bool."""
    rows, columns = grid
    tops, lefts = np.arange(rows) * SIDE / rows, np.arange(columns) * SIDE / columns
    down = (tops < box[3]) & (tops + SIDE / rows > box[1])
    across = (lefts < box[2]) & (lefts + SIDE / columns > box[0])
    return down[:, None] & across


def look(result: dict[str, Any], objects: list[dict[str, Any]]) -> list[tuple[str, bool, float] | None]:
    """Give of each colour and shape that was written of an object that is there whether the highest weight lies on it, and how likely that
    is by chance; None of an object that is not there."""
    words, found = result["attention"]["words"], []
    boxes = {tuple(one["words"]): one["box"] for one in objects}
    for at in range(1, len(words)):
        if words[at] in SHAPES:
            box = boxes.get((words[at - 1], words[at]))
            for kind, place in (("colour", at - 1), ("shape", at)) if box else ():
                weights = np.array(result["attention"]["weights"][place])
                cells = touched(box, weights.shape)
                found.append((kind, bool(cells.flat[weights.argmax()]), float(cells.mean())))
            found += [] if box else [None, None]
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
        run = recurra.train("caption", "two-objects", out, within=given.within, seed=given.seed, **SETTINGS)
    else:
        run = recurra.load(given.run)
    run.task.prepare(run.path)
    split, by_name = run.task.dataset.test, {one["image"]: one for one in boxes}
    results = run.predict(list(split.pixels), attention=True)
    scenes = [by_name[name] for name in split.names]
    right = [result["caption"] in one["captions"] for result, one in zip(results, scenes, strict=True)]
    named = [each for result, one in zip(results, scenes, strict=True) for each in look(result, one["objects"])]
    looked = [each for each in named if each is not None]
    hits = {kind: float(np.mean([hit for one, hit, _ in looked if one == kind] or [0])) for kind in ("colour", "shape")}
    print(
        json.dumps(
            {
                "pictures": len(results),
                "right": float(np.mean(right)),
                "named": len(looked) / max(1, len(named)),
                "words": len(looked),
                "on_object": hits["shape"],
                "on_object_at_colour": hits["colour"],
                "chance": float(np.mean([chance for _, _, chance in looked] or [0])),
                "bar": BAR,
                "reached": hits["shape"] >= BAR,
            }
        )
    )


if __name__ == "__main__":
    main()
