"""Words with a tag each: CoNLL columns, CoNLL-U, and records with two lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from recurra.errors import DataError, UsageError
from recurra.text.read.decode import decode, find_defect, iter_lines, normalise
from recurra.text.read.faults import Faults
from recurra.text.read.records import field_value, flatten, iter_rows
from recurra.text.read.sources import Source
from recurra.text.read.tables import Place, Row, fields_message, whole_number

CONLLU = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
MAX_SENTENCE_LINES = 1_000_000
_WORD_FIELDS = ("tokens", "words", "token", "word", "form")
_TAG_FIELDS = ("tags", "ner_tags", "pos_tags", "labels", "upos", "ner", "pos", "tag", "label")


@dataclass(frozen=True)
class TaggedWords:
    """A sentence: its words in NFC, a tag for each (None where the file has none), and where it begins."""

    words: list[str]
    tags: list[Any] | None
    place: Place


def conllu_column_index(column: int | str | None, default: str) -> int:
    """Give the number, from 0, of a column of CoNLL-U by its name or its number from 1.

    >>> conllu_column_index("upos", "form"), conllu_column_index(5, "form"), conllu_column_index(None, "form")
    (3, 4, 1)
    """
    column = default if column is None else column
    if isinstance(column, str):
        number = whole_number(column)
        column = column if number is None else number
    if isinstance(column, str) and column.lower() in CONLLU:
        return CONLLU.index(column.lower())
    if isinstance(column, int) and 1 <= column <= len(CONLLU):
        return column - 1
    raise UsageError(f"column: CoNLL-U has the columns {', '.join(CONLLU)}, or 1 to {len(CONLLU)}; got {column!r}")


def read_conllu(source: Source, words: int, tags: int, faults: Faults) -> Iterator[TaggedWords]:
    """Yield every sentence of a CoNLL-U file; words and tags are the numbers of columns, from 0.

    Ranges (1-2) and empty nodes (8.1) are left out. Tags that are "_" in every row of a sentence are none. Raises `DataError`,
    with the line, for a row that has not ten columns parted by tabs, and for ids that do not count 1, 2, 3.

    >>> data = b"# text = It's\\n1-2\\tIt's" + b"\\t_" * 8 + b"\\n1\\tIt\\tit\\tPRON" + b"\\t_" * 6 + b"\\n2\\t's\\tbe\\tAUX" + b"\\t_" * 6
    >>> sentence = next(read_conllu(Source("a.conllu", "conllu", data, False), 1, 3, Faults("stop")))
    >>> sentence.words, sentence.tags, sentence.place
    (['It', "'s"], ['PRON', 'AUX'], {'line': 2})
    """
    for block in _blocks(source):
        rows: list[list[str]] = []
        try:
            for number, line in block:
                cells = line.split("\t")
                if line.startswith("#"):
                    continue
                if len(cells) != len(CONLLU):
                    problem = f"expected {len(CONLLU)} columns parted by tabs, got {len(cells)}"
                    raise DataError(problem, source=source.name, line=number)
                if "-" in cells[0] or "." in cells[0]:
                    continue
                if cells[0] != str(len(rows) + 1):
                    raise DataError(
                        f"expected the id {len(rows) + 1}, got {cells[0]!r}", source=source.name, line=number
                    )
                rows.append([_word(cells[column], source, number) for column in (words, tags)])
        except DataError as error:
            faults.handle(error)
            continue
        if rows:
            place: Place = {"line": next(number for number, line in block if not line.startswith("#"))}
            named = [tag for _, tag in rows]
            yield TaggedWords([word for word, _ in rows], None if set(named) == {"_"} else named, place)


def read_conll(
    source: Source, words: int, tags: int | None, faults: Faults, *, need_tags: bool = True
) -> Iterator[TaggedWords]:
    """Yield every sentence of a file with a word a line; words and tags are the numbers of columns from 0, or from the end, −1.

    Columns are parted by tabs where the line has one, else by blanks; sentences by lines without words. Left out are
    -DOCSTART- and comments: lines that begin with # and have not as many columns as the others. Raises `DataError`, with the
    line, for a row that has not these columns or an empty cell there.

    >>> source = Source("a.conll", "text", b"-DOCSTART- O\\n\\n# id 7 of 9\\nParis\\tB-LOC\\n#tag\\tO\\n\\n", False)
    >>> list(read_conll(source, 0, -1, Faults("stop")))
    [TaggedWords(words=['Paris', '#tag'], tags=['B-LOC', 'O'], place={'line': 4})]
    """
    blocks = list(_blocks(source))
    counts = [len(_cells(line)) for block in blocks for _, line in block if not line.startswith(("#", "-DOCSTART-"))]
    width = max(set(counts), key=lambda count: (counts.count(count), count)) if counts else 0
    if width == 1 and not need_tags:
        tags = None
    needed = 1 + max(words, tags if tags is not None else 0)
    for block in blocks:
        rows: list[tuple[str, str]] = []
        start = 0
        try:
            for number, line in block:
                cells = _cells(line)
                if cells[0] == "-DOCSTART-" or (line.startswith("#") and len(cells) != width):
                    continue
                if len(cells) != width or needed > width:
                    hint = "a word and its tag stand on one line, parted by a tab or a blank"
                    problem = f"expected {max(width, needed)} columns, got {len(cells)}"
                    raise DataError(problem, source=source.name, line=number, hint=hint)
                if tags is not None and tags % width == words:
                    hint = "expected a column with tags beside the words"
                    raise DataError(
                        f"the words and the tags are both column {words + 1}",
                        source=source.name,
                        line=number,
                        hint=hint,
                    )
                start = start or number
                tag = "" if tags is None else _word(cells[tags], source, number, "tag")
                rows.append((_word(cells[words], source, number), tag))
        except DataError as error:
            faults.handle(error)
            continue
        if rows:
            named = None if tags is None else [tag for _, tag in rows]
            yield TaggedWords([word for word, _ in rows], named, {"line": start})


def _blocks(source: Source) -> Iterator[list[tuple[int, str]]]:
    """Cut a file at its blank lines; every line with its number, from 1."""
    block: list[tuple[int, str]] = []
    for number, line in enumerate(iter_lines(decode(source.data, source.name)), start=1):
        line = line.rstrip()
        if line.strip():
            block.append((number, line))
            if len(block) > MAX_SENTENCE_LINES:
                raise DataError(
                    f"expected an empty line after each sentence, got {MAX_SENTENCE_LINES:,} lines without one",
                    source=source.name,
                    line=block[0][0],
                )
        elif block:
            yield block
            block = []
    if block:
        yield block


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("\t")] if "\t" in line else line.split()


def _word(cell: str, source: Source, number: int, what: str = "word") -> str:
    cell = normalise(cell).strip()
    problem = f"the {what} is empty" if not cell else find_defect(cell)
    if problem:
        raise DataError(problem, source=source.name, line=number)
    return cell


def guess_list_fields(source: Source, words: str | None, tags: str | None, need_tags: bool) -> tuple[str, str | None]:
    """Give the fields with the list of words and the list of tags, by their names and by what the first record holds.

    Raises `UsageError`, listing the fields there are, where that leaves it open.
    """
    first = next(iter(iter_rows(source, (), Faults("skip"))), None)
    fields = dict(flatten(first.cells)) if first is not None and isinstance(first.cells, dict) else {}
    lists = [name for name, value in fields.items() if isinstance(value, list)]
    words = words or next((name for name in _WORD_FIELDS if name in lists), None)
    tags = tags or next((name for name in _TAG_FIELDS if name in lists and name != words), None)
    rest = [name for name in lists if name not in (words, tags)]
    if words is None and len(rest) == 1:
        words = rest[0]
    if tags is None and need_tags and len(rest) == 1 and rest[0] != words:
        tags = rest[0]
    if words is None or (tags is None and need_tags):
        what, flag = ("words", "--tokens") if words is None else ("tags", "--column")
        raise UsageError(
            f"{source.name}: cannot tell which field is the list of {what}; {fields_message(list(fields))}; name it: {flag} FIELD"
        )
    return words, tags


def read_lists(
    source: Source, words: str, tags: str | None, faults: Faults, *, need_tags: bool = True
) -> Iterator[TaggedWords]:
    """Yield every record that has a list of words and a list of as many tags.

    Raises `DataError`, with the line or row, for a field that is missing, that is no list of strings, or of another length.
    """
    for row in iter_rows(source, (), faults):
        try:
            yield _tagged_words(row, source, words, tags, need_tags)
        except DataError as error:
            faults.handle(error)


def _tagged_words(row: Row, source: Source, words: str, tags: str | None, need_tags: bool) -> TaggedWords:
    found = field_value(row, words, source)
    if not isinstance(found, list) or not all(isinstance(word, str) for word in found):
        raise DataError(f"field '{words}': expected a list of strings", source=source.name, **row.place)
    for word in found:
        problem = "is empty" if not word.strip() else find_defect(word)
        if problem:
            raise DataError(f"field '{words}': the word {word!r} {problem}", source=source.name, **row.place)
    clean = [normalise(word).strip() for word in found]
    if tags is None or (not need_tags and tags not in dict(flatten(row.cells))):
        return TaggedWords(clean, None, row.place)
    named = field_value(row, tags, source)
    if not isinstance(named, list) or len(named) != len(found):
        got = f"{len(named)}" if isinstance(named, list) else "no list"
        raise DataError(
            f"field '{tags}': expected {len(found)} tags, one a word, got {got}", source=source.name, **row.place
        )
    return TaggedWords(clean, named, row.place)
