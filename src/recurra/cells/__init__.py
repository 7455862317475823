"""The cells: each file is one complete definition."""

from recurra.cells.base import Cell, CellState, OnnxOp, cell_names, get_cell, register
from recurra.cells.elman import RNN, ReluRNN
from recurra.cells.graves_lstm import GravesLSTM
from recurra.cells.gru import GRU
from recurra.cells.lstm import LSTM

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Cell",
    "CellState",
    "GravesLSTM",
    "OnnxOp",
    "ReluRNN",
    "cell_names",
    "get_cell",
    "register",
]
