"""How near captions come to what several people have written: BLEU-1 to 4, ROUGE-L and CIDEr-D, as the COCO evaluation has them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from recurra.errors import UsageError
from recurra.metrics.base import Metric, register_metric

MAX_ORDER = 4
"""Words of the longest n-gram that is compared."""
_SIGMA, _SCALE, _BETA = 6.0, 10.0, 1.2
_TINY, _SMALL = 1e-15, 1e-9

register_metric(
    Metric("cider", "CIDEr-D", rank=6, lower_is_better=False, gloss="n-grams shared, the rare ones counting more"),
    Metric("bleu_4", "BLEU-4", rank=7, lower_is_better=False, digits=1, versus="difference"),
    *(
        Metric(f"bleu_{order}", f"BLEU-{order}", lower_is_better=False, digits=1, versus="difference")
        for order in (1, 2, 3)
    ),
    Metric("rouge_l", "ROUGE-L", rank=8, lower_is_better=False, versus="difference"),
    Metric("distinct", "different captions", percent=True, versus="difference"),
    Metric("shuffled_bleu_4", "BLEU-4, pictures exchanged", digits=1, versus="difference"),
    Metric("shuffled_cider", "CIDEr-D, pictures exchanged"),
)

_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(
    rf"""[{_CJK}]
       | \d+(?:[.,:]\d+)+
       | (?:(?![{_CJK}])\w)+ (?: -(?:(?![{_CJK}_])\w)+ )*""",
    re.VERBOSE,
)
_PARTS = re.compile(r"(?<=\w)(n't|'(?:s|re|ve|ll|m|d))(?!\w)")


def caption_words(text: str) -> list[str]:
    """Cut a caption into words as the COCO evaluation does: in small letters, without punctuation, "n't" and "'s" apart.

    What no blanks part, Chinese and Japanese, is cut into characters.

    >>> caption_words("A man's T-shirt isn't red , it is blue ."), caption_words("一只猫。")
    (['a', 'man', "'s", 't-shirt', 'is', "n't", 'red', 'it', 'is', 'blue'], ['一', '只', '猫'])
    """
    words: list[str] = []
    for piece in _PARTS.split(text.lower().replace("\u2019", "'")):
        words += [piece] if _is_part(piece) else _WORD.findall(piece)
    return words


def _is_part(piece: str) -> bool:
    return piece == "n't" or (piece.startswith("'") and piece[1:] in ("s", "re", "ve", "ll", "m", "d"))


def join_caption_words(words: Sequence[str]) -> str:
    """Write words as a caption: what `caption_words` cuts apart stands together again.

    >>> join_caption_words(["a", "man", "'s", "dog"]), join_caption_words(["一", "只", "猫"])
    ("a man's dog", '一只猫')
    """
    text = ""
    for word in words:
        joined = _is_part(word) or (bool(text) and re.match(f"[{_CJK}]", word) and re.match(f"[{_CJK}]", text[-1]))
        text += word if joined or not text else f" {word}"
    return text


class CaptionScores:
    """What captions score beside their references; both are words.

    The n-grams of the references are counted once, for as many sets of captions as are compared with them.
    Raises `UsageError` where there is no picture, or one without a reference.

    >>> scores = CaptionScores([[["a", "dog", "runs"], ["the", "dog", "runs", "fast"]], [["a", "red", "ball"]]])
    >>> found = scores.measure([["a", "dog", "runs"], ["a", "blue", "ball"]])
    >>> round(found["bleu_1"], 1), round(found["rouge_l"], 3)
    (83.3, 0.833)
    """

    def __init__(self, references: Sequence[Sequence[Sequence[str]]]) -> None:
        if not references or not all(references):
            raise UsageError("references: expected at least one for each of some pictures, got none")
        self._lengths = [[len(words) for words in some] for some in references]
        self._words = references
        self._counts = [[_ngrams(words) for words in some] for some in references]
        documents = Counter(ngram for some in self._counts for ngram in set().union(*some))
        self._frequencies = {ngram: math.log(many) for ngram, many in documents.items()}
        self._log_pictures = math.log(len(references))
        self._most = [_most(some) for some in self._counts]
        self._vectors = [[self._vector(counts) for counts in some] for some in self._counts]

    def __len__(self) -> int:
        return len(self._counts)

    def measure(self, captions: Sequence[Sequence[str]]) -> dict[str, float]:
        """Give BLEU-1 to 4 (× 100), ROUGE-L and CIDEr-D of a caption for each picture; of one picture, whose words are all common, no CIDEr-D."""
        bleu = bleu_of(self.bleu_terms(captions).sum(0))
        return {
            **({"cider": float(np.mean(self.cider(captions)))} if len(captions) > 1 else {}),
            **{f"bleu_{order}": value for order, value in enumerate(bleu, 1)},
            "rouge_l": float(np.mean(self.rouge(captions))),
        }

    def measure_bleu(self, captions: Sequence[Sequence[str]]) -> float:
        """Give BLEU-4 alone."""
        return bleu_of(self.bleu_terms(captions).sum(0))[-1]

    def bleu_terms(self, captions: Sequence[Sequence[str]]) -> np.ndarray:
        """Give what BLEU is made of, (N, 10): of each caption the n-grams that are right, those there are, its length, the nearest reference's."""
        rows = np.zeros((self._check(captions), 2 * MAX_ORDER + 2))
        for row, words, most, lengths in zip(rows, captions, self._most, self._lengths, strict=True):
            for ngram, many in _ngrams(words).items():
                row[len(ngram) - 1] += min(many, most.get(ngram, 0))
            row[MAX_ORDER:-2] = [max(0, len(words) - order) for order in range(MAX_ORDER)]
            row[-2:] = len(words), min(lengths, key=lambda length: (abs(length - len(words)), length))
        return rows

    def rouge(self, captions: Sequence[Sequence[str]]) -> np.ndarray:
        """Give ROUGE-L of each caption (Lin 2004): the longest words in order that it shares, the best precision and recall of all references."""
        self._check(captions)
        found = np.zeros(len(captions))
        for number, (words, references) in enumerate(zip(captions, self._words, strict=True)):
            shared = [common_length(words, one) for one in references]
            precision = max(shared) / max(1, len(words))
            recall = max(many / max(1, len(one)) for many, one in zip(shared, references, strict=True))
            if precision and recall:
                found[number] = (1 + _BETA**2) * precision * recall / (recall + _BETA**2 * precision)
        return found

    def cider(self, captions: Sequence[Sequence[str]]) -> np.ndarray:
        """Give CIDEr-D of each caption (Vedantam et al. 2015, arXiv:1411.5726v2), × 10; how rare an n-gram is, these references say."""
        self._check(captions)
        found = np.zeros(len(captions))
        for number, (words, references) in enumerate(zip(captions, self._vectors, strict=True)):
            vector = self._vector(_ngrams(words))
            found[number] = _SCALE * float(np.mean([_likeness(vector, one) for one in references]))
        return found

    def _vector(self, counts: Counter[tuple[str, ...]]) -> tuple[list[dict[tuple[str, ...], float]], np.ndarray, int]:
        """Give the weights of n-grams by their order, the norms of these, and the length, as bigrams count it."""
        weights: list[dict[tuple[str, ...], float]] = [{} for _ in range(MAX_ORDER)]
        squares, length = np.zeros(MAX_ORDER), 0
        for ngram, many in counts.items():
            order = len(ngram) - 1
            weight = many * (self._log_pictures - self._frequencies.get(ngram, 0.0))
            weights[order][ngram] = weight
            squares[order] += weight**2
            length += many if order == 1 else 0
        return weights, np.sqrt(squares), length

    def _check(self, captions: Sequence[Sequence[str]]) -> int:
        if len(captions) != len(self._counts):
            raise UsageError(f"captions: expected one for each of {len(self._counts)} pictures, got {len(captions)}")
        return len(captions)


