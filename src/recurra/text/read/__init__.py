"""Reading text: from the files a user names to a corpus, and to texts with labels and words with tags."""

from recurra.text.read.allowance import Allowance
from recurra.text.read.decode import decode, detect_encoding, find_defect, iter_lines, normalise
from recurra.text.read.documents import Corpus, DocumentMode, PlainTextError, read_corpus
from recurra.text.read.fasta import read_fasta
from recurra.text.read.faults import Faults, OnError, handled
from recurra.text.read.guess import LABEL_NAMES, TEXT_NAMES, guess_fields, label_field, sample_records
from recurra.text.read.labelled_text import LabelledText
from recurra.text.read.lines import (
    file_lines,
    numbered_lines,
    read_lines,
    read_prefixed,
    read_suffixed,
    read_whole,
    split_first_word,
    split_last,
    split_lines,
)
from recurra.text.read.parquet import parquet_batches
from recurra.text.read.records import flatten, iter_rows, read_labelled_records, record_kind_from_content, table_columns
from recurra.text.read.sources import STANDARD_INPUT, Source, open_sources, record_kind_from_name
from recurra.text.read.tables import (
    LAST_COLUMN,
    Place,
    Row,
    fields_message,
    first_rows,
    has_decimal_commas,
    missing_field_error,
    resolve_column,
    whole_number,
)
from recurra.text.read.tagged import (
    CONLLU,
    TaggedWords,
    conllu_column_index,
    guess_list_fields,
    read_conll,
    read_conllu,
    read_lists,
)
from recurra.text.read.tmx import read_tmx
from recurra.text.read.trees import is_tree, read_trees
from recurra.text.read.unnamed import guess_unnamed
from recurra.text.read.unpack import COMPRESSIONS, base_name, is_archive, is_hidden, members
from recurra.text.read.xml import local_name, parse_xml

__all__ = [
    "COMPRESSIONS",
    "CONLLU",
    "LABEL_NAMES",
    "LAST_COLUMN",
    "STANDARD_INPUT",
    "TEXT_NAMES",
    "Allowance",
    "Corpus",
    "DocumentMode",
    "Faults",
    "LabelledText",
    "OnError",
    "Place",
    "PlainTextError",
    "Row",
    "Source",
    "TaggedWords",
    "base_name",
    "conllu_column_index",
    "decode",
    "detect_encoding",
    "fields_message",
    "file_lines",
    "find_defect",
    "first_rows",
    "flatten",
    "guess_fields",
    "guess_list_fields",
    "guess_unnamed",
    "handled",
    "has_decimal_commas",
    "is_archive",
    "is_hidden",
    "is_tree",
    "iter_lines",
    "iter_rows",
    "label_field",
    "local_name",
    "members",
    "missing_field_error",
    "normalise",
    "numbered_lines",
    "open_sources",
    "parquet_batches",
    "parse_xml",
    "read_conll",
    "read_conllu",
    "read_corpus",
    "read_fasta",
    "read_labelled_records",
    "read_lines",
    "read_lists",
    "read_prefixed",
    "read_suffixed",
    "read_tmx",
    "read_trees",
    "read_whole",
    "record_kind_from_content",
    "record_kind_from_name",
    "resolve_column",
    "sample_records",
    "split_first_word",
    "split_last",
    "split_lines",
    "table_columns",
    "whole_number",
]
