"""What a report shows of a detector: series with their scores and events."""

from __future__ import annotations

from typing import Any

import pytest

from recurra.report.blocks import Timeline, Track
from recurra.tasks.detect.report import blocks


def track(**changed: object) -> Track | None:
    one: dict[str, Any] = {
        "series": "plant",
        "channel": "temp",
        "steps": 4,
        "times": ["Monday", "Friday"],
        "events": [
            {"start": "noon", "end": "one", "score": 3.5, "channel": "load", "from": 1, "to": 2},
            {"start": "two", "end": "two", "score": 9.25, "channel": "temp", "from": 3, "to": 4},
        ],
        "truth": [[0, 2]],
        "curves": {"value": [[0, 1.0], [3, None]], "score": [[0, None], [1, 2.0]], "threshold": [[0, 3.0]]},
    }
    found = [block for block in blocks({"details": {"timelines": [{**one, **changed}]}}) if isinstance(block, Timeline)]
    return found[0].tracks[0] if found else None  # type: ignore[return-value]


def test_a_series_with_its_scores_and_events() -> None:
    found = track()
    assert found is not None
    assert (found.title, found.channel, found.span) == ("plant", "temp", "Monday … Friday")
    assert found.found == [(1, 2), (3, 4)] and found.known == [(0, 2)]
    assert found.values[0].points[0] == (0.0, 1.0) and found.values[0].points[1][1] != found.values[0].points[1][1]
    assert found.events is not None
    assert [row[0] for row in found.events.rows] == ["two", "noon"]  # the highest score first
    assert "<th>responsible channel</th>" in found.draw() and "9.25" in found.draw()


def test_where_nothing_is_known_no_bar_claims_so() -> None:
    found = track(truth=None, events=[], times=None)
    assert found is not None and found.known is None and found.found == [] and found.events is None
    assert found.span == "4 steps" and "known" not in found.draw()


@pytest.mark.parametrize("key", ["series", "channel", "steps", "times", "events", "truth", "curves"])
@pytest.mark.parametrize("value", [None, 3, "x", [], {}, [None], [[1]], [[3, 1]], [[0, 99]], [{"from": 1}]])
def test_whatever_is_broken_is_left_out(key: str, value: object) -> None:
    found = track(**{key: value})
    if found is not None:
        found.draw()
