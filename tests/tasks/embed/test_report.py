"""What a report shows of an embedder: a map of the vectors, with a script of its own."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from recurra.report import write_report
from recurra.report.blocks import Scatter
from recurra.tasks.embed.report import USAGE, blocks


def point(x: object, y: object, **more: object) -> dict[str, Any]:
    return {"x": x, "y": y, **more}


def map_of(value: object) -> Scatter | None:
    found = [block for block in blocks({"details": {"map": value}}) if isinstance(block, Scatter)]
    return found[0] if found else None


def test_a_dot_for_each_point_that_has_a_place() -> None:
    points = [point(0, 0, label="a"), point(1, 0.5, label="b"), point(None, 0), point(float("nan"), 1), "no point"]
    drawn = map_of({"points": points})
    assert drawn is not None and len(drawn.dots) == 2 and "each of 2 held-out" in drawn.note
    for broken in ({"points": []}, {}, "broken", {"points": [point("x", "y")]}, None):
        assert map_of(broken) is None


def test_a_dot_says_what_it_is() -> None:
    labelled = point(0, 0, label="a", cluster=None, place="a.ts, line 3", steps=3, lines=[[1.0, None, 2.0], [0.5]])
    drawn = map_of({"points": [labelled, point(1, 1, text="so good", cluster=2)]})
    assert drawn is not None
    assert [dot.lines for dot in drawn.dots] == [
        ["a · in no cluster", "3 steps", "a.ts, line 3"],
        ["cluster 2", "so good"],
    ]
    assert drawn.dots[0].curves == [[1.0, None, 2.0]]  # a line of one value is none
    assert {grouping.key: list(grouping.groups) for grouping in drawn.groupings} == {
        "label": ["a", None],
        "cluster": [None, "2"],
    }


def test_only_a_page_with_a_map_may_run_its_script(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('task = "embed"\n')
    evaluation: dict[str, Any] = {
        "event": "evaluation",
        "task": "embed",
        "data": "test",
        "count": 2,
        "metrics": {"rmse": 0.5},
        "baselines": {},
    }

    def page() -> str:
        (tmp_path / "metrics.jsonl").write_text(json.dumps(evaluation) + "\n")
        return write_report(tmp_path, blocks_of=blocks).read_text()

    assert "script-src 'none'" in page() and "<script" not in page()
    evil = "'\"><script>alert(1)</script>"
    points = [point(0, 0, text=evil), point(1, 1, text="b")]
    evaluation["details"] = {"map": {"by": "t-SNE", "of": 900, "points": points}}
    (content,) = re.findall(r"(?s)<script>(.*?)</script>", page())
    sum_ = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    assert (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:; script-src 'sha256-{sum_}'"
        in page()
    )
    assert "2 held-out sequences of 900, spread over all of them, placed by t-SNE" in page()


def test_it_can_be_asked_for_vectors_and_groups() -> None:
    assert all(line.startswith("recurra predict {run} ") for _, line in USAGE)
