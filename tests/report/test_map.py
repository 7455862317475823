"""A map says what its dots are without a script, and allows the one script that says more of them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

from recurra.report import write_report
from recurra.report.map import COLOURS, SHAPES, script, section

EVIL = "'\"><script>alert(1)</script>"


def point(x: object, y: object, **more: object) -> dict:
    return {"x": x, "y": y, **more}


def test_a_dot_for_each_point_that_has_a_place() -> None:
    points = [point(0, 0, label="a"), point(1, 0.5, label="b"), point(None, 0), point(float("nan"), 1), "no point"]
    drawn = section({"points": points})
    assert drawn.count('class="spot') == 2
    assert "each of 2 held-out" in drawn
    assert section({"points": []}) == section({}) == section("broken") == section({"points": [point("x", "y")]}) == ""


def test_they_fill_the_picture_upwards() -> None:
    points = [point(-5, 0), point(5, 0), point(0, 2), point(0, -2)]
    drawn = section({"points": points})
    left, right, top, bottom = (
        tuple(map(float, found)) for found in re.findall(r"translate\(([\d.]+) ([\d.]+)\)", drawn)
    )
    assert (left[0], right[0]) == (24, 976)
    assert top[1] < left[1] == right[1] < bottom[1]
    assert bottom[1] - top[1] == 0.4 * (right[0] - left[0])
    assert f'viewBox="0 0 1000 {top[1] + bottom[1]:.1f}"' in drawn
    alone = section({"points": [point(3, 3)]})
    assert "translate(500.0 130.0)" in alone


def test_what_a_dot_is_stands_in_its_title_and_nothing_of_it_is_markup() -> None:
    lines = [[1.0, None, 2.0], [0.5]]
    drawn = section({"points": [point(0, 0, label=EVIL, cluster=None, place="a.ts, line 3", steps=3, lines=lines)]})
    read = Reader(drawn)
    assert read.titles == [f"{EVIL} · in no cluster\n3 steps\na.ts, line 3"]
    assert "script" not in read.tags
    assert json.loads(read.lines[0]) == [[1.0, None, 2.0]]  # a line of one value is none


def test_labels_come_first_and_clusters_are_offered() -> None:
    points = [point(n, n, label="ab"[n % 2], cluster=None if n == 3 else 1 + n // 2) for n in range(4)]
    drawn = section({"points": points})
    assert drawn.count("<ul") == 2
    assert '<ul class="groups" data-way="cluster" aria-label="By cluster" hidden>' in drawn
    assert re.findall(r'class="spot (\w+)"', drawn) == ["g0", "g1", "g0", "g1"]
    assert re.findall(r'data-cluster="(-?\d)"', drawn) == ["0", "0", "1", "-1"]
    assert "in none <small>1</small>" in drawn
    unlabelled = section({"points": [point(n, n, cluster=None) for n in range(3)]})
    assert "<ul" not in unlabelled


def test_more_groups_than_colours_differ_in_shape() -> None:
    points = [point(n, 0, label=f"{n:02}") for n in range(COLOURS * len(SHAPES))]
    looks = re.findall(r'class="spot (\w+)" transform="[^"]*" d="([^"]*)"', section({"points": points}))
    assert len(set(looks)) == len(points)
    assert "and 16 more" in section({"points": points})


def test_the_script_draws_the_same_shapes_and_colours() -> None:
    source, _ = script()
    assert f"const shapes = {json.dumps(list(SHAPES))};" in source
    assert f"group % {COLOURS}" in source
    assert "innerHTML" not in source


def test_only_a_page_with_a_map_may_run_its_script(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('task = "embed"\n')
    evaluation = {
        "event": "evaluation",
        "task": "embed",
        "data": "test",
        "count": 2,
        "metrics": {"rmse": 0.5},
        "baselines": {},
    }
    (tmp_path / "metrics.jsonl").write_text(json.dumps(evaluation) + "\n")
    plain = write_report(tmp_path).read_text()
    assert "script-src 'none'" in plain
    assert "<script" not in plain
    evaluation["details"] = {
        "map": {"by": "t-SNE", "of": 900, "points": [point(0, 0, text=EVIL), point(1, 1, text="b")]}
    }
    (tmp_path / "metrics.jsonl").write_text(json.dumps(evaluation) + "\n")
    page = write_report(tmp_path).read_text()
    (content,) = re.findall(r"(?s)<script>(.*?)</script>", page)
    sum_ = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{sum_}'" in page
    assert "2 held-out sequences of 900" in page


class Reader(HTMLParser):
    """What a browser would take the markup for."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.titles: list[str] = []
        self.lines: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.lines += [value for name, value in attrs if name == "data-lines" and value]

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "title":
            self.titles.append(data)
