"""Text: reading it from files, and the vocabularies that turn it into numbers and back."""

from recurra.text.read import Corpus, read_corpus

__all__ = ["Corpus", "read_corpus"]
