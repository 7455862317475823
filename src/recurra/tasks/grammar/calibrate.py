"""What the validation strings choose: from which probability on a symbol counts as legal."""

from __future__ import annotations

import torch

from recurra.tasks.grammar.data import Split
from recurra.tasks.grammar.legality import accepting_threshold, best_threshold
from recurra.tasks.grammar.predict import GrammarModel


def calibrate(model: GrammarModel, split: Split) -> None:
    """Set the network's `threshold`, where its outputs share one softmax: a sigmoid's is a half."""
    network = model.grammar_network
    if network.all_legal:
        return
    shares = [model.probabilities(logits) for logits in model.logits(split.ids)]
    found = accepting_threshold(shares, split.ids) if split.legal is None else best_threshold(shares, split.legal)
    if found is not None:
        network.threshold.copy_(torch.tensor(found, dtype=torch.float64))
