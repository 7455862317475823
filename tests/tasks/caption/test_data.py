"""Pictures with captions are split as lists and shares say, and what is wrong with them is said or skipped."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.tasks.caption.pictures import write_pictures

from recurra.errors import DataError, UsageError
from recurra.tasks.caption.batches import says_sides
from recurra.tasks.caption.config import Data
from recurra.tasks.caption.data import read_dataset, read_split
from recurra.tasks.caption.network import vary


def read(table: Path, **settings: Any) -> Any:
    return read_dataset(Data(data=[str(table)], side=32, **settings), None)


def test_no_picture_is_on_two_sides(tmp_path: Path) -> None:
    table = write_pictures(tmp_path)
    (tmp_path / "images" / "3.png").write_bytes((tmp_path / "images" / "2.png").read_bytes())  # a copy
    found = read(table, valid_share=0.2, test_share=0.2)
    parts = [set(split.names) for split in found.splits.values()]
    assert sum(map(len, parts)) == 40 == len(set().union(*parts))
    assert any({"2.png", "3.png"} <= part for part in parts) and all(len(one) == 2 for one in found.train.captions)


def test_lists_and_parts_say_which_is_which(tmp_path: Path) -> None:
    table = write_pictures(tmp_path, 12)
    lists = {}
    for part, numbers in (("train", range(6)), ("valid", (6, 7)), ("test", (8, 9))):
        path = tmp_path / f"{part}.lst.txt"
        path.write_text("".join(f"{number}.png\n" for number in numbers))
        lists[f"{part}_images"] = [str(path)]
    found = read(table, **lists)
    assert [split.names for split in found.splits.values()] == [
        [f"{number}.png" for number in numbers] for numbers in (range(6), (6, 7), (8, 9))
    ]
    assert "2 pictures with captions are in no list, and are left out" in found.notes
    (tmp_path / "valid.lst.txt").write_text("77.png\n")
    with pytest.raises(DataError, match=r"the list of valid pictures: the picture 77.png has no caption"):
        read(table, **lists)


def test_faults_of_pictures_are_said_with_their_place(tmp_path: Path) -> None:
    table = write_pictures(tmp_path, 8)
    (tmp_path / "images" / "extra.png").write_bytes(b"")
    whole = (tmp_path / "images" / "1.png").read_bytes()
    (tmp_path / "images" / "1.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"images/1.png: cannot be decoded"):
        read(table)
    (tmp_path / "images" / "2.png").unlink()
    found = read(table, on_error="skip")
    assert sum(map(len, found.splits.values())) == 6
    assert any("the picture 2.png is not in" in note for note in found.notes)
    (tmp_path / "images" / "1.png").write_bytes(whole)
    with pytest.raises(DataError, match=r"captions.csv, line 6: the picture 2.png is not in"):
        read(table)


def test_a_caption_needs_words(tmp_path: Path) -> None:
    table = write_pictures(tmp_path, 8)
    table.write_text(table.read_text() + "1.png,!?\n")
    with pytest.raises(
        DataError, match=r"captions.csv: line 18: expected words in the caption of 1.png, got marks alone"
    ):
        read(table)
    table.write_text(table.read_text() + "8.png,...\n")
    found = read(table, on_error="skip")
    assert (
        sum(split.caption_count for split in found.splits.values()) == 16 and sum(map(len, found.splits.values())) == 8
    )
    (tmp_path / "list.txt").write_text("0.png\n1.png\n2.png\n8.png\n")
    listed = {"train_images": [str(tmp_path / "list.txt")], "on_error": "skip"}
    found = read(table, **listed)
    assert found.train.names == ["0.png", "1.png", "2.png"]
    assert any("the picture 8.png has no caption" in note for note in found.notes)


def test_pictures_are_not_held_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = write_pictures(tmp_path, 40)
    settings = Data(data=[str(table)], side=512, valid_share=0.3, test_share=0.3)
    tracemalloc.start()
    found = read_dataset(settings, None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    size = sum(split.pixels.nbytes for split in found.splits.values())
    assert size == 40 * 512 * 512 * 3 and peak < 1.7 * size  # was 2.05
    monkeypatch.setattr("recurra.tasks.caption.data.MAX_PICTURES_BYTES", size - 1)
    with pytest.raises(
        DataError, match=r"captions.csv: the 40 pictures have more than .* bytes in all; take a smaller --side"
    ):
        read_dataset(settings, None)


def test_what_is_held_out_comes_from_pictures_in_no_list(tmp_path: Path) -> None:
    table = write_pictures(tmp_path, 12)
    path = tmp_path / "those.txt"
    path.write_text("".join(f"{number}.png\n" for number in range(8)))
    listed = {"train_images": [str(path)], "valid_share": 0.1, "test_share": 0.1}
    found = read(table, **listed)
    assert found.train.names == [f"{number}.png" for number in range(8)] and found.valid and found.test
    assert sorted(found.valid.names + found.test.names) == ["10.png", "11.png", "8.png", "9.png"]
    assert "test and valid: 4 pictures that are in no list" in found.notes
    found = read(table, **listed | {"valid_share": 0.0})
    assert found.valid is None and found.test and len(found.test) == 4
    path.write_text("".join(f"{number}.png\n" for number in range(12)))
    found = read(table, **listed)
    assert len(found.train) < 12 and "test and valid: a share of the pictures listed to train on" in found.notes
    with pytest.raises(UsageError, match=r"the picture 0.png is in two lists, those of train and valid pictures"):
        read(table, **listed, valid_images=[str(path)])


def test_nothing_that_is_left_is_said(tmp_path: Path) -> None:
    table = write_pictures(tmp_path, 2)
    preprocessor = read(table, valid_share=0.0, test_share=0.0).preprocessor
    for path in (tmp_path / "images").iterdir():
        path.write_bytes(b"broken")
    data = Data(data=[str(table)], side=32, on_error="skip")
    with pytest.raises(DataError, match=r"captions.csv: no picture with a caption is left: .*0.png: is no picture"):
        read_split([str(table)], [], data, preprocessor, lambda _: None)


def test_pictures_of_captions_that_say_sides_are_not_mirrored() -> None:
    assert says_sides("the left one") and says_sides("猫在左边") and not says_sides("the one in the middle")
    for caption in (
        "a right-handed pitcher", "the leftmost cup", "a left-hand drive", "the righthand side", "der linke Mann",
        "in der rechten Hand", "à droite", "el lado izquierdo", "su mano derecha", "右の犬",
    ):  # fmt: skip
        assert says_sides(caption), caption
    assert not says_sides("a bright link") and not says_sides("a well-lit street")
    pictures = torch.rand(64, 3, 8, 8)
    torch.manual_seed(1)
    varied = vary(pictures, torch.zeros(64, dtype=torch.bool))
    assert varied.shape == pictures.shape and bool(varied.isfinite().all())
    ramp = torch.arange(8.0).expand(64, 3, 8, 8) / 8
    slopes = torch.diff(vary(ramp, torch.zeros(64, dtype=torch.bool))[..., 2:6], dim=-1)
    assert bool((slopes.mean((1, 2, 3)) > 0).all())
    turned = torch.diff(vary(ramp, torch.ones(64, dtype=torch.bool))[..., 2:6], dim=-1).mean((1, 2, 3))
    assert 10 < int((turned < 0).sum()) < 54
