"""What the network says of signals, and the texts that are found in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from recurra.decoding import CtcHypothesis, CtcSearch, Lexicon, PrefixLanguage, prefix_beam
from recurra.decoding.ctc import greedy
from recurra.nn import ctc_loss
from recurra.tasks.base.inference import run_in_batches
from recurra.tasks.transcribe.batches import collate_frames
from recurra.tasks.transcribe.config import Decoding
from recurra.tasks.transcribe.language import language_of, lexicon_of
from recurra.tasks.transcribe.network import TranscriberNetwork
from recurra.tasks.transcribe.preprocessing import TranscriptPreprocessor


def log_probs_of(
    network: TranscriberNetwork,
    preprocessor: TranscriptPreprocessor,
    frames: Sequence[np.ndarray],
    *,
    exact: bool = True,
) -> list[np.ndarray]:
    """Give of each signal the log-probability of each label at each step, (T', V) float32; exact: none depends on the others."""

    def run(indices: np.ndarray, device: torch.device) -> list[np.ndarray]:
        batch, lengths = collate_frames([preprocessor.normalised(frames[index]) for index in indices])
        found, steps = network(batch.to(device), lengths)
        values = found.cpu().numpy()
        return [values[:count, row].copy() for row, count in enumerate(steps.tolist())]

    return run_in_batches(network, [len(one) for one in frames], run, exact=exact)


class Searcher:
    """Finds texts in log-probabilities, as a user asks for them."""

    def __init__(
        self, network: TranscriberNetwork, preprocessor: TranscriptPreprocessor, options: Decoding, best: int = 1
    ) -> None:
        weight, bonus = network.fused
        weight = weight if options.lm_weight is None else options.lm_weight
        bonus = bonus if options.bonus is None else options.bonus
        self.greedy = options.beam == 1
        self.language: PrefixLanguage | None = None if self.greedy else language_of(preprocessor, options)
        self.lexicon: Lexicon | None = None if self.greedy else lexicon_of(preprocessor, options.words)
        if self.language is None:
            weight, bonus = 0.0, options.bonus or 0.0
        self.search = CtcSearch(width=options.beam, count=best, language_weight=weight, bonus=bonus)

    def find(self, log_probs: np.ndarray) -> list[CtcHypothesis]:
        """Give the texts, the best first."""
        if self.greedy:
            return [greedy(log_probs)]
        return prefix_beam(log_probs, self.search, self.language, self.lexicon)


def losses(log_probs: Sequence[np.ndarray], labels: Sequence[np.ndarray]) -> np.ndarray:
    """Give −log p of each text, (N,), all of whose labels are known and which has the steps that they take."""
    found = []
    for values, text in zip(log_probs, labels, strict=True):
        target = torch.from_numpy(text if len(text) else np.ones(1, np.int64)).unsqueeze(0)
        counts = torch.tensor([len(values)]), torch.tensor([len(text)])
        found.append(float(ctc_loss(torch.from_numpy(values).double().unsqueeze(1), target, *counts)[0]))
    return np.array(found)
