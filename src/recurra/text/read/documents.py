"""Files to a corpus: one long text, or documents that have a begin and an end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Literal, get_args

from recurra.errors import DataError, UsageError
from recurra.text.read.decode import decode, find_defect, iter_lines, normalise
from recurra.text.read.faults import Faults, OnError
from recurra.text.read.records import read_records, record_kind_from_content, text_fields
from recurra.text.read.sources import STANDARD_INPUT, Source, open_sources
from recurra.text.read.tables import fields_message

DocumentMode = Literal["auto", "none", "line", "file", "blank", "record"]


class PlainTextError(UsageError):
    """Plain text where records with a field were expected."""


@dataclass(frozen=True)
class Corpus:
    """Text that was read, in NFC and with "\\n" as the only line break."""

    documents: list[str]  # exactly one when `continuous`
    continuous: bool  # one long text without begin and end; otherwise no state leaks from a document into another
    sources: list[str]  # the files that gave text
    skipped: list[str]  # a message for each file, row or line that was left out


def read_corpus(
    arguments: Sequence[str | Path],
    *,
    field: str | None = None,
    documents: DocumentMode = "auto",
    on_error: OnError = "stop",
) -> Corpus:
    """Read text from files, folders, globs, archives and standard input ("-"), compressed or not.

    `field` names the field of JSON, JSONL, CSV, TSV and Parquet records that is the text; dots lead into nested
    objects, and a list of strings is joined with line breaks. `documents` says where one document ends:

    - `none`: nowhere, all files are one long text, with a line break between two files
    - `line`: every line that is not blank; `blank`: blank lines separate; `file`: every file; `record`: every record
    - `auto`: `record` when there is a field, otherwise `none`

    In a folder, an archive or a glob every file counts that is neither hidden nor binary (by its first 8 KB); what is left
    out is listed in `skipped`, as are records without text. With a `field`, only record files count there.
    Raises `UsageError` for arguments that do not fit each other and `DataError`, with file and line, row or byte, for
    the first thing that cannot be used; `on_error="skip"` lists such rows, lines and files instead.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "poems.jsonl")
    ...     _ = path.write_text('{"lines": ["白日依山盡", "黃河入海流"]}', encoding="utf-8")
    ...     read_corpus([path], field="lines").documents
    ['白日依山盡\\n黃河入海流']
    """
    faults = Faults(on_error)
    mode = _mode(documents, field)
    texts: list[str] = []
    sources: list[str] = []
    for source in open_sources(arguments, faults):
        count = len(texts)
        try:
            # A loop, so that what came before a fault is kept when faults are skipped.
            for text in _documents_of(source, field, mode, faults):
                texts.append(text)
        except DataError as error:
            faults.handle(error)
        if len(texts) > count:
            sources.append(source.name)
    if not texts:
        raise _no_text_error(arguments, faults.skipped)
    if mode == "none":
        texts = [_concatenate(texts)]
    return Corpus(texts, mode == "none", sources, faults.skipped)


def _mode(documents: DocumentMode, field: str | None) -> DocumentMode:
    if documents not in get_args(DocumentMode):
        expected = ", ".join(get_args(DocumentMode))
        raise UsageError(f"documents: expected one of {expected}, got {documents!r}")
    if field is not None and not field:
        raise UsageError("the name of the field that holds the text is empty")
    if documents == "record" and field is None:
        raise UsageError(f"documents = record: {_NAME_FIELD}, or cut plain text by line, blank or file")
    return ("none" if field is None else "record") if documents == "auto" else documents


_NAME_FIELD = "say which field of a record holds the text (--text FIELD on the command line, field=... in Python)"


def _documents_of(source: Source, field: str | None, mode: DocumentMode, faults: Faults) -> Iterator[str]:
    if field is not None and source.name == STANDARD_INPUT:
        source = replace(source, kind=record_kind_from_content(source.data))
    if source.kind == "text":
        if field is None:
            yield from _cut_file(source, mode, faults)
        elif source.found:
            faults.skip(f"{source.name}: plain text, without a field '{field}'")
        else:
            raise PlainTextError(
                f"{source.name}: is plain text and has no field '{field}'; leave --text out, or give the file "
                "the suffix of what it is: .json .jsonl .csv .tsv .parquet"
            )
    elif field is None:
        raise _field_needed_error(source)
    elif mode in ("record", "none"):
        yield from (record.text for record in read_records(source, field, faults))
    elif mode == "file":
        whole = "\n".join(record.text for record in read_records(source, field, faults))
        yield from [whole] if whole else []
    else:
        for record in read_records(source, field, faults):
            yield from (text for _, text in _pieces(record.text, mode))


def _cut_file(source: Source, mode: DocumentMode, faults: Faults) -> Iterator[str]:
    """Cut plain text; where a file is one piece, one fault in it makes all of it useless, so that it is decoded strictly."""
    lenient = faults.skipping and mode in ("line", "blank")
    text = normalise(decode(source.data, source.name, lenient=lenient))
    if not text or text.isspace():
        error = DataError("holds only white space", source=source.name)
        if not source.found:
            raise error
        faults.skip(str(error))
    elif mode == "none":
        yield text
    elif mode == "file":
        yield text.removesuffix("\n")
    else:
        for line, piece in _pieces(text, mode):
            problem = find_defect(piece, lenient=True) if lenient else None
            if problem is None:
                yield piece
            else:
                faults.handle(DataError(problem, source=source.name, line=line))


def _pieces(text: str, mode: DocumentMode) -> Iterator[tuple[int, str]]:
    """Cut a text at its line breaks or its blank lines, each piece with the line (from 1) on which it begins."""
    # Only "\n" breaks a line: str.splitlines would also cut at form feeds and at U+2028.
    lines = enumerate(iter_lines(text), start=1)
    if mode == "line":
        yield from ((number, line) for number, line in lines if line and not line.isspace())
        return
    for blank, group in groupby(lines, key=lambda numbered: not numbered[1] or numbered[1].isspace()):
        if not blank:
            number, first = next(group)
            yield number, "\n".join([first, *(line for _, line in group)])


def _concatenate(texts: list[str]) -> str:
    ends = [text if text.endswith("\n") else text + "\n" for text in texts[:-1]]
    return "".join([*ends, texts[-1]])


def _field_needed_error(source: Source) -> UsageError:
    fields, likely = text_fields(source)
    there = f"; {fields_message(fields)}" if fields else ""
    example = f"; for example --text {likely}" if likely else ""
    other = "; or name only the files that are plain text" if source.found else ""
    return UsageError(f"{source.name}: {_NAME_FIELD}{there}{example}{other}")


def _no_text_error(arguments: Sequence[str | Path], skipped: list[str]) -> DataError:
    names = [str(argument) for argument in ([arguments] if isinstance(arguments, str | Path) else arguments)]
    where = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    shown = " | ".join(skipped[:3]) + (" | ..." if len(skipped) > 3 else "")
    return DataError(
        "holds no text to read", source=where, hint=f"{len(skipped)} left out: {shown}" if skipped else None
    )
