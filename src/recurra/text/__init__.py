"""Text: reading it from files, and the vocabularies that turn it into numbers and back."""

from recurra.text.read import Corpus, PlainTextError, read_corpus
from recurra.text.vocabulary import UNITS, Decoder, Vocabulary, build_vocabulary, load_vocabulary
from recurra.text.vocabulary.graphemes import count_graphemes

__all__ = [
    "UNITS",
    "Corpus",
    "Decoder",
    "PlainTextError",
    "Vocabulary",
    "build_vocabulary",
    "count_graphemes",
    "load_vocabulary",
    "read_corpus",
]
