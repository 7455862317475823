"""Small recurrent networks whose weights are set by hand, so that what their outputs rest on is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from recurra.nn import Stack
from recurra.tasks.base.explanation import Explained, Segment, Target, replace_steps, shares_of_parts

Head = Callable[[Tensor], Tensor]
STORED = 1e-2
"""What a value is multiplied by before it is stored, so that no tanh bends it."""


def explained_series(network: nn.Module, stack: Stack, head: Head, series: np.ndarray) -> Explained:
    """Give the head (n, H) → (n,) of a stack's last output, for a series (T, I) whose steps are replaced by zeros."""
    vectors = torch.from_numpy(series).to(stack.layers[0].get_parameter("weight_hh"))
    steps = len(series)
    owner = torch.arange(steps).unsqueeze(1)

    def compute(shares: Tensor, order: Tensor | None) -> Tensor:
        x = replace_steps(vectors, torch.zeros_like(vectors[0]), shares_of_parts(shares, order, owner), order)
        outputs, _ = stack(x, stack.zero_state(x.shape[1]))
        return head(outputs[-1])

    segments = [Segment(f"step {at + 1}", at, at + 1) for at in range(steps)]
    return Explained(network, segments, steps, compute, Target("output", "value", steps - 1, "zeros"))


def marked_sum() -> Stack:
    """Build an LSTM that adds up the values (the first input) of the steps that are marked (the second), times `STORED`."""
    stack = Stack("lstm", 2, [1])
    (layer,) = stack
    with torch.no_grad():
        for weight in layer.parameters():
            weight.zero_()
        gates = {"input": 0, "forget": 1, "cell": 2, "output": 3}
        inputs, bias = layer.get_parameter("weight_ih"), layer.get_parameter("bias_ih")
        inputs[gates["input"], 1], bias[gates["input"]] = 60.0, -30.0  # open where the mark is 1
        bias[gates["forget"]] = bias[gates["output"]] = 30.0
        inputs[gates["cell"], 0] = STORED
    return stack


def shift_register(lag: int) -> Stack:
    """Build a network of rectified units that hand a positive input on, so that the last has that of `lag` steps before."""
    stack = Stack("rnn-relu", 1, [lag + 1])
    (layer,) = stack
    with torch.no_grad():
        for weight in layer.parameters():
            weight.zero_()
        layer.get_parameter("weight_ih")[0, 0] = 1.0
        layer.get_parameter("weight_hh").copy_(torch.diag(torch.ones(lag), -1))
    return stack
