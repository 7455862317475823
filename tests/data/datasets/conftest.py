"""A dataset for the tests of finding and downloading, and folders of its own."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from recurra.data import Dataset

HAN = "床前明月光，疑是地上霜。\n".encode() * 5000
CONTENT = {"train.txt": HAN, "sub/valid.txt": b"valid\n", "test.txt": b"test\n"}


def make(base: str = "https://example.org", content: dict[str, bytes] = CONTENT, **changes: Any) -> Dataset:
    files = [
        {
            "path": path,
            "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "split": Path(path).stem if Path(path).stem in ("train", "valid", "test") else None,
        }
        for path, data in content.items()
    ]
    fields = {
        "name": "toy",
        "title": "A toy",
        "about": "For tests.",
        "task": "lm",
        "homepage": "https://example.org",
        "licence": "none",
        "citation": "none",
        "url": f"{base}/{{path}}",
        "files": files,
        "settings": {"unit": "char"},
    }
    return Dataset.model_validate({**fields, **changes})


def lay_out(folder: Path, content: dict[str, bytes] = CONTENT) -> None:
    for path, data in content.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def tar(path: Path, content: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:xz") as archive:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECURRA_CACHE", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("RECURRA_DATA", str(tmp_path / "data"))
    for proxy in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(proxy, raising=False)
        monkeypatch.delenv(proxy.upper(), raising=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"
