"""A run folder that is not whole is never used: whatever was cut off, changed or lost is said, with the file's name."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import tomli_w

import recurra
from recurra.errors import DataError, RunError, UsageError
from recurra.runs.manifest import check_manifest, write_manifest
from recurra.runs.run import Run

VERSE = "the rain in spain falls mainly on the plain\n舉頭望明月，低頭思故鄉。\n"
SETTINGS: dict[str, Any] = {"hidden": 8, "layers": 1, "epochs": 2, "bptt": 16, "batch": 4, "threads": 1}
FILES = ["config.toml", "metrics.jsonl", "model.safetensors", "ngram.safetensors", "report.html", "vocabulary.json"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    (folder / "verse.txt").write_text(VERSE * 20, encoding="utf-8")
    return recurra.train(
        "lm", folder / "verse.txt", folder / "run", quiet=True, precision="float32", validations=2, **SETTINGS
    ).path


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def test_every_file_of_a_run_has_its_sum(whole: Path) -> None:
    assert sorted(check_manifest(whole)) == FILES
    assert {path.name for path in whole.iterdir()} == {*FILES, "checkpoint", "manifest.json"}


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_file_that_was_cut_off_is_detected(run: Path, name: str) -> None:
    path = run / name
    content = path.read_bytes()
    for end in (0, 1, len(content) // 3, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:end])
        with pytest.raises(RunError, match=name.replace(".", r"\.")):
            Run.load(run)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_flipped_bit_is_detected(run: Path, name: str) -> None:
    chance, path = random.Random(name), run / name
    content = path.read_bytes()
    for bit in [0, 8 * len(content) - 1, *(chance.randrange(8 * len(content)) for _ in range(40))]:
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(RunError, match=name.replace(".", r"\.")):
            Run.load(run)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_lost_file_is_detected(run: Path, name: str) -> None:
    (run / name).unlink()
    with pytest.raises(RunError, match=name.replace(".", r"\.") if name != "manifest.json" else "has not ended"):
        Run.load(run)


def reconfigure(run: Path, **changes: Any) -> None:
    """Change the configuration, and the manifest as well: what another program, or another version, may have written."""
    import tomllib

    document = tomllib.loads((run / "config.toml").read_text(encoding="utf-8"))
    for name, value in changes.items():
        section, _, leaf = name.rpartition("__")
        (document[section] if section else document)[leaf] = value
    (run / "config.toml").write_text(tomli_w.dumps(document), encoding="utf-8")
    write_manifest(run, FILES)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "juggle"}, r"config\.toml: cannot be used: task: expected one of .*lm.*got 'juggle'"),
        ({"model__magic": 3}, r"config\.toml: cannot be used: model\.magic: extra inputs are not permitted"),
        ({"future": {"x": 1}, "recurra": "9.0"}, r"config\.toml: .*future.*written by Recurra 9\.0, this is"),
        ({"model__hidden": 9}, r"model\.safetensors: does not fit the configuration: .*size mismatch"),
        ({"model__hidden": "many"}, r"config\.toml: cannot be used: model\.hidden: .*got 'many'"),
        ({"model": 3}, r"config\.toml: cannot be used: model: "),
        ({"training": 3}, r"config\.toml: cannot be used: "),
        ({"data__unit": "byte"}, r""),
    ],
)
def test_a_configuration_of_another_kind_is_one_clear_line(run: Path, changes: dict[str, Any], message: str) -> None:
    reconfigure(run, **changes)
    if not message:  # the vocabulary says the unit; the setting is only how it was made
        assert Run.load(run).predictor.vocabulary.unit == "char"
        return
    with pytest.raises(RunError, match=message) as caught:
        Run.load(run)
    assert "\n" not in str(caught.value)


def test_a_configuration_without_a_task_is_one_clear_line(run: Path) -> None:
    (run / "config.toml").write_text("[model]\n")
    write_manifest(run, FILES)
    with pytest.raises(RunError, match=r"config\.toml: .*names no task"):
        Run.load(run)


def test_weights_that_are_none_are_one_clear_line(run: Path) -> None:
    for content in (b"", b"not tensors at all"):
        (run / "model.safetensors").write_bytes(content)
        write_manifest(run, FILES)
        with pytest.raises(RunError, match=r"model\.safetensors: does not fit") as caught:
            Run.load(run)
        assert "\n" not in str(caught.value)


def test_what_is_known_of_a_run(whole: Path) -> None:
    info = Run.load(whole).info()
    assert info["task"] == "lm"
    assert info["ended"] == "finished"
    assert info["steps"] == Run.load(whole).events("train")[-1]["step"]
    assert info["parameters"] == Run.load(whole).events("start")[0]["parameters"]
    assert info["evaluation"]["metrics"]["nll"] > 0


def test_a_run_repeats_its_evaluation(whole: Path) -> None:
    run = Run.load(whole)
    assert run.evaluate() == run.evaluation


def test_data_that_changed_since_are_not_measured_against(run: Path, whole: Path, tmp_path: Path) -> None:
    text = tmp_path / "other.txt"
    text.write_text(VERSE * 21, encoding="utf-8")
    reconfigure(run, data__data=[str(text)])
    for data in (None, whole.parent / "verse.txt"):
        with pytest.raises(DataError, match="have changed since"):
            Run.load(run).evaluate(data)
    measured = Run.load(run).evaluate(whole.parent / "verse.txt", baselines=False)
    assert measured["baselines"] == {}


def test_a_device_that_is_not_there_is_one_clear_line(whole: Path) -> None:
    for name in ("quantum", "meta"):
        with pytest.raises(UsageError, match=f"device: '{name}' cannot be used here"):
            Run.load(whole).to(name)


def test_several_samples_are_not_mixed_into_one_text(whole: Path) -> None:
    run = Run.load(whole)
    with pytest.raises(UsageError, match="count: generate gives one sample, got 3; generate_chunks gives"):
        run.generate("the", count=3, length=5)
    with pytest.raises(UsageError, match="count: input should be greater than or equal to 1, got 0"):
        run.generate("the", count=0, length=5)
    one = run.generate("the", count=1, length=5, seed=1)
    assert one == run.generate("the", length=5, seed=1)
    chunks = list(run.generate_chunks("the", count=3, length=5, seed=1))
    assert {chunk.sample for chunk in chunks} == {0, 1, 2}


def test_several_prompts_are_continued_and_searched_together(whole: Path) -> None:
    run, prompts = Run.load(whole), ["the", "", "the rain"]
    texts = prompts.copy()
    for chunk in run.generate_chunks(prompts, length=5, seed=1):
        texts[chunk.sample] += chunk.text
    assert texts == [run.generate(prompt, length=5, seed=1) for prompt in prompts]
    found = run.beam_search(prompts, beam=3, count=2, length=5)
    alone = [run.beam_search(prompt, beam=3, count=2, length=5) for prompt in prompts]
    assert [[one["text"] for one in results] for results in found] == [[one["text"] for one in two] for two in alone]


def test_a_verb_that_a_predictor_does_not_have_is_one_clear_line(whole: Path) -> None:
    run = Run.load(whole)
    run.predictor = object()  # type: ignore[assignment]
    for verb, ask in (
        ("generate", lambda: run.generate("x")),
        ("beam_search", lambda: run.beam_search("x")),
        ("score", lambda: run.score("x")),
        ("stream", run.stream),
        ("embed", lambda: run.embed("x")),
    ):
        with pytest.raises(UsageError, match=f"{verb}: a run of 'lm' cannot do that"):
            ask()


def test_options_that_generating_does_not_take_are_refused(whole: Path) -> None:
    run = Run.load(whole)
    with pytest.raises(UsageError, match="k: a run of 'lm' does not take this option; it takes beam, count"):
        run.generate("the", k=3)
    with pytest.raises(UsageError, match="beam_search finds the likeliest"):
        run.generate("the", beam=4)
    with pytest.raises(UsageError, match="count: expected 1 to 2, as many as the beam is wide, got 3"):
        run.beam_search("the", beam=2, count=3)
    with pytest.raises(UsageError, match="alpha, length_penalty: expected one of the two"):
        run.beam_search("the", alpha=0.2, length_penalty=0.3)
    with pytest.raises(UsageError, match="belongs to sampling"):
        run.beam_search("the", temperature=0.5)
    assert run.beam_search("the", alpha=0.2, length=4) == run.beam_search("the", length_penalty=0.2, length=4)


def test_a_table_in_memory_is_measured_as_its_file_is(tmp_path: Path) -> None:
    texts = [f"{word} day {n}" for n in range(30) for word in ("good", "bad")]
    columns = {"text": texts, "label": ["yes", "no"] * 30}
    rows = "\n".join(f"{text},{label}" for text, label in zip(*columns.values(), strict=True))
    (tmp_path / "days.csv").write_text(f"text,label\n{rows}\n")
    settings = {"hidden": 4, "epochs": 1, "linear": "none", "precision": "float32", "quiet": True}
    run = recurra.train("classify", columns, tmp_path / "run", **settings)
    measured = run.evaluate(columns, baselines=False)
    assert measured["metrics"] == run.evaluate(tmp_path / "days.csv", baselines=False)["metrics"]
    assert measured["data"] == "the data frame" and run.evaluate(columns)["baselines"]
