"""How likely each unit of a text that a decoder writes is, for many sources at once and with gradients."""

from __future__ import annotations

from torch import Tensor

from recurra.tasks.seq2seq.decoder import Decoder, Source


def unit_log_probs(decoder: Decoder, source: Source, ids: Tensor, targets: Tensor) -> Tensor:
    """Give log p of targets (T, 1), float64 (T, n), for each of the n inputs of a source.

    ids: (T, 1), what the decoder reads before each.
    """
    count = len(source.summary)
    read = decoder.decode(ids.expand(-1, count), source, decoder.initial_state(source)).read
    found = decoder.logits(read).double().log_softmax(2)
    return found.gather(2, targets.unsqueeze(2).expand(-1, count, 1)).squeeze(2)
