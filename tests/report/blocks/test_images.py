"""Rows of pictures are drawn as they are given, and nothing that is no picture gets into the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recurra.report.blocks import ImageRow, Images
from recurra.report.page import render
from recurra.report.record import Record
from recurra.tasks.pixels import PictureModelingTask
from recurra.tasks.pixels.results import as_png_texts


def test_captions_are_escaped_and_other_things_are_left_out() -> None:
    (png,) = as_png_texts([np.zeros((2, 2), np.uint8)])
    drawn = Images("Samples", [ImageRow("<b>", [png, 'x" onerror="alert(1)', ""]), ImageRow("none", ["?"])]).draw()
    assert drawn.count("<img") == 1 and "onerror" not in drawn and "<b>" not in drawn and "none" not in drawn
    assert Images("Samples", []).draw() == ""


def test_the_page_allows_the_pictures_that_stand_in_it() -> None:
    pngs = as_png_texts(np.zeros((2, 3, 3), np.uint8))
    completions = {"known": pngs, "original": pngs, "drawn": "broken"}
    details = {"samples": pngs, "completions": completions, "beside": {"nearest": pngs}}
    evaluation = {"task": "pixels", "data": "test", "count": 9, "metrics": {"nll": 1.0}, "details": details}
    task = PictureModelingTask
    record = Record({"task": "pixels"}, evaluations=[evaluation])
    page = render(record, Path("run"), task.description(), task.report_blocks)
    assert page.count('src="data:image/png;base64,') == 8
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:;" in page
