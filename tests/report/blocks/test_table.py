"""Tables: how cells are written, and what lies behind a click."""

from __future__ import annotations

import math

from recurra.report.blocks import Column, Table
from recurra.report.blocks.table import MAX_PASSAGE_CHARACTERS

ALL = [
    Column("<name>", "name"),
    Column("text"),
    Column("times", "count"),
    Column("recall", "share"),
    Column("score", "number"),
    Column("where", "passage"),
]


def test_a_column_says_how_its_cells_are_written() -> None:
    drawn = Table("", ALL, [("<a>", "b & c", 12345, 0.5, 1.234, ("x" * 400, "<file>"))]).draw()
    assert '<table class="passages">' in drawn
    assert '<th>&lt;name&gt;</th><th>text</th><th class="number">times</th>' in drawn
    assert '<th scope="row">&lt;a&gt;</th><td>b &amp; c</td><td class="number">12,345</td>' in drawn
    assert '<td class="number">50.0\u00a0%</td><td class="number">1.23</td>' in drawn
    assert f">{'x' * MAX_PASSAGE_CHARACTERS}…<small" in drawn and "&lt;file&gt;</small>" in drawn


def test_what_is_no_number_is_a_dash() -> None:
    drawn = Table("", ALL[2:5], [(None, math.nan, "x")]).draw()
    assert drawn.count('<td class="number">–</td>') == 3 and "<table>" in drawn


def test_more_rows_lie_behind_a_click() -> None:
    table = Table("", [Column("a", "name")], [("first",)], "The first.", all_rows=[("first",), ("second",)])
    before, behind = table.draw().split("<details>")
    assert before.startswith('<p class="note">The first.</p>') and "second" not in before
    assert behind.startswith("<summary>All 2</summary>") and "second" in behind
    assert Table("", [Column("a")], []).draw() == ""
