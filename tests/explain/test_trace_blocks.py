"""Maps have the colours of the values, and what was recorded is a page and JSON."""

from __future__ import annotations

import json
import re
import zlib

import numpy as np
import torch

from recurra.explain.gates import record
from recurra.explain.trace_blocks import MAX_COLUMNS, heat_map, trace_blocks, unit_blocks
from recurra.explain.units import view_unit
from recurra.report.page import blocks_page


def pixels(png: bytes) -> np.ndarray:
    """The colours of a PNG file without filters, (H, W, 3)."""
    width, height = (int.from_bytes(png[start : start + 4], "big") for start in (16, 20))
    start = png.index(b"IDAT")
    data = zlib.decompress(png[start + 4 : start + 4 + int.from_bytes(png[start - 4 : start], "big")])
    return np.frombuffer(data, np.uint8).reshape(height, 1 + 3 * width)[:, 1:].reshape(height, width, 3)


def test_a_row_is_a_unit_and_a_column_a_step():
    found = pixels(heat_map(np.array([[0.0, 1.0, -1.0], [0.5, 0.0, 0.0]])))
    middle, blue, orange = [251, 250, 247], [61, 111, 168], [194, 65, 12]
    assert found.shape == (3, 2, 3)
    assert found[:, 0].tolist() == [middle, orange, blue]
    assert np.abs(found[0, 1] - np.mean([middle, orange], axis=0)).max() <= 0.5
    larger = pixels(heat_map(np.array([[4.0, 1.0, -1.0], [2.0, 0.0, 0.0]])))
    assert larger[0].tolist() == [orange, found[0, 1].tolist()]


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
    page = blocks_page("Trace", "Inside", [("", blocks)])
    assert page.count("data:image/png;base64,") == 2 * (2 + 4)
    assert "Layer 1 (LSTM)" in page and "Saturation of layer 0" in page and "Where unit 1.2 is high" in page
    assert not re.search(r"(src|href)=\"?https?:", page) and page.count("<h1>") == 1


def test_every_cell_has_blocks(predictor_of):
    for cell in ("rnn", "rnn-relu", "gru", "graves-lstm"):
        trace = record(predictor_of(cell, [3], bidirectional=True), torch.zeros(4, 4))
        assert all(block.draw() for block in trace_blocks(trace))
