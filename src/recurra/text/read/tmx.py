"""Translation memories (TMX 1.4b) to the segments of each unit, by language."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from io import BytesIO

from recurra.errors import DataError
from recurra.text.read.sources import Source

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def read_tmx(source: Source) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of each unit, from 1, and its segments: language, in small letters → text.

    Raises `DataError`, with the line, for what is no XML.

    >>> memory = '<tmx><body><tu><tuv xml:lang="en"><seg>a <b/>cat</seg></tuv><tuv xml:lang="de-DE"><seg>eine Katze</seg></tuv></tu></body></tmx>'
    >>> list(read_tmx(Source("a.tmx", "tmx", memory.encode(), False)))
    [(1, {'en': 'a cat', 'de-de': 'eine Katze'})]
    """
    number = 0
    try:
        for _, element in ET.iterparse(BytesIO(source.data)):
            if element.tag != "tu":
                continue
            number += 1
            segments: dict[str, str] = {}
            for variant in element.iter("tuv"):
                language = (variant.get(_LANGUAGE) or variant.get("lang") or "").lower()
                segment = variant.find("seg")
                segments.setdefault(language, "" if segment is None else "".join(segment.itertext()))
            element.clear()
            yield number, segments
    except ET.ParseError as error:
        raise DataError(f"is no XML: {error.msg}", source=source.name, line=error.position[0]) from None
