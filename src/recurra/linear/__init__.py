"""Linear models on features that are counted, not learnt: plain parts that a network can stand on."""

from recurra.linear.series import ConvolutionRidge

__all__ = ["ConvolutionRidge"]
