"""Which tag may follow which, by the names that spans are marked with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from recurra.arguments import checked
from recurra.errors import UsageError

_TAG = re.compile(r"([BIMELSU])(?:[-_](.*))?|(O)", re.DOTALL)
_SCHEMES = ("BIO", "BIESO", "BILUO", "BMESO")
_GOES_ON, _CLOSES = "IMEL", "ELSUO"


@checked
def transitions(tags: Sequence[str]) -> Tensor:
    """Say which of K tags may follow which: allowed (K+2, K+2) bool, rows before columns; K is the start, K + 1 the end.

    The scheme is found from the names. BIO: I-X only after B-X or I-X. IOBES, BILOU and, as Chinese segmentation has it, BMES:
    also no span is left open. Types may be missing (B, I, O) or follow "-" or "_". Tags of another kind, and those without any
    "B", whose spans may begin with "I", may all follow each other. Raises `UsageError` for a tag that is there twice.

    >>> transitions(["O", "B-PER", "I-PER", "I-LOC"]).int()[:4, :4].tolist()  # from O, B-PER, I-PER, I-LOC
    [[1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 0, 1]]
    >>> bool(transitions(["NOUN", "VERB"]).all())
    True
    """
    if len(set(tags)) != len(tags):
        raise UsageError(f"tags: expected each once, got {next(tag for tag in tags if tags.count(tag) > 1)!r} twice")
    count = len(tags)
    parts = [_TAG.fullmatch(tag) for tag in tags]
    letters = {match[1] or "O" for match in parts if match}
    scheme = next((scheme for scheme in _SCHEMES if letters <= set(scheme)), None)
    allowed = torch.ones(count + 2, count + 2, dtype=torch.bool)
    if None in parts or scheme is None or not _begins(letters):
        return allowed
    # What stands outside the sequence behaves as O does.
    names = [(match[1] or "O", match[2]) for match in parts if match] + [("O", None), ("O", None)]
    for row, before in enumerate(names):
        for column, after in enumerate(names):
            allowed[row, column] = _may_follow(before, after, always_closed=scheme == "BIO")
    return allowed


def _begins(letters: set[str]) -> bool:
    return "B" in letters and bool(letters & set(_GOES_ON))


def _may_follow(before: tuple[str, str | None], after: tuple[str, str | None], *, always_closed: bool) -> bool:
    if after[0] in _GOES_ON:
        is_open = before[0] == "B" or (before[0] in _GOES_ON and before[0] not in _CLOSES)
        return is_open and before[1] == after[1]
    return always_closed or before[0] in _CLOSES


@checked
def violations(allowed: Tensor, sequences: Iterable[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """List what data holds and `allowed` (K+2, K+2) does not: (sequence, step), where step T is a sequence's end.

    >>> allowed = transitions(["O", "B-PER", "I-PER"])
    >>> list(violations(allowed, [[0, 1, 2], [0, 2, 2, 0], []]))
    [(1, 1)]
    """
    may, count = _read(allowed)
    for place, tags in enumerate(sequences):
        for step, (before, after) in enumerate(_pairs(tags, count, place)):
            if not may[before][after]:
                yield place, step


@checked
def widen(allowed: Tensor, sequences: Iterable[Sequence[int]]) -> Tensor:
    """Allow also what sequences of tags (numbers from 0 to K − 1) hold: a new (K+2, K+2).

    So tags that break their scheme (an I-PER after an O, as IOB1 has it) can be learnt from as they are.
    Raises `UsageError` for a tag that is out of range.

    >>> wider = widen(transitions(["O", "B-PER", "I-PER"]), [[0, 2]])
    >>> bool(wider[0, 2]), bool(wider[3, 2])  # after an O, at the start
    (True, False)
    """
    _, count = _read(allowed)
    wider = allowed.clone()
    found = {pair for place, tags in enumerate(sequences) for pair in _pairs(tags, count, place)}
    if found:
        rows, columns = zip(*found, strict=True)
        wider[list(rows), list(columns)] = True
    return wider


def _read(allowed: Tensor) -> tuple[list[list[bool]], int]:
    if allowed.dim() != 2 or allowed.shape[0] != allowed.shape[1] or len(allowed) < 2 or allowed.dtype != torch.bool:
        raise UsageError(f"allowed: expected bool (K+2, K+2), got {allowed.dtype} {tuple(allowed.shape)}")
    return allowed.tolist(), len(allowed) - 2


def _pairs(tags: Sequence[int], count: int, place: int) -> Iterator[tuple[int, int]]:
    """Give each tag with the one before it, from the start to the end; nothing for an empty sequence."""
    before = count
    for tag in tags:
        if not 0 <= tag < count:
            raise UsageError(f"sequences[{place}]: expected tags from 0 to {count - 1}, got {tag}")
        yield before, int(tag)
        before = int(tag)
    if before != count:
        yield before, count + 1
