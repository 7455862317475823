"""A trained forecaster asked: from the end of series, or from many steps of them, each step of which is read once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.data.batching import batches_to_read
from recurra.kernels import exact
from recurra.nn import State
from recurra.nn.exponential_smoothing import Carried
from recurra.tasks.base.inference import evaluating
from recurra.tasks.forecast.network import ForecastNetwork
from recurra.tasks.forecast.preprocessing import Row
from recurra.tasks.forecast.sampling import draw_paths
from recurra.tasks.forecast.scaling import side_by_side

if TYPE_CHECKING:
    from recurra.tasks.forecast.task import Forecaster

STEPS = 512
"""Steps that are read at a time: memory does not grow with the length of a series."""
AT_ONCE = 40_000
"""Steps of all rows that are read at a time."""
ORIGINS = 4_096
"""Steps that are forecast from at a time."""
LANES = 32
"""Numbers after which torch's vector loops come out even: what is left over it computes by another exp and log."""
ALONE = 32_768
"""Numbers from which on torch shares a loop among threads, wherever that cuts it."""


@dataclass(frozen=True)
class Forecasts:
    """Forecasts from some steps of some rows: rows (n), origins (n), point (n, h, C), quantiles (n, h, C, Q)."""

    rows: np.ndarray
    origins: np.ndarray
    point: np.ndarray
    quantiles: np.ndarray


def backtest(
    task: Forecaster, network: nn.Module, rows: Sequence[Row], origins: Sequence[np.ndarray]
) -> Iterator[Forecasts]:
    """Forecast from steps of rows; origins: those of each, rising.  Gives forecasts as they come, in no order of the rows.

    A step is read once, however many forecasts rest on it, and its forecast is that which `predict` gives for a series that
    ends there: in exact mode neither depends on what else is read, or on how much at a time.
    """
    model = cast(ForecastNetwork, network)
    wanted = [number for number, steps in enumerate(origins) if len(steps)]
    lengths = [int(origins[number][-1]) + 1 for number in wanted]
    with evaluating(model) as device:
        for indices in batches_to_read(np.minimum(lengths, STEPS), AT_ONCE):
            yield from _group(task, model, rows, origins, [wanted[index] for index in indices], device)


def _group(
    task: Forecaster,
    model: ForecastNetwork,
    rows: Sequence[Row],
    origins: Sequence[np.ndarray],
    group: list[int],
    device: torch.device,
) -> Iterator[Forecasts]:
    """Read some rows side by side, a piece after the other."""
    ends = np.array([int(origins[number][-1]) + 1 for number in group])
    state: State = model.stack.zero_state(len(group))
    carried: Carried | None = None
    first = 0
    for last in _borders(int(ends.max()), [origins[number] for number in group], one_by_one=model.fed_back):
        if len(alive := np.flatnonzero(ends > first)) < len(group):
            group, ends = [group[at] for at in alive], ends[alive]
            state = _picked(state, alive)
            carried = None if carried is None else cast(Carried, _picked((carried,), alive)[0])
        lengths = np.minimum(ends, last) - first
        inputs = task.form.read([rows[number] for number in group], np.full(len(group), first), first + lengths)
        here = [origins[number][(origins[number] >= first) & (origins[number] < last)] for number in group]
        lanes = np.repeat(np.arange(len(group)), [len(steps) for steps in here])
        steps = np.concatenate(here)
        with exact(required=False):
            given, naive = torch.from_numpy(inputs).to(device), None
            if model.smoothing is not None:
                plain, which = _plain(task, [rows[number] for number in group], first, lengths)
                given, naive, carried = model.smoothed(given, plain.to(device), which.to(device), carried)
            shorter = torch.from_numpy(lengths) if (lengths < len(inputs)).any() else None
            hidden, state = model(given, state, shorter)
            for some in np.split(np.arange(len(steps)), range(ORIGINS, len(steps), ORIGINS)):
                if len(some):
                    at, lane = steps[some] - first, lanes[some]
                    asked = _Asked(task, model, rows, np.array(group)[lane], steps[some])
                    states = _picked(state, lane) if model.fed_back else None
                    yield asked.answers(
                        hidden[at, lane], given[at, lane], None if naive is None else naive[at, lane], states
                    )
        first = last


def _borders(end: int, origins: Sequence[np.ndarray], *, one_by_one: bool) -> list[int]:
    """Give where the pieces end; one_by_one: behind each origin too, since what is fed back goes on from the state there."""
    borders = {*range(STEPS, end, STEPS), end}
    return sorted(borders | ({int(step) + 1 for steps in origins for step in steps} if one_by_one else set()))


