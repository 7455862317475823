"""The data sets hold what their sources say."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recurra.audio import LogMel, LogMelStream, Sound
from recurra.data import get, locate, names
from recurra.data.transcripts import Transcript, TranscriptOptions, read_transcripts
from recurra.ink import Ink

# name: signals of each part, groups, characters of all texts with one space where there were several
SETS: dict[str, tuple[dict[str | None, int], int, int]] = {
    "free-spoken-digits": ({None: 2700, "test": 300}, 6, 3000),
    "htr-lines-fr": ({None: 835, "valid": 150, "test": 92}, 54, 31_620),
    "unipen-words": ({None: 7485}, 67, 35_076),
}


def located(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Transcript]:
    folder = Path(os.environ.get("RECURRA_DATA", ""), get(name).folder)
    if "RECURRA_DATA" not in os.environ or not folder.is_dir():
        pytest.skip(f"RECURRA_DATA has no {get(name).folder}")
    monkeypatch.setenv("RECURRA_CACHE", str(tmp_path))
    found = locate(name)
    known = {field.name for field in fields(TranscriptOptions)}
    assert found.settings.keys() <= known
    settings: dict[str, Any] = found.settings
    return read_transcripts(found.paths, TranscriptOptions(**settings))


def test_every_set_is_looked_at_here() -> None:
    assert {name for name in names() if get(name).task == "transcribe"} == set(SETS)


@pytest.mark.parametrize("name", SETS)
def test_real_sets(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, (parts, groups, characters) = located(name, tmp_path, monkeypatch), SETS[name]
    assert Counter(one.split for one in read) == parts
    by_part = {part: {one.group for one in read if one.split == part} for part in parts}
    assert len(set().union(*by_part.values())) == groups
    assert sum(len(one.text or "") for one in read) == characters
    if name == "htr-lines-fr":  # a hand is in one part alone; the speakers of the digits are in both
        assert sum(map(len, by_part.values())) == groups


def test_writers_of_unipen_are_not_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = located("unipen-words", tmp_path, monkeypatch)
    assert all((one.group or "").startswith("writer ") and ".dat" not in one.source for one in read)
    assert all(isinstance(one.signal, Ink) and 0 < one.signal.points < 5_000 for one in read)


def test_a_stream_of_all_digits_is_the_whole_bit_by_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mel, random = LogMel(8_000), np.random.default_rng(1)
    for one in located("free-spoken-digits", tmp_path, monkeypatch)[::150]:
        assert isinstance(one.signal, Sound) and one.signal.rate == 8_000
        stream, samples = LogMelStream(mel), one.signal.samples
        cuts = np.sort(random.integers(0, len(samples), 9))
        made = [stream.push(piece) for piece in np.split(samples, cuts)]
        assert np.array_equal(np.concatenate(made), mel(samples))
