"""Maps have the colours of the values, and what was recorded is a page and JSON."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import torch

from recurra.explain.blocks import MAX_COLUMNS, blocks_page, heat_map, trace_blocks, unit_blocks
from recurra.explain.gates import record
from recurra.explain.units import view_unit
from recurra.images import read_picture


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(read_picture(io.BytesIO(png).getvalue()))


def test_a_row_is_a_unit_and_a_column_a_step():
    png = heat_map(np.array([[0.0, 1.0, -1.0], [0.5, 0.0, 2.0]]))
    width, height = (int.from_bytes(png[start : start + 4], "big") for start in (16, 20))
    assert (width, height) == (2, 3)


def test_a_long_map_has_means_as_columns():
    png = heat_map(np.zeros((5001, 2)))
    assert int.from_bytes(png[16:20], "big") == MAX_COLUMNS


def test_a_page_and_json(predictor_of):
    predictor = predictor_of("lstm", [5, 4], layer_norm=True)
    trace = record(predictor, torch.randn(60, 4, generator=torch.Generator().manual_seed(1)))
    blocks = [*trace_blocks(trace), *unit_blocks(view_unit(trace, "1.2"))]
    kinds = [block.kind for block in blocks]
    assert kinds[:4] == ["images", "table", "images", "table"] and "lines" in kinds
    json.dumps([block.to_json() for block in blocks], allow_nan=False)
    page = blocks_page("Inside", blocks)
    assert page.count("data:image/png;base64,") == 2 * (2 + 4)
    assert "Layer 1 (LSTM)" in page and "Saturation of layer 0" in page and "Where unit 1.2 is high" in page
    assert not re.search(r"(src|href)=\"?https?:", page) and page.count("<h1>") == 1


def test_every_cell_has_blocks(predictor_of):
    for cell in ("rnn", "rnn-relu", "gru", "graves-lstm"):
        trace = record(predictor_of(cell, [3], bidirectional=True), torch.zeros(4, 4))
        assert all(block.draw() for block in trace_blocks(trace))


def test_zeros_are_the_colour_of_the_middle():
    from recurra.explain.blocks import _MIDDLE

    found = heat_map(np.zeros((1, 1)))
    assert found == heat_map(np.full((1, 1), 1e-4)) and _MIDDLE.tolist() == [251, 250, 247]
