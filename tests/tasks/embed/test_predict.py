"""An embedder from data to predictions: vectors, clusters, neighbours, and what odd data give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import recurra
from recurra import Run
from recurra.cli import app
from recurra.errors import DataError, MissingExtraError, UsageError
from recurra.kernels.native import engine
from recurra.tasks.embed import clustering

SETTINGS: dict[str, Any] = {"hidden": 16, "vector_size": 6, "epochs": 30, "batch": 8, "lr": 0.01, "quiet": True}
SETTINGS |= {"cell": "gru", "precision": "float32"}


def write(folder: Path, name: str = "waves.ts", count: int = 60, *, labels: bool = True) -> Path:
    """Series of three kinds, of 20 to 24 steps: rising, falling, and swinging."""
    chance = np.random.default_rng(3)
    lines = ["@problemName waves", f"@classLabel {'true up down swing' if labels else 'false'}", "@data"]
    for n in range(count):
        t = np.linspace(-1, 1, int(chance.integers(20, 25)))
        kind = ("up", "down", "swing")[n % 3]
        values = {"up": t, "down": -t, "swing": np.sin(9 * t)}[kind] + chance.normal(0, 0.1, len(t))
        lines.append(",".join(f"{value:.3f}" for value in values) + (f":{kind}" if labels else ""))
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("embed")
    return recurra.train("embed", write(folder), folder / "run", test_share=0.3, **SETTINGS)


def invoke(*arguments: object, input: str | None = None) -> str:
    result = CliRunner().invoke(app, [*map(str, arguments)], input=input, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def measured(run: Run) -> dict[str, Any]:
    assert run.evaluation is not None
    return run.evaluation


def some(run: Run, count: int = 9) -> list[np.ndarray]:
    task: Any = run.task
    return task.dataset.train.sequences[:count]


def test_it_is_measured_by_labels_that_it_never_saw(run: Run) -> None:
    evaluation = measured(run)
    model, baselines = evaluation["metrics"], evaluation["baselines"]
    assert set(model) == {"rmse", "adjusted_rand", "mutual_information", "neighbour_accuracy"}
    assert set(baselines) == {"mean-of-inputs", "k-means-raw"}
    assert model["adjusted_rand"] == 1.0
    assert model["rmse"] < baselines["mean-of-inputs"]["rmse"]
    assert baselines["mean-of-inputs"]["adjusted_rand"] < 0.5  # all three kinds have a mean of 0
    points = evaluation["details"]["map"]["points"]
    assert {(point["label"], point["cluster"]) for point in points} == {
        (label, cluster) for label, cluster in {point["label"]: point["cluster"] for point in points}.items()
    }
    assert all(len(point["lines"]) == 1 and point["steps"] == len(point["lines"][0]) for point in points)


def test_labels_change_nothing_that_is_learnt(run: Run, tmp_path: Path) -> None:
    bare = recurra.train("embed", write(tmp_path, labels=False), tmp_path / "run", test_share=0.3, **SETTINGS)
    for name, value in run.network.state_dict().items():
        assert torch.equal(value, bare.network.state_dict()[name]), name
    assert set(measured(bare)["metrics"]) == {"rmse"}
    assert list(measured(bare)["baselines"]) == ["mean-of-inputs"]


def test_the_training_vectors_lie_around_zero_at_a_distance_of_one(run: Run) -> None:
    run.task.prepare(run.path)
    vectors = run.embed(some(run, 60))
    assert vectors.shape[1] == 6
    assert len(vectors) > 30
    np.testing.assert_allclose(vectors.mean(0), 0, atol=1e-5)
    assert (vectors**2).sum(1).mean() == pytest.approx(1, rel=1e-4)


@pytest.mark.skipif(engine() is None, reason="exact mode needs the engine")
def test_a_vector_depends_on_no_other_sequence(run: Run) -> None:
    series = some(run)
    together = run.embed([*series, np.zeros((200, 1), np.float32)])
    for one, vector in zip(series, together, strict=False):
        np.testing.assert_array_equal(run.embed(one), vector)
        assert run.predict(one)["vector"] == [round(float(value), 6) for value in vector]


def test_odd_series_have_vectors_too(run: Run) -> None:
    odd = [[], [0.5], [np.nan] * 5, [1.0] * 30, [0.1, np.nan, 0.3]]
    for result in run.predict([np.array(one, np.float32) for one in odd], steps=True):
        assert len(result["vector"]) == 6
        assert np.isfinite(result["vector"]).all()
        assert len(result["steps"]) == len(result["series"])
    with pytest.raises(DataError, match="step 2, channel value: expected a finite number, got infinity"):
        run.predict(np.array([0.0, np.inf]))
    with pytest.raises(DataError, match=r"input 2: expected series of 1 channels"):
        run.predict([np.zeros(3), np.zeros((3, 2))])


def test_clusters_are_numbered_by_their_size(run: Run) -> None:
    kinds = [sequence[-1, 0] for sequence in some(run, 30)]
    found = [result["cluster"] for result in run.predict(some(run, 30), cluster=3)]
    sizes = [found.count(number) for number in (1, 2, 3)]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == 30
    assert len({(number, value > 0.7, value < -0.7) for number, value in zip(found, kinds, strict=True)}) == 3
    assert found == [result["cluster"] for result in run.predict(some(run, 30), cluster="3")]
    stand_out = {result["cluster"] for result in run.predict(some(run, 40), cluster="auto")}
    assert {1, 2, 3} <= stand_out <= {1, 2, 3, None}
    assert run.predict(some(run, 2), cluster="auto")[0]["cluster"] is None
    assert run.predict([], cluster=2) == []


def test_sequences_that_are_alike_are_one_cluster(run: Run) -> None:
    (one,) = some(run, 1)
    for wanted in (3, "auto"):  # warnings are errors here, those of scikit-learn too
        assert [result["cluster"] for result in run.predict([one] * 6, cluster=wanted)] == [1] * 6


def test_the_nearest_others_and_how_far_they_are(run: Run) -> None:
    results = run.predict(some(run), neighbours=3)
    vectors = run.embed(some(run)).astype(np.float64)
    for index, one in enumerate(results):
        far = np.sqrt(((vectors - vectors[index]) ** 2).sum(1))
        order = [place for place in np.argsort(far, kind="stable") if place != index][:3]
        assert [near["number"] for near in one["neighbours"]] == [place + 1 for place in order]
        assert [near["distance"] for near in one["neighbours"]] == pytest.approx(far[order], abs=1e-6)
    twice = run.predict([some(run)[0], some(run)[0]], neighbours=5)
    assert [one["neighbours"] for one in twice] == [[{"number": 2, "distance": 0.0}], [{"number": 1, "distance": 0.0}]]
    assert run.predict(some(run)[0], neighbours=1)["neighbours"] == []


def test_many_neighbours_are_found_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    whole = clustering.nearest_neighbours(vectors, 7)
    monkeypatch.setattr(clustering, "DISTANCES_PER_BLOCK", 120)
    assert clustering.nearest_neighbours(vectors, 7) == whole


def test_options_that_do_not_fit_are_named(run: Run, tmp_path: Path) -> None:
    for options, message in (
        ({"cluster": "many"}, "cluster: expected a number of clusters from 1, or auto; got 'many'"),
        ({"cluster": 0}, "cluster: expected a number of clusters from 1, or auto; got 0"),
        ({"cluster": 10}, "cluster: expected at most one for each of 9 sequences, got 10"),
        ({"neighbours": 0}, "neighbours: expected a number from 1, got 0"),
        (
            {"clusters": 3},
            "clusters: a run of 'embed' does not take this option; it takes cluster, neighbours, steps",
        ),
    ):
        with pytest.raises(UsageError, match=message):
            run.predict(some(run), **options)
    (tmp_path / "t.csv").write_text("text,label\n" + "".join(f"w{n},{'ab'[n % 2]}\n" for n in range(20)))
    other = recurra.train("classify", tmp_path / "t.csv", tmp_path / "run", epochs=1, hidden=4, quiet=True)
    with pytest.raises(
        UsageError, match="cluster: a run of 'classify' does not take this option; it takes -k, --steps"
    ):
        CliRunner().invoke(app, ["predict", str(other.path), "-t", "w1", "--cluster", "2"], catch_exceptions=False)
    with pytest.raises(UsageError, match="embed: a run of 'classify' cannot do that"):
        other.embed("w1")


def test_the_command_line_groups_all_that_a_file_or_a_pipe_holds(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, "new.ts", 300)  # more than are read at a time
    lines = [json.loads(line) for line in invoke("predict", run.path, path, "--cluster", 3, "--json").splitlines()]
    assert len(lines) == 300
    assert [lines[:3].index(line) if line in lines[:3] else None for line in lines[:3]] == [0, 1, 2]
    assert all(line["cluster"] == lines[number % 3]["cluster"] for number, line in enumerate(lines))
    shown = invoke("predict", run.path, "--neighbours", 1, input="0.1, 0.2\n0.1, 0.21\n3, -3\n").splitlines()[1:]
    assert [line.split("\t")[0].split(" ")[0] for line in shown[:2]] == ["2", "1"]
    assert shown[0].endswith("2 steps, the last 0.2")


def test_a_stream_knows_the_vector_after_each_step(tmp_path: Path) -> None:
    settings = {name: value for name, value in SETTINGS.items() if name != "vector_size"}
    run = recurra.train("embed", write(tmp_path), tmp_path / "run", objective="next_step", **{**settings, "epochs": 2})
    series = np.array([0.1, 0.5, -0.3, np.nan, 0.2], np.float32)
    result = run.predict(series, steps=True)
    stream: Any = run.stream(series[:3])
    later = [stream.step(float(value)) for value in series[3:]]
    np.testing.assert_allclose(np.stack(later), [step["vector"] for step in result["steps"][3:]], atol=1e-6)
    assert result["steps"][-1]["vector"] == pytest.approx(result["vector"], abs=2e-6)
    assert len(result["vector"]) == 16
    with pytest.raises(UsageError, match="bidirectional: next_step reads forwards alone"):
        recurra.train("embed", write(tmp_path), tmp_path / "no", objective="next_step", bidirectional=True, **settings)
    with pytest.raises(UsageError, match="vector_size: is for the autoencoder alone"):
        recurra.train("embed", write(tmp_path), tmp_path / "no", objective="next_step", **SETTINGS)


def test_texts_in_any_language_without_labels(tmp_path: Path) -> None:
    lines = [f"床前明月光 {n}" if n % 2 else f"the rain in spain {n}" for n in range(60)]
    (tmp_path / "lines.txt").write_text("\n".join(lines) + "\n", "utf-8")
    settings = {**SETTINGS, "unit": "char", "test_share": 0.2}
    run = recurra.train("embed", tmp_path / "lines.txt", tmp_path / "run", **settings)
    assert measured(run)["metrics"]["nll"] < measured(run)["baselines"]["mean-of-inputs"]["nll"]
    results = run.predict([*lines[:20], ""], cluster=2)
    assert len({(line[0] == "床", one["cluster"]) for line, one in zip(lines[:20], results, strict=False)}) == 2
    assert results[-1]["text"] == ""


def test_nothing_to_learn_from_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text('text\n""\n""\n""\n')
    with pytest.raises(DataError, match=r"empty\.csv: expected sequences to learn from|expected text"):
        recurra.train("embed", tmp_path / "empty.csv", tmp_path / "run", text="text", test_share=0.0, quiet=True)


def test_without_scikit_learn_what_is_given_back_is_measured_all_the_same(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(module: str, extra: str, why: str) -> Any:
        raise MissingExtraError(f"{why} needs {module}: pip install 'recurra[{extra}]'")

    monkeypatch.setattr(clustering, "require", missing)
    result = run.evaluate()
    assert result["metrics"] == {"rmse": measured(run)["metrics"]["rmse"]}
    assert list(result["baselines"]) == ["mean-of-inputs"]
    assert any("pip install 'recurra[learn]'" in note for note in result["details"]["notes"])
    assert result["details"]["map"]["by"] == "principal components"
    with pytest.raises(MissingExtraError):
        run.predict(some(run), cluster=2)
    assert len(run.predict(some(run), neighbours=2)) == 9
