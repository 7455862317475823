"""Skeletons: files of joint positions, a frame after another, whose names say what was done.

A format is registered with the pattern of its file names and a function from the text to the positions; the pattern's
group `label` is the label.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from recurra.errors import DataError, UsageError
from recurra.series.base import Series, parse_numbers
from recurra.text import Source, decode


@dataclass(frozen=True)
class SkeletonFormat:
    """How one kind of skeleton file is read.

    pattern: matches the names of its files, whole, and has a group `label`.  read: from a file's text and its name (for
    messages) to positions (T, C).  channels: names of the C positions.
    """

    name: str
    pattern: re.Pattern[str]
    read: Callable[[str, str], np.ndarray]
    channels: tuple[str, ...]


_FORMATS: dict[str, SkeletonFormat] = {}


def register_skeletons(form: SkeletonFormat) -> SkeletonFormat:
    """Make a format known; raises `UsageError` for a pattern without a group `label` and for a name that is taken."""
    if "label" not in form.pattern.groupindex:
        raise UsageError(
            f"skeleton format {form.name}: the pattern has no group named label, as in a(?P<label>[0-9]+)_.*"
        )
    if _FORMATS.setdefault(form.name, form) is not form:
        raise UsageError(f"there is a skeleton format {form.name!r} already")
    return form


def skeleton_format(name: str) -> SkeletonFormat | None:
    """Give the format of a file by its name, without folders; None for any other file.

    >>> skeleton_format("a05_s01_e02_skeleton3D.txt").name, skeleton_format("notes.txt")
    ('msr-action3d', None)
    """
    return next((form for form in _FORMATS.values() if form.pattern.fullmatch(name)), None)


def read_skeleton(source: Source, form: SkeletonFormat, name: str) -> Iterator[Series]:
    """Yield the one series (T, C) of a file. Raises `DataError`, with the line, for one that is broken."""
    found = form.pattern.fullmatch(name)
    values = form.read(decode(source.data, source.name), source.name)
    yield Series(values, found["label"] if found else None, {}, form.channels)


JOINTS = 20


def _msr_action3d(text: str, name: str) -> np.ndarray:
    """Read MSR Action3D: a line "x y z confidence" a joint, 20 lines a frame; the confidence is left out."""
    lines = [(number, cells) for number, line in enumerate(text.split("\n"), start=1) if (cells := line.split())]
    for number, cells in lines:
        if len(cells) != 4:
            raise DataError(f"expected x y z confidence, got {len(cells)} values", source=name, line=number)
    if len(lines) % JOINTS:
        problem = f"expected {JOINTS} lines for every frame, got {len(lines)} lines in all"
        raise DataError(problem, source=name, hint="is the file cut off?")
    try:
        values = parse_numbers([cell for _, cells in lines for cell in cells[:3]], name, {})
    except DataError:
        # Once more, a line at a time, for the line that is wrong.
        values = np.concatenate([parse_numbers(cells[:3], name, {"line": number}) for number, cells in lines])
    return values.reshape(-1, JOINTS * 3)


register_skeletons(
    SkeletonFormat(
        "msr-action3d",
        re.compile(r"a0*(?P<label>[0-9]+)_s(?P<subject>[0-9]+)_e(?P<example>[0-9]+)_skeleton3D\.txt", re.IGNORECASE),
        _msr_action3d,
        tuple(f"joint {joint} {axis}" for joint in range(1, JOINTS + 1) for axis in "xyz"),
    )
)
