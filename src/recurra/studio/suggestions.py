"""Which tasks a file may be for, by what is seen of it, with the settings that name its columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from recurra.audio import is_sound
from recurra.images import is_picture
from recurra.studio.preview import ColumnPreview, Preview
from recurra.text import LABEL_NAMES, TEXT_NAMES

MAX_CLASSES = 50
MIN_TEXT_WORDS = 2.5


class Suggestion(NamedTuple):
    """A task, why it suits, and the settings that go with it."""

    task: str
    why: str
    settings: dict[str, Any]


def suggest(name: str, look: Preview) -> list[dict[str, Any]]:
    """List the tasks that a file may be for, the likeliest first."""
    suffix = PurePosixPath(name.lower()).suffix
    if look.kind == "table":
        found = _of_table(look)
    elif look.kind == "archive":
        found = _of_archive(look)
    else:
        found = _of_text(suffix, look) if look.kind == "text" else _of_kind(suffix, look)
    return [one._asdict() for one in found]


def _by_names(look: Preview) -> Iterator[Suggestion]:
    """Go by what columns are called."""
    lower = {one.name.lower(): one.name for one in look.columns}

    def first(names: Iterable[str]) -> str | None:
        return next((lower[name] for name in names if name in lower), None)

    if first(("strokes", "ink", "word_stroke")):
        yield Suggestion("transcribe", "writing by pen, with what it says", {})
    if (words := first(("tokens", "words"))) and (tags := first(("tags", "ner_tags", "pos_tags", "labels"))):
        yield Suggestion("tag", f"{words} are words, {tags} their tags", {"tokens": words, "column": tags})
    if (source := first(("source", "src"))) and (target := first(("target", "tgt", "trg"))):
        yield Suggestion("translate", f"from {source} to {target}", {"source": source, "target": target})


def _of_table(look: Preview) -> Iterator[Suggestion]:
    if named := list(_by_names(look)):
        yield from named
        return
    yield from _by_content(look)


def _by_content(look: Preview) -> Iterator[Suggestion]:
    """Go by what columns hold."""
    times = [one for one in look.columns if one.type == "time"]
    numbers = [one for one in look.columns if one.type == "number" and not _is_label(one, look)]
    texts = [one for one in look.columns if one.type == "text" and one.words >= MIN_TEXT_WORDS]
    texts.sort(key=lambda one: (one.name.lower() not in TEXT_NAMES, -one.words))
    labels = sorted((one for one in look.columns if _is_label(one, look)), key=_label_rank)
    if times and numbers:
        targets = [one.name for one in numbers]
        groups = [one.name for one in look.columns if one.type == "text" and one not in texts and _is_group(one, look)]
        named = {"time": times[0].name, "target": targets}
        named |= {"series": groups[:1]} if groups else {}
        yield Suggestion("forecast", f"{_listed(targets)} over {times[0].name}: what comes next", named)
        flags = [one.name for one in labels if one.type == "number" and one.name.lower() in set().union(*LABEL_NAMES)]
        yield Suggestion(
            "detect",
            f"{_listed(targets)} over {times[0].name}: what is not normal",
            {**named, **({"label": flags[0]} if flags else {})},
        )
        return
    if texts and labels:
        why = f"{texts[0].name} is a text, {labels[0].name} one of {labels[0].distinct} labels"
        yield Suggestion("classify", why, {"text": texts[0].name, "label": labels[0].name})
    if len(texts) >= 2:
        pair = texts[:2] if look.columns.index(texts[0]) < look.columns.index(texts[1]) else texts[1::-1]
        names = [one.name for one in pair]
        yield Suggestion("translate", f"from {names[0]} to {names[1]}", {"source": names[0], "target": names[1]})
    if texts:
        yield Suggestion("embed", f"which texts of {texts[0].name} are alike", {"text": texts[0].name})
        yield Suggestion("lm", f"more such texts as {texts[0].name}", {"text": texts[0].name})
    if not texts and numbers:
        if labels and len(numbers) > 3:
            yield Suggestion("classify", f"each row a series, {labels[0].name} its label", {"label": labels[0].name})
        yield Suggestion("forecast", f"{_listed([one.name for one in numbers])}, a row for each step", {})
        yield Suggestion("detect", "steps that are not normal", {})


def _of_text(suffix: str, look: Preview) -> Iterator[Suggestion]:
    lines = [line for line in look.lines if line.strip()]
    cells = Counter(len(line.split("\t")) for line in lines)
    if suffix in (".conll", ".conllu", ".iob", ".bio", ".iob2"):
        yield Suggestion("tag", "a word and its tag in each line", {})
        return
    parted = cells.most_common(1)[0][0] if cells else 1
    if parted == 2:
        left, right = zip(*(line.split("\t") for line in lines if line.count("\t") == 1), strict=True)
        if len(set(left)) <= max(2, len(left) // 3) or len(set(right)) <= max(2, len(right) // 3):
            yield Suggestion("classify", "a text and its label in each line, a tab between", {})
        yield Suggestion("translate", "two texts in each line, a tab between", {})
    elif parted > 2 or (lines and any(not line.strip() for line in look.lines) and _is_tagged(lines)):
        yield Suggestion("tag", "a word and its tag in each line", {})
    yield Suggestion("lm", "text: learn to write more of it, and to say how likely a sentence is", {})


def _of_archive(look: Preview) -> Iterator[Suggestion]:
    kinds = Counter(PurePosixPath(name.lower()).suffix for name in look.names)
    pictures = sum(count for kind, count in kinds.items() if is_picture(f"x{kind}"))
    sounds = sum(count for kind, count in kinds.items() if is_sound(f"x{kind}"))
    folders = {str(PurePosixPath(name).parent) for name in look.names}
    records = sum(kinds[kind] for kind in (".json", ".csv", ".tsv", ".jsonl", ".txt"))
    if pictures >= max(1, sounds):
        if records:
            yield Suggestion("caption", "pictures, and a file that may describe them", {})
            yield Suggestion("transcribe", "pictures of lines, if the file says what stands in them", {})
        if len(folders) > 1:
            yield Suggestion("classify", f"pictures in {len(folders)} folders, each a class", {"label": "folder"})
        yield Suggestion("pixels", "pictures: learn to draw and to complete them", {})
    elif sounds:
        if len(folders) > 1:
            yield Suggestion("classify", f"sounds in {len(folders)} folders, each a class", {"label": "folder"})
        yield Suggestion("transcribe", "sounds, with what was said in them", {})
    elif kinds[".txt"]:
        if len(folders) > 1:
            yield Suggestion("classify", f"texts in {len(folders)} folders, each a class", {"label": "folder"})
        yield Suggestion("lm", "texts: learn to write more of them", {})


def _of_kind(suffix: str, look: Preview) -> Iterator[Suggestion]:
    if look.kind == "series":
        if suffix in (".npy", ".npz", ".idx", ".mat"):
            yield Suggestion("pixels", "an array of pictures: learn to draw them", {})
        yield Suggestion("classify", "series with their labels", {})
        yield Suggestion("embed", "which series are alike", {})
    elif look.kind == "ink":
        yield Suggestion("transcribe", "writing by pen, with what it says", {})
    elif look.kind == "sound":
        yield Suggestion("transcribe", "sound, with what is said in it; send all files as an archive", {})


def _is_label(one: ColumnPreview, look: Preview) -> bool:
    """Say whether a column may be a label: it is called so, or has few different values, most of them several times."""
    if one.name.lower() in set[str]().union(*LABEL_NAMES):
        return True
    few = 1 < one.distinct <= min(MAX_CLASSES, max(2, look.looked_at // 3))
    return few and one.words < MIN_TEXT_WORDS and one.type == "text"


def _is_group(one: ColumnPreview, look: Preview) -> bool:
    return 1 < one.distinct <= max(2, look.looked_at // 2)


def _label_rank(one: ColumnPreview) -> tuple[bool, int]:
    return one.name.lower() not in set[str]().union(*LABEL_NAMES), one.distinct


def _is_tagged(lines: list[str]) -> bool:
    return all(len(line.split()) in (2, 3, 4) for line in lines)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
