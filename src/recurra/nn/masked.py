"""A masked network (MADE, Germain et al. 2015, arXiv:1502.03509v2): the probability of each number of a row, given those before it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recurra.arguments import checked, explained
from recurra.errors import UsageError
from recurra.kernels import linear


class MaskedLinear(nn.Module):
    """x (…, I) → x (M ∘ W)ᵀ (…, O), in which output o reads input i only where `mask` (O, I) is true."""

    mask: Tensor

    def __init__(self, mask: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(mask.shape))
        self.register_buffer("mask", mask.float(), persistent=False)
        nn.init.kaiming_uniform_(self.weight, nonlinearity="linear")

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.mask * self.weight)


class MaskedHead(nn.Module):
    """A row x (…, W) and what is known besides, c (…, C) → logits (…, W, K): those of number j depend on c and on x₀ … xⱼ₋₁ alone.

        h₁ = relu((M₁ ∘ W₁) x + V₁ c + b₁)      hₗ = relu((Mₗ ∘ Wₗ) hₗ₋₁ + Vₗ c + bₗ)
        logits = (Mₒ ∘ Wₒ) h + (D ∘ S) x + Vₒ c + bₒ

    Unit u of a hidden layer has the degree d(u) from 0 to W − 1, spread evenly: it reads the numbers i < d(u), or the units of
    the layer below whose degree is at most its own. Logit j reads the units with d ≤ j, and straight the numbers i < j.
    So the product of the probabilities along a row is that of the row, and all of them come from one pass.

    >>> head = MaskedHead(width=3, levels=2, context=5, hidden=[8])
    >>> head(torch.zeros(4, 3), torch.zeros(4, 5)).shape
    torch.Size([4, 3, 2])
    """

    @checked
    def __init__(self, width: int, levels: int, context: int, hidden: list[int]) -> None:
        super().__init__()
        for name, size in (
            ("width", width),
            ("levels", levels),
            ("context", context),
            *(("hidden", n) for n in hidden),
        ):
            if size < 1:
                raise UsageError(f"{name}: expected a positive integer, got {size}")
        self.width, self.levels, self.hidden = width, levels, hidden
        numbers = torch.arange(width)
        degrees = [torch.arange(size) * width // size for size in hidden]
        self.layers = nn.ModuleList(
            MaskedLinear(above[:, None] > numbers if index == 0 else above[:, None] >= degrees[index - 1])
            for index, above in enumerate(degrees)
        )
        outputs = numbers.repeat_interleave(levels)  # logit j·K + k is of number j
        self.straight = MaskedLinear(outputs[:, None] > numbers)
        self.output = MaskedLinear(outputs[:, None] >= degrees[-1]) if hidden else None
        self.context = nn.Linear(context, sum(hidden) + width * levels)
        nn.init.xavier_uniform_(self.context.weight)
        nn.init.zeros_(self.context.bias)

    @torch.no_grad()
    def init_output_bias(self, frequencies: Tensor) -> None:
        """Begin with the probability of each level at each place of a row, (W, K), whatever is known."""
        self.context.bias[-self.width * self.levels :] = frequencies.log().flatten().to(self.context.bias)

    def read(self, context: Tensor) -> list[Tensor]:
        """Give what the context adds to each layer and to the logits: computed once for all passes over a row."""
        sizes = [*self.hidden, self.width * self.levels]
        return list(linear(context, self.context.weight, self.context.bias).split(sizes, -1))

    def logits(self, row: Tensor, read: list[Tensor]) -> Tensor:
        """Give the logits (…, W, K) of a row (…, W), given what `read` made of the context."""
        found, x = self.straight(row), row
        for layer, added in zip(self.layers, read, strict=False):
            x = torch.relu(layer(x) + added)
        if self.output is not None:
            found = found + self.output(x)
        return (found + read[-1]).unflatten(-1, (self.width, self.levels))

    @explained
    def forward(self, row: Tensor, context: Tensor) -> Tensor:
        for name, given, size in (("row", row, self.width), ("context", context, self.context.in_features)):
            if given.shape[-1:] != (size,):
                raise UsageError(f"{name}: expected (…, {size}), got {tuple(given.shape)}")
        return self.logits(row, self.read(context))
