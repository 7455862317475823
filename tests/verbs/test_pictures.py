"""`recurra generate` and `recurra score` of a run of pixels: sheets, folders, completions, and how likely pictures are."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.verbs.conftest import call, lines
from typer.testing import CliRunner

import recurra
from recurra.cli import app
from recurra.errors import OutputError, UsageError
from recurra.images import encode_png
from recurra.verbs.base.pictures import _save

BAR = np.zeros((6, 7), np.uint8)
BAR[:, 3] = 255


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on pictures with a bar and a dot."""
    folder, random = tmp_path_factory.mktemp("bars"), np.random.default_rng(0)
    pictures = np.zeros((120, 6, 7), np.uint8)
    for picture in pictures:
        picture[:, random.integers(7)] = picture[random.integers(6), random.integers(7)] = 255
    np.save(folder / "bars.npy", pictures)
    settings = {"hidden": 24, "epochs": 12, "batch": 8, "precision": "float32", "threads": 1}
    return recurra.train("pixels", folder / "bars.npy", folder / "run", quiet=True, **settings).path


@pytest.fixture
def bar(tmp_path: Path) -> Path:
    path = tmp_path / "bar.png"
    path.write_bytes(encode_png(BAR))
    return path


def opened(path: Path) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(path.read_bytes())))


def test_several_are_a_sheet_one_is_a_picture(bars: Path, tmp_path: Path) -> None:
    assert call("generate", bars, "-n", 4, "-o", tmp_path / "new.png", "--seed", 1, "--scale", 3) == ""
    assert opened(tmp_path / "new.png").shape == (2 + 2 * (18 + 2), 2 + 2 * (21 + 2))
    call("generate", bars, "-o", tmp_path / "one.png", "--seed", 1)
    assert opened(tmp_path / "one.png").shape == (6, 7)
    call("generate", bars, "-o", tmp_path / "one.png", "--seed", 1, "--scale", 3)
    assert opened(tmp_path / "one.png").shape == (18, 21)


def test_a_sheet_is_no_larger_than_can_be_looked_at(tmp_path: Path) -> None:
    message = r"out: expected a file of at most 100,000,000 pixels, got 12,822 x 12,822; take a smaller --scale, or name a folder"
    with pytest.raises(UsageError, match=message):
        _save(np.zeros((100, 20, 20), np.uint8), tmp_path / "new.png", 64)
    tracemalloc.start()
    written = _save(np.zeros((100, 20, 20), np.uint8), tmp_path / "each", 64)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(written) == 100 and peak < 30_000_000  # one at a time, not 160 MB


def test_a_folder_gets_a_file_each(bars: Path, tmp_path: Path) -> None:
    output = lines(call("generate", bars, "-n", 11, "-o", tmp_path / "new", "--seed", 1, "--json"))
    files = sorted((tmp_path / "new").iterdir())
    assert [path.name for path in files] == [f"{n:02}.png" for n in range(1, 12)]
    assert [result["file"] for result in output] == [str(path) for path in files]


def test_a_half_is_completed(bars: Path, bar: Path, tmp_path: Path) -> None:
    call("generate", bars, "--from", bar, "-o", tmp_path / "whole.png", "--temperature", 0)
    assert np.array_equal(opened(tmp_path / "whole.png"), BAR)
    (result,) = lines(call("generate", bars, "--from", bar, "--rows", 2, "--json", "--temperature", 0))
    assert np.array_equal(result["picture"], BAR)


def test_without_a_file_it_is_drawn(bars: Path, bar: Path) -> None:
    assert call("generate", bars, "--from", bar, "--temperature", 0) == "   █\n" * 3
    assert call("predict", bars, bar) == "   █\n" * 3 + "\n"


def test_pictures_are_scored(bars: Path, bar: Path, tmp_path: Path) -> None:
    (tmp_path / "odd.png").write_bytes(encode_png(np.eye(6, 7, dtype=np.uint8) * 255))
    ranked = call("score", bars, tmp_path, "--rank").splitlines()
    assert [line.split("\t")[2] for line in ranked] == ["bar.png", "odd.png"]
    (tmp_path / "names.txt").write_text(f"{bar}\n")
    for arguments in (["-t", bar], [tmp_path / "names.txt"], [bar]):
        (result,) = lines(call("score", bars, *arguments, "--json"))
        assert result["log_prob"] == pytest.approx(float(ranked[0].split("\t")[0]), abs=1e-3)
    (tmp_path / "names.txt").write_text(f"{bar}\nno picture\n")
    result = CliRunner().invoke(app, ["score", str(bars), str(tmp_path / "names.txt")])
    assert str(result.exception).startswith(f"{tmp_path / 'names.txt'}: line 2: no picture: cannot be read")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-p", "a"], "prompt: a run of pixels begins with no text"),
        (["-o", "new.jpg"], "out: expected a file that ends with .png, or a folder; got new.jpg"),
        (["-o", "gone/new.png"], "out: there is no folder gone; make it first"),
        (["-o", ""], "out: expected the name of a PNG file or a folder, got ''"),
        (["--rows", 3], "rows: are those of a picture to complete"),
        (["-n", 0], "count: "),
        (["--temperature", -1], "temperature: "),
        (["--beam", 3], "beam: a run of 'pixels' does not take this option"),
    ],
)
def test_what_cannot_be(bars: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=f"^-*{message}"):
        call("generate", bars, *arguments)


def test_a_folder_that_cannot_be_written_to(bars: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file already"):
        call("generate", bars, "-o", tmp_path / "file")
    with pytest.raises(OutputError, match="cannot be written"):
        call("generate", bars, "-o", tmp_path / "file" / "below")
