"""A drawing that is gone on with while it is drawn: a pen's steps in, what comes next out."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from recurra.arguments import checked
from recurra.decoding import row_generators
from recurra.errors import DataError, UsageError
from recurra.ink import DOWN, END, LIFTED, Ink
from recurra.kernels import exact
from recurra.nn import Mixture, State
from recurra.stream import Stream
from recurra.tasks.strokes.batches import Given
from recurra.tasks.strokes.network import FEATURES, StrokeNetwork
from recurra.tasks.strokes.preprocessing import StrokePreprocessor
from recurra.tasks.strokes.results import pens_to_json
from recurra.tasks.strokes.sampling import choose_step


class StrokeStream(Stream):
    """Follows a pen, and always knows where it probably goes next.

    stream = run.stream()
    stream.move(0, 0); stream.move(3, 4); stream.lift()      # units of the data, y downwards
    stream.next()          # {"step": [dx, dy], "pen": {"down": …, "lifted": …, "end": …}}
    stream.finish(seed=1)  # the rest as the model would draw it; the stream itself stays where it is

    What the pen does after a point is known when it moves on or is lifted: the network reads a point then. Its state has one more
    entry than the network's: the numbers (1, P) of the mixture of what comes next.
    """

    def __init__(self, network: StrokeNetwork, preprocessor: StrokePreprocessor, given: Given) -> None:
        def step(inputs: Tensor, state: State) -> tuple[Tensor, State]:
            with exact(required=False):
                mixture, state, _ = network(inputs.unsqueeze(0), state[:-1], given)
            last = tuple(part[0] for part in mixture)
            return last[-1], (*state, last)

        self._network, self._preprocessor, self._given = network, preprocessor, given
        network.eval()
        self._place: tuple[float, float] | None = None
        self._pending: np.ndarray | None = None
        self._is_lifted = self._is_alone = False
        with torch.inference_mode():
            unread = tuple(part[0] for part in network(network.start(1).unsqueeze(0), network.zero_state(1), given)[0])
        super().__init__(step, (*network.zero_state(1), unread))
        self._advance(network.start(1))

    def _check_element(self, element: Any) -> None:
        if not isinstance(element, Tensor) or element.shape != (1, FEATURES) or not element.isfinite().all():
            raise DataError(f"expected the features of a step as a tensor (1, {FEATURES}); move and lift take a pen's")

    @checked
    def move(self, x: float, y: float) -> None:
        """Go on to a point, drawing unless the pen was lifted before. Raises `DataError` for what is no place."""
        if not (abs(x) <= 1e9 and abs(y) <= 1e9):
            raise DataError(f"expected a place within ±1e+09, got {x}, {y}")
        self._flush(DOWN)
        if self._place is not None:
            self._pending = np.array([x - self._place[0], y - self._place[1]])
        self._is_alone = self._place is None or self._is_lifted
        self._is_lifted, self._place = False, (x, y)

    @checked
    def lift(self) -> None:
        """Lift the pen. Raises `UsageError` where it is nowhere yet, and where it is lifted already."""
        if self._place is None or self._is_lifted:
            raise UsageError("lift: the pen is lifted already; move it first")
        if self._is_alone:  # a dot: a step of no length
            self._flush(DOWN)
            self._pending = np.zeros(2)
        self._flush(LIFTED)
        self._is_lifted = True

    def _flush(self, pen: int) -> None:
        """Let the network read the point before, now that it is known what the pen did after it."""
        if self._pending is not None:
            steps = torch.from_numpy(self._preprocessor.encode(self._pending[None]))
            start = self._network.start(1)
            self._advance(self._network.read(steps.to(start), torch.tensor([pen], device=start.device)))
            self._pending = None

    @property
    def mixture(self) -> Mixture:
        """What is known of the next step, in units of training's spread; of the point that the pen is at, that it goes on."""
        twin = self.fork()
        twin._flush(DOWN)
        return Mixture(*twin._state[-1])

    @checked
    def next(self) -> dict[str, Any]:
        """Give where the pen goes on average, {"step": [dx, dy] in units of the data, "pen": how likely each state is after that}."""
        mixture = Mixture(*(part[0].double() for part in self.mixture))
        mean = (mixture.log_weights.exp().unsqueeze(-1) * mixture.means).sum(0) * self._preprocessor.unit
        return {"step": mean.tolist(), "pen": pens_to_json(mixture.class_logits.log_softmax(-1).cpu().numpy())}

    @checked
    def finish(self, seed: int = 0, temperature: float = 1.0, length: int | None = None) -> Ink:
        """Draw on from where the pen is, until the drawing is over; gives what is new, from there on.

        length: points, at most. Raises `UsageError` where the pen is nowhere yet.
        """
        if self._place is None:
            raise UsageError("finish: the pen is nowhere yet; move it first")
        twin, (chance,) = self.fork(), row_generators(seed, 1)
        twin._flush(DOWN)
        steps, pens = [], []
        most = self._preprocessor.default_length if length is None else length
        for _ in range(most):
            step, pen = choose_step(Mixture(*twin._state[-1]), [chance], temperature)
            steps.append(step[0].cpu().numpy())
            pens.append(int(pen[0]))
            if pens[-1] == END:
                break
            twin._advance(self._network.read(step, pen))
        made = self._preprocessor.to_ink(np.array(steps).reshape(-1, 2), np.array(pens))
        return Ink(tuple(stroke + np.array(self._place, np.float32) for stroke in made.strokes))
