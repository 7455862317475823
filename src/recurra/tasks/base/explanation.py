"""One output of a trained network as a function of what it has read: what an explanation asks of a predictor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from recurra.nn.stack import Layer
from recurra.tasks.base.inference import MAX_STEPS_PER_BATCH, eval_mode

MIN_SEGMENTS, MAX_SEGMENTS = 20, 200
"""Parts of an input that are told apart; of a longer one each part has several neighbouring elements, and of one of thousands of elements there
are fewer, since the whole is read several times for each."""
ELEMENTS_WANTED = 500_000
"""Parts times elements."""

MAX_ROWS = 1024
"""Of a batch, however short they are: each may have logits of thousands of units."""


class Segment(NamedTuple):
    """A part of an input that is left out as a whole: how it is shown, and from where to where it stands.

    start, end: characters of a text, steps of a series, or the first place of a patch and the one behind its last, row by row.
    """

    text: str
    start: int
    end: int


class PictureParts(NamedTuple):
    """A picture whose parts are explained: uint8 (H, W) or (H, W, 3), and over it a grid of any size (h, w) with the segment of each place, −1 of none.

    focus: where in the grid that stands which is explained, (h, w) bool; None where it stands nowhere.
    """

    pixels: np.ndarray
    owner: np.ndarray
    focus: np.ndarray | None = None


@dataclass(frozen=True)
class Target:
    """What is explained.

    name: of a class, a tag, a unit, a step.  quantity: what of it, such as "log-odds".  step: that the output belongs to, from which
    is counted how far back something lies; None where nothing is read step by step.  baseline: what stands in the place of what is left out.
    """

    name: str
    quantity: str
    step: int | None
    baseline: str


Compute = Callable[[Tensor, Tensor | None], Tensor]
"""shares (n, S) of the segments that are there, order (n, T) or None → the output (n,)."""


class Explained:
    """An output as a function of the segments of an input that are there.

    steps: T, that the network reads.  compute: gives the output where each segment is there to a share: 1 as it is, 0 replaced by the
    baseline. Its `order` says which step is read in the place of each, −1 for none; None: each in its own.  shown: the text or
    the picture that the segments stand in; None where they are steps.  differentiable: whether the shares have gradients.  reader: the part of
    the network whose layers of cells read the input, and whose gradients are asked how far back they reach; None: all of it.
    """

    def __init__(
        self,
        network: nn.Module,
        segments: Sequence[Segment],
        steps: int,
        compute: Compute,
        target: Target,
        *,
        shown: str | PictureParts | None = None,
        differentiable: bool = True,
        reader: nn.Module | None = None,
    ) -> None:
        self.network, self.segments, self.steps = network, list(segments), steps
        self.compute, self.target, self.shown = compute, target, shown
        self.differentiable, self.reader = differentiable, network if reader is None else reader

    def values(self, masks: np.ndarray) -> np.ndarray:
        """Give the output, (n,) float64, where only some segments are there: masks (n, S) bool."""
        there = np.asarray(masks, np.float32).reshape(len(masks), len(self.segments))
        return self._run(len(masks), lambda some: self.compute(torch.from_numpy(there[some]), None))

    def arranged(self, order: np.ndarray) -> np.ndarray:
        """Give the output, (n,) float64, where the steps stand in another order: order (n, T), −1 where nothing stands."""
        places = torch.from_numpy(order.astype(np.int64))
        every = torch.ones(len(order), len(self.segments))
        return self._run(len(order), lambda some: self.compute(every[some], places[some]))

    def gradients(self, shares: np.ndarray) -> np.ndarray:
        """Give the gradient of the output by the segments' shares, (n, S) float64, at points: shares (n, S)."""
        found = []
        size = self._rows_per_batch
        with gradient_mode(self.network):
            for start in range(0, len(shares), size):
                point = torch.from_numpy(np.asarray(shares[start : start + size], np.float32)).requires_grad_()
                (gradient,) = torch.autograd.grad(self.compute(point, None).sum(), point)
                found.append(gradient.double().cpu().numpy())
        return np.concatenate(found)

    def layer_gradients(self) -> list[np.ndarray]:
        """Give the norm of the output's gradient by what each layer of cells reads at each step, (T',) each, the lowest layer first; zeros where there is none."""
        read: list[Tensor] = []

        def keep(_: nn.Module, given: tuple[Tensor, ...]) -> None:
            if all(given[0] is not other for other in read):  # both directions of a layer read the same
                given[0].retain_grad()
                read.append(given[0])

        layers = [module for module in self.reader.modules() if isinstance(module, Layer)]
        if not layers:
            return []
        hooks = [layer.register_forward_pre_hook(keep) for layer in layers]
        try:
            with gradient_mode(self.network):
                shares = torch.ones(1, len(self.segments)).requires_grad_()
                output = self.compute(shares, None).sum()
                if output.requires_grad:  # it does not where the network counts nothing beside a linear classifier
                    output.backward()
        finally:
            for hook in hooks:
                hook.remove()
        return [
            np.zeros(len(each)) if each.grad is None else each.grad.double().flatten(1).norm(dim=1).cpu().numpy()
            for each in read
        ]

    @property
    def _rows_per_batch(self) -> int:
        return min(MAX_ROWS, max(1, MAX_STEPS_PER_BATCH // max(1, self.steps)))

    def _run(self, count: int, compute: Callable[[slice], Tensor]) -> np.ndarray:
        found = [np.zeros(0)]
        with eval_mode(self.network):
            for start in range(0, count, self._rows_per_batch):
                found.append(compute(slice(start, start + self._rows_per_batch)).double().cpu().numpy())
        return np.concatenate(found)


def shares_of_parts(shares: Tensor, order: Tensor | None, owner: Tensor) -> Tensor:
    """Give each part of each step the share of its segment: (n, S), owner (T, C) → (n, T, C); nothing where an order has −1.

    A part without a segment, −1, is always there.

    >>> shares_of_parts(torch.tensor([[0.25, 1.0]]), torch.tensor([[1, -1]]), torch.tensor([[0], [1]])).flatten().tolist()
    [1.0, 0.0]
    """
    always = torch.cat([shares, torch.ones_like(shares[:, :1])], 1)  # the last is that of −1
    parts = always[:, owner.flatten()].unflatten(1, owner.shape)
    if order is None:
        return parts
    rows = torch.arange(len(parts)).unsqueeze(1)
    return parts[rows, order.clamp(min=0)] * (order >= 0).unsqueeze(2)


@contextmanager
def gradient_mode(network: nn.Module) -> Iterator[None]:
    """Use a network without dropout but with gradients, though of none of its weights; leaves it as it was."""
    training, learnt = network.training, [weight for weight in network.parameters() if weight.requires_grad]
    network.eval()
    for weight in learnt:
        weight.requires_grad_(False)
    try:
        with torch.enable_grad():
            yield
    finally:
        for weight in learnt:
            weight.requires_grad_(True)
        network.train(training)


def replace_steps(vectors: Tensor, blank: Tensor, shares: Tensor, order: Tensor | None) -> Tensor:
    """Give what a network reads where steps are there to a share: vectors (T, E), blank (E), shares (n, T, 1) → (T, n, E).

    >>> x = replace_steps(torch.tensor([[1.0], [3.0]]), torch.zeros(1), torch.tensor([[[1.0], [0.5]]]), None)
    >>> x.squeeze().tolist()
    [1.0, 1.5]
    """
    rows = vectors.unsqueeze(0) if order is None else vectors[order.clamp(min=0).to(vectors.device)]
    shares = shares.to(vectors)
    # Unlike blank + share · (row − blank), this is the row itself, bit for bit, where the share is 1.
    return torch.lerp(blank.expand_as(rows), rows, shares).transpose(0, 1)


def group_elements(
    elements: Sequence[Segment], text: str | None, most: int = MAX_SEGMENTS
) -> tuple[list[Segment], np.ndarray]:
    """Put neighbouring elements together where there are more than `most`; gives the segments, and that of each element, (N,).

    text: that the elements stand in; None where they are steps.

    >>> segments, owner = group_elements([Segment(letter, at, at + 1) for at, letter in enumerate("abcde")], "abcde", 3)
    >>> [segment.text for segment in segments], owner.tolist()
    (['ab', 'cd', 'e'], [0, 0, 1, 1, 2])
    """
    most = min(most, max(MIN_SEGMENTS, ELEMENTS_WANTED // max(1, len(elements))))
    size = -(-len(elements) // most) if elements else 1
    owner = np.arange(len(elements)) // size
    segments = []
    for start in range(0, len(elements), size):
        first, last = elements[start], elements[min(start + size, len(elements)) - 1]
        shown = (
            text[first.start : last.end] if text is not None else f"{first.text}–{last.text}" * (size > 1) or first.text
        )
        segments.append(Segment(shown, first.start, last.end))
    return segments, owner
