"""The values of every gate and state of a network's layers while it predicts for one input.

They are computed by each cell's own step, in float64, from what the layer read and from the outputs that the engine gave: an error
of one step is not carried to the next, and each step's output must be the engine's.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from recurra.errors import RunError, UsageError
from recurra.explain.replay import Call, replay_call
from recurra.explain.trace import LayerTrace, Segment, Trace
from recurra.nn.stack import Layer
from recurra.tasks.base.capabilities import NamesSteps
from recurra.tasks.base.predictor import Predictor

MAX_DEVIATION, MAX_DEVIATION_GPU = 1e-5, 5e-3
"""Between an output of the engine and the reference, as a share of it where it is above 1; a GPU may round its products to 10 bits."""


def record(predictor: Predictor, item: Any, **options: Any) -> Trace:
    """Predict for one input, and give what every gate and state of every layer was at every step.

    options: those of the predictor's `predict`; of what is searched, the one hypothesis that is likeliest at each step is followed.
    Raises `UsageError` where no recurrent layer reads the input as one sequence, and what `predict` raises.

    >>> import recurra, tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "verse.txt").write_text("the rain in spain falls mainly on the plain\\n" * 60)
    >>> run = recurra.train("lm", folder / "verse.txt", folder / "run", quiet=True, hidden=8, layers=1, epochs=1)
    >>> (layer,) = record(run.predictor, "the rain").layers
    >>> list(layer.gates), layer.gates["forget"].shape, layer.steps[1:4]
    (['input', 'forget', 'candidate', 'output'], (9, 8), ['t', 'h', 'e'])
    """
    fields = type(predictor).PredictOptions.model_fields
    if "beam" in fields:
        options = {"beam": 1, **options}
    calls = _Calls()
    with ExitStack() as hooks:
        for name, module in predictor.network.named_modules():
            calls.watch(name, module, hooks)
        results = predictor.predict([item], **options)
    names = predictor.step_names(item) if isinstance(predictor, NamesSteps) else []
    layers = calls.to_layers(names)
    if not layers:
        reasons = "; ".join(f"{name}: {why}" for name, why in calls.left_out) or "no recurrent layer was run"
        raise UsageError(
            f"the gates of this input cannot be recorded: {reasons}; hand over one sequence that is not empty"
        )
    return Trace(layers, calls.left_out, results[0] if len(results) == 1 else {})


@dataclass
class _Stretch:
    """Calls of a layer that went on from one another."""

    initial: tuple[Tensor, ...]
    end: tuple[Tensor, ...]
    inputs: list[Tensor]
    outputs: list[Tensor]


@dataclass
class _Watched:
    layer: Layer
    reverse: bool = False
    stretches: list[_Stretch] = field(default_factory=list)


class _Calls:
    """What the layers of a network were called with, and what the engine gave."""

    def __init__(self) -> None:
        self.left_out: list[tuple[str, str]] = []
        self._watched: dict[str, _Watched] = {}

    def watch(self, name: str, module: nn.Module, hooks: ExitStack) -> None:
        """Keep the calls of a module until the hooks are taken away."""
        if isinstance(module, nn.RNNBase):
            self.left_out.append((name, f"{type(module).__name__} is a module of torch's kind, not a layer of a Stack"))
        if not isinstance(module, Layer):
            return

        def keep(layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
            assert isinstance(layer, Layer)
            given = dict(zip(("x", "state", "lengths"), args, strict=False)) | kwargs
            self._keep(name, layer, given, *output)

        hooks.callback(module.register_forward_hook(keep, with_kwargs=True).remove)

    def _keep(self, name: str, layer: Layer, given: dict[str, Any], y: Tensor, end: tuple[Tensor, ...]) -> None:
        x, lengths = given["x"], given.get("lengths")
        if any(name == left for left, _ in self.left_out):
            return
        if x.shape[1] != 1:
            self._watched.pop(name, None)
            self.left_out.append((name, f"it reads {x.shape[1]} sequences side by side"))
            return
        steps = len(x) if lengths is None else int(lengths[0])
        if not steps:
            return
        watched = self._watched.setdefault(name, _Watched(layer, given.get("reverse", False)))
        state, stretches = given["state"], watched.stretches
        follows = stretches and not watched.reverse and all(map(torch.equal, stretches[-1].end, state))
        if not follows:
            stretches.append(_Stretch(state, end, [], []))
        stretches[-1].end = end
        stretches[-1].inputs.append(x[:steps, 0])
        stretches[-1].outputs.append(y[:steps, 0])

    def to_layers(self, names: Sequence[str]) -> list[LayerTrace]:
        """Give the traces; names: of the steps of the layers that ran first, where they are as many."""
        layers: list[LayerTrace] = []
        first = _part_of(next(iter(self._watched), ""))
        for number, (name, watched) in enumerate(self._watched.items()):
            count = sum(len(part) for stretch in watched.stretches for part in stretch.outputs)
            of_input = _part_of(name) == first and count == len(names)
            steps = names if of_input else [str(step) for step in range(1, count + 1)]
            layers.append(_trace_layer(name, number, watched, list(steps)))
        return layers


def _part_of(name: str) -> str:
    """Give the part of a network that a layer's stack is in, whose stacks read the same steps.

    >>> _part_of("decoder.lower.layers.0"), _part_of("decoder.upper.backward_layers.1"), _part_of("stack.layers.0")
    ('decoder', 'decoder', '')
    """
    return name.rpartition("layers.")[0].removesuffix("backward_").rstrip(".").rpartition(".")[0]


@torch.inference_mode()
def _trace_layer(name: str, number: int, watched: _Watched, steps: list[str]) -> LayerTrace:
    layer, reverse = watched.layer, watched.reverse
    cell = layer.cell
    weights = {key: value.detach().double().cpu() for key, value in layer.named_parameters()}
    values: list[list[Tensor]] = []
    segments: list[Segment] = []
    inputs, deviation, first = [], 0.0, 0
    for stretch in watched.stretches:
        x, y = (torch.cat(parts).double().cpu() for parts in (stretch.inputs, stretch.outputs))
        before = tuple(value[:1].double().cpu() for value in stretch.initial)
        call = Call(x.unsqueeze(1), before, None, reverse)
        states, gates = replay_call(cell, weights, call, y.unsqueeze(1), layer.dilation)
        values.append([part[:, 0] for part in (*states, *gates)])
        gap = (values[-1][0] - y).abs() / y.abs().clamp_min(1)
        deviation = max(deviation, float(gap.max()))
        inputs.append(x)
        segments.append(Segment(first, first + len(x), tuple(value[0].numpy() for value in before)))
        first += len(x)
    largest = MAX_DEVIATION if next(layer.parameters()).device.type == "cpu" else MAX_DEVIATION_GPU
    if not deviation <= largest:
        raise RunError(
            f"{name}: the outputs of {cell.name} by its own step are {deviation:.1e} from the engine's, expected at most "
            f"{largest:.0e}; set RECURRA_NATIVE=0 to go on without the engine, and report it"
        )
    whole = [torch.cat(parts).float().numpy() for parts in zip(*values, strict=True)]
    count = len(cell.states)
    return LayerTrace(
        name,
        number,
        "backward" if reverse else "forward",
        cell,
        steps,
        dict(zip(cell.gates, whole[count:], strict=True)),
        dict(zip(cell.states, whole[:count], strict=True)),
        torch.cat(inputs).float().numpy(),
        weights,
        layer.dilation,
        segments,
        deviation,
    )
