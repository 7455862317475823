"""XML of unknown origin: no entities of its own, which could unfold to anything, and errors that say the line."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from io import BytesIO

from recurra.errors import DataError
from recurra.text.read.sources import Source


def iter_elements(source: Source) -> Iterator[ET.Element]:
    """Give the elements of a document as each ends, the outermost last; one may be cleared once it is used.

    Raises `DataError`, with the line, for what is no XML, and for entities of its own, which data need none of.

    >>> [local_name(one) for one in iter_elements(Source("a.xml", "xml", b"<a><b/></a>", False))]
    ['b', 'a']
    """
    if b"<!ENTITY" in source.data.replace(b"\0", b""):  # of two bytes a character too
        raise DataError("expected XML without entities of its own, got some", source=source.name)
    found = ET.iterparse(BytesIO(source.data))
    while True:
        try:
            element = next(found, None)
        except ET.ParseError as error:
            raise DataError(f"is no XML: {error.msg}", source=source.name, line=error.position[0]) from None
        except (ValueError, LookupError) as error:
            raise DataError(
                f"is in an encoding that is not read: {error}", source=source.name, hint="write it as UTF-8"
            ) from None
        if element is None:
            return
        yield element[1]


def parse_xml(source: Source) -> ET.Element:
    """Give the outermost element of a document, with all that is in it; raises `DataError` as `iter_elements` does."""
    root = None
    for element in iter_elements(source):
        root = element
    if root is None:
        raise DataError("is no XML: no element found", source=source.name, line=1)
    return root


def local_name(element: ET.Element) -> str:
    """Give the name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]
