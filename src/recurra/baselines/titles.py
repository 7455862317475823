"""What baselines are called: each brings its title, and whoever knows but a name, such as a report, finds it here."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol, TypeVar

_titles: dict[str, str] = {}
_ignoring_input: set[str] = set()
_families: list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = []


class Named(Protocol):
    """What has a name in results, and a title for people."""

    name: str
    title: str


NamedT = TypeVar("NamedT", bound=Named)


def register_baseline(baseline: type[NamedT]) -> type[NamedT]:
    """Make a baseline's title known, and whether it `ignores_input`; used as a class decorator."""
    register_title(baseline.name, baseline.title)
    if getattr(baseline, "ignores_input", False):
        _ignoring_input.add(baseline.name)
    return baseline


def register_title(name: str, title: str) -> None:
    """Make a title known; raises `ValueError` where the name has another one."""
    if _titles.setdefault(name, title) != title:
        raise ValueError(f"the baseline {name!r} is called {_titles[name]!r} already")


def register_title_family(pattern: str, title: Callable[[re.Match[str]], str]) -> None:
    """Make the titles of all baselines known whose whole names match a pattern; title: gives one from the match."""
    _families.append((re.compile(pattern), title))


def ignores_input(name: str) -> bool:
    """Say whether a baseline gives the same answer whatever it is asked about: a model that is no better has learnt nothing.

    >>> ignores_input("majority"), ignores_input("1-nn")
    (True, False)
    """
    return name in _ignoring_input


def baseline_title(name: str) -> str:
    """Give what people call a baseline; one without a title keeps its name.

    >>> register_title("rule-of-thumb", "rule of thumb")
    >>> baseline_title("rule-of-thumb"), baseline_title("other-rule")
    ('rule of thumb', 'other-rule')
    """
    if name in _titles:
        return _titles[name]
    for pattern, title in _families:
        if match := pattern.fullmatch(name):
            return title(match)
    return name
