"""One text written by the native engine: embedding, cells, softmax and the choice, without coming back for every unit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import torch

from recurra.decoding import check_sampling
from recurra.errors import UsageError
from recurra.kernels import WeightType
from recurra.kernels.native import engine
from recurra.kernels.native_layer import KINDS
from recurra.nn import State
from recurra.tasks.lm.network import LanguageNetwork

AT_ONCE = 64
"""Units that are written before they are given out."""


def writes_natively(network: LanguageNetwork) -> bool:
    """Tell whether the engine can write with this network: float32, on the CPU, of cells that it has, with no step of its own."""
    if type(network).step is not LanguageNetwork.step:
        return False
    weight = network.embedding.weight
    cells = {layer.cell.name for layer in network.stack}
    return (
        engine() is not None and cells <= set(KINDS) and weight.device.type == "cpu" and weight.dtype == torch.float32
    )


def write_natively(
    network: LanguageNetwork,
    state: State,
    unit: int,
    *,
    length: int,
    end: int | None,
    generators: Sequence[torch.Generator],
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    forbid: Collection[int],
    weights: WeightType = "float32",
    threads: int | None = None,
) -> Iterator[np.ndarray]:
    """Go on with one text; as `decoding.generate`, whose choices these are, with the same numbers of the same generator.

    state: each (1, H).  unit: the last id of the prompt.  Yields (1,) int64 for each unit.
    Raises `UsageError` for settings that mean nothing, at the first step.
    """
    check_sampling(temperature, top_k, top_p)
    if length < 0:
        raise UsageError(f"length: expected 0 or more units to generate, got {length}")
    model = network.packed(weights, threads or torch.get_num_threads())
    flat = torch.cat([part.flatten() for layer in state for part in layer]).float().numpy().copy()
    for first in range(0, length, AT_ONCE):
        count = min(AT_ONCE, length - first)
        # One call gives the numbers that as many calls for one number give: they are drawn one after another.
        numbers = [torch.rand(count, dtype=torch.float64, generator=generator).numpy() for generator in generators]
        ids = model.generate(
            flat,
            unit,
            numbers[0] if numbers else np.zeros(count),
            end=end,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            forbid=forbid,
        )
        yield from ids[:, None]
        if len(ids) < count or (len(ids) and ids[-1] == end):
            return
        unit = int(ids[-1])
