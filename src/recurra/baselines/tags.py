"""The tagger to beat: each word's commonest tag."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Self

from recurra.baselines.titles import register_baseline
from recurra.errors import UsageError


@register_baseline
class MostFrequentTag:
    """The commonest tag of the word; of the word in lower case, where the word is new; else the commonest tag of all.

    Of equally common tags the first one seen counts. For steps that have no word, such as frames, give each the same one:
    then every tag is the commonest of all.

    >>> model = MostFrequentTag().fit([["The", "dog", "barks"]], [["DET", "NOUN", "VERB"]])
    >>> model.predict([["the", "Dog", "sleeps"]])
    [['DET', 'NOUN', 'DET']]
    """

    name = "most-frequent-tag"
    title = "most frequent tag of the word"

    def __init__(self) -> None:
        self._word: dict[str, str] = {}
        self._lower: dict[str, str] = {}
        self._all: str | None = None

    def fit(self, sentences: Sequence[Sequence[str]], tags: Sequence[Sequence[str]]) -> Self:
        """Count the tags of each word.

        Raises:
            UsageError: no words, or another number of tags than of words.
        """
        words: defaultdict[str, Counter[str]] = defaultdict(Counter)
        lowers: defaultdict[str, Counter[str]] = defaultdict(Counter)
        whole: Counter[str] = Counter()
        if len(sentences) != len(tags):
            raise UsageError(f"tags: expected those of {len(sentences)} sentences, got {len(tags)}")
        for number, (sentence, marks) in enumerate(zip(sentences, tags, strict=True)):
            if len(sentence) != len(marks):
                raise UsageError(f"tags: expected {len(sentence)} in sentence {number}, got {len(marks)}")
            whole.update(marks)
            for word, tag in zip(sentence, marks, strict=True):
                words[word][tag] += 1
                lowers[word.lower()][tag] += 1
        if not whole:
            raise UsageError("sentences: expected at least one word to learn from, got none: is the data empty?")
        self._word = {word: counts.most_common(1)[0][0] for word, counts in words.items()}
        self._lower = {word: counts.most_common(1)[0][0] for word, counts in lowers.items()}
        self._all = whole.most_common(1)[0][0]
        return self

    def predict(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """Give a tag for each word."""
        commonest = self._all
        if commonest is None:
            raise UsageError("MostFrequentTag has learnt nothing yet: call fit first")
        return [
            [self._word.get(word) or self._lower.get(word.lower()) or commonest for word in sentence]
            for sentence in sentences
        ]
