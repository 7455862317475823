"""A map says what its dots are without a script, and brings the one script that says more of them."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

from recurra.report.blocks import Dot, Grouping, Scatter
from recurra.report.blocks.scatter import COLOURS, SHAPES

EVIL = "'\"><script>alert(1)</script>"


def test_they_fill_the_picture_upwards() -> None:
    drawn = Scatter("", [Dot(-5, 0), Dot(5, 0), Dot(0, 2), Dot(0, -2)]).draw()
    left, right, top, bottom = (
        tuple(map(float, found)) for found in re.findall(r"translate\(([\d.]+) ([\d.]+)\)", drawn)
    )
    assert (left[0], right[0]) == (24, 976)
    assert top[1] < left[1] == right[1] < bottom[1]
    assert bottom[1] - top[1] == 0.4 * (right[0] - left[0])
    assert f'viewBox="0 0 1000 {top[1] + bottom[1]:.1f}"' in drawn
    assert "translate(500.0 130.0)" in Scatter("", [Dot(3, 3)]).draw()
    assert Scatter("", []).draw() == ""


def test_what_a_dot_is_stands_in_its_title_and_nothing_of_it_is_markup() -> None:
    dot = Dot(0, 0, [EVIL, "3 steps"], [[1.0, None, 2.0]])
    read = Reader(Scatter("", [dot], [Grouping("label", [EVIL])], EVIL).draw())
    assert read.titles == [f"{EVIL}\n3 steps"]
    assert "script" not in read.tags
    assert json.loads(read.curves[0]) == [[1.0, None, 2.0]]


def test_the_first_grouping_gives_the_colours_and_the_others_are_offered() -> None:
    dots = [Dot(n, n) for n in range(4)]
    groupings = [
        Grouping("label", ["a", "b", "a", "b"]),
        Grouping("cluster", ["2", "1", "1", None], by_number=True),
        Grouping("empty", [None] * 4),
    ]
    drawn = Scatter("", dots, groupings).draw()
    assert drawn.count("<ul") == 2
    assert '<ul class="groups" data-way="cluster" aria-label="By cluster" hidden>' in drawn
    assert re.findall(r'class="spot (\w+)"', drawn) == ["g0", "g1", "g0", "g1"]
    assert re.findall(r'data-cluster="(-?\d)"', drawn) == ["1", "0", "0", "-1"]
    assert "in none <small>1</small>" in drawn
    assert "<ul" not in Scatter("", dots, groupings[2:]).draw()


def test_groups_come_by_size_or_by_number() -> None:
    groups = ["10", "9", "9", "x"]
    assert Grouping("label", groups[:3]).sizes == {"9": 2, "10": 1}
    assert list(Grouping("cluster", ["10", "10", "9"], by_number=True).sizes) == ["9", "10"]
    assert list(Grouping("cluster", groups, by_number=True).sizes) == ["9", "10", "x"]  # one is no number


def test_more_groups_than_colours_differ_in_shape() -> None:
    names = [f"{n:02}" for n in range(COLOURS * len(SHAPES))]
    drawn = Scatter("", [Dot(n, 0) for n in range(len(names))], [Grouping("label", names)]).draw()
    looks = re.findall(r'class="spot (\w+)" transform="[^"]*" d="([^"]*)"', drawn)
    assert len(set(looks)) == len(names)
    assert "and 16 more" in drawn


def test_the_script_draws_the_same_shapes_and_colours() -> None:
    source = Scatter.script()
    assert f"const shapes = {json.dumps(list(SHAPES))};" in source
    assert f"group % {COLOURS}" in source
    assert "innerHTML" not in source


class Reader(HTMLParser):
    """What a browser would take the markup for."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.titles: list[str] = []
        self.curves: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.curves += [value for name, value in attrs if name == "data-curves" and value]

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "title":
            self.titles.append(data)
