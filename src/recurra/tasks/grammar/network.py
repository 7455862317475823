"""The network of a grammar learner: cells over symbols, and an output for each and for the end."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recurra.kernels import linear
from recurra.nn import Dropout, State
from recurra.nn.ragged import at_least_float32
from recurra.tasks.base.network import build_stack
from recurra.tasks.grammar.config import Model

EVEN = 0.5
IGNORED = -100
"""The target of a step that is padding."""


class GrammarNetwork(nn.Module):
    """numbers (T, B), state → logits (T, B, V), state. What is read first is the mark that a string begins after.

    all_legal: an output says whether its symbol may follow (a sigmoid each), else they share one softmax.  threshold: the probability
    from which on a symbol counts as legal, set by `calibrate`.
    """

    threshold: Tensor

    def __init__(self, size: int, model: Model, *, all_legal: bool) -> None:
        super().__init__()
        self.size, self.all_legal = size, all_legal
        before, _, behind = model.dropouts
        self.input_dropout = Dropout(before, variational=model.variational)
        self.stack = build_stack(model, size)
        self.output_dropout = Dropout(behind, variational=model.variational)
        self.output = nn.Linear(self.stack.output_size, size)
        self.register_buffer("threshold", torch.tensor(EVEN if all_legal else EVEN / size, dtype=torch.float64))

    def zero_state(self, batch: int) -> State:
        """Give the state before a string."""
        return self.stack.zero_state(batch)

    def read(self, numbers: Tensor, state: State) -> tuple[Tensor, State]:
        """Read symbols (T, B); gives the cells' outputs (T, B, H) and the state."""
        x = F.one_hot(numbers, self.size).to(self.output.weight.dtype)
        return self.stack(self.input_dropout(x), state)

    def forward(self, numbers: Tensor, state: State) -> tuple[Tensor, State]:
        outputs, state = self.read(numbers, state)
        return linear(self.output_dropout(outputs), self.output.weight, self.output.bias), state

    def loss(self, numbers: Tensor, targets: Tensor) -> Tensor:
        """Give the summed loss of strings (T, B), nats.

        targets: the next numbers (T, B), `IGNORED` in padding; or what may follow, 1 or 0 (T, B, V) float, negative in padding.
        """
        logits = at_least_float32(self(numbers, self.zero_state(numbers.shape[1]))[0])
        if not self.all_legal:
            return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum")
        real = (targets >= 0).to(logits.dtype)
        return F.binary_cross_entropy_with_logits(logits, targets.clamp_min(0), weight=real, reduction="sum")

    def probabilities(self, logits: Tensor) -> Tensor:
        """Give of each symbol how likely it follows, or how likely it may follow; float64."""
        return logits.double().sigmoid() if self.all_legal else logits.double().softmax(-1)

    def log_shares(self, logits: Tensor) -> Tensor:
        """Give the log-probability that each symbol is the next, float64; where outputs say what may follow, all that may are as likely."""
        if not self.all_legal:
            return logits.double().log_softmax(-1)
        log_legal = F.logsigmoid(logits.double())
        return log_legal - log_legal.logsumexp(-1, keepdim=True)
