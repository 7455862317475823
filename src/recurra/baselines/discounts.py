"""What Kneser–Ney smoothing takes from every count, estimated from the counts of counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Estimate = Literal["modified", "single", "fixed"]


@dataclass(frozen=True)
class Discounts:
    """The discounts of one order, and how they were found.

    With n_c the number of n-grams that were seen c times, after Chen & Goodman 1998 (TR-10-98, equations 17 and 26):

        Y = n₁ / (n₁ + 2 n₂)      D₁ = 1 − 2 Y n₂/n₁      D₂ = 2 − 3 Y n₃/n₂      D₃₊ = 3 − 4 Y n₄/n₃

    Small or regular data give counts of counts with which this cannot be worked out. Then, and `estimate` tells it:

    - "modified": the three discounts above; they need n₁ … n₄ > 0 and 0 < D_c < c.
    - "single": D = Y for every count (Ney, Essen & Kneser 1994); it needs n₁, n₂ > 0.
    - "fixed": D = ½ for every count.

    Attributes:
        values: D₁, D₂, D₃₊.
        counts: n₁, n₂, n₃, n₄.
        estimate: which of the three it is.
    """

    values: tuple[float, float, float]
    counts: tuple[int, int, int, int]
    estimate: Estimate

    @classmethod
    def from_counts(cls, counts: np.ndarray) -> Discounts:
        """Estimate the discounts of one order from the count of each of its n-grams; zeros are passed over.

        >>> Discounts.from_counts(np.array([4, 3, 1, 2, 2, 2, 1]))
        Discounts(values=(0.25, 1.75, 2.0), counts=(2, 3, 1, 1), estimate='modified')
        >>> Discounts.from_counts(np.array([1, 1, 2])).estimate, Discounts.from_counts(np.array([7, 9])).estimate
        ('single', 'fixed')
        """
        n1, n2, n3, n4 = (int(n) for n in np.bincount(np.minimum(counts, 5), minlength=6)[1:5])
        seen = (n1, n2, n3, n4)
        if n1 == 0 or n2 == 0:
            return cls((0.5, 0.5, 0.5), seen, "fixed")
        single = n1 / (n1 + 2 * n2)
        if n3 and n4:
            modified = (1 - 2 * single * n2 / n1, 2 - 3 * single * n3 / n2, 3 - 4 * single * n4 / n3)
            if all(0 < value < count for count, value in enumerate(modified, start=1)):
                return cls(modified, seen, "modified")
        return cls((single, single, single), seen, "single")

    def of(self, counts: np.ndarray) -> np.ndarray:
        """The discount of each count, float64; nothing is taken from a count of zero."""
        return np.array((0.0, *self.values))[np.minimum(counts, 3)]
