"""The weights of a run: held against the network that its configuration describes before they are given any memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from recurra.errors import RecurraError, RunError
from recurra.formatting import MAX_MESSAGE_CHARACTERS, shorten

_TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


class _ShapesAlone(TorchFunctionMode):
    """While it is active, tensors are made on torch's meta device, and no numbers: only shapes and types.

    Torch loads hundreds of modules, for most of a second, at the first random number or decomposition of a tensor without numbers;
    so nothing of this kind is done.
    """

    _makers = frozenset(
        {
            torch.empty,
            torch.zeros,
            torch.ones,
            torch.full,
            torch.arange,
            torch.eye,
            torch.rand,
            torch.randn,
            torch.tensor,
        }
    )
    _like = frozenset(
        {torch.empty_like, torch.zeros_like, torch.ones_like, torch.full_like, torch.randn_like, torch.rand_like}
    )

    def __torch_function__(
        self, func: Any, types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = dict(kwargs or {})
        if func in self._makers and given.get("device") is None:
            return func(*args, **{**given, "device": "meta"})
        first = args[0] if args else given.get("tensor")
        if isinstance(first, Tensor) and first.is_meta:
            if func in self._like:
                return torch.empty(first.shape, dtype=given.get("dtype") or first.dtype, device="meta")
            if func is torch.linalg.qr:
                small = min(first.shape)
                return first.new_empty(first.shape[0], small), first.new_empty(small, first.shape[1])
            name = getattr(func, "__name__", "")
            if name == "__setitem__" or (name.endswith("_") and not name.endswith("__") and name != "requires_grad_"):
                return first  # it would only change numbers
        return func(*args, **given)


def load_network(path: Path, build: Callable[[], nn.Module]) -> nn.Module:
    """Build a network and give it the weights of a file, whose names, shapes and types are compared first.

    build: makes it with fresh weights, whatever these are.
    Raises `RunError` where the file cannot be read, does not fit the network, or holds numbers that are not finite.
    """
    try:
        with safe_open(path, "pt") as file:  # type: ignore[no-untyped-call]
            network = _check_header(path, file, build)
            if _computes_buffers(network):
                network = build()
            else:
                _make_room(network)
            network.load_state_dict(_read(path, file))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise _does_not_fit(path, error) from None
    return network.eval()


def _check_header(path: Path, file: Any, build: Callable[[], nn.Module]) -> nn.Module:
    """Build the network without numbers, and hold it against the header of the file."""
    slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118  it is no dictionary
    try:
        with _ShapesAlone():
            network = build()
            expected = {name: tensor.dtype for name, tensor in network.state_dict().items()}
            given = {
                name: torch.empty(one.get_shape(), dtype=_TYPES.get(one.get_dtype(), torch.uint8), device="meta")
                for name, one in slices.items()
            }
            network.load_state_dict(given)
    except RecurraError as error:
        raise _does_not_fit(path, error) from None
    except (RuntimeError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError, MemoryError) as error:
        raise _does_not_fit(path, error) from error
    for name, one in slices.items():
        kind = one.get_dtype()
        if name in expected and _TYPES.get(kind) != expected[name]:
            raise RunError(f"{path}: does not fit the configuration: {name}: expected {expected[name]}, got {kind}")
    return network


def _read(path: Path, file: Any) -> dict[str, Tensor]:
    tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  as above
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise RunError(f"{path}: {name}: expected finite numbers, got NaN or infinity; train again")
    return tensors


def _computes_buffers(network: nn.Module) -> bool:
    """Tell whether there are buffers without numbers that no file holds: these come with building alone."""
    return any(
        (buffer := module._buffers[name]) is not None and buffer.is_meta
        for module in network.modules()
        for name in module._non_persistent_buffers_set
    )


@torch.no_grad()
def _make_room(network: nn.Module) -> None:
    """Put real tensors, of any numbers, in the place of those without; one that stands in two places stays one."""
    made: dict[int, Tensor] = {}
    for module in network.modules():
        for own in (module._parameters, module._buffers):
            for name, tensor in own.items():
                if tensor is None or not tensor.is_meta:
                    continue
                if id(tensor) not in made:
                    empty = torch.empty(tensor.shape, dtype=tensor.dtype)
                    made[id(tensor)] = (
                        nn.Parameter(empty, requires_grad=tensor.requires_grad)
                        if isinstance(tensor, nn.Parameter)
                        else empty
                    )
                own[name] = cast(Any, made[id(tensor)])


def _does_not_fit(path: Path, error: Exception) -> RunError:
    what = " ".join(str(error).split()) or type(error).__name__
    return RunError(f"{path}: does not fit the configuration: {shorten(what, MAX_MESSAGE_CHARACTERS)}")
