"""The kinds of input that torch's recurrent modules take, each as one padded batch, and their outputs in kind again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from recurra.errors import ArgumentTypeError, TensorError
from recurra.kernels import check_lengths


@dataclass(frozen=True)
class Batch:
    """Rows of steps, time first.

    x: (T, B, I).  lengths: (B) or None.  places: where the steps of a packed sequence lie in (T·B), step by step.
    """

    x: Tensor
    lengths: Tensor | None = None
    batch_first: bool = False
    unbatched: bool = False
    packed: PackedSequence | None = None
    places: Tensor | None = None

    @classmethod
    def of(
        cls, input: Tensor | PackedSequence, lengths: Sequence[int] | Tensor | None, *, batch_first: bool, features: int
    ) -> Batch:
        """Read what a module was called with; raises `UsageError` where rank, features or lengths are wrong.

        >>> Batch.of(torch.zeros(2, 7, 3), [7, 4], batch_first=True, features=3).x.shape
        torch.Size([7, 2, 3])
        """
        if isinstance(input, PackedSequence):
            if lengths is not None:
                raise TensorError("lengths: a packed sequence brings its own; leave them out, or give a padded batch")
            batch = cls._of_packed(input)
        elif not isinstance(input, Tensor):
            raise ArgumentTypeError(f"input: expected a tensor or a PackedSequence, got {type(input).__name__}")
        elif input.dim() == 2:
            if lengths is not None:
                raise TensorError(
                    "lengths: a sequence without a batch has one length, that of its tensor; cut the tensor"
                )
            batch = cls(input.unsqueeze(1), unbatched=True)
        elif input.dim() == 3:
            x = input.transpose(0, 1) if batch_first else input
            batch = cls(x, _read_lengths(lengths, x), batch_first=batch_first)
        else:
            order = "(B, T, I)" if batch_first else "(T, B, I)"
            raise TensorError(
                f"input: expected {order}, or (T, I) for one sequence, got {input.dim()} dimensions of shape {tuple(input.shape)}"
            )
        if batch.x.shape[2] != features:
            raise TensorError(f"input: expected {features} features, got {batch.x.shape[2]}")
        return batch

    @classmethod
    def _of_packed(cls, packed: PackedSequence) -> Batch:
        data, sizes = packed.data, packed.batch_sizes
        if data.dim() != 2:
            raise TensorError(f"input: expected a packed sequence of (N, I), got one of shape {tuple(data.shape)}")
        right = sizes.dim() == 1 and len(sizes) > 0 and int(sizes[-1]) > 0 and bool((sizes[1:] <= sizes[:-1]).all())
        if not right or int(sizes.sum()) != len(data):
            raise TensorError(
                f"input: its batch_sizes {sizes.tolist()} do not fit its {len(data)} steps; pack it with torch.nn.utils.rnn"
            )
        steps, rows = len(sizes), int(sizes[0])
        running = torch.arange(rows) < sizes.unsqueeze(1)  # (T, B)
        places = running.flatten().nonzero().squeeze(1).to(data.device)
        padded = data.new_zeros(steps * rows, data.shape[1]).index_copy(0, places, data)
        return cls(padded.unflatten(0, (steps, rows)), running.sum(0), packed=packed, places=places)

    @property
    def rows(self) -> tuple[int, ...]:
        """The dimensions that a state has for the rows: (B,), or () for one sequence without a batch."""
        return () if self.unbatched else (self.x.shape[1],)

    def in_kind(self, y: Tensor) -> Tensor | PackedSequence:
        """Give values of every step, (T, B, ...), as the input was given."""
        if self.packed is not None and self.places is not None:
            _, sizes, order, back = self.packed
            return PackedSequence(y.flatten(0, 1).index_select(0, self.places), sizes, order, back)
        if self.unbatched:
            return y.squeeze(1)
        return y.transpose(0, 1) if self.batch_first else y

    def output_type(self, mode: str, *, projected: bool) -> torch.dtype:
        """Give the type that torch's module gives its outputs: autocast rounds all but those of a GRU and of a packed LSTM. mode: torch's."""
        kind, device = self.x.dtype, self.x.device.type
        if (
            kind == torch.float64
            or not torch.amp.is_autocast_available(device)
            or not torch.is_autocast_enabled(device)
        ):
            return kind
        kept = mode == "GRU" or (mode == "LSTM" and self.packed is not None and not projected)
        return kind if kept else torch.get_autocast_dtype(device)

    def take_state(self, value: Tensor) -> Tensor:
        """Put the rows of a state, given as the caller counts them, in the order of `x`: → (L·D, B, F)."""
        if self.unbatched:
            return value.unsqueeze(1)
        order = self.packed.sorted_indices if self.packed is not None else None
        return value if order is None else value.index_select(1, order)

    def give_state(self, value: Tensor) -> Tensor:
        """Put the rows of a state (L·D, B, F) back as the caller counts them."""
        if self.unbatched:
            return value.squeeze(1)
        back = self.packed.unsorted_indices if self.packed is not None else None
        return value if back is None else value.index_select(1, back)


def _read_lengths(lengths: Sequence[int] | Tensor | None, x: Tensor) -> Tensor | None:
    if lengths is None:
        return None
    try:
        read = torch.as_tensor(lengths)
    except (TypeError, ValueError, RuntimeError):
        raise ArgumentTypeError(f"lengths: expected a list or a tensor of whole numbers, got {lengths!r}") from None
    if read.numel() and (read.is_floating_point() or read.is_complex() or read.dtype == torch.bool):
        raise TensorError(f"lengths: expected whole numbers, got {read.dtype}")
    read = read.to("cpu", torch.int64)
    check_lengths(read, x.shape[0], x.shape[1])
    return read
