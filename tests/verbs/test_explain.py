"""`recurra explain` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recurra.cli import app
from recurra.errors import UsageError
from recurra.verbs.explain import shade

RUN = str(Path(__file__).resolve().parents[1] / "golden" / "runs" / "classify_text")


def call(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["explain", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_table_where_there_is_no_terminal() -> None:
    shown = call(RUN, "-t", "so good", "--target", "good").splitlines()
    assert shown[0].startswith("good: log-odds") and "\x1b" not in "".join(shown)
    assert shown[2] == "share\tpart" and len(shown) == 3 + len("so good")
    sizes = [abs(float(line.split("\t")[0])) for line in shown[3:]]
    assert sizes == sorted(sizes, reverse=True)


def test_json_has_what_the_page_shows(tmp_path: Path) -> None:
    page = tmp_path / "why.html"
    one = json.loads(call(RUN, "-t", "so good", "--json", "--memory", "-o", str(page)))
    assert {"target", "quantity", "value", "baseline_value", "segments", "faithfulness", "memory"} <= one.keys()
    assert sum(part["share"] for part in one["segments"]) == pytest.approx(
        one["value"] - one["baseline_value"], abs=1e-4
    )
    assert [part["text"] for part in one["segments"]] == list("so good")
    html = page.read_text(encoding="utf-8")
    assert 'class="shares"' in html and "default-src 'none'" in html and "How far back it remembers" in html


def test_how_far_back_it_remembers_is_said() -> None:
    last = call(RUN, "-t", "so good", "--memory").splitlines()[-2:]
    assert last[0].startswith("It remembers") or last[0].startswith("Nothing that was read")
    assert last[1].startswith("Layer 0: ")


def test_several_inputs_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "some.txt").write_text("so good\nso bad\n", encoding="utf-8")
    lines = call(RUN, str(tmp_path / "some.txt"), "--json", "--fast").splitlines()
    assert [json.loads(line)["method"] for line in lines] == ["integrated gradients of 64 nodes"] * 2


def test_without_an_input_it_is_the_run_that_is_explained(tmp_path: Path) -> None:
    page = tmp_path / "run.html"
    findings = json.loads(call(RUN, "--json", "-o", str(page)))
    assert findings and all({"name", "severity", "sentence", "evidence", "remedy"} <= each.keys() for each in findings)
    assert findings[0]["sentence"] in call(RUN) and "Diagnosis" in page.read_text(encoding="utf-8")


def test_what_goes_on_inside(tmp_path: Path) -> None:
    page = tmp_path / "inside.html"
    text = "so good, so bad, so very good indeed"
    language = str(Path(RUN).with_name("lm"))
    found = json.loads(call(language, "-t", text, "--gates", "--unit", "0.1", "--dynamics", "--json", "-o", str(page)))
    layer = found["layers"][0]
    assert len(layer["steps"]) == len(next(iter(layer["gates"].values()))) == len(found["cell"])
    assert found["unit"]["unit"] == "0.1" and "fixed_points" in found
    html = page.read_text(encoding="utf-8")
    assert html.count("<svg ") >= len(found["cell"]) and "default-src 'none'" in html
    assert f"{len(layer['steps'])} steps" in call(language, "-t", text, "--gates")
    with pytest.raises(UsageError, match="fixed points: expected layers in one direction"):
        call(RUN, "-t", text, "--gates", "--dynamics")


def test_what_is_kept_of_the_inside_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recurra.explain.inside.MAX_STEPS", 9)
    with pytest.raises(UsageError, match="inputs: expected at most 9 steps in all"):
        call(RUN, "-t", "so good", "-t", "so bad", "--gates")


def test_an_input_is_needed() -> None:
    with pytest.raises(UsageError, match="explain: expected an input"):
        call(RUN, "--gates")
    with pytest.raises(UsageError, match="explain: expected an input"):
        call(RUN, "--target", "good")
    with pytest.raises(UsageError, match="belong to --gates"):
        call(RUN, "-t", "so good", "--unit", "0.1")
    with pytest.raises(UsageError, match="leave the other options out"):
        call(RUN, "-t", "so good", "--gates", "--fast")
    with pytest.raises(UsageError, match=r"unit: expected one of 0\.0"):
        call(RUN, "-t", "so good", "--gates", "--unit", "9.9")
    with pytest.raises(UsageError, match="would stand in a folder that is not there"):
        call(RUN, "-t", "so good", "-o", "/nowhere/at/all.html")
    with pytest.raises(UsageError, match="permutations: fast takes gradients"):
        call(RUN, "-t", "so good", "--fast", "--permutations", "4")


def test_control_characters_of_a_text_stay_harmless_in_a_terminal() -> None:
    assert shade("\x1b[2J", 1.0, 1.0).count("\x1b") == 2
    assert shade("a", -1.0, 1.0) != shade("a", 1.0, 1.0)
    assert "\x1b" not in call(str(Path(RUN).with_name("tag")), "-t", "\x1b[31mred", "--at", "1")
