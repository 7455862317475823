"""A task with tiny data to check it on, and what the checks compare."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recurra.tasks import Settings, Task
from recurra.testing.expect import expect, expect_same


@dataclass
class TaskCase:
    """A task and the tiny data that it is checked on.

    configure: writes the data into an empty folder and gives the configuration.  folder: empty, the case's own.
    lines: what to ask `predict` about, as it is written in a line of a file.
    """

    kind: type[Task]
    configure: Callable[[Path], Settings]
    folder: Path
    batch: int = 4
    lines: Sequence[str] = ()

    @cached_property
    def _config(self) -> Settings:
        return self.configure(self.empty_folder())

    def empty_folder(self) -> Path:
        """Make a new folder inside the case's own."""
        path = self.folder / str(len(list(self.folder.iterdir())))
        path.mkdir()
        return path

    def fresh(self) -> Task:
        """Give a task that has not read its data yet; it shares nothing with those given before."""
        return self.kind(self._config.model_copy(deep=True))

    def ready(self) -> Task:
        """Give a task that has read its data and filled in what was left open."""
        task = self.fresh()
        task.prepare()
        task.choose_defaults(None, lambda: 0.01)
        return task

    def network(self, task: Task, seed: int = 1) -> nn.Module:
        """Build the network of a task from a seed, without touching the caller's random numbers."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return task.build_network()


@contextmanager
def untouched(network: nn.Module | None = None) -> Generator[None]:
    """Expect that neither torch's random state, nor numpy's, nor a network and its mode are changed by what is done."""
    before, numpy_before = torch.get_rng_state(), _numpy_state()
    weights = {name: value.clone() for name, value in network.state_dict().items()} if network else {}
    modes = [module.training for module in network.modules()] if network else []
    yield
    expect(torch.equal(before, torch.get_rng_state()), "expected torch's random state untouched, but it has moved")
    expect(numpy_before == _numpy_state(), "expected numpy's random state untouched, but it has moved")
    if network is not None:
        expect_same("the network's weights", list(network.state_dict().values()), list(weights.values()))
        expect([m.training for m in network.modules()] == modes, "expected the network to stay in its training mode")


def _numpy_state() -> str:
    return repr(np.random.get_state())


def leaves(value: Any) -> Iterator[Any]:
    """Give what is in nested tuples, lists, dictionaries and data classes, in order; None is nothing."""
    if value is None:
        return
    if isinstance(value, tuple | list):
        for part in value:
            yield from leaves(part)
    elif isinstance(value, dict):
        for key in value:
            yield key
            yield from leaves(value[key])
    elif is_dataclass(value):
        for field in fields(value):
            yield from leaves(getattr(value, field.name))
    else:
        yield value


def same(one: Any, other: Any) -> bool:
    """Tell whether two nested values hold the same, tensors and arrays bit for bit."""
    left, right = list(leaves(one)), list(leaves(other))
    return len(left) == len(right) and all(map(_equal, left, right))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return type(one) is type(other) and one == other
