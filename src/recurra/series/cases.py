"""Text files with a header that ends with a line @data, and a case in each line below it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from recurra.errors import DataError
from recurra.series.base import Series
from recurra.text import Faults, Place, Source, decode, iter_lines


def read_cases(
    source: Source,
    faults: Faults,
    kind: str,
    comments: str,
    heading: Callable[[str, int], bool],
    case: Callable[[str, Place], Series],
) -> Iterator[Series]:
    """Yield every case; empty lines count for nothing, nor do those that begin with one of the signs in `comments`.

    kind: how the format is called in a message.  heading: takes in a line of the header, and its number; true for the one
    that ends it.  case: reads a line below it, which stands at a place.

    Raises `DataError` where the header does not end; what `case` raises is met as `faults` says.
    """
    inside = False
    for number, line in enumerate(iter_lines(decode(source.data, source.name)), start=1):
        line = line.strip()
        if not line or line[0] in comments:
            continue
        if not inside:
            inside = heading(line, number)
            continue
        try:
            yield case(line, {"line": number})
        except DataError as error:
            faults.handle(error)
    if not inside:
        raise DataError(f"ends before its line @data: is it cut off, or no {kind} file?", source=source.name)
