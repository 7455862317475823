"""The run folder and the JSON are as the documentation describes them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.docs.conftest import README, ROOT

import recurra

pytestmark = pytest.mark.skipif(not README.is_file(), reason="the documentation is not installed with the package")
VERSE = "the rain in spain falls mainly on the plain\n"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, recurra.Run]]:
    """A run of each task: texts, series and sentences."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "verse.txt").write_text(VERSE * 40)
    (folder / "films.csv").write_text("text,label\n" + "".join(f"a film {n},{n % 2}\n" for n in range(40)))
    np.savez(folder / "waves.npz", x=np.random.default_rng(1).normal(size=(40, 5, 2)), y=[0, 1] * 20)
    days = (f"2024-{1 + n // 28:02}-{1 + n % 28:02},{n % 7 + n % 3}.5" for n in range(28))
    (folder / "sales.csv").write_text("day,sales\n" + "\n".join(days) + "\n")
    faults = (f"2024-{1 + n // 28:02}-{1 + n % 28:02},{n % 7}.5,{n % 3},{int(n == 80)}" for n in range(84))
    (folder / "plant.csv").write_text("day,temp,bar,fault\n" + "\n".join(faults) + "\n")
    (folder / "names.conll").write_text("Ann\tB-person\nleft\tO\n\n" * 3 + "Bob\tB-person\n\n" * 3)
    threads = torch.get_num_threads()
    tiny: dict[str, Any] = {"hidden": 8, "layers": 1, "epochs": 2, "batch": 4, "quiet": True, "threads": 1}
    held: dict[str, Any] = {**tiny, "test_share": 0.3, "valid_share": 0.3}
    yield {
        "lm": recurra.train("lm", folder / "verse.txt", folder / "lm", bptt=16, gradient_lags=4, **tiny),
        "films": recurra.train("classify", folder / "films.csv", folder / "films", **held),
        "begun": recurra.train(
            "classify", folder / "films.csv", folder / "begun", unlabelled=folder / "verse.txt", ablate=True, **held
        ),
        "waves": recurra.train("classify", folder / "waves.npz", folder / "waves", **held),
        "vectors": recurra.train("embed", folder / "waves.npz", folder / "vectors", **held),
        "sales": recurra.train("forecast", folder / "sales.csv", folder / "sales", horizon=2, **tiny),
        "plant": recurra.train("detect", folder / "plant.csv", folder / "plant", label="fault", **held),
        "photos": recurra.train(
            "caption", ROOT / "tests/golden/data/boxes.zip", folder / "photos", side=32, channels=2, **held
        ),
        "inks": recurra.train(
            "transcribe", ROOT / "tests/golden/data/inks.jsonl", folder / "inks", split_by="signal", **held
        ),
        "drawings": recurra.train(
            "strokes", ROOT / "tests/golden/data/inks.jsonl", folder / "drawings", condition="none", **held
        ),
        "tunes": recurra.train("music", ROOT / "tests/golden/data/scales.json", folder / "tunes", **held),
        "names": recurra.train("tag", folder / "names.conll", folder / "names", test=[folder / "names.conll"], **tiny),
    }
    torch.set_num_threads(threads)


def test_the_run_folder_is_as_described(runs: dict[str, recurra.Run]) -> None:
    page = (ROOT / "docs/run-folder.md").read_text(encoding="utf-8")
    described = dict(re.findall(r"(?m)^\| `([\w./]+)` \| (.*) \|$", page))
    files = {name for name in described if "." in name or name.endswith("/")}
    assert files == {path.name + "/" * path.is_dir() for run in runs.values() for path in run.path.iterdir()}
    for event in (event for run in runs.values() for event in run.events()):
        row = re.search(rf"(?m)^\| `{event['event']}` \| (.*)$", page)
        assert row, event
        if event["event"] != "evaluation":
            assert set(event) - {"event"} <= set(re.findall(r"`(\w+)`", row[1])), event


def test_the_json_is_as_described(runs: dict[str, recurra.Run]) -> None:
    page = ROOT / "docs/json.md"
    lm, films, names = runs["lm"], runs["films"], runs["names"]
    shown = json_under_headings(page)
    (of_lm,), (of_films,), (of_names,) = (shown[f"evaluate {kind}"] for kind in KINDS)
    (score,), (units,), (label, steps), (tags,) = shown["score"], *(shown[f"predict {kind}"] for kind in KINDS)
    generate, beam = shown["generate"]
    assert keys(of_lm) == keys(lm.evaluation)
    assert metric_names(of_films) == metric_names(films.evaluation)
    assert metric_names(of_names) == metric_names(names.evaluation)
    assert keys(score) == keys(lm.score("a list")[0])
    assert keys(units) == keys(lm.predict("a"))
    assert set(label) == set(films.predict("a film"))
    assert set(steps) == set(films.predict("a film", steps=True))
    assert {*map(frozenset, steps["steps"])} == {*map(frozenset, films.predict("a film", steps=True)["steps"])}
    assert keys(tags) == keys(names.predict([["Ann", "left"]])[0])
    assert set(tags["spans"][0]) == set(names.predict([["Ann", "left", "Bob"] * 20])[0]["spans"][0])
    assert set(beam) - {"text"} == set(lm.beam_search("a", beam=2, length=3)[0]) - {"text"}
    assert set(generate) == {"text"}


