"""Reading text: from the files a user names to a corpus."""

from recurra.text.read.documents import Corpus, Documents, PlainTextError, read_corpus
from recurra.text.read.faults import OnError

__all__ = ["Corpus", "Documents", "OnError", "PlainTextError", "read_corpus"]
