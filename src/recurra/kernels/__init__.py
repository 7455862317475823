"""Tensors in, every check, and the fastest way there is to run a cell on this machine."""

from recurra.kernels.face import LayerOutput
from recurra.kernels.layer import run_layer, scan_layer

__all__ = ["LayerOutput", "run_layer", "scan_layer"]