def _plain(task: Forecaster, rows: Sequence[Row], first: int, lengths: np.ndarray) -> tuple[Tensor, Tensor]:
    """Give what smoothing reads of some steps of rows, (T, B, 3·C), and their numbers (B)."""
    plain = np.ones((int(lengths.max()), len(rows), 3 * task.form.channels), np.float32)
    for lane, (row, length) in enumerate(zip(rows, lengths.tolist(), strict=True)):
        plain[:length, lane] = task.form.plain(row, first, first + length)
    return torch.from_numpy(plain), torch.tensor([task.form.number(row) for row in rows])


def _picked(state: State, rows: np.ndarray) -> State:
    index = torch.from_numpy(rows)
    return tuple(tuple(each[index] for each in layer) for layer in state)


class _Asked:
    """Some steps of rows that are forecast from."""

    def __init__(
        self, task: Forecaster, model: ForecastNetwork, rows: Sequence[Row], numbers: np.ndarray, origins: np.ndarray
    ) -> None:
        self.task, self.model, self.numbers, self.origins = task, model, numbers, origins
        self.rows = [rows[number] for number in numbers]
        pairs = list(zip(self.rows, origins.tolist(), strict=True))
        self.level = np.stack([row.measured.level[origin] for row, origin in pairs])[:, None]  # (n, 1, C)
        unit = np.stack([row.measured.unit[origin] for row, origin in pairs])[:, None]
        self.unit = unit * model.usual_error.double().cpu().numpy()  # (n, h, C)
        self.reference = np.stack([row.reference for row in self.rows])[:, None]
        # Where nothing is known of a step ahead, what was known last goes on.
        ahead = [row.ahead for row in self.rows]
        self.ahead = side_by_side(ahead, origins + 1, origins + 1 + task.form.horizon)  # (n, h, K)

    def answers(self, hidden: Tensor, inputs: Tensor, naive: Tensor | None, states: State | None) -> Forecasts:
        """Give the forecasts; hidden (n, H), inputs (n, I), naive (n, h, C) as in `say`, states: those to go on from, where forecasts are fed back."""
        if states is None:
            point, quantiles = self._said(hidden, inputs, naive)
        else:
            point, quantiles = draw_paths(self.task, self.model, self.rows, self.origins, hidden, inputs, states)
        if (stretch := self.model.get_buffer("stretch").item()) != 1.0:
            place = self.task.levels.index(0.5)
            median = quantiles[..., place : place + 1]
            quantiles = median + stretch * (quantiles - median)
        return Forecasts(
            self.numbers,
            self.origins,
            self.task.form.back(point, self.reference),
            self.task.form.back(quantiles, self.reference[..., None]),
        )

    def _said(self, hidden: Tensor, inputs: Tensor, naive: Tensor | None) -> tuple[np.ndarray, np.ndarray]:
        model, device = self.model, hidden.device
        windows = inputs[:, : model.lookback * model.channels]
        raw, centre = model.say(hidden, windows, torch.from_numpy(self.ahead).to(device), naive)
        units = torch.from_numpy(np.broadcast_to(self.unit, centre.shape).astype(np.float32)).to(device)
        # So that no forecast depends on how many there are, they are worked out in blocks whose loops have no rest.
        each = max(1, raw[0].numel())
        block = (ALONE - 1) // (each * LANES) * LANES
        split = zip(*(whole.split(block or 1) for whole in (raw, centre, units)), strict=True)
        parts = [self._block(*some, even=block > 0) for some in split]
        point, quantiles = (np.concatenate(part) for part in zip(*parts, strict=True))
        return self.level + self.unit * point, self.level[..., None] + self.unit[..., None] * quantiles

    def _block(self, raw: Tensor, centre: Tensor, units: Tensor, *, even: bool) -> tuple[np.ndarray, np.ndarray]:
        """Give point and quantiles of some forecasts; even: filled up to a multiple of `LANES`."""
        count, output = len(raw), self.model.output
        if even and count % LANES:
            more = -count % LANES
            raw, centre, units = (torch.cat([t, t[:1].expand(more, *t.shape[1:])]) for t in (raw, centre, units))
        point = output.point(raw, centre)[:count].double().cpu().numpy()
        return point, output.quantiles(raw, centre, self.task.levels, units)[:count].double().cpu().numpy()
