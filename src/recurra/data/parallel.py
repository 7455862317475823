"""Parallel files: line n of one is the target of line n of the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

from recurra.errors import DataError, UsageError
from recurra.files import is_file, path_exists
from recurra.text import Place, Source, base_name, decode

_SIDES = 2


def expand_endings(arguments: Sequence[str | Path], source: str | None, target: str | None) -> list[str | Path]:
    """Put the two files in the place of the name that they share: train.de and train.en for train."""
    if source is None or target is None:
        return list(arguments)
    found: list[str | Path] = []
    for name in arguments:
        both = [_with_ending(str(name), ending) for ending in (source, target)]
        found += [name] if path_exists(Path(name)) or None in both else [one for one in both if one]
    return found


def _with_ending(name: str, ending: str) -> str | None:
    packed = ("", ".gz", ".xz", ".bz2", ".zst")
    paths = [f"{name}.{ending}{text}{packing}" for text in ("", ".txt") for packing in packed]
    return next((path for path in paths if is_file(Path(path))), None)


def _by_name(plain: list[Source], ends: list[str]) -> dict[str, Source]:
    """Give files by names that end with their language; raises `UsageError` for two of one name."""
    found: dict[str, Source] = {}
    for one in plain:
        name = _name(one.name, ends)
        if name in found:
            raise UsageError(
                f"data: {found[name].name} and {one.name} are one side of the same pairs; name one of them"
            )
        found[name] = one
    return found


def _name(name: str, ends: list[str]) -> str:
    """Give a name that ends with its language, where it has one: without a packing, and without .txt behind the language.

    >>> ends = [".de", ".en"]
    >>> [_name(name, ends) for name in ("train.de.gz", "train.en.txt", "notes.txt")], _name("a.txt", [".txt", ".out"])
    (['train.de', 'train.en', 'notes.txt'], 'a.txt')
    """
    path = PurePath(name).parent / base_name(name)
    shorter = str(path).removesuffix(".txt")
    return shorter if not str(path).endswith(tuple(ends)) and shorter.endswith(tuple(ends)) else str(path)


def match_parallel(plain: list[Source], source: str | None, target: str | None) -> Iterator[tuple[Source, Source]]:
    """Put parallel files side by side: by their endings where these are named, else the only two as they are named."""
    if source is not None and target is not None:
        ends = [f".{ending.lower()}" for ending in (source, target)]
        by_name = _by_name(plain, ends)
        pairs = [
            (one, by_name.get(name.removesuffix(ends[0]) + ends[1]))
            for name, one in by_name.items()
            if name.endswith(ends[0])
        ]
        if not pairs and len(plain) == _SIDES and not any(name.endswith(ends[1]) for name in by_name):
            pairs = [(plain[0], plain[1])]  # named otherwise than those of the training
        if not pairs:
            raise UsageError(f"source: no file ends with .{source}, as in {plain[0].name}")
        for one, other in pairs:
            if other is None:
                raise DataError(f"has no file that ends with .{target} beside it", source=one.name)
            yield one, other
        return
    if len(plain) != _SIDES:
        raise UsageError(
            f"data: expected two parallel files, the source first, or a table with a column for each; got {len(plain)} plain "
            f"text{'s' * (len(plain) != 1)}: {', '.join(one.name for one in plain[:3])}; several are matched by --source de --target en"
        )
    yield plain[0], plain[1]


def read_parallel(first: Source, second: Source) -> Iterator[tuple[str, str, Place]]:
    """Give line n of both, and where it is; raises `DataError` where one file has more lines."""
    sides = [decode(source.data, source.name).split("\n") for source in (first, second)]
    lines = [side[:-1] if side and not side[-1] else side for side in sides]
    if len(lines[0]) != len(lines[1]):
        raise DataError(
            f"has {len(lines[0]):,} lines, and {second.name} {len(lines[1]):,}: line n of one is the target of line n of the other",
            source=first.name,
            line=min(map(len, lines)) + 1,
        )
    for number, (source, target) in enumerate(zip(*lines, strict=True), 1):
        if source.strip() or target.strip():
            yield source, target, {"line": number}
