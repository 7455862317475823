"""Files written by grammar: whole enough that most are read, with hostile cells, sizes and values within."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
from tools.fuzz import hostile
from tools.fuzz.mutation.arrays import npy_bytes, npz_bytes, strange
from tools.fuzz.mutation.lines import encode

Made = tuple[list[str], dict[str, bytes]]
"""What follows `recurra train`, and the files by name."""

SCALES = [0.0, 1.0, 1.0, 1e-3, 1e9, 1e30, 3e38, 1e150, 1e-30, 1e-320]
CLASSES = [["a", "b"], ["0", "1"], ["x"], ["", "a"], ["漢", "é"], ["1", "1.0"], ["True", "False"], [str(n) for n in range(300)], ["__label__a", "b"], ["a" * 5000, "b"]]  # fmt: skip


def value(rng: Random, kind: str, row: int, scale: float) -> str:
    """Give a cell of a column."""
    if rng.random() < 0.01:
        return hostile.word(rng)[:2000]
    if kind == "number":
        return repr(math.sin(row / 3 + len(kind)) * scale)
    if kind == "constant":
        return repr(scale)
    if kind == "count":
        return str(rng.randrange(5))
    if kind == "gaps":
        return rng.choice(["", "NA", "1", "2.5", "nan"])
    if kind == "word":
        return rng.choice(["north", "south", "东", "west"])
    return " ".join(
        rng.choice(["good", "bad", "film", "好", "x1", ",", "'", '""', "é"]) for _ in range(rng.randint(0, 6))
    )


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ',"\n\r') else cell


def table(columns: dict[str, Callable[[int], str]], rows: int, rng: Random) -> bytes:
    lines = [",".join(map(quoted, columns))] if rng.random() < 0.93 else []
    lines += [",".join(quoted(make(row)) for make in columns.values()) for row in range(rows)]
    end = rng.choice(["\n"] * 8 + ["\r\n", "\r"])
    return encode(end.join(lines) + rng.choice([end, end, "", end * 3]))


def rows(rng: Random) -> int:
    return rng.choice([0, 1, 2, 5, 24, 24, 60, 60, 200, 1500])


def labelled_texts(rng: Random) -> Made:
    classes = rng.choice(CLASSES)
    columns: dict[str, Callable[[int], str]] = {
        "text": lambda row: value(rng, "text", row, 1),
        "label": lambda row: classes[row % len(classes)],
    }
    options = rng.choice([[], [], ["--unit", "char"], ["--unit", "byte"], ["--class-weights", "balanced"], ["--folds", "3"], ["--valid-share", "0.3"], ["--multi-label"]])  # fmt: skip
    return ["classify", "g.csv", *options], {"g.csv": table(columns, rows(rng), rng)}


def flat_series(rng: Random) -> Made:
    scale, classes, width = rng.choice(SCALES), rng.choice(CLASSES), rng.choice([1, 4, 4, 30, 600])
    kind = rng.choice(["number", "number", "constant", "count", "gaps"])
    columns: dict[str, Callable[[int], str]] = {
        f"t{n}": lambda row, n=n: value(rng, kind, row * (n + 1), scale) for n in range(width)
    }  # type: ignore[misc]
    columns["label"] = lambda row: classes[row % len(classes)]
    task = rng.choice(["classify", "embed", "embed"])
    options = rng.choice([[], [], ["--scale", "series"], ["--scale", "none"], ["--valid-share", "0.2"]])
    return [task, "g.csv", *options], {"g.csv": table(columns, rows(rng), rng)}


def timed(rng: Random) -> Made:
    """Series in time, of one kind of times, with channels of some kinds, for a forecaster or a detector."""
    scales = [rng.choice(SCALES) for _ in range(rng.choice([1, 1, 2, 5]))]
    base = np.datetime64(rng.choice(["2024-01-01T00", "0001-01-01T00", "9999-12-25T00", "1969-12-31T00"]))
    step = rng.choice([1, 1, 1, 24, 24 * 31])
    zone = rng.choice(["", "", "", "Z", "+14:00", "-12:00"])
    many = rng.choice([1, 1, 2, 9])
    columns: dict[str, Callable[[int], str]] = {"time": lambda row: f"{base + row // many * step}:00{zone}"}
    if rng.random() < 0.15:
        columns["time"] = lambda row: rng.choice(["0", "1", str(row), str(10**9 + row * 60), str(10**18 + row)])
    if many > 1:
        columns["id"] = lambda row: f"s{row % many}"
    for n, scale in enumerate(scales):
        kind = rng.choice(["number", "number", "constant", "count", "gaps"])
        columns[f"x{n}"] = lambda row, kind=kind, scale=scale: value(rng, kind, row, scale)  # type: ignore[misc]
    task = rng.choice(["forecast", "detect"])
    options = ["--horizon", rng.choice(["1", "3", "40"])] if task == "forecast" else []
    options += ["--series", "id"] if many > 1 else []
    options += rng.choice(
        [[], [], ["--every", rng.choice(["1h", "1d", "1mo", "7min"])], ["--gaps", "keep"], ["--duplicates", "mean"]]
    )
    return [task, "g.csv", *options], {"g.csv": table(columns, rows(rng), rng)}


def sentences(rng: Random) -> Made:
    tags = rng.choice(
        [
            ["O", "B-x", "I-x"],
            ["O"],
            ["S-a", "E-a", "O"],
            ["N", "V"],
            ["", "O"],
            ["B-", "I-", "-"],
            ["I-x", "I-y"],
            ["U-x", "L-x", "O"],
        ]
    )
    lines = []
    for _ in range(rows(rng)):
        word = (
            rng.choice(["the", "cat", "漢", "e\u0301", "x" * 200, "1"])
            if rng.random() < 0.98
            else hostile.word(rng)[:300]
        )
        lines.append(f"{word}{rng.choice(['	', '	', ' '])}{rng.choice(tags)}" if rng.random() < 0.85 else "")
    return ["tag", "g.conll", *rng.choice([[], [], ["--unit", "char"], ["--valid-share", "0.3"]])], {
        "g.conll": encode("\n".join(lines) + "\n")
    }


def records(rng: Random) -> Made:
    """JSONL whose records have fields of several types, or each a field of its own."""
    made = []
    own = rng.random() < 0.1
    for row in range(rows(rng)):
        one: dict[str, Any] = {"text": value(rng, "text", row, 1), "label": rng.choice(["a", "b"])}
        if rng.random() < 0.03:
            one[rng.choice(["text", "label", "x", ""])] = hostile.node(rng)
        if own:
            one[f"key {row}"] = row
        made.append(json.dumps(one, ensure_ascii=rng.random() < 0.5))
    words = rng.choice(
        [
            ["classify", "g.jsonl"],
            ["lm", "g.jsonl", "--text", "text"],
            ["classify", "g.jsonl", "--text", "text", "--label", "label"],
            ["embed", "g.jsonl", "--text", "text"],
        ]
    )
    return words, {"g.jsonl": encode("\n".join(made) + "\n")}


def tensors(rng: Random) -> Made:
    """Arrays of some shape and scale, with labels."""
    count, steps, channels = rng.choice([0, 1, 3, 12, 40]), rng.choice([0, 1, 2, 9, 80]), rng.choice([0, 1, 1, 2, 7])
    noise = np.random.default_rng(rng.randrange(2**32))
    with np.errstate(all="ignore"):
        x: Any = noise.normal(size=(count, steps, channels)) * rng.choice(SCALES)
    if rng.random() < 0.2:
        x = strange(rng, x)
    task = rng.choice(["classify", "tag", "embed", "detect", "forecast"])
    y: Any = np.arange(count) % rng.choice([1, 2, 3]) if task != "tag" else noise.integers(0, 2, (count, steps))
    content = npz_bytes(x=x, y=y) if task in ("classify", "tag", "embed") else npz_bytes(x=x)
    options = ["--horizon", "1"] if task == "forecast" else []
    if rng.random() < 0.2:
        return [task, "X_train.npy", *options], {"X_train.npy": npy_bytes(x), "y_train.npy": npy_bytes(y)}
    return [task, "g.npz", *options], {"g.npz": content}


def texts(rng: Random) -> Made:
    """Text for a language model, of some alphabet, in lines of some length."""
    alphabet = rng.choice(
        [
            "ab \n",
            "天地玄黄\n",
            "".join(chr(n) for n in range(0x4E00, 0x5800)),
            "a",
            "\n",
            " \t\n",
            "👩\u200d👧e\u0301 ",
            "01\n",
            "\u202e\u2066x\n",
        ]
    )
    length = rng.choice([1, 2, 10, 300, 3000, 20_000])
    text = "".join(rng.choice(alphabet) for _ in range(length))
    unit = rng.choice(["char", "byte", "word", "bpe"])
    return ["lm", "g.txt", "--unit", unit, *rng.choice([[], ["--bptt", "4"], ["--batch", "2"]])], {
        "g.txt": encode(text)
    }


GRAMMARS: dict[str, Callable[[Random], Made]] = {
    "labelled texts": labelled_texts,
    "flat series": flat_series,
    "series in time": timed,
    "sentences": sentences,
    "records": records,
    "arrays": tensors,
    "texts": texts,
}
