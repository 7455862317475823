"""The memory of a network while it counts: which unit follows a counter of the grammar, and how closely."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from recurra.kernels import exact
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.grammar.network import GrammarNetwork
from recurra.tasks.grammar.preprocessing import MARK, StringPreprocessor

MAX_STEPS = 400
LEAST_CORRELATION = 0.9
"""Below which no unit is said to count."""


def counting(network: GrammarNetwork, preprocessor: StringPreprocessor, string: Sequence[str]) -> list[dict[str, Any]]:
    """Give for each counter of the grammar its values over a string and the unit whose memory is closest to a straight line of it.

    {"counter", "values", "unit", "memory", "slope", "offset", "correlation"}: unit is layer.number; memory: its cell state c at each
    step, or the output of a cell without one.
    """
    grammar = preprocessor.grammar
    assert grammar is not None
    states = list(grammar.states(string))
    names = list(grammar.counters(states[0]))
    if not names or len(string) < 2:
        return []
    memory = _memory(network, preprocessor, string)
    found = []
    for name in names:
        values = np.array([grammar.counters(state)[name] for state in states], np.float64)
        if not values.std():
            continue
        spread = memory.std(0)
        scaled = (memory - memory.mean(0)) / np.where(spread > 0, spread, 1.0)
        correlation = np.where(spread > 0, (scaled * ((values - values.mean()) / values.std())[:, None]).mean(0), 0.0)
        best = int(np.abs(correlation).argmax())
        slope = float(correlation[best] * spread[best] / values.std())
        layer, unit = divmod(best, memory.shape[1] // len(network.stack.layers))
        found.append(
            {
                "counter": name,
                "values": values.astype(int).tolist(),
                "unit": f"{layer}.{unit}",
                "memory": [round(float(value), 5) for value in memory[:, best]],
                "slope": slope,
                "offset": float(memory[:, best].mean() - slope * values.mean()),
                "correlation": float(correlation[best]),
            }
        )
    return found


def _memory(network: GrammarNetwork, preprocessor: StringPreprocessor, string: Sequence[str]) -> np.ndarray:
    """Give what each unit of all layers holds after each step, (T + 1, L·H): its last state, c of an LSTM."""
    numbers = [MARK, *preprocessor.encode(string).tolist()]
    rows = []
    with eval_mode(network) as device, exact(required=False):
        state = network.zero_state(1)
        for number in numbers:
            _, state = network.read(torch.tensor([[number]], device=device), state)
            rows.append(np.concatenate([layer[-1][0].double().cpu().numpy() for layer in state]))
    return np.array(rows)


def counting_notes(found: Sequence[dict[str, Any]]) -> list[str]:
    """Say which units count."""
    return [
        f"unit {one['unit']} counts {one['counter']}: {one['slope']:+.3f} in its memory for each, correlation {one['correlation']:.4f}"
        if abs(one["correlation"]) >= LEAST_CORRELATION
        else f"no single unit counts {one['counter']}: the closest is {one['unit']}, correlation {one['correlation']:.2f}"
        for one in found
    ]
