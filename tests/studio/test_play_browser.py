"""Play and Inside in a real browser: every task, a gate at work, the same numbers as the command line's, and how quickly a map answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.runs.trainings import CASES, train
from tests.studio.browser import AXE, find_browser, overflow, serve, violations
from tests.studio.test_browser import Visitor

import recurra
from recurra.explain.inside import look_inside

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: pip install 'recurra[dev]'"
)
pytestmark = [
    pytest.mark.skipif(find_browser() is None, reason="there is no Chromium here: apt install chromium"),
    pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not here: cd studio && npm install"),
]
SENTENCE = "a good film with a bad end"
HOVER_MILLISECONDS = 50
RESULTS = {
    "lm": ".probabilities li",
    "classify": ".probabilities li",
    "tag": ".tagged li",
    "embed": ".heatmap-surface canvas",
    "forecast": ".chart-surface svg .band",
    "detect": ".chart-surface svg .curve",
    "translate": "table.attention td",
    "pixels": "img.written",
}
"""What there is to see once a run of a task has answered an example of its own."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("play") / "runs"
    for task in CASES:
        train(task, found / task)
    return found


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with serve(folder) as found:
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=find_browser())
        yield browser
        browser.close()


@pytest.mark.parametrize("task", list(RESULTS))
def test_each_task_answers_an_example_of_its_own(chromium: Any, address: str, task: str) -> None:
    with Visitor(chromium, address) as visitor:
        page = visitor.go(f"/play/{visitor.ids()[task]}")
        page.locator(RESULTS[task]).first.wait_for()

        assert page.locator(".error-box").count() == 0


@pytest.mark.parametrize("task", ["caption", "transcribe"])
def test_a_task_without_an_example_waits_for_an_input(chromium: Any, address: str, task: str) -> None:
    with Visitor(chromium, address) as visitor:
        page = visitor.go(f"/play/{visitor.ids()[task]}")

        assert page.locator({"caption": ".drop-zone", "transcribe": ".pad"}[task]).first.is_visible()
        assert page.locator(".error-box").count() == 0


def test_strokes_drawn_by_hand_are_read(chromium: Any, address: str) -> None:
    with Visitor(chromium, address) as visitor:
        page = visitor.go(f"/play/{visitor.ids()['transcribe']}")
        pad = page.locator(".pad").bounding_box()
        page.mouse.move(pad["x"] + 20, pad["y"] + 20)
        page.mouse.down()
        page.mouse.move(pad["x"] + 90, pad["y"] + 60, steps=5)
        page.mouse.up()

        page.get_by_role("heading", name="Transcript").wait_for()


def test_probabilities_change_with_what_is_typed_and_text_is_written_on(chromium: Any, address: str) -> None:
    with Visitor(chromium, address) as visitor:
        page = visitor.go(f"/play/{visitor.ids()['lm']}?q=the")
        bars = page.locator(".probabilities")
        before = bars.inner_text()
        page.get_by_role("textbox", name="Text").press_sequentially("th")
        page.wait_for_timeout(1500)
        assert bars.inner_text() != before
        page.get_by_label("Units").fill("20")
        page.get_by_role("button", name="Generate").click()
        page.get_by_text("seed").wait_for()
        page.wait_for_timeout(1000)

        assert len(page.locator(".sample pre").inner_text()) > len("theth")


def test_a_point_that_is_moved_moves_the_forecast(chromium: Any, address: str) -> None:
    with Visitor(chromium, address) as visitor:
        page = visitor.go(f"/play/{visitor.ids()['forecast']}")
        chart = page.locator(".draggable").first
        sentence = page.locator(".chart-figure .note").first
        before = sentence.inner_text()
        chart.focus()
        chart.press("End")
        for _ in range(5):
            chart.press("PageUp")
        page.wait_for_timeout(2000)

        assert sentence.inner_text() != before


