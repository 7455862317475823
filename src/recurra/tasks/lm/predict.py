"""What a language model foretells after a text, and after each unit on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from recurra.kernels import exact
from recurra.tasks.lm import generate as writing
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.tokens import label

if TYPE_CHECKING:
    from recurra.tasks.lm.task import LanguageModel


def foretell(task: LanguageModel, network: LanguageNetwork, text: str, k: int, *, steps: bool) -> dict[str, Any]:
    """Give the k likeliest next units: {"text", "next": [[unit, probability], …]}; with `steps`, "steps" has the same after
    each unit of the text."""
    said = writing.next_units(task, network, text, k)
    return {**said, "steps": _on_the_way(task, network, text, k)} if steps else said


@torch.inference_mode()
def _on_the_way(task: LanguageModel, network: LanguageNetwork, text: str, k: int) -> list[dict[str, Any]]:
    vocabulary = task.vocabulary
    ids = vocabulary.encode(text)
    ends = [*np.flatnonzero(vocabulary.starts(ids))[1:].tolist(), len(ids)] if len(ids) else []
    read = torch.from_numpy(np.concatenate(([task.context], ids)).astype(np.int64))
    network.eval()
    with exact(required=False):
        logits, _ = network(read.to(next(network.parameters()).device).unsqueeze(1), network.zero_state(1))
    top = logits[:, 0].softmax(-1).topk(min(k, vocabulary.size))
    return [
        {
            "text": vocabulary.decode(ids[:end]),
            "next": [
                [label(vocabulary, int(unit)), float(share)]
                for unit, share in zip(top.indices[end], top.values[end], strict=True)
            ],
        }
        for end in ends
    ]
