"""A report of which one part cannot be drawn: the rest is there, and the page says why that part is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recurra.report import TaskDescription, write_report
from recurra.report.blocks import Block, Text

LANGUAGE = TaskDescription("Language model")
MakeRun = Callable[[list[dict[str, Any]]], Path]


class Broken(Block):
    kind = "broken"

    def draw(self) -> str:
        raise ZeroDivisionError("<no> names")


def test_a_block_that_cannot_be_drawn_leaves_the_others(make_run: MakeRun, language_events: Any) -> None:
    folder = make_run(language_events(steps=200))
    page = write_report(folder, LANGUAGE, lambda _: [Broken("One"), Text("Two", ["a"])]).read_text(encoding="utf-8")
    assert "This part of the report could not be drawn: ZeroDivisionError: &lt;no&gt; names" in page
    assert "<h2>Two</h2><ul><li>a</li>" in page and "How to use it" in page


def test_a_task_that_gives_no_blocks_leaves_the_rest(make_run: MakeRun, language_events: Any) -> None:
    page = write_report(make_run(language_events(steps=200)), LANGUAGE, lambda each: each["missing"]).read_text("utf-8")
    assert page.count("could not be drawn: KeyError: &#x27;missing&#x27;") == 1 and "All settings" in page


def test_a_report_can_be_stopped(make_run: MakeRun, language_events: Any) -> None:
    def stop(_: object) -> list[Block]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_report(make_run(language_events(steps=200)), LANGUAGE, stop)


def test_braces_in_a_command_line_stay(make_run: MakeRun, language_events: Any) -> None:
    description = TaskDescription("Any", usage=(("As JSON", 'curl -d {"a":1} {run}'),))
    page = write_report(make_run(language_events(steps=200)), description).read_text(encoding="utf-8")
    assert "curl -d {&quot;a&quot;:1} tang</code>" in page
