"""Layers and stacks of cells as torch modules."""

from recurra.nn.attention import Attention, AttentionKind, Memory
from recurra.nn.crf import CRF
from recurra.nn.ctc import BLANK, ctc_loss, frames_needed
from recurra.nn.ctc_prefix import ctc_prefix_log_prob
from recurra.nn.dropout import Dropout
from recurra.nn.initialise import SCHEMES
from recurra.nn.location_attention import LocationAttention
from recurra.nn.masked import MaskedHead
from recurra.nn.mixture import Mixture, MixtureDensity, mixture_nll
from recurra.nn.packed import can_be_packed, pack_once, packed_layers
from recurra.nn.pooling import Pooling, PoolingKind
from recurra.nn.recurrent import GRU, LSTM, RNN, GravesLSTM
from recurra.nn.stack import Layer, Stack, State, map_state
from recurra.nn.transitions import transitions, violations, widen
from recurra.nn.window import TextWindow, WindowState
from recurra.nn.words import CharactersFor, WordBatch, WordEncoder, collate_words

__all__ = [
    "BLANK",
    "CRF",
    "GRU",
    "LSTM",
    "RNN",
    "SCHEMES",
    "Attention",
    "AttentionKind",
    "CharactersFor",
    "Dropout",
    "GravesLSTM",
    "Layer",
    "LocationAttention",
    "MaskedHead",
    "Memory",
    "Mixture",
    "MixtureDensity",
    "Pooling",
    "PoolingKind",
    "Stack",
    "State",
    "TextWindow",
    "WindowState",
    "WordBatch",
    "WordEncoder",
    "can_be_packed",
    "collate_words",
    "ctc_loss",
    "ctc_prefix_log_prob",
    "frames_needed",
    "map_state",
    "mixture_nll",
    "pack_once",
    "packed_layers",
    "transitions",
    "violations",
    "widen",
]
