"""Translation memories as pairs: which two of their languages, and what of them is in both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from recurra.errors import DataError
from recurra.text import Place, Source, read_tmx


def read_memory(
    source: Source, languages: list[str | None], notes: list[str]
) -> Iterator[tuple[str, str | None, Place]]:
    """Read the units of a translation memory; a language that is open is the first other one, and is known from then on."""
    seen: dict[str, None] = {}
    left_out = count = 0
    for number, segments in read_tmx(source):
        seen.update(dict.fromkeys(segments))
        for side in (0, 1):
            if languages[side] is None:
                other = languages[1 - side]
                languages[side] = next(
                    (one for one in segments if other is None or not _same_language(one, other)), None
                )
        sides = [_of_language(segments, language) for language in languages]
        if None in sides:
            left_out += 1
            continue
        count += 1
        yield str(sides[0]), sides[1], {"row": number}
    if not count and seen:
        raise DataError(
            f"has no unit in {languages[0]} and {languages[1]}; its languages are {', '.join(sorted(seen)[:8])}",
            source=source.name,
        )
    if left_out:
        notes.append(f"{PurePath(source.name).name}: {left_out:,} units are not in both languages")


def _same_language(one: str, other: str) -> bool:
    """Tell whether two are the same but for a region: en and en-GB."""
    return one.lower().split("-")[0] == other.lower().split("-")[0]


def _of_language(segments: dict[str, str], language: str | None) -> str | None:
    """Give a segment in a language: as it is named, else of any region."""
    if language is None:
        return None
    if language.lower() in segments:
        return segments[language.lower()]
    return next((text for name, text in segments.items() if _same_language(name, language)), None)
