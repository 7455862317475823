"""Reading text: from the files a user names to a corpus, and to texts with labels."""

from recurra.text.read.decode import decode, known_encoding, normalise
from recurra.text.read.documents import Corpus, Documents, PlainTextError, read_corpus
from recurra.text.read.faults import Faults, OnError
from recurra.text.read.guess import guess_fields
from recurra.text.read.lines import lines_of, read_lines, read_whole
from recurra.text.read.pieces import LabelledText
from recurra.text.read.records import read_labelled_records, record_kind
from recurra.text.read.sources import STANDARD_INPUT, Source, open_sources, record_file
from recurra.text.read.tables import Place

__all__ = [
    "STANDARD_INPUT",
    "Corpus",
    "Documents",
    "Faults",
    "LabelledText",
    "OnError",
    "Place",
    "PlainTextError",
    "Source",
    "decode",
    "guess_fields",
    "known_encoding",
    "lines_of",
    "normalise",
    "open_sources",
    "read_corpus",
    "read_labelled_records",
    "read_lines",
    "read_whole",
    "record_file",
    "record_kind",
]
