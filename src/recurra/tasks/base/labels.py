"""The names of classes or tags, in one order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from recurra.documents import read_json
from recurra.errors import RunError
from recurra.files import write_whole
from recurra.formatting import abbreviate

FILE = "labels.json"


def natural_sort(labels: Iterable[str]) -> list[str]:
    """Sort labels as people do: by their text, and by the numbers in it.

    >>> natural_sort({"class 10", "class 9", "other"}), natural_sort({"1", "-1", "0.5", "0.25"})
    (['class 9', 'class 10', 'other'], ['-1', '0.25', '0.5', '1'])
    """

    def key(label: str) -> tuple[list[tuple[int, float, str]], str]:
        if re.fullmatch(r"[+-]?\d+(\.\d+)?", label):
            return [(0, float(label), "")], label
        parts = re.findall(r"\d+|[^\d]+", label)
        return [(0, float(part), "") if part[0].isdecimal() else (1, 0.0, part) for part in parts], label

    return sorted(set(labels), key=key)


def save_labels(folder: Path, labels: list[str]) -> str:
    """Write the labels into a run folder, and give the name of the file."""
    write_whole(folder / FILE, json.dumps(labels, ensure_ascii=False, indent=0) + "\n")
    return FILE


def load_labels(folder: Path) -> list[str]:
    """Read what `save_labels` wrote; raises `RunError` when it is damaged."""
    path = folder / FILE
    labels = read_json(path)
    if not isinstance(labels, list) or not labels or not all(isinstance(label, str) for label in labels):
        raise RunError(f"{path}: is damaged: expected a list of names, got {abbreviate(labels)}")
    if len(set(labels)) < len(labels):
        raise RunError(f"{path}: is damaged: expected each name once, got one twice")
    return labels
