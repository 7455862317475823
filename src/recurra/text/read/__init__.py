"""Reading text: from the files a user names to a corpus, and to texts with labels and words with tags."""

from recurra.text.read.decode import decode, known_encoding, normalise
from recurra.text.read.documents import Corpus, Documents, PlainTextError, read_corpus
from recurra.text.read.fasta import read_fasta
from recurra.text.read.faults import Faults, OnError
from recurra.text.read.guess import guess_fields, label_field, sample_of
from recurra.text.read.lines import first_word, lines_of, read_lines, read_prefixed, read_whole
from recurra.text.read.pieces import LabelledText
from recurra.text.read.records import columns_of, read_labelled_records, record_kind, rows_of
from recurra.text.read.sources import STANDARD_INPUT, Source, open_sources, record_file
from recurra.text.read.tables import Place, Row, has_decimal_commas, listed, missing
from recurra.text.read.tagged import (
    CONLLU,
    TaggedWords,
    conllu_column,
    list_fields,
    read_columns,
    read_conllu,
    read_lists,
)
from recurra.text.read.trees import is_tree, read_trees
from recurra.text.read.unpack import COMPRESSIONS

__all__ = [
    "COMPRESSIONS",
    "CONLLU",
    "STANDARD_INPUT",
    "Corpus",
    "Documents",
    "Faults",
    "LabelledText",
    "OnError",
    "Place",
    "PlainTextError",
    "Row",
    "Source",
    "TaggedWords",
    "columns_of",
    "conllu_column",
    "decode",
    "first_word",
    "guess_fields",
    "has_decimal_commas",
    "is_tree",
    "known_encoding",
    "label_field",
    "lines_of",
    "list_fields",
    "listed",
    "missing",
    "normalise",
    "open_sources",
    "read_columns",
    "read_conllu",
    "read_corpus",
    "read_fasta",
    "read_labelled_records",
    "read_lines",
    "read_lists",
    "read_prefixed",
    "read_trees",
    "read_whole",
    "record_file",
    "record_kind",
    "rows_of",
    "sample_of",
]