def test_the_json_of_an_embedder_is_as_described(runs: dict[str, recurra.Run]) -> None:
    shown, run = json_under_headings(ROOT / "docs/json.md"), runs["vectors"]
    (measured,), (asked,) = shown["evaluate Of an embedder"], shown["predict Of an embedder"]
    given: Any = run.evaluation
    assert [set(measured[name]) for name in ("metrics", "baselines", "details")] == [
        set(given[name]) for name in ("metrics", "baselines", "details")
    ]
    assert set(measured["details"]["map"]["points"][0]) == set(given["details"]["map"]["points"][0])
    result = run.predict([np.zeros((3, 2)), np.ones((4, 2))], cluster=2, neighbours=1)[0]
    assert set(asked) == set(result)
    assert set(asked["neighbours"][0]) == set(result["neighbours"][0])


def test_the_json_of_a_forecaster_is_as_described(runs: dict[str, recurra.Run], tmp_path: Path) -> None:
    shown, run = json_under_headings(ROOT / "docs/json.md"), runs["sales"]
    (measured,), (asked,) = shown["evaluate Of a forecaster"], shown["predict Of a forecaster"]
    given: Any = run.evaluation
    assert list(measured["metrics"]) == list(given["metrics"])
    assert set(measured["details"]) == set(given["details"])
    assert set(measured["details"]["by_step"]) == set(given["details"]["by_step"])
    assert set(measured["details"]["forecasts"][0]) == set(given["details"]["forecasts"][0])
    (tmp_path / "new.csv").write_text("day,sales\n2024-03-01,4\n2024-03-02,5.5\n")
    (result,) = run.predict(run.predictor.read_file(str(tmp_path / "new.csv")))
    assert list(asked) == list(result)


def test_the_json_of_a_detector_is_as_described(runs: dict[str, recurra.Run]) -> None:
    shown, run = json_under_headings(ROOT / "docs/json.md"), runs["plant"]
    (measured,), (asked, whole, line) = shown["evaluate Of a detector"], shown["predict Of a detector"]
    given: Any = run.evaluation
    assert list(measured["metrics"]) == list(given["metrics"])
    assert keys(measured["baselines"]).keys() == given["baselines"].keys()
    assert set(measured["details"]) == set(given["details"])
    drawn, own = measured["details"]["timelines"][0], given["details"]["timelines"][0]
    assert set(drawn) == set(own) and set(drawn["curves"]) == set(own["curves"])
    odd = {"day": [f"2024-05-{n:02}" for n in range(1, 13)], "temp": [2.5] * 11 + [1e6], "bar": [1.0] * 12}
    (result,) = run.predict(odd, steps=True)
    assert list(asked) == [name for name in result if name != "steps"]
    assert list(asked["events"][0]) == list(result["events"][0])
    assert list(line)[:-1] == list(result["steps"][1])
    following = run.predictor.line_stream()
    assert following is not None and following("day,temp,bar") is None
    assert list(following("2024-05-01,2.5,") or {}) == list(line)
    assert list(whole) == [*list(asked)[:3], "threshold", "anomaly", "channel"]


KINDS = ("Of a language model", "Of a classifier", "Of a tagger")


def json_under_headings(page: Path) -> dict[str, list[Any]]:
    """Give the JSON that a page shows, by the two headings that it stands under."""
    found: dict[str, list[Any]] = {}
    for part in re.split(r"(?m)^## ", page.read_text(encoding="utf-8"))[1:]:
        head, *inner = re.split(r"(?m)^### ", part)
        for place, text in [
            (head.split("\n")[0], head),
            *((f"{head.splitlines()[0]} {one.splitlines()[0]}", one) for one in inner),
        ]:
            found[place] = [json.loads(block) for block in re.findall(r"(?ms)^```json\n(.*?)^```$", text)]
    return found


def metric_names(evaluation: Any) -> Any:
    """Give the names in an evaluation that no data choose."""
    details, baselines = evaluation["details"], evaluation["baselines"]
    lists = {name: sorted(details[name][0]) for name in ("mistakes", "reliability") if details.get(name)}
    return (
        list(evaluation),
        list(evaluation["metrics"]),
        keys(baselines),
        set(details),
        lists,
        set(details["intervals"]),
    )


def keys(value: Any) -> Any:
    """Give the shape of a JSON value: names all the way down."""
    return {name: keys(each) for name, each in value.items()} if isinstance(value, dict) else type(value).__name__
