"""An embedder as a stream of words, characters or values."""

from __future__ import annotations

from typing import Any

import numpy as np

from recurra.arguments import checked
from recurra.tasks.sequence.stream import PooledStream


class VectorStream(PooledStream):
    """Reads a text or series as it comes and always knows the vector of what there is by now.

    stream = run.stream()            # of a run trained with --no-bidirectional, or with --objective next_step
    stream.read([0.1, 0.4, 0.3])     # the vector, (D) float32
    stream.step(0.5)                 # the vector of these four steps
    """

    @checked
    def read(self, sequence: Any) -> np.ndarray:
        """Read a sequence on from here; gives the vector, (D)."""
        for _ in self.feed_all(sequence):
            pass
        return self.vector()

    @checked
    def step(self, value: Any) -> np.ndarray:
        """Read one word, character or step; gives the vector, (D)."""
        self.feed(self.parse_element(value))
        return self.vector()

    @checked
    def vector(self) -> np.ndarray:
        """Give the vector of what was read by now, (D) float32."""
        return self.output.cpu().numpy()
