"""The captioner's network: convolutions over a picture, and a decoder that looks at their grid."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recurra.kernels import is_exact, layer_norm, linear
from recurra.nn import Dropout
from recurra.tasks.caption.config import Model
from recurra.tasks.seq2seq.decoder import Decoder, Source

STAGES = ((1, True), (2, True), (4, False), (4, True), (8, False), (8, True))
"""Of each convolution its features, in units of the first one's, and whether the picture is halved behind it."""
MIN_CUT = 0.75
"""Of a picture's side that is still to be seen in training, at least."""
BRIGHTNESS = 0.25
"""By how much light and contrast are changed in training, at most."""


class PictureEncoder(nn.Module):
    """Pictures (P, S, S, 3) uint8 → a grid of features (S/16 · S/16, P, C): six convolutions, each normalised over the batch.

    Exact, one picture is computed at a time, so that its features do not depend on those beside it.
    """

    def __init__(self, channels: int, grid: tuple[int, int], *, augment: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for times, halved in STAGES:
            after = times * channels
            layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
            layers += [nn.MaxPool2d(2)] if halved else []
            before = after
        self.layers = nn.Sequential(*layers)
        self.size, self.augment = before, augment
        self.place = nn.Parameter(torch.zeros(grid[0] * grid[1], 1, before))

    def forward(self, pictures: Tensor, may_mirror: Tensor | None = None) -> Tensor:
        values = pictures.permute(0, 3, 1, 2)  # its memory has the channels last already
        values = (values.to(self.place.dtype) - 127.5) / 64
        if self.training and self.augment and may_mirror is not None:
            values = vary(values, may_mirror)
        if is_exact() and not self.training:
            grids = [self.layers(one.contiguous(memory_format=torch.channels_last)) for one in values.split(1)]
            grid = torch.cat(grids) if grids else values.new_zeros(0, self.size, 1, 1)
        else:
            grid = self.layers(values.contiguous(memory_format=torch.channels_last))
        return grid.flatten(2).permute(2, 0, 1) + self.place


class FeatureEncoder(nn.Module):
    """Features (P, S, C) of an encoder that is not trained → (S, P, M): normalised, and projected."""

    def __init__(self, channels: int, size: int, grid: tuple[int, int]) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.projection = nn.Linear(channels, size)
        self.size = size
        self.place = nn.Parameter(torch.zeros(grid[0] * grid[1], 1, size))

    def forward(self, features: Tensor, may_mirror: Tensor | None = None) -> Tensor:  # noqa: ARG002
        values = features.to(self.place.dtype).transpose(0, 1).contiguous()
        values = layer_norm(values, self.norm.weight, self.norm.bias, self.norm.eps)
        return torch.relu(linear(values, self.projection.weight, self.projection.bias)) + self.place


def vary(pictures: Tensor, may_mirror: Tensor) -> Tensor:
    """Cut, mirror and brighten pictures (P, 3, H, W) by chance, each in its own way; may_mirror: (P) bool."""
    count, device = len(pictures), pictures.device
    scale = MIN_CUT + (1 - MIN_CUT) * torch.rand(count, device=device)
    shift = (1 - scale)[:, None] * (2 * torch.rand(count, 2, device=device) - 1)
    turned = torch.where((torch.rand(count, device=device) < 0.5) & may_mirror.to(device), -1.0, 1.0)
    zero = torch.zeros_like(scale)
    across = torch.stack([scale * turned, zero, shift[:, 0]], 1)
    down = torch.stack([zero, scale, shift[:, 1]], 1)
    light = BRIGHTNESS * (2 * torch.rand(count, 1, 1, 1, device=device) - 1)
    contrast = 1 + BRIGHTNESS * (2 * torch.rand(count, 1, 1, 1, device=device) - 1)
    with torch.autocast(device.type, enabled=False):
        places = F.affine_grid(torch.stack([across, down], 1), list(pictures.shape), align_corners=False)
        seen = F.grid_sample(pictures.float(), places, align_corners=False, padding_mode="reflection")
        return (seen * contrast + light).to(pictures.dtype)


class CaptionNetwork(nn.Module):
    """Pictures, and captions so far (T, B) → logits of the next words (T, B, V).

    channels: of the features that are read in the place of pixels, or None.
    """

    def __init__(self, vocabulary_size: int, model: Model, grid: tuple[int, int], channels: int | None = None) -> None:
        super().__init__()
        if model.hidden is None or model.channels is None:
            raise ValueError("hidden and channels have to be chosen before the network is built")
        self.pictures: PictureEncoder | FeatureEncoder  # weights learnt before have this name
        if channels is None:
            self.pictures = PictureEncoder(model.channels, grid, augment=model.augment)
        else:
            self.pictures = FeatureEncoder(channels, model.hidden, grid)
        self.dropout = Dropout(model.picture_dropout, variational=False)
        size = self.pictures.size
        self.decoder = Decoder(vocabulary_size, model, memory_size=size, summary_size=size)

    def encode(self, pictures: Tensor, may_mirror: Tensor | None = None) -> Source:
        """Look at pictures; may_mirror: (P) bool, in training."""
        grid = self.dropout(self.pictures(pictures, may_mirror))
        lengths = torch.full((grid.shape[1],), len(grid), dtype=torch.int64)
        return self.decoder.remember(grid, lengths, _mean(grid))

    def loss(self, source: Source, rows: Tensor, read: Tensor, written: Tensor) -> Tensor:
        """Give Σ −log p of captions (T, B), as `Decoder.loss` does; rows: (B), of which picture each is."""
        return self.decoder.loss(of_rows(source, rows), read, written)


def _mean(grid: Tensor) -> Tensor:
    """Give the mean over the grid (S, P, C), in one order whatever P is."""
    total = grid[0]
    for cell in grid[1:]:
        total = total + cell
    return total / len(grid)


def of_rows(source: Source, rows: Tensor) -> Source:
    """Give what was seen of the picture of each row (B): a copy for each, for what is computed over many steps at once."""
    memory = source.memory
    if memory is not None:
        memory = type(memory)(*(part.index_select(1, rows) for part in memory))
    return Source(memory, source.summary.index_select(0, rows))
