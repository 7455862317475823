"""The report: whole, valid and honest, whatever a run holds."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Protocol

import pytest

from recurra.errors import RunError
from recurra.report import TaskDescription, write_report
from recurra.report.blocks import Block, Text, note_blocks

LANGUAGE = TaskDescription(
    "Language model",
    samples_title="How the writing improves",
    usage=(("Write new text", "recurra generate {run} --length 400"),),
)
CLASSES = TaskDescription("Classifier", ("example", "examples"))


class MakeRun(Protocol):
    def __call__(self, happened: list[dict[str, Any]] | None, config: str = ...) -> Path: ...


class Checker(HTMLParser):
    """Sees to it that every element is closed in its order, and gathers text and attributes."""

    VOID = frozenset({"meta", "br", "hr", "img", "link", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


def check(folder: Path, task: TaskDescription | None = LANGUAGE) -> Checker:
    """Write the report and hold it to what every report must keep."""
    path = write_report(folder, task)
    assert path == folder / "report.html"
    page = path.read_text(encoding="utf-8")
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    assert page.startswith("<!DOCTYPE html>")
    names = {name for name, _ in checker.attributes}
    assert not names & {"src", "href", "srcset", "onload", "onclick"}
    assert not {"script", "link", "img", "iframe", "object"} & set(checker.seen)
    assert not re.search(r"url\(|@import|https?://", page)
    assert not re.search(r"\b(nan|inf)\b", re.sub(r"<style>.*?</style>", "", page, flags=re.S), flags=re.I)
    assert sorted(each.name for each in folder.iterdir() if each.name.startswith(".")) == []
    return checker


def test_a_whole_run(make_run: MakeRun, language_events: Any) -> None:
    text = check(make_run(language_events())).text
    assert "Language modeltang.json" in text
    assert "4.12perplexity on held-out data (test)" in text
    assert "38\u00a0% below Kneser–Ney 5-gram, the best of 3 baselines" in text
    for heading in (
        "Model and baselines",
        "Learning curves",
        "How far back",
        "How the writing improves",
        "All settings",
        "Environment",
    ):
        assert heading in text
    assert "獨坐幽篁裏，\n彈琴復長嘯。\n" in text
    assert "fades to a tenth of its size 35 steps back and a hundredth of its size 70 steps back" in text
    assert "bfloat16" in text and "recurra generate tang" in text and "best 1.462" in text


def test_says_plainly_when_a_baseline_wins(make_run: MakeRun, language_events: Any, language_evaluation: Any) -> None:
    happened = [*language_events(), language_evaluation(nll=2.0, baseline=1.9)]
    checker = check(make_run(happened))
    assert "Kneser–Ney 5-gram is better: 6.69. The model is 11\u00a0% above it." in checker.text
    assert ("class", "verdict bad") in checker.attributes
    names = re.findall(r"This model|Kneser–Ney 5-gram|bigram|uniform", checker.text.split("lower is better.")[1])
    assert names[:4] == ["Kneser–Ney 5-gram", "This model", "bigram", "uniform"]


@pytest.mark.parametrize("kind", ["start", "train", "valid", "sample", "gradient_lags", "end", "evaluation"])
def test_any_kind_of_event_may_be_missing_or_the_only_one(kind: str, make_run: MakeRun, language_events: Any) -> None:
    happened = language_events(steps=200)
    check(make_run([event for event in happened if event["event"] != kind]))
    check(make_run([event for event in happened if event["event"] == kind]))
    check(make_run([event for event in happened if event["event"] == kind][:1]))


def test_a_run_that_has_not_begun(make_run: MakeRun) -> None:
    for happened in (None, []):
        text = check(make_run(happened)).text
        assert "Training has not begun." in text
        assert "recurra generate" not in text


def test_before_the_evaluation_the_best_validation_speaks(make_run: MakeRun, language_events: Any) -> None:
    text = check(make_run([event for event in language_events() if event["event"] not in ("evaluation", "end")])).text
    assert "4.32perplexity on held-out data while training, at step 3,500" in text
    assert "Not compared with baselines yet" in text


EVIL = "<script>alert(1)</script>\"'&</pre><img src=x onerror=alert(1)>\x00\x1b[31m\ud800"


def test_everything_is_escaped(make_run: MakeRun, language_events: Any, language_evaluation: Any) -> None:
    happened = language_events(steps=200, samples=[EVIL, EVIL])
    happened[0] |= {"device": EVIL, "plan": EVIL, EVIL: EVIL}
    happened[-2]["reason"] = EVIL
    measured = language_evaluation(nll=1.0, baseline=2.0) | {"data": EVIL}
    measured["metrics"][EVIL] = 1.0
    measured["baselines"][EVIL] = {"nll": 1.0, "perplexity": 3.0}
    happened.append(measured)
    happened.append({"event": "valid", "step": 300, EVIL: 1.0, "best": True})
    value = json.dumps(EVIL.replace("\x00", "").replace("\x1b", "").replace("\ud800", ""))
    config = f"task = {value}\nplain = {value}\n[data]\ndata = [{value}]\n[{value}]\n{value} = {value}\n"
    checker = check(make_run(happened, config))
    assert checker.text.count("<script>alert(1)</script>") > 10
    assert "\x00" not in checker.text and "\x1b" not in checker.text


def test_numbers_that_are_not_finite_leave_gaps(make_run: MakeRun, language_events: Any) -> None:
    happened = language_events(steps=2000)
    for index, event in enumerate(event for event in happened if event["event"] == "train"):
        if index % 50 == 7:
            event |= {"loss": math.nan, "grad_norm": math.inf, "lr": None}
    happened[-1]["metrics"]["bits_per_char"] = math.inf
    happened[-1]["baselines"]["bigram"] = {"perplexity": math.nan}
    text = check(make_run(happened)).text
    assert "4 values not finite" in text
    assert "–" in text


def test_huge_runs_give_small_reports_that_keep_extremes(make_run: MakeRun, language_events: Any) -> None:
    happened = language_events(steps=100_000, every=1)
    happened[50_000]["grad_norm"] = 77.25
    folder = make_run(happened)
    text = check(folder).text
    assert (folder / "report.html").stat().st_size < 200_000
    assert "up to 77.250" in text


@pytest.mark.parametrize("value", [0.0, 1.5, -2.0, 1e-300, 1e140])
@pytest.mark.parametrize("count", [1, 2, 100])
def test_constant_curves(value: float, count: int, make_run: MakeRun) -> None:
    same = {"loss": value, "lr": value, "grad_norm": value, "units_per_second": value, "seconds": 1.0}
    happened = [{"event": "train", "step": step, **same} for step in range(count)]
    happened += [{"event": "valid", "step": step, "nll": value, "best": True} for step in range(count)]
    happened += [{"event": "gradient_lags", "step": 1, "norms": [value] * count}]
    assert "Learning curves" in check(make_run(happened)).text


def test_other_tasks_speak_their_own_language(make_run: MakeRun) -> None:
    happened: list[dict[str, Any]] = [
        {"event": "train", "step": step, "loss": 1 / step, "seconds": step} for step in range(1, 30)
    ]
    happened += [{"event": "valid", "step": step, "accuracy": 0.5 + step / 100, "best": True} for step in (10, 20, 30)]
    happened.append(
        {
            "event": "evaluation",
            "task": "classify",
            "data": "test",
            "metrics": {"accuracy": 0.81, "macro_f1": 0.8},
            "baselines": {
                "majority": {"accuracy": 0.5, "macro_f1": 0.3},
                "tfidf-logistic": {"accuracy": 0.84, "macro_f1": 0.82},
            },
        }
    )
    text = check(make_run(happened, "task = 'classify'\n[data]\ndata = ['a/b.csv']\n"), CLASSES).text
    assert "Classifier" in text and "b.csv" in text
    assert "TF-IDF + logistic regression is better: 84.0\u00a0%. The model is 3.0\u00a0points below it." in text
    assert "Held-out accuracy over training steps" in text and "Training loss over training steps" in text
    assert "higher is better" in text


def test_a_line_that_was_cut_off_is_left_out_and_broken_ones_are_counted(
    make_run: MakeRun, language_events: Any
) -> None:
    folder = make_run(language_events(steps=200))
    metrics = folder / "metrics.jsonl"
    metrics.write_bytes(b"[1]\n{broken\n\xff\n" + metrics.read_bytes() + b'{"event": "train", "st')
    assert "3 lines of metrics.jsonl could not be read" in check(folder).text


def test_what_a_resumed_training_says_again_counts_once(make_run: MakeRun) -> None:
    first = [{"event": "valid", "step": step, "nll": 9.0, "best": False} for step in (1, 2, 3)]
    again = [{"event": "valid", "step": step, "nll": 1.5, "best": True} for step in (2, 3)]
    folder = make_run([*first, *again])
    check(folder)
    assert (folder / "report.html").read_text(encoding="utf-8").count('class="dot held"') == 3


@pytest.mark.parametrize("config", ["not toml", "a = 1\na = 2\n"])
def test_damaged_configuration(config: str, make_run: MakeRun) -> None:
    with pytest.raises(RunError, match=r"config\.toml: not valid TOML"):
        write_report(make_run([], config))


def test_no_run(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(RunError, match="expected a run folder"):
            write_report(folder)
    assert list(tmp_path.iterdir()) == []


def test_an_old_report_is_replaced_and_the_same_run_gives_the_same_page(
    make_run: MakeRun, language_events: Any
) -> None:
    folder = make_run(language_events(steps=200))
    (folder / "report.html").write_text("old")
    first = write_report(folder).read_bytes()
    assert write_report(folder).read_bytes() == first
    assert b"old" not in first[:10]


def test_a_baseline_that_could_not_learn_from_all_is_named(make_run: MakeRun, language_events: Any) -> None:
    happened = language_events()
    assert "learnt from the last" not in check(make_run(happened)).text
    happened[-1]["baselines"]["kneser-ney-5"]["trained_on"] = 12_345_678
    text = check(make_run(happened)).text
    assert "Kneser–Ney 5-gram learnt from the last 12,345,678 training units; more did not fit" in text


def test_a_task_that_is_not_known_is_called_by_its_name(make_run: MakeRun, language_events: Any) -> None:
    happened = language_events(steps=200)
    happened[-1]["details"] = {"notes": ["one thing <more>"], "map": {"points": [1]}}
    text = check(make_run(happened, "task = 'next_value'\n"), None).text
    assert text.strip().startswith("Next value") and "Samples along the way" in text
    assert "Measured on 127,990 units" in text and "recurra evaluate tang DATA" in text
    assert "Notes\none thing <more>" in re.sub("\n+", "\n", text.replace("Notes", "Notes\n"))


class Picture(Block):
    """A kind of block that no one here knows."""

    kind = "picture"

    def draw(self) -> str:
        return "<svg></svg>"

    @classmethod
    def script(cls) -> str:
        return "let picture = 1;"


def test_blocks_are_drawn_in_the_order_of_the_task(make_run: MakeRun, language_events: Any) -> None:
    folder = make_run(language_events(steps=200))
    caution, empty = Text("", ["Look at <x> too."], in_headline=True), Text("Nothing", [])
    path = write_report(folder, LANGUAGE, lambda _: [Picture("One <b>"), empty, caution, Text("Two", ["a", "b"])])
    page = path.read_text(encoding="utf-8")
    header, body = page.split("</header>")
    assert "Look at &lt;x&gt; too." in header and "Look at" not in body
    assert "<h2>One &lt;b&gt;</h2><svg></svg></section>\n<section><h2>Two</h2><ul><li>a</li>" in body
    assert "<h2>Nothing</h2>" not in page
    assert page.count("<script>let picture = 1;</script>") == 1
    assert "script-src 'sha256-" in page


def test_several_evaluations_are_told_apart(make_run: MakeRun, language_events: Any, language_evaluation: Any) -> None:
    other = language_evaluation(nll=1.0, baseline=2.0) | {"data": "other.txt", "details": {"notes": ["a note"]}}
    folder = make_run([*language_events(steps=200), other])
    text = check(folder).text
    assert (
        "Model and baselines: test" in text and "Model and baselines: other.txt" in text and "Notes: other.txt" in text
    )
    # The headline quotes the test part, so what others have to say of theirs does not stand there.
    caution = [Text("", ["careful"], in_headline=True)]
    write_report(folder, LANGUAGE, lambda each: caution if each["data"] == "other.txt" else note_blocks(each))
    assert "careful" not in (folder / "report.html").read_text(encoding="utf-8")
