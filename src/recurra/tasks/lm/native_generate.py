"""One text written by the native engine: embedding, cells, softmax and the choice, without coming back for every unit."""

from __future__ import annotations

import time
from collections.abc import Collection, Hashable, Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch

from recurra.decoding import check_sampling
from recurra.errors import UsageError
from recurra.kernels import PackedModel, WeightType
from recurra.kernels.native import engine
from recurra.kernels.native_layer import KINDS
from recurra.kernels.packed import checksum
from recurra.nn import State
from recurra.tasks.lm.network import LanguageNetwork

FIRST, GROWTH, SECONDS = 4, 4, 0.02
"""So many units are written before the first are given out, so many times more after each time, as long as it took no longer
than this: whoever watches sees them come, and whoever does not is not kept waiting."""

_packed: WeakKeyDictionary[LanguageNetwork, tuple[Hashable, PackedModel]] = WeakKeyDictionary()


def writes_natively(network: LanguageNetwork) -> bool:
    """Tell whether the engine can write with this network: float32, on the CPU, of cells that it has, with no step of its own."""
    if type(network).step is not LanguageNetwork.step:
        return False
    weight = network.embedding.weight
    cells = {layer.cell.name for layer in network.stack}
    return (
        engine() is not None and cells <= set(KINDS) and weight.device.type == "cpu" and weight.dtype == torch.float32
    )


def write_blocks(
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

    state: each (1, H).  unit: the last id of the prompt.  Yields (N,) int64, the next units, as many at once as is quick.
    Raises `UsageError` for settings that mean nothing, at the first step.
    """
    check_sampling(temperature, top_k, top_p)
    if length < 0:
        raise UsageError(f"length: expected 0 or more units to generate, got {length}")
    model = packed_model(network, weights, threads or torch.get_num_threads())
    flat = torch.cat([part.flatten() for layer in state for part in layer]).float().numpy().copy()
    generator = next(iter(generators), None)
    written, count = 0, FIRST
    while written < length:
        count = min(count, length - written)
        # One call gives the numbers that as many calls for one number give: they are drawn one after another.
        numbers = (
            np.zeros(count)
            if generator is None
            else torch.rand(count, dtype=torch.float64, generator=generator).numpy()
        )
        start = time.perf_counter()
        ids = model.generate(
            flat, unit, numbers, end=end, temperature=temperature, top_k=top_k, top_p=top_p, forbid=forbid
        )
        seconds = time.perf_counter() - start
        yield ids
        if len(ids) < count or ids[-1] == end:
            return
        unit, written = int(ids[-1]), written + count
        if seconds < SECONDS / GROWTH:
            count *= GROWTH


def write_natively(network: LanguageNetwork, state: State, unit: int, **options: Any) -> Iterator[np.ndarray]:
    """Do as `write_blocks`; yields (1,) int64 for each unit, as `decoding.generate` does."""
    for ids in write_blocks(network, state, unit, **options):
        yield from ids[:, None]


def packed_model(network: LanguageNetwork, weights: WeightType, threads: int) -> PackedModel:
    """Give `network.packed`, or what it gave the last time where the network is still as it was then, to the last bit."""
    stack = network.stack.packed_layers()
    norms = [layer.norm for layer in stack if layer.norm is not None]
    tensors = [*network.parameters(), *network.buffers()]
    structure = [(layer.cell, layer.residual, [*layer.weights]) for layer in stack], [norm[2] for norm in norms]
    key = weights, threads, repr(structure), tuple(tensor.shape for tensor in tensors), checksum(tensors)
    kept = _packed.get(network)
    if kept is None or kept[0] != key:
        kept = _packed[network] = key, network.packed(weights, threads)
    return kept[1]
