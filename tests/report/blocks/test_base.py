"""What every kind of block promises."""

from __future__ import annotations

import json
import math

import pytest

from recurra.explain.cell_step import CellStep, GateStep
from recurra.explain.diagram import CellDiagram
from recurra.report.blocks import (
    AttentionMap,
    Block,
    Chart,
    Column,
    Dot,
    DrawingRow,
    Drawings,
    Grouping,
    ImageRow,
    Images,
    Lines,
    Matrix,
    Overlay,
    Overlays,
    Picture,
    Reliability,
    Scatter,
    Series,
    SharedPicture,
    SharedText,
    SoundRow,
    Sounds,
    Table,
    Text,
    Timeline,
    Track,
)

CURVE = [Series("a", [(0.0, 1.0), (1.0, math.nan), (2.0, 2.0)], "held")]
BLOCKS = [
    Text("t", ["a"]),
    Table("t", [Column("a")], [("b",)]),
    Lines("t", [Picture("a", Chart("a", CURVE, "step"))]),
    Matrix("t", ["a", "b"], [[1, 2], [3, 4]]),
    Reliability("t", [(0.0, 0.5, 0.4, 0.3, 5.0)]),
    Timeline("t", [Track("a", "b", "c", 2, CURVE, CURVE * 2, found=[(0, 1)])]),
    Overlays("t", [Overlay("AAAA", "a.jpg", "a dog", ["the dog"], ["a"], [[[0.5, 0.5]]])]),
    AttentionMap("t", ["a", " "], ["b"], [[0.25, 0.75]]),
    Images("t", [ImageRow("a", ["AAAA"])]),
    Sounds("t", [SoundRow("a", "UklG", "0.5 s", "AAAA")]),
    CellDiagram(
        "t",
        [
            CellStep(
                "rnn", 0, 0, 0, "a", [GateStep("candidate", "h'", "tanh", {"x": 0.5}, 0.46)], {"h": 0.0}, {"h": 0.46}
            )
        ],
    ),
    Scatter("t", [Dot(0.0, 1.0, ["a"])], [Grouping("label", ["a"])]),
    SharedPicture("t", "AAAA", (4, 6), (2, 3), [("part 1", 0.5, "M0 0h1v1z")], "", "for it", "against it"),
    Drawings("t", [DrawingRow("a", [[[[0, 0], [3, 4]]]])]),
    SharedText("t", [("so", -0.5), (" ", None), ("good", 1.0)], "for it", "against it"),
]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.kind)
def test_a_block_is_data_that_json_can_hold(block: Block) -> None:
    assert block.draw()
    written = json.loads(json.dumps(block.to_json(), allow_nan=False))
    assert (written.pop("kind"), written.pop("title")) == (block.kind, "t")
    assert written


def test_no_two_kinds_have_a_name_in_common() -> None:
    kinds = [block.kind for block in BLOCKS]
    assert sorted(set(kinds)) == sorted(kinds)
    assert {type(block) for block in BLOCKS} == {
        kind for kind in Block.__subclasses__() if kind.__module__.startswith("recurra.")
    }
