"""The tiny data that the golden runs learn from, and other data to measure and ask them on, all from a seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

CHANCE = 20240531
"""Seed of all data."""


def write_data(folder: Path) -> None:
    """Write every file into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    writers = (sentences, reviews, films, waves, names, steps, sales, plant, beats)
    for number, write in enumerate(writers):
        for name, lines in write(np.random.default_rng(CHANCE + number)).items():
            (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def sentences(chance: np.random.Generator) -> dict[str, list[str]]:
    """Give lines, each of which is a document, with a few letters beyond ASCII."""
    subjects = ["the rain", "a cat", "my naïve dog", "the sun", "no one", "床前明月光"]
    verbs = ["falls", "sleeps", "waits", "shines", "sings"]
    places = ["in spain", "on the plain", "by the café", "all day", "again and again"]

    def line() -> str:
        return " ".join(str(chance.choice(words)) for words in (subjects, verbs, places)) + "."

    return {"verse.txt": [line() for _ in range(80)], "verse_new.txt": [*(line() for _ in range(6)), "a dog ☃ barks!"]}


def reviews(chance: np.random.Generator) -> dict[str, list[str]]:
    """Give texts of three classes."""
    words = {"good": ["warm", "quick", "great"], "bad": ["cold", "late", "dull"], "mixed": ["warm", "late", "fine"]}
    things = ["soup", "film", "service", "很好"]

    def row() -> str:
        label = str(chance.choice(list(words)))
        pair = " and ".join(str(word) for word in chance.choice(words[label], 2))
        return f'"{pair}, the {chance.choice(things)} was {chance.choice(words[label])}",{label}'

    new = ['"never so tepid, a soup",bad', '"",good', '"warm",good', '"cold and late",bad', '"fine, warm film",mixed']
    return {"reviews.csv": ["text,label", *(row() for _ in range(70))], "reviews_new.csv": ["text,label", *new]}


def films(chance: np.random.Generator) -> dict[str, list[str]]:
    """Give texts with several labels, or none."""
    clues = {"crime": "thieves", "romance": "love", "horror": "ghosts"}

    def row() -> str:
        there = [label for label in clues if chance.random() < 0.45]
        found = [clues[label] for label in there] + [str(chance.choice(["a ship", "a year", "rain"]))]
        return f"{' '.join(found)},{'|'.join(there)}"

    return {"films.csv": ["plot,genres", *(row() for _ in range(60))]}


def waves(chance: np.random.Generator) -> dict[str, list[str]]:
    """Give series of two channels, two classes and several lengths, a few values missing."""
    head = ["@problemName waves", "@dimensions 2", "@univariate false", "@classLabel true slow fast", "@data"]

    def row() -> str:
        label, speed = (("slow", 0.4), ("fast", 1.1))[int(chance.integers(2))]
        at = np.arange(int(chance.integers(8, 13))) * speed + chance.uniform(0, 6)
        channels = np.stack([np.sin(at), np.cos(at)]) + chance.normal(0, 0.15, (2, len(at)))
        written = [",".join("?" if chance.random() < 0.03 else f"{x:.3f}" for x in one) for one in channels]
        return ":".join([*written, label])

    return {"waves.ts": [*head, *(row() for _ in range(40))], "waves_new.ts": [*head, *(row() for _ in range(7))]}


def names(chance: np.random.Generator) -> dict[str, list[str]]:
    """Give sentences whose words have tags of spans."""
    people, places = ["Ann", "Bob", "Zoë"], [["Rome"], ["New", "York"], ["Aix"]]

    def sentence() -> str:
        place = places[int(chance.integers(3))]
        rows = [f"{chance.choice(people)}\tB-person", f"{chance.choice(['sees', 'left', 'likes'])}\tO"]
        if chance.random() < 0.3:
            rows.append("the\tO")
        rows += [f"{word}\t{'I' if number else 'B'}-place" for number, word in enumerate(place)]
        return "\n".join([*rows, ".\tO", ""])

    unseen = "Eve\tB-person\nmet\tO\nBob\tB-person\nin\tO\nNew\tB-place\nRome\tI-place\n"
    return {
        "names.conll": [sentence() for _ in range(60)],
        "names_new.conll": [*(sentence() for _ in range(5)), unseen],
    }


def steps(chance: np.random.Generator) -> dict[str, list[str]]:
    """Give series, each step of which has a tag."""
    rows = ["walk,t,x,y,pace"]
    for walk in range(24):
        for t in range(int(chance.integers(6, 11))):
            fast = (walk + t // 4) % 2
            x, y = chance.normal(3.0 * fast, 0.6), chance.normal(-fast, 0.6)
            rows.append(f"w{walk},{t},{x:.3f},{y:.3f},{('slow', 'fast')[fast]}")
    return {"steps.csv": rows}


def sales(chance: np.random.Generator) -> dict[str, list[str]]:
    """Give daily sales of two shops, with promotions known ahead and visits of the past; a few values are missing."""
    head = "date,shop,size,sales,visits,promotion"

    def rows(first: str, days: int, ahead: int) -> list[str]:
        written = [head]
        for shop, level in (("north", 40.0), ("south", 90.0)):
            before = 0.0
            for day in range(days + ahead):
                promotion, date = int(chance.random() < 0.3), np.datetime64(first) + day
                before = 0.7 * before + chance.normal()
                sold = level + 4 * np.sin(2 * np.pi * day / 7) + 8 * promotion + before
                known = "," if day >= days else f"{'' if day in (11, 12) else f'{sold:.2f}'},{sold / 2:.1f}"
                written.append(f"{date},{shop},{level:.0f},{known},{promotion}")
        return written

    return {"sales.csv": rows("2024-01-01", 90, 0), "sales_new.csv": rows("2024-06-01", 24, 7)}


def plant(chance: np.random.Generator) -> dict[str, list[str]]:
    """Give hourly readings of two channels and a load; the second file has faults, and an hour is missing."""

    def rows(count: int, first: str, faults: bool) -> list[str]:
        hour = np.arange(count)
        load = (hour % 24 < 12).astype(float)
        temp = 20 + np.sin(2 * np.pi * hour / 24) + chance.normal(0, 0.1, count)
        bar = 3 * load + chance.normal(0, 0.1, count)
        fault = np.zeros(count, int)
        if faults:
            temp[50:54] += 6
            bar[90:93] = -8
            fault[50:54] = fault[90:93] = 1
        times = np.datetime64(first) + hour * np.timedelta64(1, "h")
        cells = zip(times, temp, bar, load, fault, strict=True)
        written = [f"{when},{t:.3f},{b:.3f},{lo:.0f},{mark}" for when, t, b, lo, mark in cells]
        return ["time,temp,bar,load,fault", *(row for number, row in enumerate(written) if not faults or number != 30)]

    normal, faulty = rows(260, "2024-03-01T00", faults=False), rows(120, "2024-05-01T00", faults=True)
    return {"plant.csv": normal, "plant_new.csv": faulty}


def beats(chance: np.random.Generator) -> dict[str, list[str]]:
    """Give whole series, a row each, all of them normal."""
    at = np.arange(12)
    rows = [10 + 3 * np.exp(-((at - chance.normal(5, 0.3)) ** 2)) + chance.normal(0, 0.1, 12) for _ in range(30)]
    head = ",".join(["beat", *(f"t{number}" for number in range(1, 13))])
    return {"beats.csv": [head, *(f"b{n}," + ",".join(f"{x:.3f}" for x in row) for n, row in enumerate(rows))]}
