"""Text written by a character model, one stream, beside a loop over torch.nn.LSTM."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from recurra.benchmark.case import Scope
from recurra.benchmark.results import Group, Measured, Row, Table, Target
from recurra.benchmark.turns import Contestant, best, take_turns

OURS, PEER = "recurra", "torch.nn.LSTM loop"
UNITS = 200
TABLES = (
    Table(
        "generate",
        "Text generation, 2 × 128 LSTM over characters, one stream, for each character",
        (Target("one stream", 20.0),),
    ),
)


class Writer(Protocol):
    """A language model and what of it the peer needs.

    network: `embedding`, `stack` and `output`.  first: the id that a text begins after.  forbidden: ids that are never
    written.  write: (units, temperature) → text; temperature 0 takes the likeliest.  text: ids → text.
    """

    network: Any
    first: int
    forbidden: list[int]

    def write(self, length: int, temperature: float) -> str: ...

    def text(self, ids: list[int]) -> str: ...


def groups(make: Callable[[], Writer], scope: Scope, rounds: int) -> list[Group]:
    """The one model there is."""
    return [Group("generate  2 × 128", 4.0 + rounds * 0.5, partial(_measure, make, scope, rounds))]


class TorchWriter(nn.Module):
    """The same model by torch alone: embedding, `nn.LSTM`, linear; a softmax and a draw for each unit."""

    def __init__(self, writer: Writer) -> None:
        super().__init__()
        network, layers = writer.network, list(writer.network.stack)
        self.embedding, self.output, self._first = network.embedding, network.output, writer.first
        self.lstm = nn.LSTM(layers[0].input_size, layers[0].hidden_size, len(layers))
        own = {f"{name}_l{k}": value for k, layer in enumerate(layers) for name, value in layer.state_dict().items()}
        self.lstm.load_state_dict(own)
        self.register_buffer("forbidden", torch.tensor(writer.forbidden, dtype=torch.int64))

    @torch.inference_mode()
    def write(self, length: int, temperature: float) -> list[int]:
        """Write so many units; temperature 0 takes the likeliest."""
        ids: list[int] = []
        last: Tensor = torch.tensor([[self._first]])
        state = None
        for _ in range(length):
            y, state = self.lstm(self.embedding(last), state)
            logits = self.output(y[0])
            if len(self.forbidden):
                logits[:, self.forbidden] = -torch.inf
            if temperature:
                last = torch.multinomial((logits / temperature).softmax(-1), 1)
            else:
                last = logits.argmax(-1, keepdim=True)
            ids.append(int(last))
        return ids


def _measure(make: Callable[[], Writer], scope: Scope, rounds: int) -> Measured:
    writer = make()
    peer = TorchWriter(writer).eval()
    texts = writer.write(UNITS, 0.0), writer.text(peer.write(UNITS, 0.0))
    apart = (
        sum(one != other for one, other in itertools.zip_longest(*texts)) / UNITS
    )  # the likeliest leave nothing to chance
    contestants = [
        Contestant(name, "float32", threads, lambda write=write: write(UNITS, 1.0), UNITS)
        for name, write in ((OURS, writer.write), (PEER, peer.write))
        for threads in scope.threads
    ]
    timings = take_turns(contestants, rounds)
    row = Row("generate", {"model": "2 × 128"}, best(timings, OURS), best(timings, PEER), apart, 0.0)
    return Measured([row], timings)
