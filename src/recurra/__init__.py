"""Recurra trains, measures, explains and runs recurrent neural networks."""

__version__ = "0.1.0"
