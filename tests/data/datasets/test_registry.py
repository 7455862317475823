"""The datasets' TOML files say all that is needed, and unknown names get a useful answer."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from pydantic import ValidationError

from recurra.data import Dataset, get, names
from recurra.errors import UsageError

FIRST_SETS = {"python-docs", "tinyshakespeare", "ptb", "tang-poems", "tang300", "shijing", "chuci"}
SUM = hashlib.sha256(b"").hexdigest()


def make(**changes: Any) -> Dataset:
    fields = {
        "name": "toy",
        "title": "A toy",
        "about": "For tests.",
        "task": "lm",
        "homepage": "https://example.org",
        "licence": "none",
        "citation": "none",
        "files": [{"path": "a b.txt", "size": 0, "sha256": SUM, "url": "https://example.org/a"}],
    }
    return Dataset.model_validate({**fields, **changes})


def test_the_first_sets_are_there() -> None:
    assert set(names()) >= FIRST_SETS
    assert names() == sorted(names())


@pytest.mark.parametrize("name", names())
def test_every_set_can_be_read_and_is_fetched_over_https(name: str) -> None:
    dataset = get(name)
    assert dataset.name == name
    assert dataset.title and dataset.licence and dataset.citation
    assert dataset.homepage.startswith("https://")
    for file in dataset.files:
        address = dataset.address(file)
        assert address is None or (address.startswith("https://") and address.isascii())
        assert (address is not None) == dataset.offered


def test_the_penn_treebank_is_not_offered() -> None:
    dataset = get("ptb")
    assert not dataset.offered
    assert "LDC" in (dataset.obtain or "")
    assert [file.split for file in dataset.files] == ["train", "valid", "test"]


def test_tang_poems_are_58_files_at_addresses_by_pattern() -> None:
    dataset = get("tang-poems")
    assert len(dataset.files) == 58
    assert dataset.size == 25585610
    assert (dataset.address(dataset.files[0]) or "").endswith("/%E5%85%A8%E5%94%90%E8%AF%97/poet.tang.0.json")
    assert [file.path for file in dataset.files] == sorted(file.path for file in dataset.files)


@pytest.mark.parametrize(
    ("wrong", "right"), [("tinyshakespear", "tinyshakespeare"), ("PTB", "ptb"), ("tang_poems", "tang-poems")]
)
def test_an_unknown_name_is_answered_with_the_nearest(wrong: str, right: str) -> None:
    with pytest.raises(UsageError, match=f"{wrong}.*did you mean.*{right}"):
        get(wrong)


@pytest.mark.parametrize("name", ["qqqqqqqq", "", "../registry", "唐詩"])
def test_a_name_like_none_is_answered_without_a_guess(name: str) -> None:
    with pytest.raises(UsageError, match="recurra data list") as caught:
        get(name)
    assert "did you mean" not in str(caught.value)


def test_the_folder_is_the_name_unless_given() -> None:
    assert make().folder == "toy"
    assert make(folder="other").folder == "other"


def test_an_address_by_pattern_is_quoted() -> None:
    dataset = make(url="https://example.org/x/{path}", files=[{"path": "唐 1.json", "size": 1, "sha256": SUM}])
    assert dataset.address(dataset.files[0]) == "https://example.org/x/%E5%94%90%201.json"


@pytest.mark.parametrize(
    "changes",
    [
        {"files": []},
        {"builtin": "python-docs"},
        {"offered": False, "obtain": "ask"},
        {"files": [{"path": "a", "size": 0, "sha256": SUM}]},
        {"offered": False, "files": [{"path": "a", "size": 0, "sha256": SUM}]},
        {"files": [{"path": "../a", "size": 0, "sha256": SUM, "url": "https://example.org"}]},
        {"files": [{"path": "/a", "size": 0, "sha256": SUM, "url": "https://example.org"}]},
        {"files": [{"path": "a", "size": 0, "sha256": "beef", "url": "https://example.org"}]},
        {"files": [{"path": "a", "size": 0, "sha256": SUM, "url": "https://example.org", "split": "dev"}]},
        {"files": [{"path": "a", "size": 0, "sha256": SUM, "url": "https://example.org"}] * 2},
        {"misspelt": 1},
        {"name": "Not A Name"},
    ],
)
def test_a_wrong_entry_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        make(**changes)


def test_a_long_name_is_shown_short() -> None:
    with pytest.raises(UsageError, match="there is no dataset 'xxx") as caught:
        get("x" * 5000)
    assert len(str(caught.value)) < 200
