"""Drawings made step by step, and how likely given ones are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recurra.decoding import concat_states, row_generators, sample, select_state
from recurra.ink import END
from recurra.kernels import exact
from recurra.nn import Mixture, State
from recurra.tasks.base.inference import eval_mode, run_in_batches
from recurra.tasks.strokes.batches import Given, collate_given, evaluation_batch
from recurra.tasks.strokes.data import Split
from recurra.tasks.strokes.network import StrokeNetwork
from recurra.tasks.strokes.preprocessing import StrokePreprocessor

DRAWINGS_PER_BATCH = 256


@dataclass(frozen=True)
class Manner:
    """How steps are chosen.  temperature, bias: see `Mixture.sharpened`.  length: points of a drawing, at most."""

    length: int
    temperature: float = 1.0
    bias: float = 0.0


@dataclass(frozen=True)
class Prefix:
    """A drawing to go on with: steps (N, 2) in the unit, pen states (N); and what it is drawn by, as numbers."""

    steps: np.ndarray
    pens: np.ndarray
    ids: np.ndarray

    @classmethod
    def nothing(cls, ids: np.ndarray) -> Prefix:
        """Give a drawing that is not prefix yet."""
        return cls(np.zeros((0, 2), np.float32), np.zeros(0, np.uint8), ids)


@dataclass(frozen=True)
class Drawn:
    """What was drawn after what was given: steps (N, 2) in the unit, pen states (N), and of a text where was looked, (N, S)."""

    steps: np.ndarray
    pens: np.ndarray
    looked: np.ndarray | None = None

    @property
    def is_over(self) -> bool:
        """Whether the drawing came to an end by itself."""
        return bool(len(self.pens)) and self.pens[-1] == END


def score(
    network: StrokeNetwork, split: Split, preprocessor: StrokePreprocessor, *, in_exact_mode: bool = True
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Give log p of the steps (N) and of the pen states (N) of each drawing, nats, float64."""

    def run(indices: np.ndarray, device: torch.device) -> list[tuple[np.ndarray, np.ndarray]]:
        batch = evaluation_batch(split, indices.tolist(), preprocessor).to(device)
        steps, pens = (found.cpu().numpy() for found in network.log_probs(batch))
        return [(steps[:n, row], pens[:n, row]) for row, n in enumerate(batch.lengths.tolist())]

    return run_in_batches(network, split.lengths.tolist(), run, exact=in_exact_mode)


def draw(
    network: StrokeNetwork,
    prefix: Sequence[Prefix],
    condition: str,
    manner: Manner,
    seed: int | Sequence[torch.Generator] = 0,
) -> list[Drawn]:
    """Go on with each drawing until it is over; each is fixed by what it begins with, the seed and its number.

    seed: or a source of chance for each.
    """
    chances = row_generators(seed, len(prefix)) if isinstance(seed, int) else list(seed)
    found: list[Drawn] = []
    with eval_mode(network) as device, exact(required=False):
        for start in range(0, len(prefix), DRAWINGS_PER_BATCH):
            some = slice(start, start + DRAWINGS_PER_BATCH)
            given = collate_given([one.ids for one in prefix[some]], condition).to(device)
            found += _Pens(network, prefix[some], given, manner, chances[some]).draw()
    return found