def test_the_forget_gate_is_seen_at_once_with_the_numbers_of_the_command_line(
    chromium: Any, address: str, folder: Path
) -> None:
    found = look_inside(recurra.load(folder / "classify").predictor, [SENTENCE], "0.1").to_json()
    with Visitor(chromium, address) as visitor:
        page = visitor.go(f"/inside/{visitor.ids()['classify']}?q={SENTENCE}&unit=1&step=3")
        assert page.get_by_role("button", name="forget gate").get_attribute("aria-pressed") == "true"
        page.locator(".cell svg").wait_for()

        shown = {
            node.get_attribute("data-value"): node.text_content()
            for node in page.locator(".cell svg [data-value]").all()
        }
        for gate in found["cell"][3]["gates"]:
            text = shown[f"gate.{gate['name']}.value"].replace("−", "-")
            assert float(text) == pytest.approx(gate["value"], abs=5e-4)
        words = [button.get_attribute("aria-label") for button in page.locator(".steps button").all()]
        values = found["layers"][0]["gates"]["forget"]
        assert len(words) == len(values)
        for word, row in zip(words, values, strict=True):
            assert float(word.rsplit(": ", 1)[1].replace("−", "-")) == pytest.approx(row[1], rel=1e-3)


def test_steps_go_by_arrow_keys_and_a_link_brings_the_view_back(chromium: Any, address: str) -> None:
    with Visitor(chromium, address) as visitor:
        page = visitor.go(f"/inside/{visitor.ids()['classify']}?q={SENTENCE}&signal=input&unit=2&step=1&stretch=1-3")
        page.locator(".cell svg").wait_for()
        page.get_by_role("button", name="One step forward").focus()
        page.keyboard.press("ArrowRight")
        page.locator(".card .toolbar", has_text="Step 3 of").wait_for()
        page.get_by_text("Steps 2 to 3").wait_for()
        link = page.url
        page.goto("about:blank")
        page.goto(link)
        page.locator(".card .toolbar", has_text="Step 3 of").wait_for()

        assert page.get_by_role("button", name="input gate").get_attribute("aria-pressed") == "true"
        page.get_by_text("Steps 2 to 3").wait_for()


def test_shares_are_those_of_explain(chromium: Any, address: str, folder: Path) -> None:
    (found,) = recurra.load(folder / "classify").explain([SENTENCE])
    expected = found.to_json()
    with Visitor(chromium, address) as visitor:
        with visitor.page.expect_response(lambda one: one.url.endswith("/explain")) as response:
            page = visitor.go(f"/inside/{visitor.ids()['classify']}?q={SENTENCE}&tab=why")
        given = json.loads(response.value.body())["results"][0]
        page.locator(".bars li").first.wait_for()

        assert given == json.loads(json.dumps(expected))
        assert page.locator("button.share, span.share").count() >= len(expected["segments"])


def test_a_map_of_10_000_steps_answers_a_pointer_at_once(chromium: Any, address: str) -> None:
    text = "good film " * 5_000
    with Visitor(chromium, address) as visitor:
        page = visitor.go(f"/inside/{visitor.ids()['classify']}?q=good")
        with page.expect_response(lambda one: "signal=" in one.url, timeout=120_000) as response:
            page.get_by_role("textbox", name="Text").fill(text)
        assert int(response.value.headers["x-steps"]) == 10_000
        page.wait_for_timeout(1000)
        slowest = page.locator(".heatmap-surface").evaluate(
            """async (surface) => {
              const box = surface.getBoundingClientRect();
              let slowest = 0;
              for (let share = 0.05; share < 1; share += 0.05) {
                const begun = performance.now();
                const where = {clientX: box.left + share * box.width, clientY: box.top + share * box.height, bubbles: true};
                surface.dispatchEvent(new PointerEvent("pointermove", where));
                slowest = Math.max(slowest, performance.now() - begun);
                await new Promise(requestAnimationFrame);
              }
              return slowest;
            }"""
        )
        assert page.locator(".heatmap-reading").inner_text()
        assert slowest <= HOVER_MILLISECONDS


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_both_pages_are_accessible(chromium: Any, address: str, lang: str, theme: str) -> None:
    found = {}
    with Visitor(chromium, address, lang=lang, theme=theme) as visitor:
        ids = visitor.ids()
        for path in [
            *(f"/play/{ids[task]}" for task in CASES),
            *(f"/inside/{ids['classify']}?tab={tab}" for tab in ("gates", "states", "why")),
        ]:
            found[path] = violations(visitor.go(path))

    assert {path: problems for path, problems in found.items() if problems} == {}


@pytest.mark.parametrize("width", [360, 1280, 2560])
def test_nothing_reaches_beyond_the_window(chromium: Any, address: str, width: int) -> None:
    with Visitor(chromium, address, width=width) as visitor:
        ids = visitor.ids()
        paths = [*(f"/play/{ids[task]}" for task in CASES), f"/inside/{ids['classify']}"]
        found = {path: overflow(visitor.go(path)) for path in paths}

    assert {path: wide for path, wide in found.items() if wide} == {}
