"""Mutation of text: of its cells, lines and columns."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from tools.fuzz.hostile import word

CELL = re.compile(r"[^\s,;|:(){}\[\]'\"=]+")


def encode(text: str) -> bytes:
    """Encode, half surrogate pairs too, which no valid file has."""
    return text.encode("utf-8", "surrogatepass")


def replace_cells(text: str, rng: Random) -> str:
    cells = list(CELL.finditer(text))
    for found in sorted(rng.sample(cells, min(len(cells), rng.choice([1, 1, 2, 5]))), key=lambda one: -one.start()):
        text = text[: found.start()] + word(rng) + text[found.end() :]
    return text


def replace_everywhere(text: str, rng: Random) -> str:
    """Put the same hostile value in the place of all cells that are alike, or of all numbers."""
    cells = CELL.findall(text)
    if not cells:
        return text
    value = word(rng)[:200]
    if rng.random() < 0.5:
        numbers = iter(range(10**6))
        grow = rng.random() < 0.5
        return re.sub(r"\d+(\.\d+)?", lambda _: f"{next(numbers)}e-320" if grow else value, text)
    return text.replace(rng.choice(cells), value)


def change_lines(text: str, rng: Random) -> str:
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    other = rng.randrange(len(lines))
    how = rng.choice(["drop", "double", "exchange", "empty", "join", "comment", "many"])
    if how == "drop":
        del lines[at]
    elif how == "double":
        lines.insert(at, lines[other])
    elif how == "exchange":
        lines[at], lines[other] = lines[other], lines[at]
    elif how == "empty":
        lines[at] = rng.choice(["", " ", ",", ",,,,", "\t", "\x00", "#", '""'])
    elif how == "join":
        lines[at] = lines[at] + rng.choice(["", ",", " ", "\r"]) + lines[other]
    elif how == "comment":
        lines.insert(0, rng.choice(["# a", "@data", "sep=;", "---", "<html>", "{", "[", ">", "(", "%!PS"]))
    else:
        lines[at:at] = [lines[other]] * rng.choice([50, 2000])
    return "\n".join(lines)


def widen(text: str, rng: Random) -> str:
    """Give lines many cells, or one line many, with the delimiter that the text has."""
    delimiter = next((mark for mark in (",", ";", "\t", "|", " ") if mark in text), ",")
    count = rng.choice([1, 3, 100, 3000])
    lines = text.split("\n")
    if rng.random() < 0.5:
        at = rng.randrange(len(lines))
        lines[at] += delimiter.join(["", *(word(rng)[:20] for _ in range(count))])
        return "\n".join(lines)
    extra = [str(rng.random())[:6] for _ in range(min(count, 500))]
    return "\n".join(delimiter.join([line, *extra]) if line else line for line in lines)


def lengthen(text: str, rng: Random) -> str:
    """Repeat the whole, with its numbers changed, so that a training has something to read."""
    times = rng.choice([5, 20, 100])
    first, _, rest = text.partition("\n")
    parts = [rest]
    for _ in range(times):
        parts.append(re.sub(r"\d", lambda _: str(rng.randrange(10)), rest) if rng.random() < 0.7 else rest)
    return "\n".join([first, *(part.strip("\n") for part in parts)]) + "\n"


def mangle_characters(text: str, rng: Random) -> str:
    for _ in range(rng.choice([1, 3, 20])):
        at = rng.randint(0, len(text))
        text = text[:at] + word(rng)[:50] + text[at + rng.randint(0, 3) :]
    return text


MUTATIONS: list[Callable[[str, Random], str]] = [
    replace_cells, replace_cells, replace_cells, replace_everywhere, change_lines, change_lines, widen, lengthen, mangle_characters,
]  # fmt: skip
ENCODINGS = ["utf-16", "utf-16-be", "utf-32", "utf-7", "gb18030", "big5", "cp1252", "shift_jis", "utf-8-sig"]


def mutate(text: str, rng: Random) -> bytes:
    """Mutate text once or a few times; seldom it is written in another encoding too."""
    for _ in range(rng.choice([1, 1, 2, 3])):
        text = rng.choice(MUTATIONS)(text, rng)[:3_000_000]
    if rng.random() < 0.05:
        return text.encode(rng.choice(ENCODINGS), "replace")
    if rng.random() < 0.08:
        text = text.replace("\n", rng.choice(["\r", "\r\n", "\x85", "\u2028", "\n\n"]))
    return encode(text)
