"""Tensors in, every check, and the fastest way there is to run a cell on this machine."""

from recurra.kernels.checks import check_layer, check_lengths
from recurra.kernels.exact_mode import exact, is_exact, layer_norm, linear
from recurra.kernels.interface import Kernel, LayerOutput
from recurra.kernels.layer import run_layer, scan_layer
from recurra.kernels.packed import PackedLayer, PackedModel, WeightType

__all__ = [
    "Kernel",
    "LayerOutput",
    "PackedLayer",
    "PackedModel",
    "WeightType",
    "check_layer",
    "check_lengths",
    "exact",
    "is_exact",
    "layer_norm",
    "linear",
    "run_layer",
    "scan_layer",
]
