"""FASTA: sequences of letters, each after a line that begins with ">"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from recurra.errors import DataError, UsageError
from recurra.text.read.decode import decode, iter_lines
from recurra.text.read.faults import Faults
from recurra.text.read.labelled_text import LabelledText
from recurra.text.read.sources import Source

_LETTERS = re.compile(r"[A-Za-z*.-]*")
_MAX_DISTINCT_LABELS = 20  # more headers than so many, all different, are names rather than labels


def read_fasta(source: Source, faults: Faults, label: str | None = None) -> Iterator[LabelledText]:
    """Yield every sequence as a text of letters; its label is the header, unless the file has one for all.

    Raises `DataError`, with the line, for letters before the first header and for what is no letter; `UsageError` where
    the headers are names, since no two are alike.

    >>> data = b">1\\nSVYDAA\\nAQL\\n>0\\nKVAEL\\n"
    >>> [(one.text, one.label) for one in read_fasta(Source("a.fasta", "fasta", data, False), Faults("stop"))]
    [('SVYDAAAQL', '1'), ('KVAEL', '0')]
    """
    records = list(_records(source, faults))
    headers = {header for header, _, _ in records}
    if label is None and len(headers) == len(records) > _MAX_DISTINCT_LABELS:
        raise UsageError(
            f"{source.name}: no two headers are alike, so they are names, not labels; give a file or a folder for each "
            "class (--label file, --label folder), or write the label alone after the >"
        )
    for header, letters, line in records:
        yield LabelledText("".join(letters), header if label is None else label, {"line": line})


def _records(source: Source, faults: Faults) -> Iterator[tuple[str, list[str], int]]:
    record: tuple[str, list[str], int] | None = None
    broken = False
    for number, line in enumerate(iter_lines(decode(source.data, source.name)), start=1):
        line = line.strip()
        if line.startswith(">"):
            if record is not None and not broken:
                yield record
            record, broken = (line[1:].strip(), [], number), False
        elif record is None and line:
            hint = "a FASTA file begins with > and a header"
            raise DataError(
                f"expected a line that begins with >, got {line[:30]!r}", source=source.name, line=number, hint=hint
            )
        elif record is not None:
            known = _LETTERS.match(line)
            end = known.end() if known else 0
            if end < len(line) and not broken:
                broken = True
                faults.handle(DataError(f"expected letters, got {line[end]!r}", source=source.name, line=number))
            record[1].append(line)
    if record is not None and not broken:
        yield record
