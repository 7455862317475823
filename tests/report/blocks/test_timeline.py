"""Series in time, their scores and their events."""

from __future__ import annotations

import math
import re

import numpy as np

from recurra.report.blocks import Column, Series, Table, Timeline, Track, thin_columns


def track(scores: list[float], thresholds: list[float], **more: object) -> Track:
    def curve(name: str, values: list[float], style: str) -> Series:
        return Series(name, [(float(step), value) for step, value in enumerate(values)], style)

    return Track(
        "<plant>",
        "temp",
        "Monday … Friday",
        len(scores),
        [curve("values", scores, "train"), Series("expected", [], "other")],
        [curve("score", scores, "train"), curve("threshold", thresholds, "held")],
        **more,  # type: ignore[arg-type]
    )


def test_events_are_bars_between_the_curves() -> None:
    drawn = Timeline("", [track([1.0, 9.0, 1.0, 1.0], [5.0] * 4, found=[(1, 2)], known=[(0, 2), (3, 4)])]).draw()
    assert re.findall(r'<rect class="(\w+)" x="([\d.]+)%" width="([\d.]+)%"', drawn) == [
        ("held", "25.00", "25.00"),
        ("known", "0.00", "50.00"),
        ("known", "75.00", "25.00"),
    ]
    assert "found 1" in drawn and "known 2" in drawn and "&lt;plant&gt;: temp" in drawn and "Monday … Friday" in drawn
    assert drawn.index("found 1") < drawn.index("Score of")
    legend = re.findall(r'<span class="(\w+)">(\w+)</span>', drawn)
    assert legend == [("train", "values"), ("train", "score"), ("held", "threshold")]  # nothing was expected
    assert "known" not in Timeline("", [track([1.0, 2.0], [5.0] * 2, found=[])]).draw()


def test_a_score_far_above_the_threshold_does_not_press_the_rest_flat() -> None:
    def highest_tick(scores: list[float]) -> float:
        drawn = Timeline("", [track(scores, [5.0] * 3)]).draw()
        below = drawn[drawn.index("Score of") :]
        return max(float(tick) for tick in re.findall(r'text-anchor="end">([\d.]+)<', below))

    assert highest_tick([1.0, 19.0, 2.0]) <= 20
    assert highest_tick([1.0, 900.0, 2.0]) <= 20


def test_found_events_are_listed_below() -> None:
    table = Table("", [Column("from")], [("noon",)])
    assert "<td>noon</td>" in Timeline("", [track([1.0, 2.0], [5.0] * 2, events=table)]).draw()


def test_nothing_to_see_is_left_out() -> None:
    assert Timeline("", [track([math.nan] * 2, [math.nan] * 2, events=Table("", [], [()]))], "A note.").draw() == ""


def test_thinning_keeps_the_extremes_of_each_stretch() -> None:
    values = np.sin(np.arange(10_000.0) / 7)
    values[4321], values[9000:9100] = 50.0, np.nan
    (kept,) = thin_columns({"x": values}).values()
    assert len(kept) <= 2 * 300 + 2
    assert [4321, 50.0] in kept and [9010, None] in kept
