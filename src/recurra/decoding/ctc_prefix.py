"""The prefixes of a search, each but the label that it adds to another one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Prefix:
    """One label behind another prefix; equal texts are one object, as long as what they begin with is kept."""

    __slots__ = ("_children", "depth", "label", "parent", "state", "words")

    def __init__(self, parent: Prefix | None, label: int) -> None:
        self.parent, self.label = parent, label
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.state: Any = None
        """What a language model keeps of it."""
        self.words: Any = None
        """Where in the list of words it stands."""
        self._children: dict[int, Prefix] = {}

    def child(self, label: int) -> Prefix:
        """Give it with one label more."""
        found = self._children.get(label)
        if found is None:
            found = self._children[label] = Prefix(self, label)
        return found

    def labels(self) -> list[int]:
        """List its labels from the root on."""
        found: list[int] = []
        at = self
        while at.parent is not None:
            found.append(at.label)
            at = at.parent
        return found[::-1]

    def become_root(self) -> None:
        """Let go of all that stands before: its labels are told from here on."""
        self.parent = None


def common_prefix(prefixes: Sequence[Prefix]) -> Prefix:
    """Give the longest prefix that all begin with.

    >>> root = Prefix(None, 0)
    >>> one = root.child(1)
    >>> common_prefix([one.child(2), one.child(3).child(4)]).labels()
    [1]
    """
    lowest, at = prefixes[0], prefixes[0]
    seen = set()  # Where one meets another's way up, the rest is known: each prefix is passed once.
    while at is not None:
        seen.add(at)
        at = at.parent
    for prefix in prefixes[1:]:
        at = prefix
        while at not in seen:
            seen.add(at)
            at = at.parent
        if at.depth < lowest.depth:
            lowest = at
    return lowest
