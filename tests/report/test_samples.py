"""Samples in a report: texts, texts that are set in columns, and pictures as a terminal shows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recurra.report import TaskDescription, write_report


@pytest.mark.parametrize(
    ("sample", "face"),
    [("█▄\n ▀", ' class="blocks"'), ("to be\nor not", ""), ("a   b\nc   d", ' class="aligned"')],
)
def test_a_sample_has_the_face_that_suits_it(
    sample: str, face: str, make_run: Callable[..., Path], language_events: Any
) -> None:
    page = write_report(
        make_run(language_events(steps=200, samples=[sample, sample])), TaskDescription("Language model")
    )
    assert f'<pre dir="auto"{face}>' in page.read_text(encoding="utf-8")