class _Pens:
    """Several pens that draw side by side; one whose drawing is over takes no further part."""

    def __init__(
        self,
        network: StrokeNetwork,
        prefix: Sequence[Prefix],
        given: Given,
        manner: Manner,
        chances: Sequence[torch.Generator],
    ) -> None:
        self.network, self.prefix, self.given, self.manner, self.chances = network, prefix, given, manner, chances
        self._steps: list[list[np.ndarray]] = [[] for _ in prefix]
        self._pens: list[list[int]] = [[] for _ in prefix]
        self._looked: list[list[np.ndarray]] = [[] for _ in prefix]

    def draw(self) -> list[Drawn]:
        """Draw all of them."""
        states, mixtures = zip(*(self._read(row) for row in range(len(self.prefix))), strict=True)
        rows = [row for row in range(len(self.prefix)) if self._left(row)]
        if not rows:
            return [self._drawn(row) for row in range(len(self.prefix))]
        state = concat_states([states[row] for row in rows])
        mixture = Mixture(*concat_states([mixtures[row] for row in rows]))
        while True:
            chances = [self.chances[row] for row in rows]
            steps, pens = choose_step(mixture, chances, self.manner.temperature, self.manner.bias)
            for row, step, pen in zip(rows, steps.cpu().numpy(), pens.tolist(), strict=True):
                self._steps[row].append(step)
                self._pens[row].append(pen)
            kept = [at for at, row in enumerate(rows) if self._pens[row][-1] != END and self._left(row)]
            if not kept:
                break
            rows = [rows[at] for at in kept]
            index = torch.tensor(kept, device=steps.device)
            state = select_state(state, index)
            mixture, state = self._advance(self.network.read(steps[index], pens[index]), state, rows)
        return [self._drawn(row) for row in range(len(self.prefix))]

    def _left(self, row: int) -> bool:
        return len(self._pens[row]) + len(self.prefix[row].pens) < self.manner.length

    def _read(self, row: int) -> tuple[State, Mixture]:
        """Read what is given of one drawing."""
        mixture, state, looked = read_prefix(self.network, self.prefix[row], self._of([row]))
        self._look(looked, [row])
        return state, Mixture(*(part[-1] for part in mixture))

    def _advance(self, inputs: Tensor, state: State, rows: list[int]) -> tuple[Mixture, State]:
        mixture, state, looked = self.network(inputs.unsqueeze(0), state, self._of(rows))
        self._look(looked, rows)
        return Mixture(*(part[0] for part in mixture)), state

    def _of(self, rows: list[int]) -> Given:
        return self.given.select(torch.tensor(rows))

    def _look(self, looked: Tensor | None, rows: list[int]) -> None:
        if looked is not None:
            for at, row in enumerate(rows):
                count = len(self.prefix[row].ids)
                self._looked[row].append(looked[-1, at, :count].cpu().numpy())

    def _drawn(self, row: int) -> Drawn:
        steps = np.array(self._steps[row], np.float32).reshape(-1, 2)
        looked = np.stack(self._looked[row]) if self._looked[row] else None
        return Drawn(steps, np.array(self._pens[row], np.uint8), looked)


def choose_step(
    mixture: Mixture, chances: Sequence[torch.Generator], temperature: float = 1.0, bias: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Draw the next step of each row, (B, 2) in the unit, and its pen state, (B) int64, by the row's own source of chance."""
    mixture = Mixture(*(part.double() for part in mixture)).sharpened(bias, temperature)
    component = sample(mixture.log_weights, chances)
    pens = sample(mixture.class_logits, chances)
    normal = torch.stack([torch.randn(2, generator=each, dtype=torch.float64) for each in chances])
    return mixture.draw(component, normal.to(mixture.means)).float(), pens


def knowledge(network: StrokeNetwork, prefix: Prefix, condition: str) -> tuple[np.ndarray, np.ndarray]:
    """Give what is known after the first point of a drawing and after each one that follows: where the next is on average, (N + 1, 2) in the unit,
    and the log probabilities of the pen states after it, (N + 1, 3)."""
    with eval_mode(network) as device, exact(required=False):
        given = collate_given([prefix.ids], condition).to(device)
        mixture, _, _ = read_prefix(network, prefix, given)
        exactly = Mixture(*(part[:, 0].double() for part in mixture))
        means = (exactly.log_weights.exp().unsqueeze(-1) * exactly.means).sum(-2)
        return means.cpu().numpy(), exactly.class_logits.log_softmax(-1).cpu().numpy()


def read_prefix(network: StrokeNetwork, one: Prefix, given: Given) -> tuple[Mixture, State, Tensor | None]:
    """Read what is given of one drawing; gives what is known at each point of (N + 1, 1, …), the state, and where was looked."""
    start = network.start(1).unsqueeze(0)
    steps = torch.from_numpy(np.asarray(one.steps, np.float32)).to(start.device)
    pens = torch.from_numpy(np.asarray(one.pens, np.int64)).to(start.device)
    inputs = torch.cat([start, network.read(steps, pens).unsqueeze(1).to(start)])
    return network(inputs, network.zero_state(1), given)
