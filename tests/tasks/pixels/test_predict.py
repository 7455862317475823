"""The likelihood is exact, a picture's score is its own, and what is completed keeps what is known."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import recurra
from recurra.cli import app
from recurra.errors import DataError, UsageError
from recurra.images import encode_png
from recurra.kernels.native import engine
from recurra.runs.run import Run
from recurra.tasks.pixels.config import Model, PictureConfig
from recurra.tasks.pixels.network import PixelNetwork
from recurra.tasks.pixels.preprocessing import PicturePreprocessor, draw_levels
from recurra.tasks.pixels.sampling import complete, score
from recurra.tasks.pixels.task import PictureModelingTask

SMALL: dict[str, Any] = {"quiet": True, "hidden": 24, "epochs": 12, "threads": 1, "precision": "float32", "batch": 8}


def bars(count: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    pictures = np.zeros((count, 6, 7), np.uint8)
    for picture in pictures:
        picture[:, random.integers(7)] = 255
        picture[random.integers(6), random.integers(7)] = 255
    return pictures


def network(width: int, levels: int, **settings: Any) -> PixelNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        made = PixelNetwork(width, levels, Model(**{"hidden": 5, "head": 7, "dropout": 0.0, **settings}))
        for parameter in made.parameters():
            torch.nn.init.normal_(parameter, std=0.7)
    return made.eval()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("pixels")
    np.savez(folder / "bars.npz", x=bars(160), y=bars(160).sum(1, dtype=int).argmax(1))
    return recurra.train("pixels", folder / "bars.npz", folder / "run", **SMALL)


@pytest.mark.parametrize(
    ("levels", "settings"),
    [(2, {}), (2, {"head_layers": 2, "cell": "gru", "layers": 2}), (2, {"head_layers": 0}), (3, {"cell": "rnn"})],
)
def test_the_probabilities_of_all_pictures_sum_to_one(levels: int, settings: dict[str, Any]) -> None:
    height, width = (2, 3) if levels == 2 else (2, 2)
    pictures = np.array(list(itertools.product(range(levels), repeat=height * width)), np.uint8)
    found = score(network(width, levels, **settings), pictures.reshape(-1, height, width))
    assert np.exp(found.sum((1, 2))).sum() == pytest.approx(1, abs=1e-5)


def test_a_pixel_depends_on_what_stands_above_and_left_of_it_alone() -> None:
    made, picture = network(4, 2), np.random.default_rng(0).integers(0, 2, (3, 4)).astype(np.uint8)
    for row, column in itertools.product(range(3), range(4)):
        other = picture.copy()
        other[row, column] ^= 1
        before, after = score(made, picture[None])[0].ravel(), score(made, other[None])[0].ravel()
        place = 4 * row + column
        assert np.array_equal(before[:place], after[:place])
        assert not np.array_equal(before[place:], after[place:])


def test_a_score_is_the_same_in_any_company(run: Run) -> None:
    pictures = [*bars(40, seed=5), np.zeros((6, 7), np.uint8)]
    together = [result["log_prob"] for result in run.score(pictures)]
    backwards = [result["log_prob"] for result in run.score(pictures[::-1])][::-1]
    alone = [run.score(picture)[0]["log_prob"] for picture in pictures]
    if engine() is not None:
        assert together == backwards == alone


def test_it_learns_bars_and_scores_others_as_unlikely(run: Run) -> None:
    metrics = run.evaluation
    assert metrics is not None
    found, plain = metrics["metrics"], metrics["baselines"]
    assert found["nats_per_picture"] < 0.6 * plain["independent"]["nats_per_picture"]
    assert found["nll"] * 42 == pytest.approx(found["nats_per_picture"])
    assert found["bits_per_pixel"] == pytest.approx(found["nll"] / np.log(2))
    assert found["completed_pixels"] > 0.95 and plain["nearest-half"]["completed_pixels"] > 0.9
    odd = np.random.default_rng(1).integers(0, 2, (6, 7)) * 255
    good, bad = run.score([bars(1, seed=9)[0], odd])
    assert good["log_prob"] > bad["log_prob"] + 20
    assert sum(value for _, value in good["units"]) == pytest.approx(good["log_prob"])
    assert good["picture"] == "picture 1" and good["log_prob_per_unit"] == pytest.approx(good["log_prob"] / 42)


def test_samples_come_by_their_probabilities() -> None:
    made = network(2, 2)
    pictures = np.array(list(itertools.product(range(2), repeat=4)), np.uint8).reshape(-1, 2, 2)
    wanted = np.exp(score(made, pictures).sum((1, 2)))
    drawn = complete(made, np.zeros((6000, 0, 2), np.uint8), 2, seed=1)
    counts = np.bincount(drawn.reshape(-1, 4) @ (8, 4, 2, 1), minlength=16) / len(drawn)
    assert np.abs(counts - wanted).max() < 4 * np.sqrt(0.25 / 6000)


def test_a_completion_keeps_what_is_known_and_is_fixed_by_its_seed(run: Run) -> None:
    picture = bars(1, seed=3)[0]
    made = run.generate(picture, rows=2, count=5, seed=4)
    assert made.shape == (5, 6, 7) and made.dtype == np.uint8 and set(np.unique(made)) <= {0, 255}
    assert (made[:, :2] == picture[:2]).all()
    assert np.array_equal(run.generate(picture, rows=2, count=9, seed=4)[:5], made)
    assert np.array_equal(run.generate(picture, rows=6)[0], picture)
    assert np.array_equal(run.generate(count=3, seed=1)[:2], run.generate(count=2, seed=1))
    assert np.array_equal(run.generate(picture, temperature=0, seed=1), run.generate(picture, temperature=0, seed=2))
    assert np.array_equal(run.predict(picture)["picture"], run.generate(picture, temperature=0)[0] // 255)


def test_what_is_no_picture_is_one_line(run: Run, tmp_path: Path) -> None:
    for given in (np.zeros(3), np.full((4, 4), 2.5), np.full((4, 4), np.nan), 3, None, np.zeros((2, 3, 4, 5)), [["a"]]):
        with pytest.raises((DataError, UsageError), match="expected"):
            run.score([given])
    with pytest.raises(UsageError, match="rows: expected at most the 6 that a picture has, got 7"):
        run.generate(bars(1)[0], rows=7)
    with pytest.raises(UsageError, match="rows: are those of a picture to complete"):
        run.generate(rows=2)
    with pytest.raises(DataError, match=r"gone.png: cannot be read"):
        run.score([str(tmp_path / "gone.png")])


def test_files_are_pictures_too(run: Run, tmp_path: Path) -> None:
    picture = bars(1, seed=2)[0]
    path = tmp_path / "bar.png"
    path.write_bytes(encode_png(np.repeat(picture[:, :, None], 3, 2)))
    by_name, by_values = run.score([str(path), picture])
    assert by_name["log_prob"] == by_values["log_prob"] and by_name["picture"] == str(path)
    assert run.predictor.read_file(path)[0].place == "bar.png"
    assert run.predictor.read_file(tmp_path / "names.txt") is None


def test_a_classifier_judges_what_was_completed(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "bars.npz"
    np.savez(data, x=bars(160), y=bars(160).sum(1, dtype=int).argmax(1))
    judge = recurra.train("classify", data, tmp_path / "judge", quiet=True, hidden=16, epochs=15, layers=1, threads=1)
    found = run.evaluate(judge=str(tmp_path / "judge"))
    assert 0.7 < found["metrics"]["judged_accuracy"] <= 1
    assert "judged_accuracy" in found["baselines"]["nearest-half"]
    assert any("the classifier gives" in note for note in found["details"]["notes"])
    with pytest.raises(UsageError, match="judge: expected a run of classify, got one of pixels"):
        run.evaluate(judge=str(run.path))
    np.save(tmp_path / "bare.npy", bars(9))
    with pytest.raises(UsageError, match="judge: these pictures have no labels"):
        run.evaluate(tmp_path / "bare.npy", judge=str(judge.path))


def test_levels_go_there_and_back() -> None:
    for levels in (2, 3, 16, 256):
        preprocessor = PicturePreprocessor((1, 256), levels)
        bytes_ = np.arange(256, dtype=np.uint8).reshape(1, 1, 256)
        encoded = preprocessor.encode(bytes_)
        assert encoded.min() == 0 and encoded.max() == levels - 1
        assert np.array_equal(preprocessor.encode(preprocessor.decode(encoded)), encoded)


def test_drawn_levels_follow_the_brightness() -> None:
    drawn = [draw_levels(np.full((100, 100), value, np.uint8)).mean() for value in (0, 64, 128, 255)]
    assert drawn[0] == 0 and drawn[3] == 1
    assert drawn[1:3] == pytest.approx([64 / 255, 128 / 255], abs=0.02)


def test_training_draws_a_picture_again_in_each_pass_and_the_same_again_when_it_goes_on(tmp_path: Path) -> None:
    np.save(tmp_path / "grey.npy", np.random.default_rng(0).integers(0, 256, (40, 6, 6), dtype=np.uint8))
    config = PictureConfig.model_validate({"data": {"data": [str(tmp_path / "grey.npy")], "binarise": "sample"}})
    task = PictureModelingTask(config)
    task.prepare()
    passes = [list(task.batches(epoch, batch=8, seed=3)) for epoch in (0, 1)]
    assert not torch.equal(torch.cat(passes[0]).sum(0), torch.cat(passes[1]).sum(0))
    again = list(task.batches(1, batch=8, seed=3, start=2))
    assert again and torch.equal(torch.cat(again), torch.cat(passes[1][2:]))
    assert {0, 1} == set(torch.cat(again).flatten().tolist())


def test_a_dark_picture_is_the_same_by_name_and_by_value(run: Run, tmp_path: Path) -> None:
    dark = np.eye(6, 7, dtype=np.uint8)
    path = tmp_path / "dark.png"
    path.write_bytes(encode_png(dark))
    by_file = run.predictor.read_file(path)
    assert by_file is not None
    scores = [one["log_prob"] for one in run.score([str(path), by_file[0], dark, dark[:, :, None], dark * 0])]
    assert len(set(scores)) == 1
    check = run.predictor.preprocessor.check
    assert all(check(one).max() == 255 for one in (dark.astype(bool), dark.astype(float)))
    np.save(tmp_path / "bits.npy", np.stack([dark, dark]))
    bits = run.predictor.read_file(tmp_path / "bits.npy")
    assert bits is not None and check(bits[0]).max() == 255


def test_a_picture_that_cannot_be_read_is_named_and_the_others_are_completed(run: Run, tmp_path: Path) -> None:
    whole = encode_png(np.zeros((6, 7), np.uint8))
    for name, data in (("a.png", whole), ("b.png", b"no picture"), ("c.png", whole)):
        (tmp_path / name).write_bytes(data)
    result = CliRunner().invoke(app, ["predict", str(run.path), str(tmp_path), "--on-error", "skip", "--json"])
    assert result.exit_code == 0 and len(result.stdout.splitlines()) == 2, result.output
    (message,) = result.stderr.splitlines()
    assert "b.png: " in message and message.endswith("; skipped")
