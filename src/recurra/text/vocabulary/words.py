"""Units that are words, with <unk> for those that are not known."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Literal, Self, cast

import numpy as np
import numpy.typing as npt
import regex

from recurra.errors import RunError, UsageError
from recurra.text.vocabulary.base import (
    MARKS,
    VERSION,
    Decoder,
    Vocabulary,
    check_at_least,
    check_id,
    expect_keys,
    expect_units,
    most_frequent,
    normal_form,
)
from recurra.text.vocabulary.spacing import CJK, Spacer

Split = Literal["space", "punctuation"]

UNKNOWN_WORD = "<unk>"
LINE_BREAK = "\n"
_UNKNOWN_ID = len(MARKS)
_FIRST_WORD = _UNKNOWN_ID + 1

_SPACED = re.compile(r"\r\n|[\r\n]|\S+")
_RAW = regex.compile(
    rf"""
      \r\n | [\r\n]
    | </?[A-Za-z][A-Za-z_-]*>                               # <unk>, <br>
    | [{CJK}] \p{{M}}*                                      # 春, が
    | (?: \p{{L}}\. ){{2,}}                                 # U.S.
    | [[\p{{L}}\p{{M}}\p{{N}}_\u200c\u200d]--[{CJK}]]+      # a word and what may join two parts of it:
      (?: (?: ['’‐‑-] | (?<=\p{{N}})[.,:](?=\p{{N}}) )      # don't, well-known, 3.14, 1,000
          [[\p{{L}}\p{{M}}\p{{N}}_\u200c\u200d]--[{CJK}]]+ )*
    | \.{{2,}} | -{{2,}} | …+ | —+                          # a dash or an ellipsis, however long
    | \p{{GCB=Prepend}}                                      # would take the space after it along
    | (?![\s\x1c-\x1f]) \X                                   # any other mark or emoji
    """,
    regex.VERBOSE | regex.V1,
)


class WordVocabulary(Vocabulary):
    r"""Words, id 2 for the unknown one, and the end of a line, "\n", as a word of its own.

    `split` says what a word is. "space": whatever stands between white space, for text that is tokenised already, as
    the Penn treebank is. "punctuation": words and numbers (don't, well-known and 3.14 whole), each other mark by itself,
    tags such as <unk> whole, and each Chinese or Japanese character by itself, since no space is written between them.

    >>> vocabulary = WordVocabulary.build(["a cat, a dog\n"], min_count=1)
    >>> vocabulary.split, [vocabulary.label(id) for id in vocabulary.encode("a dog, a bird\n")]
    ('punctuation', ['a', 'dog', ',', 'a', '<unk>', '<eos>'])
    >>> vocabulary.decode(vocabulary.encode("a   dog, a bird\n"))
    'a dog, a <unk>\n'
    """

    unit = "word"
    unknown_id = _UNKNOWN_ID
    settings = frozenset({"min_count", "max_size", "split"})

    def __init__(self, words: Sequence[str], split: Split) -> None:
        """Take the words, in the order of their ids (from 3), without <unk>; they must be distinct."""
        self.words = list(words)
        self.split: Split = split
        self.size = _FIRST_WORD + len(self.words)
        self._ids = {UNKNOWN_WORD: _UNKNOWN_ID} | {word: id for id, word in enumerate(self.words, _FIRST_WORD)}
        self._texts = ["", "", UNKNOWN_WORD, *self.words]
        self.line_break_id = self._ids.get(LINE_BREAK)

    @classmethod
    def build(
        cls,
        texts: Sequence[str],
        *,
        min_count: int | None = None,
        max_size: int | None = None,
        split: Split | Literal["auto"] = "auto",
    ) -> Self:
        """Take the words that come at least `min_count` times, the most frequent first, at most `max_size` ids in all.

        `min_count` is 1 where the text has <unk> in it already and 2 where not, so that <unk> is met in training.
        The line's end is kept whatever its count.
        """
        if split not in ("auto", "space", "punctuation"):
            raise UsageError(f"split: expected auto, space or punctuation, got {split!r}")
        if min_count is not None:
            check_at_least("min_count", min_count, 1)
        if max_size is not None:
            check_at_least("max_size", max_size, _FIRST_WORD + 1, " (two marks, <unk> and the line's end)")
        texts = [normal_form(text) for text in texts]
        chosen = guess_split(texts) if split == "auto" else split
        counts: Counter[str] = Counter()
        for text in texts:
            for block in _blocks(text):
                counts.update(split_words(block, chosen))
        if min_count is None:
            min_count = 1 if UNKNOWN_WORD in counts else 2
        del counts[UNKNOWN_WORD]
        lines = counts[LINE_BREAK]
        words = most_frequent(counts.items(), min_count)
        if max_size is not None:
            words = words[: max_size - _FIRST_WORD]
        if lines and LINE_BREAK not in words:
            room = len(words) if max_size is None else max_size - _FIRST_WORD - 1
            words = [*words[:room], LINE_BREAK]
        return cls(words, chosen)

    def _encode(self, text: str) -> Iterator[npt.NDArray[np.int32]]:
        ids = self._ids
        for block in _blocks(text):
            yield np.array([ids.get(word, _UNKNOWN_ID) for word in split_words(block, self.split)], dtype=np.int32)

    def label(self, id: int) -> str:
        text = self._texts[check_id(id, self.size)]
        return MARKS[id] if id < len(MARKS) else "<eos>" if text == LINE_BREAK else text

    def decoder(self) -> Decoder:
        return WordDecoder(self._texts, Spacer(apart=self.split == "space"))

    def decoder_after(self, text: str) -> Decoder:
        r"""Return a decoder that writes a space before its first word where one belongs and the text has none yet.

        >>> vocabulary = WordVocabulary.build(["the cat"], min_count=1)
        >>> cat = vocabulary.encode("cat")[0]
        >>> [vocabulary.decoder_after(text).push(cat) for text in ("the", "the ", "the\n", "")]
        [' cat', 'cat', 'cat', 'cat']
        """
        spacer = Spacer(apart=self.split == "space")
        for word in split_words(normal_form(text), self.split):
            spacer.space_before(word)
        if text[-1:].isspace():
            spacer.space_written()
        return WordDecoder(self._texts, spacer)

    def to_json(self) -> dict[str, Any]:
        return {"unit": self.unit, "version": VERSION, "split": self.split, "words": self.words}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        expect_keys(document, {"split", "words"})
        split = document["split"]
        if split not in ("space", "punctuation"):
            raise RunError(f"split: expected space or punctuation, got {split!r}")
        words = expect_units(document["words"], "words")
        for place, word in enumerate(words):
            if word == UNKNOWN_WORD or (word != LINE_BREAK and word.split() != [word]):
                raise RunError(f"words[{place}]: expected one word, got {word!r}")
        return cls(words, cast("Split", split))


class WordDecoder(Decoder):
    """Joins words by spaces where they belong; nothing is held back, since a space is written before the next word."""

    def __init__(self, texts: Sequence[str], spacer: Spacer) -> None:
        self._texts, self._spacer = texts, spacer

    def push(self, id: int) -> str:
        text = self._texts[check_id(id, len(self._texts))]
        return self._spacer.space_before(text) + text if text else ""

    def flush(self) -> str:
        self._spacer.reset()
        return ""


def split_words(text: str, split: Split) -> list[str]:
    r"""Cut a text into words; the end of a line (\n, \r\n or \r) is the word "\n".

    >>> split_words("It's “3.14”, isn't it? 春眠。", "punctuation")
    ["It's", '“', '3.14', '”', ',', "isn't", 'it', '?', '春', '眠', '。']
    >>> split_words(" mr. <unk> is n't \n", "space")
    ['mr.', '<unk>', 'is', "n't", '\n']
    """
    words = (_SPACED if split == "space" else _RAW).findall(text)
    if "\r" in text:
        words = [LINE_BREAK if word in ("\r\n", "\r") else word for word in words]
    return words


_BLOCK_CHARACTERS = 1 << 20


def _blocks(text: str) -> Iterator[str]:
    r"""Cut a long text behind line ends, where no word goes on, so that few words are held at a time."""
    start = 0
    while start < len(text):
        end = text.find("\n", start + _BLOCK_CHARACTERS) + 1 or len(text)
        yield text[start:end]
        start = end


_CHARACTERS_SAMPLED = 1 << 18
_ATTACHED = regex.compile(r"[\p{L}\p{N}][,;:!?][\"'”’)\]]*(?=\s|$)")
_SENTENCE_END = regex.compile(r"[\p{L}\p{N}][.!?][\"'”’)\]]*[^\S\n]*$", regex.MULTILINE)
_CJK_RUN = regex.compile(rf"[{CJK}]+", regex.V1)


def guess_split(texts: Sequence[str]) -> Split:
    """Return "space" for text that is tokenised already, else "punctuation", by the first quarter of a million characters.

    Text is raw when marks hang on words (a comma or its like after one word in a hundred, or a full stop at the end of
    every fifth line), or when Chinese or Japanese runs on without spaces (more than three characters on average).

    >>> guess_split(["the cat , the dog ."]), guess_split(["The cat, the dog."]), guess_split(["春眠不觉晓"])
    ('space', 'punctuation', 'punctuation')
    """
    sample: list[str] = []
    room = _CHARACTERS_SAMPLED
    for text in texts:
        sample.append(text[:room])
        room -= len(sample[-1])
        if room <= 0:
            break
    text = "\n".join(sample)
    runs = [len(run) for run in _CJK_RUN.findall(text)]
    if runs and sum(runs) > 3 * len(runs):
        return "punctuation"
    attached = len(_ATTACHED.findall(text))
    ended = len(_SENTENCE_END.findall(text))
    lines = sum(1 for line in text.splitlines() if line.strip())
    raw = attached * 100 > len(text.split()) or ended * 5 > lines
    return "punctuation" if raw else "space"
