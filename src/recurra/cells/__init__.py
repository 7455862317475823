"""The cells: each file is one complete definition, and is found."""

from importlib import import_module
from pkgutil import iter_modules

from recurra.cells.base import ACTIVATIONS, Activation, Cell, CellState, OnnxOp, cell_names, get_cell, register
from recurra.cells.elman import RNN, ReluRNN
from recurra.cells.graves_lstm import GravesLSTM
from recurra.cells.gru import GRU
from recurra.cells.lstm import LSTM

__all__ = [
    "ACTIVATIONS",
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "Cell",
    "CellState",
    "GravesLSTM",
    "OnnxOp",
    "ReluRNN",
    "cell_names",
    "get_cell",
    "register",
]

for _module in iter_modules(__path__, f"{__name__}."):
    import_module(_module.name)