def bleu_of(terms: np.ndarray) -> list[float]:
    """Give BLEU-1 to 4, × 100, of the sum of `CaptionScores.bleu_terms` (Papineni et al. 2002; the nearest reference's length counts)."""
    right, there, (length, wanted) = terms[:MAX_ORDER], terms[MAX_ORDER:-2], terms[-2:]
    ratio = (length + _TINY) / (wanted + _SMALL)
    short = math.exp(1 - 1 / ratio) if ratio < 1 else 1.0
    product, found = 1.0, []
    for order in range(MAX_ORDER):
        product *= float((right[order] + _TINY) / (there[order] + _SMALL))
        found.append(100 * short * product ** (1 / (order + 1)))
    return found


def common_length(first: Sequence[str], second: Sequence[str]) -> int:
    """Count the words of the longest sequence that both have in order.

    >>> common_length("a b c d".split(), "b x d".split())
    2
    """
    row = [0] * (len(second) + 1)
    for word in first:
        before = 0
        for place, other in enumerate(second, 1):
            row[place], before = (before + 1 if word == other else max(row[place], row[place - 1])), row[place]
    return row[-1]


def _ngrams(words: Sequence[str]) -> Counter[tuple[str, ...]]:
    return Counter(
        tuple(words[start : start + order])
        for order in range(1, MAX_ORDER + 1)
        for start in range(len(words) - order + 1)
    )


def _most(some: Sequence[Counter[tuple[str, ...]]]) -> dict[tuple[str, ...], int]:
    most: dict[tuple[str, ...], int] = {}
    for counts in some:
        for ngram, many in counts.items():
            most[ngram] = max(many, most.get(ngram, 0))
    return most


def _likeness(one: tuple, other: tuple) -> float:
    weights, norms, length = one
    references, reference_norms, reference_length = other
    values = np.zeros(MAX_ORDER)
    for order in range(MAX_ORDER):
        known = references[order]
        shared = sum(
            min(weight, known[ngram]) * known[ngram] for ngram, weight in weights[order].items() if ngram in known
        )
        norm = norms[order] * reference_norms[order]
        values[order] = shared / norm if norm else shared
    return float(values.mean()) * math.exp(-((length - reference_length) ** 2) / (2 * _SIGMA**2))
