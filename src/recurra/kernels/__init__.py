"""Tensors in, every check, and the fastest way there is to run a cell on this machine."""

from recurra.kernels.layer import run_layer, scan_layer

__all__ = ["run_layer", "scan_layer"]
