"""Patterns of the names of files: what their parts say, and which files are meant."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import PurePosixPath

from recurra.errors import UsageError

_FIELD = re.compile(r"\{(\w*)\}|(\*)")
GROUP_FIELDS = ("speaker", "writer", "group", "document", "user")
TEXT_FIELD = "text"


class NamePattern:
    """A pattern such as `{text}_{speaker}_*`: each field is as short as can be and stays within a folder, `*` is whatever stands there.

    It is held against as much of a path's end as it has folders, and against the name without its suffix unless it has one itself.

    >>> NamePattern("{text}_{speaker}_{index}").match("recordings/7_jackson_32.wav")
    {'text': '7', 'speaker': 'jackson', 'index': '32'}
    >>> NamePattern("{text}/{speaker}_*.wav").match("a/yes/bob_1.wav")
    {'text': 'yes', 'speaker': 'bob'}
    """

    def __init__(self, pattern: str, setting: str = "label_from") -> None:
        self.pattern = pattern
        names = [found[1] for found in _FIELD.finditer(pattern) if found[2] is None]
        if not names or "" in names or len(set(names)) < len(names):
            raise UsageError(
                f"{setting}: expected a pattern with fields, each once, such as {{text}}_{{speaker}}_*, got {pattern!r}"
            )
        if TEXT_FIELD not in names and not set(names) & set(GROUP_FIELDS):
            known = ", ".join(f"{{{name}}}" for name in (TEXT_FIELD, *GROUP_FIELDS))
            raise UsageError(f"{setting}: expected one of {known} in the pattern, got {pattern!r}")
        self.names = names
        self._depth = len(PurePosixPath(pattern).parts)
        self._suffix = bool(re.search(r"\.\w+$", pattern))
        parts, at = [], 0
        for found in _FIELD.finditer(pattern):
            parts.append(re.escape(pattern[at : found.start()]))
            parts.append("[^/]*" if found[2] else f"(?P<{found[1]}>[^/]+?)")
            at = found.end()
        self._regex = re.compile("".join(parts) + re.escape(pattern[at:]))

    @property
    def has_text(self) -> bool:
        """Whether names say the text."""
        return TEXT_FIELD in self.names

    def match(self, path: str) -> dict[str, str] | None:
        """Give what each field stands for; None for a name that does not fit."""
        pure = PurePosixPath(path)
        pure = pure if self._suffix else pure.with_suffix("") if pure.suffix else pure
        found = self._regex.fullmatch("/".join(pure.parts[-self._depth :]))
        return None if found is None else found.groupdict()

    @staticmethod
    def group(fields: dict[str, str]) -> str | None:
        """Give the group that the fields of a name say; None where they say none."""
        return next((fields[name] for name in GROUP_FIELDS if name in fields), None)


def fits(path: str, pattern: str) -> bool:
    """Tell whether the end of a path fits a pattern, in which `*`, `?` and `[…]` are as in a shell and `**` is any folders.

    >>> fits("recordings/7_bob_3.wav", "*_[0-4].wav"), fits("a/data/7/kar/1.dat", "data/7/**"), fits("test/train/1.jpg", "test/*")
    (True, True, False)
    """
    regex = _shell_regex(pattern)
    parts = PurePosixPath(path).parts
    return any(regex.fullmatch("/".join(parts[at:])) for at in range(len(parts)))


@lru_cache(maxsize=64)
def _shell_regex(pattern: str) -> re.Pattern[str]:
    found = re.split(r"(\*+|\?|\[!?[^\]]+\])", pattern)
    return re.compile("".join(_shell_part(part) for part in found))


def _shell_part(part: str) -> str:
    if part.startswith("**"):
        return ".*"
    if part in ("*", "?"):
        return "[^/]*" if part == "*" else "[^/]"
    if part.startswith("[") and part.endswith("]"):
        inside = part[1:-1].replace("\\", r"\\").replace("[", r"\[")
        return f"[^{inside[1:]}]" if inside.startswith("!") else f"[{inside}]"
    return re.escape(part)
