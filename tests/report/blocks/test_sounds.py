"""Sounds are heard where they are sounds, and nothing else gets into the page."""

from __future__ import annotations

from recurra.report.blocks import SoundRow, Sounds


def test_captions_are_escaped_and_other_things_are_left_out() -> None:
    broken = 'x" onerror="alert(1)'
    rows = [SoundRow('<b>"', "UklG", "<1 s>", "AAAA"), SoundRow("one", "UklG", png=broken), SoundRow("none", broken)]
    drawn = Sounds("Samples", rows, "<note>").draw()
    assert drawn.count("<audio") == 2 and drawn.count("<img") == 1
    assert "onerror" not in drawn and "<b>" not in drawn and "none" not in drawn.replace('preload="none"', "")
    assert 'aria-label="&lt;b&gt;&quot;, &lt;1 s&gt;"' in drawn and "&lt;note&gt;" in drawn
    assert Sounds("Samples", []).draw() == ""
