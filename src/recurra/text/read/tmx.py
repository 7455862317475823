"""Translation memories (TMX 1.4b) to the segments of each unit, by language."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from io import BytesIO

from recurra.errors import DataError
from recurra.text.read.sources import Source

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
    if b"<!ENTITY" in source.data.replace(b"\0", b""):  # of two bytes a character too
        raise DataError("expected a translation memory without entities of its own, got some", source=source.name)
    units = ET.iterparse(BytesIO(source.data))
    number = 0
    while True:
        try:
            element = next((one for _, one in units if _local(one) == "tu"), None)
        except ET.ParseError as error:
            raise DataError(f"is no XML: {error.msg}", source=source.name, line=error.position[0]) from None
        except (ValueError, LookupError) as error:
            raise DataError(
                f"is in an encoding that is not read: {error}", source=source.name, hint="write it as UTF-8"
            ) from None
        if element is None:
            return
        number += 1
        segments: dict[str, str] = {}
        for variant in element:
            if _local(variant) == "tuv":
                language = (variant.get(_LANGUAGE) or variant.get("lang") or "").lower()
                segment = next((one for one in variant if _local(one) == "seg"), None)
                segments.setdefault(language, "" if segment is None else " ".join(_words(segment).split()))
        element.clear()
        yield number, segments


def _local(element: ET.Element) -> str:
    """Give the name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _words(element: ET.Element) -> str:
    """Give the text of an element and of those in it, without markup."""
    inner = "".join(("" if _local(one) in _MARKUP else _words(one)) + (one.tail or "") for one in element)
    return (element.text or "") + inner
