"""How much a trained network counts beside the n-grams of its training text, by the validation text."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch

from recurra.tasks.lm.data import Split
from recurra.tasks.lm.mixture import DEFAULT_SHARE, context_classes, count_classes, fit_shares
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.predict import LanguageModel
from recurra.tasks.lm.scoring import context_places, score_items, split_items


def calibrate(model: LanguageModel, valid: Split | None, *, required: bool) -> None:
    """Set the weights of the mixture, where there are n-grams; required: the user wants them, whether they help or not."""
    table, network = model.preprocessor.ngram, cast(LanguageNetwork, model.network)
    if table is None or network.ngram_shares is None:
        return
    count = count_classes(table.order)
    shares = np.full(count, DEFAULT_SHARE if required else 1.0)
    if valid is not None:
        items = split_items(valid, model.preprocessor)
        log_probs = np.concatenate([scored.log_probs for scored in score_items(network, items)])
        places = [context_places(table, item) for item in items]
        targets = [item.targets[item.warmup :] for item in items]
        ngrams = np.concatenate([table.probs_after(*each) for each in zip(places, targets, strict=True)])
        classes = np.concatenate([context_classes(table, each) for each in places])
        found = fit_shares(log_probs, ngrams, classes, count, required=required)
        shares = np.ones(count) if found is None else found
    network.ngram_shares.copy_(torch.from_numpy(shares))
