"""Translation memories (TMX 1.4b) to the segments of each unit, by language."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator

from recurra.text.read.sources import Source
from recurra.text.read.xml import iter_elements, local_name

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


_MARKUP = frozenset({"bpt", "ept", "ph", "it", "ut"})
"""Elements of a segment that hold the codes of another format, and no words."""


def read_tmx(source: Source) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of each unit, from 1, and its segments: language, in small letters → text.

    Raises `DataError`, with the line, for what is no XML, and for entities of its own, which a memory needs none of.

    >>> memory = '<tmx><body><tu><tuv xml:lang="en"><seg>a <ph>x</ph>cat</seg></tuv><tuv xml:lang="de-DE"><seg>eine Katze</seg></tuv></tu></body></tmx>'
    >>> list(read_tmx(Source("a.tmx", "tmx", memory.encode(), False)))
    [(1, {'en': 'a cat', 'de-de': 'eine Katze'})]
    """
    number = 0
    for element in iter_elements(source):
        if local_name(element) != "tu":
            continue
        number += 1
        segments: dict[str, str] = {}
        for variant in element:
            if local_name(variant) == "tuv":
                language = (variant.get(_LANGUAGE) or variant.get("lang") or "").lower()
                segment = next((one for one in variant if local_name(one) == "seg"), None)
                segments.setdefault(language, "" if segment is None else " ".join(_words(segment).split()))
        element.clear()
        yield number, segments


def _words(element: ET.Element) -> str:
    """Give the text of an element and of those in it, without markup."""
    inner = "".join(("" if local_name(one) in _MARKUP else _words(one)) + (one.tail or "") for one in element)
    return (element.text or "") + inner
