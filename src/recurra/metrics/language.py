"""The figures of a language model, gathered from the log-probabilities of ids as they come."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from recurra.errors import DivergedError, UsageError
from recurra.metrics.base import Metric, register_metric

LOG_PROB_SLACK = 1e-4  # how far above 0 the rounding of float32 or bfloat16 scores may put a log-probability


register_metric(
    Metric(
        "perplexity",
        "perplexity",
        rank=10,
        lower_is_better=True,
        digits=2,
        logarithmic=True,
        gloss="At each step the model is as unsure as if it had to choose among {value} equally likely units.",
    ),
    Metric("bits_per_char", "bits per character", rank=320, lower_is_better=True, unit="bits"),
    Metric("bits_per_byte", "bits per byte", rank=330, lower_is_better=True, unit="bits"),
)


@dataclass
class LanguageScore:
    """Sums over a text, from which every figure follows; the sums are float64 and grow with each `add`.

        nll = −Σ log p / units      perplexity = exp(nll)
        bits_per_char = −Σ log₂ p / characters      bits_per_byte = −Σ log₂ p / bytes

    A unit can be several ids (the bytes of a character that the vocabulary does not have): it counts once, and it was
    predicted rightly only when each of its ids was. The probability of all ids counts in all figures, so texts in
    different units can be compared by bits per character or per byte, as long as the ids say all that the text says: where
    some stand for whatever is unknown (<unk>), leave `characters` and `bytes` at 0. A document's end mark is a unit without
    characters.

    Score a text in as many pieces as you like, in its order and each id once; give every row of a batch a score of its
    own, and `merge` them.

    Attributes:
        log_prob: Σ log p, nats.
        units: what `nll`, `perplexity` and `accuracy` are means over.
        characters: graphemes of the text. 0 leaves `bits_per_char` out.
        bytes: of the text in UTF-8. 0 leaves `bits_per_byte` out.
        right: units predicted rightly, or None while it is not known.

    >>> text = LanguageScore()
    >>> _ = text.add(np.log([0.5, 0.25]), characters=2, bytes=6)
    >>> _ = text.add(np.log([0.5]), characters=1, bytes=3)
    >>> {name: round(value, 4) for name, value in text.metrics().items()}
    {'nll': 0.9242, 'perplexity': 2.5198, 'bits_per_char': 1.3333, 'bits_per_byte': 0.4444}
    """

    log_prob: float = 0.0
    units: int = 0
    characters: int = 0
    bytes: int = 0
    right: int | None = None
    _last_right: bool | None = field(default=None, repr=False)

    def add(
        self,
        log_probs: np.ndarray,
        starts: np.ndarray | None = None,
        *,
        characters: int = 0,
        bytes: int = 0,
        correct: np.ndarray | None = None,
    ) -> Self:
        """Take in the next ids of the text.

        Args:
            log_probs: natural log-probability of each id, (T,).
            starts: True where an id begins a unit, (T,) (`Vocabulary.starts`); None when every id does.
            characters: graphemes that these ids stand for.
            bytes: UTF-8 bytes that these ids stand for.
            correct: True where the id was the likeliest one, (T,): needed for the accuracy, and then in every call.

        Raises:
            DivergedError: a log-probability is infinite or not a number.
            UsageError: a log-probability above 0, lengths that differ, or `correct` given in some calls only.
        """
        values = np.asarray(log_probs, np.float64)
        begins = np.ones(len(values), bool) if starts is None else np.asarray(starts, bool)
        for name, other in (("starts", begins), ("correct", correct)):
            if other is not None and len(other) != len(values):
                raise UsageError(
                    f"{name}: expected one mark for each of {len(values)} log-probabilities, got {len(other)}"
                )
        if not np.isfinite(values).all():
            place = int(np.flatnonzero(~np.isfinite(values))[0])
            raise DivergedError(f"expected finite log-probabilities, got {values[place]} at id {place} of these")
        if len(values) and values.max() > LOG_PROB_SLACK:
            raise UsageError(f"log_probs: expected natural logs of probabilities (at most 0), got {values.max():.6g}")
        self._count_right(begins, correct)
        self.log_prob += float(values.sum())
        self.units += int(begins.sum())
        self.characters += characters
        self.bytes += bytes
        return self

    def _count_right(self, begins: np.ndarray, correct: np.ndarray | None) -> None:
        if not len(begins):
            return
        if (correct is None) != (self.right is None) and self.units:
            raise UsageError("correct: expected in every call or in none, got it in some only")
        if correct is None:
            return
        marks = np.asarray(correct, bool)
        right = self.right or 0
        units = np.flatnonzero(begins)
        opened = units[0] if len(units) else len(begins)
        if opened:
            if self._last_right is None:
                raise UsageError(
                    "starts: expected the first id of a text to begin a unit, got one that goes on with it"
                )
            # The ids before the first start belong to a unit of the piece before, which was counted there.
            goes_on = self._last_right and bool(marks[:opened].all())
            right -= self._last_right and not goes_on
            self._last_right = goes_on
        if len(units):
            whole = np.logical_and.reduceat(marks, units)
            right += int(whole.sum())
            self._last_right = bool(whole[-1])
        self.right = right

    def merge(self, other: LanguageScore) -> Self:
        """Take in all that another score has, such as that of the next row of a batch.

        Raises:
            UsageError: one of the two has an accuracy and the other has none.
        """
        if self.units and other.units and (self.right is None) != (other.right is None):
            raise UsageError("merge: expected an accuracy in both scores or in none, got it in one only")
        if other.units:
            self.right = None if other.right is None else (self.right or 0) + other.right
            self._last_right = other._last_right
        self.log_prob += other.log_prob
        self.units += other.units
        self.characters += other.characters
        self.bytes += other.bytes
        return self

    def metrics(self) -> dict[str, float]:
        """The figures by name; a perplexity too large for a float is given as the largest float.

        Raises:
            UsageError: nothing was added.
        """
        if not self.units:
            raise UsageError("expected at least one unit to measure, got none: is the text empty?")
        nll = max(0.0, -self.log_prob / self.units)
        largest = sys.float_info.max
        metrics = {"nll": nll, "perplexity": math.exp(nll) if nll < math.log(largest) else largest}
        for name, count in (("bits_per_char", self.characters), ("bits_per_byte", self.bytes)):
            if count:
                metrics[name] = max(0.0, -self.log_prob / math.log(2) / count)
        if self.right is not None:
            metrics["accuracy"] = self.right / self.units
        return metrics
