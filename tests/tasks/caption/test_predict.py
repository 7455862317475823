"""A caption depends on its picture alone, what is looked at is a distribution, and odd pictures and data are said to be so."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.tasks.caption.encoders import write_encoder
from tests.tasks.caption.pictures import write_pictures
from typer.testing import CliRunner

import recurra
from recurra.cli import app
from recurra.data.captions import Captioned
from recurra.errors import DataError, RunError, UsageError
from recurra.images import PictureFeatures, encode_png
from recurra.runs.run import Run
from recurra.tasks.caption.config import Data
from recurra.tasks.caption.data import default_images, read_dataset
from recurra.tasks.caption.preprocessing import PicturePreprocessor
from recurra.tasks.seq2seq.search import teacher

SMALL: dict[str, Any] = {
    "hidden": 12,
    "embedding": 8,
    "epochs": 3,
    "threads": 1,
    "precision": "float32",
    "quiet": True,
    "side": 32,
    "channels": 2,
    "test_share": 0.2,
    "valid_share": 0.1,
}


@pytest.fixture(scope="module", params=["additive", "general", "none"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("caption")
    return recurra.train("caption", write_pictures(folder), folder / "run", **SMALL, attention=request.param)


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    chance = np.random.default_rng(2)
    sizes = [(32, 32, 3), (20, 50), (64, 8, 1), (1, 1, 3), (200, 100, 3), (32, 32, 3), (5, 5, 3), (96, 96, 3)]
    return [chance.integers(0, 256, size, dtype=np.uint8) for size in sizes]


def test_a_caption_depends_on_its_picture_alone(run: Run, pictures: list[np.ndarray]) -> None:
    asked: dict[str, Any] = {"best": 2, "attention": run.predictor.config.model.attention != "none"}
    alone = [run.predict(picture, **asked) for picture in pictures]
    order = [*range(8)] * 9
    np.random.default_rng(3).shuffle(order)
    for size in (2, 7, 64):
        found = run.predict([pictures[at] for at in order[:size]], **asked)
        assert found == [alone[at] for at in order[:size]]


def test_where_it_looked_is_a_distribution_for_each_word(run: Run, pictures: list[np.ndarray]) -> None:
    if run.predictor.config.model.attention == "none":
        with pytest.raises(UsageError, match="attention: this run has no attention"):
            run.predict(pictures[0], attention=True)
        return
    found = run.predict(pictures[0], attention=True)["attention"]
    weights = np.array(found["weights"])
    assert weights.shape == (len(found["words"]), 2, 2) and found["grid"] == [2, 2]
    assert np.abs(weights.sum((1, 2)) - 1).max() < 2e-3
    lines = run.predictor.format_result({"caption": "x", "attention": found}).splitlines()
    assert lines[0] == "x" and lines[1] == found["words"][0] and len(lines) == 1 + 3 * len(weights)


def test_the_caption_grows_to_itself(run: Run, pictures: list[np.ndarray]) -> None:
    (found,) = run.predict([pictures[0]], steps=True)
    assert [one["caption"] for one in found["steps"]][-1:] == ([found["caption"]] if found["caption"] else [])
    assert all(one["log_prob"] >= found["log_prob"] - 1e-3 for one in found["steps"])  # the end counts too
    other = run.predict(pictures[0], prefix="The box")
    assert other["caption"].startswith("the box")


def test_a_page_shows_where_it_looked(run: Run, pictures: list[np.ndarray], tmp_path: Path) -> None:
    page = tmp_path / "where.html"
    found = run.predict(pictures[:2], overlay=str(page))
    text = page.read_text(encoding="utf-8")
    assert (
        all(one["caption"] in text and "attention" not in one for one in found) and text.count("data:image/jpeg") >= 2
    )
    with pytest.raises(UsageError, match=r"overlay: expected a file that ends with .html, got 'where.txt'"):
        run.predict(pictures[0], overlay="where.txt")


def test_a_picture_that_cannot_be_read_is_named_and_the_others_are_captioned(run: Run, tmp_path: Path) -> None:
    whole = encode_png(np.full((32, 32, 3), 90, np.uint8))
    for name, data in (("a.png", whole), ("b.png", whole[:50]), ("c.png", whole)):
        (tmp_path / name).write_bytes(data)
    with tarfile.open(tmp_path.parent / f"{tmp_path.name}.tar", "w") as archive:
        archive.add(tmp_path, "all")
    for source in (tmp_path, Path(archive.name or "")):
        asked = ["predict", str(run.path), str(source)]
        stopped = CliRunner().invoke(app, asked)
        assert isinstance(stopped.exception, DataError) and "b.png: " in str(stopped.exception)
        result = CliRunner().invoke(app, [*asked, "--on-error", "skip"])
        assert result.exit_code == 0 and len(result.stdout.splitlines()) == 2, result.output
        (message,) = result.stderr.splitlines()
        assert "b.png: " in message and message.endswith("; skipped")


def test_pictures_are_named_or_given(run: Run, tmp_path: Path) -> None:
    pixels = np.full((32, 32, 3), 90, np.uint8)
    (tmp_path / "a.png").write_bytes(encode_png(pixels))
    (tmp_path / "list.txt").write_text(f"{tmp_path / 'a.png'}\n")
    named = run.predict(str(tmp_path / "a.png"))
    assert named["caption"] == run.predict(pixels)["caption"] and named["image"].endswith("a.png")
    assert run.predictor.read_file(tmp_path) == [str(tmp_path / "a.png")] == run.predictor.read_file(tmp_path / "a.png")
    assert run.predictor.read_file(tmp_path / "list.txt") is None
    for hidden in ("._a.png", ".cache/b.png", "__MACOSX/c.png"):
        (tmp_path / hidden).parent.mkdir(exist_ok=True)
        (tmp_path / hidden).write_bytes(b"")
    assert run.predictor.read_file(tmp_path) == [str(tmp_path / "a.png")]
    with tarfile.open(tmp_path / "all.tar.xz", "w:xz") as archive:
        archive.add(tmp_path / "a.png", "a.png")
        archive.add(tmp_path / "._a.png", "._a.png")
    (packed,) = run.predictor.read_file(tmp_path / "all.tar.xz") or []
    assert run.predict([packed])[0]["caption"] == named["caption"] and packed.name.endswith("a.png")
    assert default_images(["captions.csv", "all.tar.xz"], ["a.png"]) == ["all.tar.xz"]
    for item, message in (
        (3, "expected the name of a picture or its pixels, got 3"),
        (np.zeros((4, 4)), r"expected pixels .* uint8, got \(4, 4\) float64"),
        (np.zeros((0, 4, 3), np.uint8), r"expected pixels .* got \(0, 4, 3\)"),
        (str(tmp_path / "none.png"), "none.png: cannot be read"),
    ):
        with pytest.raises(DataError, match=message):
            run.predict([item])
    with pytest.raises(DataError, match="input 2: expected the name of a picture"):
        run.predict([pixels, 3])


def test_what_is_scored_is_what_was_found(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encode_png(np.full((32, 32, 3), 90, np.uint8)))
    found = run.predict(str(path), best=3)
    for one in [found, *found["alternatives"]]:
        (scored,) = run.score([f"{path}\t{one['caption']}"])
        if found.get("ended", True) and len(scored["units"]) <= run.predictor.preprocessor.longest:
            assert scored["log_prob"] == pytest.approx(one["log_prob"], abs=2e-4)
    with pytest.raises(DataError, match="row 1: expected the name of a picture, a tab and its caption"):
        run.score(["no tab"])


def test_other_captions_are_measured(run: Run, tmp_path: Path) -> None:
    table = write_pictures(tmp_path, 8)
    found = run.evaluate(table, baselines=False)
    assert found["details"]["pictures"] == 8 and 0 < found["metrics"]["distinct"] <= 1
    (tmp_path / "images").rename(tmp_path / "elsewhere")
    assert run.evaluate(table, baselines=False, images=[str(tmp_path / "elsewhere")])["metrics"] == found["metrics"]
    with pytest.raises(
        DataError, match=r"captions.csv, line 2: the picture 0.png is not in a folder images .* \(8 of 8 are missing\)"
    ):
        run.evaluate(table, baselines=False)


def test_the_whole_model_has_the_gradients_of_finite_differences(run: Run, pictures: list[np.ndarray]) -> None:
    network: Any = run.predictor.build_network(run.predictor.config, run.predictor.preprocessor).double().eval()
    preprocessor = run.predictor.preprocessor
    values = torch.from_numpy(np.stack([pictures[0], pictures[5]]))
    read, written = teacher(
        preprocessor.vocabulary, [preprocessor.encode(one) for one in ("a red box", "the box", "a")]
    )
    rows = torch.tensor([0, 0, 1])

    def loss() -> torch.Tensor:
        return network.loss(network.encode(values), rows, read, written)

    loss().backward()
    chance = np.random.default_rng(1)
    for name, parameter in network.named_parameters():
        flat, gradient = parameter.data.flatten(), parameter.grad.flatten()
        at = int(gradient.abs().argmax()) if chance.random() < 0.5 else int(chance.integers(len(flat)))
        before, found = float(flat[at]), []
        for change in (1e-6, -1e-6):
            parameter.data.view(-1)[at] = before + change
            found.append(float(loss().detach()))
        parameter.data.view(-1)[at] = before
        assert (found[0] - found[1]) / 2e-6 == pytest.approx(float(gradient[at]), rel=2e-2, abs=2e-3), name


# Encoders


def test_an_encoder_may_have_its_colours_last_and_any_size(tmp_path: Path) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    first = PictureFeatures(write_encoder(tmp_path / "a.onnx"))
    last = PictureFeatures(write_encoder(tmp_path / "b.onnx", last=True))
    assert (first.height, first.width, first.channels) == (4, 4, 6) == (last.height, last.width, last.channels)
    assert first(picture) == pytest.approx(last(picture), abs=1e-5) and first.key != last.key
    free = PictureFeatures(write_encoder(tmp_path / "c.onnx", side="any"), normalise="signed")
    assert (free.height, free.width) == (56, 56)
    bytes_in = PictureFeatures(write_encoder(tmp_path / "d.onnx", element="UINT8"))
    assert np.abs(bytes_in(picture)).max() > 10  # as they are, whatever is asked for


def test_what_is_no_encoder_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"not a model")
    with pytest.raises(DataError, match=r"a.onnx: is no ONNX model that can be run"):
        PictureFeatures(tmp_path / "a.onnx")
    with pytest.raises(DataError, match=r"b.onnx: cannot be read"):
        PictureFeatures(tmp_path / "b.onnx")
    with pytest.raises(DataError, match="expected an output of four dimensions, a grid of features"):
        PictureFeatures(write_encoder(tmp_path / "c.onnx", pooled=True))
    with pytest.raises(UsageError, match="encoder_output: expected one of features, got 'x'"):
        PictureFeatures(write_encoder(tmp_path / "d.onnx"), "x")


def test_a_run_with_an_encoder_needs_that_very_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECURRA_CACHE", str(tmp_path / "cache"))
    model = write_encoder(tmp_path / "a.onnx")
    run = recurra.train("caption", write_pictures(tmp_path), tmp_path / "run", **SMALL, encoder=str(model))
    kept = list((tmp_path / "cache" / "features").rglob("*.npy"))
    assert len(kept) == 40 and np.load(kept[0]).dtype == np.float16
    picture = str(tmp_path / "images" / "1.png")
    assert recurra.load(tmp_path / "run").predict(picture) == run.predict(picture)
    for path in kept:
        path.write_bytes(b"damaged")
    assert recurra.load(tmp_path / "run").predict(picture) == run.predict(picture)
    write_encoder(model, last=True)
    with pytest.raises(RunError, match=r"a.onnx: is another file than this run was trained with"):
        recurra.load(tmp_path / "run")


def test_features_are_kept_by_shape_and_where_that_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECURRA_CACHE", str(tmp_path / "cache"))
    data = Data(data=["x"], side=32, encoder=[str(write_encoder(tmp_path / "a.onnx"))])
    values = np.random.default_rng(1).integers(0, 256, (4, 16, 3), dtype=np.uint8)
    reader = PicturePreprocessor.of(data)
    wide, tall = reader.check(values).features, reader.check(values.reshape(16, 4, 3)).features
    assert wide is not None and tall is not None and not np.array_equal(wide, tall)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RECURRA_CACHE", str(tmp_path / "file"))
    assert np.array_equal(reader.check(values).features, wide)
    table = write_pictures(tmp_path, 8)
    found = read_dataset(Data(data=[str(table)], side=32, encoder=data.encoder), None)
    assert (
        found.train.features is not None and sum("features of pictures are not kept" in one for one in found.notes) == 1
    )


def test_captions_of_a_select_stay_together() -> None:
    whole = Captioned(["a", "b"], [["x"], ["y", "z"]], ["1", "2"], [None, "test"])
    assert whole.select([1]) == Captioned(["b"], [["y", "z"]], ["2"], ["test"])


def test_lines_that_cannot_be_scored_have_their_place(run: Run, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.txt"
    for line, problem in (
        ("no tab", "expected the name of a picture"),
        ("gone.png\ta box", "gone.png: cannot be read"),
    ):
        pairs.write_text(f"{line}\n")
        result = CliRunner().invoke(app, ["score", str(run.path), str(pairs)])
        assert str(result.exception).startswith(f"{pairs}: line 1: {problem}")
