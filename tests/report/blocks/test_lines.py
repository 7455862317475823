"""Line charts under a legend."""

from __future__ import annotations

import math
import re

from recurra.report.blocks import Chart, Lines, Picture, Series


def picture(caption: str, *values: float) -> Picture:
    points = [(float(step), value) for step, value in enumerate(values)]
    return Picture(
        caption, Chart(caption, [Series("below", points, "known"), Series("on top", points, "held")], "step")
    )


def test_the_curve_on_top_is_named_first() -> None:
    drawn = Lines("", [picture("<a>", 1.0, 2.0), picture("b", 2.0, 1.0)], "A <note>.").draw()
    assert drawn.startswith('<p class="note">A &lt;note&gt;.</p><p class="legend">')
    assert re.findall(r'<span class="(\w+)">([^<]*)', drawn) == [("held", "on top"), ("known", "below")]
    assert re.findall(r'class="curve (\w+)"', drawn) == ["known", "held"] * 2
    assert re.findall(r"<figcaption>(.*?)</figcaption>", drawn) == ["&lt;a&gt;", "b"]


def test_a_picture_without_a_point_is_left_out() -> None:
    assert "<figcaption>b</figcaption>" in Lines("", [picture("a", math.nan), picture("b", 1.0)]).draw()
    assert Lines("", [picture("a", math.nan)], "A note.").draw() == Lines("", [], "A note.").draw() == ""
