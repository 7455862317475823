"""Which columns of a table are what, by what a user names and by what they are usually called."""

from __future__ import annotations

from collections.abc import Sequence

from recurra.text import resolve_column


def choose_columns(
    names: Sequence[str], given: Sequence[str | None], usual: Sequence[Sequence[str]]
) -> list[str | None]:
    """Give for each thing that is looked for the column that is named, else the first with a usual name, else the only one left; or None.

    >>> choose_columns(["id", "Image", "caption"], (None, None), (("image",), ("caption",)))
    ['Image', 'caption']
    >>> choose_columns(["a", "b"], (None, "2"), (("image",), ("caption",)))
    ['a', 'b']
    """
    by_word = {name.lower(): name for name in reversed(names)}
    found: list[str | None] = []
    for one, known in zip(given, usual, strict=True):
        own = None if one is None else resolve_column(one, names)
        found.append(
            next((by_word[word] for word in known if word in by_word), None)
            if own is None
            else own
            if own in names
            else None
        )
    if None in found and len(names) == len(found):
        left = [name for name in names if name not in found]
        found = [one or left.pop(0) for one in found]
    return found
