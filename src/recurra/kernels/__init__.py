"""Tensors in, every check, and the fastest way there is to run a cell on this machine."""

from recurra.kernels.checks import check_layer, check_lengths
from recurra.kernels.face import Kernel, LayerOutput
from recurra.kernels.layer import run_layer, scan_layer

__all__ = ["Kernel", "LayerOutput", "check_layer", "check_lengths", "run_layer", "scan_layer"]
