"""A file is written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from recurra.errors import RunError
from recurra.files import is_partial, temporary_path, write_whole


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "x"
    for content in (b"old", "new \u4e2d"):
        assert write_whole(target, content) == target
    assert target.read_text(encoding="utf-8") == "new 中"
    assert list(tmp_path.iterdir()) == [target]


def test_it_is_an_ordinary_file_that_others_may_read(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    assert write_whole(tmp_path / "x", b"").stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    target = tmp_path / "x"
    write_whole(target, b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(RunError, match=r"x: cannot be written: No space left on device$"):
        write_whole(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_is_none_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="file/x: cannot be written: Not a directory"):
        write_whole(tmp_path / "file" / "x", b"")


def test_the_root_is_no_file() -> None:
    with pytest.raises(RunError, match="/: cannot be written: it is a folder"):
        write_whole(Path("/"), b"")


def test_a_temporary_name_is_told_from_files_of_a_run(tmp_path: Path) -> None:
    assert is_partial(temporary_path(tmp_path / "model.safetensors"))
    assert not any(is_partial(tmp_path / name) for name in ("model.safetensors", ".hidden", "x.part"))
