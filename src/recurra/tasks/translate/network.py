"""The translator's network: an encoder, and a decoder that looks at what it made."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recurra.nn import Pooling
from recurra.tasks.seq2seq.decoder import Decoder, ScaledInputLayer, Source
from recurra.tasks.sequence.encoder import SequenceEncoder
from recurra.tasks.translate.config import Model


class TranslationNetwork(nn.Module):
    """sources (S, B) of lengths (B), and targets so far (T, B) → logits of the target's units (T, B, V)."""

    def __init__(self, source_size: int, target_size: int, model: Model, *, joint: bool) -> None:
        super().__init__()
        if model.embedding is None:
            raise ValueError("embedding has to be chosen before the network is built")
        self.body = SequenceEncoder(ScaledInputLayer(source_size, model.embedding), model)
        self.pooling = Pooling("last", self.body.size, directions=self.body.directions)
        shared = self.body.encoder if joint else None
        self.decoder = Decoder(
            target_size,
            model,
            memory_size=self.body.size,
            summary_size=self.body.size,
            shared=shared if isinstance(shared, ScaledInputLayer) else None,
        )

    def encode(self, sources: Tensor, lengths: Tensor) -> Source:
        """Read sources (S, B) of lengths (B), int64 on the CPU."""
        return self._remember(self.body(sources, lengths).outputs, lengths)

    def _remember(self, outputs: Tensor, lengths: Tensor) -> Source:
        return self.decoder.remember(outputs, lengths, self.pooling(outputs, lengths))

    def forward(self, sources: Tensor, lengths: Tensor, ids: Tensor) -> Tensor:
        source = self.encode(sources, lengths)
        return self.decoder.logits(self.decoder.decode(ids, source, self.decoder.initial_state(source)).read)

    def encode_vectors(self, x: Tensor) -> Source:
        """Read n sources as what the encoder's cells read of them, x (S, n, E)."""
        lengths = torch.full((x.shape[1],), len(x))
        return self._remember(self.body.read_vectors(x, lengths).outputs, lengths)

    def loss(self, sources: Tensor, lengths: Tensor, ids: Tensor, targets: Tensor) -> Tensor:
        """Give Σ −log p of the targets (T, B), as `Decoder.loss` does; ids: (T, B), what the decoder reads before each."""
        return self.decoder.loss(self.encode(sources, lengths), ids, targets)
