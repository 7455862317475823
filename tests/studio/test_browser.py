"""The studio in a real browser: every page, a training from a dropped file to a prediction, the keyboard, the sizes of screens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.runs.trainings import GOLDEN, train
from tests.studio.browser import AXE, Watch, find_browser, overflow, serve, violations, wait_until_drawn

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: pip install 'recurra[dev]'"
)
pytestmark = [
    pytest.mark.skipif(find_browser() is None, reason="there is no Chromium here: apt install chromium"),
    pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not here: cd studio && npm install"),
]
SECONDS_TO_TRAIN = 120
PARTS = ("figures", "curves", "samples", "diagnosis", "settings", "report", "log")
WIDTHS = (360, 1280, 2560)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A studio of two classifiers and a language model, started by its command."""
    folder = tmp_path_factory.mktemp("browser") / "runs"
    train("classify", folder / "reviews")
    train("classify", folder / "reviews-gru", cell="gru")
    train("lm", folder / "verse")
    with serve(folder) as found:
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=find_browser())
        yield browser
        browser.close()


class Visitor:
    """A page of the studio, and a watch over it; every visit ends with a check of the watch."""

    def __init__(
        self, browser: Any, address: str, *, lang: str = "en", theme: str = "light", width: int = 1280
    ) -> None:
        locale = {"en": "en-GB", "zh": "zh-CN"}[lang]
        size = {"width": width, "height": 900}
        self.context = browser.new_context(locale=locale, color_scheme=theme, viewport=size)
        self.page, self.address = self.context.new_page(), address
        self.watch = Watch(self.page, address)

    def __enter__(self) -> Visitor:
        self.go("/")
        return self

    def __exit__(self, *failure: object) -> None:
        self.context.close()
        if failure[0] is None:
            self.watch.check()

    def go(self, path: str) -> Any:
        self.page.goto(f"{self.address}/#{path}")
        wait_until_drawn(self.page)
        return self.page

    def ids(self) -> dict[str, str]:
        return {run["name"]: run["id"] for run in self.context.request.get(f"{self.address}/api/runs").json()}

    def paths(self) -> list[str]:
        """Give the address of every page, and of every part of a run's."""
        ids = self.ids()
        runs = [f"/runs/{ids['verse']}?tab={part}" for part in PARTS]
        return [
            "/",
            *runs,
            f"/compare?runs={ids['reviews']},{ids['reviews-gru']}",
            "/train",
            "/train?dataset=digits",
            "/no-such-page",
        ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_page_is_accessible_and_asks_nobody_else(chromium: Any, address: str, lang: str, theme: str) -> None:
    with Visitor(chromium, address, lang=lang, theme=theme) as visitor:
        assert visitor.page.evaluate("document.documentElement.lang") == {"en": "en", "zh": "zh-Hans"}[lang]
        found = {path: violations(visitor.go(path)) for path in visitor.paths()}

    assert {path: problems for path, problems in found.items() if problems} == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_reaches_beyond_the_window(chromium: Any, address: str, width: int) -> None:
    with Visitor(chromium, address, width=width) as visitor:
        found = {path: overflow(visitor.go(path)) for path in visitor.paths()}

    assert {path: wide for path, wide in found.items() if wide} == {}


def test_from_a_dropped_table_to_a_prediction(chromium: Any, address: str) -> None:
    with Visitor(chromium, address) as visitor:
        page = visitor.go("/train")
        drop(page, GOLDEN / "reviews.csv")
        page.get_by_role("radio", name="Classifier").check()
        assert page.get_by_role("columnheader", name="label text").is_visible()
        page.get_by_label("Another time").fill("6s")
        page.get_by_label("Name of the run").fill("dropped")
        page.locator(".command code", has_text="--within 6s").wait_for()
        assert "reviews.csv" in page.locator(".command code").inner_text()

        page.get_by_role("button", name="Start training").click()
        page.get_by_role("heading", name="dropped", exact=True).wait_for()
        page.locator(".title .badge.done").wait_for(timeout=1000 * SECONDS_TO_TRAIN)
        assert page.locator(".headline strong").inner_text() != ""

        ids = visitor.ids()
        page = visitor.go(f"/compare?runs={ids['dropped']},{ids['reviews']}")
        page.get_by_label("Input").fill("the service was warm and fine")
        page.get_by_role("button", name="Ask", exact=True).click()
        page.locator(".answer .prediction").nth(1).wait_for()
        assert page.locator(".answer").count() == 2


def drop(page: Any, file: Path) -> None:
    """Drop a file as a mouse would: the browser makes the event's data."""
    carried = page.evaluate_handle(
        """([name, text]) => {
          const carried = new DataTransfer();
          carried.items.add(new File([text], name));
          return carried;
        }""",
        [file.name, file.read_text(encoding="utf-8")],
    )
    page.dispatch_event(".drop-zone", "drop", {"dataTransfer": carried})
    page.get_by_role("heading", name=file.name).wait_for()


def test_a_wrong_setting_is_marked_with_the_sentence_of_the_command_line(chromium: Any, address: str) -> None:
    with Visitor(chromium, address) as visitor:
        page = visitor.go("/train?dataset=digits")
        page.get_by_label("Search the settings").fill("hidden")
        field = page.get_by_role("textbox", name="hidden", exact=True)
        field.fill("many")
        page.locator(".field .problem:not([hidden])").wait_for()

        assert field.get_attribute("aria-invalid") == "true"
        assert page.get_by_role("button", name="Start training").is_disabled()


def test_the_whole_way_by_keyboard_alone(chromium: Any, address: str) -> None:
    with Visitor(chromium, address) as visitor:
        page, press = visitor.page, visitor.page.keyboard.press
        reach(page, "Skip to the content")
        press("Enter")
        reach(page, "Name")
        press("Enter")
        assert page.locator("th[aria-sort=ascending]").inner_text().startswith("Name")
        reach(page, "reviews")
        press("Enter")
        page.get_by_role("tab", name="Figures").wait_for()
        reach(page, "Figures")
        press("ArrowRight")
        assert page.get_by_role("tab", name="Curves").get_attribute("aria-selected") == "true"
        assert "tab=curves" in page.url
        press("Home")
        reach(page, "Train", backwards=True)
        press("Enter")
        page.get_by_label("Or a data set by its name").wait_for()
        wait_until_drawn(page)
        with page.expect_file_chooser() as chooser:
            page.locator("input[type=file]").focus()
            press("Enter")
        chooser.value.set_files(GOLDEN / "reviews.csv")
        page.get_by_role("heading", name="reviews.csv").wait_for()
        reach(page, "Start training")


def reach(page: Any, name: str, *, backwards: bool = False) -> None:
    """Go on with Tab until what has the focus is called so."""
    for _ in range(150):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        focused = page.evaluate("(document.activeElement.ariaLabel || document.activeElement.innerText || '').trim()")
        if focused == name:
            return
    raise AssertionError(f"{name} cannot be reached with the keyboard")


def test_a_choice_of_language_and_of_colours_stays(chromium: Any, address: str) -> None:
    with Visitor(chromium, address) as visitor:
        page = visitor.page
        page.get_by_role("button", name="中文").click()
        wait_until_drawn(page)
        page.get_by_label("配色").select_option("dark")
        page.reload()
        wait_until_drawn(page)

        assert page.evaluate("document.documentElement.lang") == "zh-Hans"
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        assert page.get_by_role("button", name="English").is_visible()
