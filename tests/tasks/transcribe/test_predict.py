"""What a transcriber can be asked, and what it says of what it cannot read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.tasks.transcribe.signals import RATE, line_of, spoken, wav_bytes, write_lines, write_sounds
from typer.testing import CliRunner

import recurra
from recurra.audio import Sound
from recurra.cli import app
from recurra.errors import DataError, UsageError
from recurra.images import encode_png
from recurra.tasks.transcribe import TranscriberConfig, TranscriptionTask
from recurra.tasks.transcribe.preprocessing import visual_order


@pytest.fixture(scope="module")
def sound() -> Sound:
    return Sound(spoken("cab", np.random.default_rng(11)), RATE)


def test_texts_their_words_and_alternatives(live, sound) -> None:
    result = live.predict(sound, times=True, best=3)
    assert list(result) == ["file", "text", "log_prob", "confidence", "words", "alternatives"]
    assert result["text"] == "cab" and len(result["alternatives"]) <= 2
    (word,) = result["words"]
    assert 0.0 <= word["start"] < word["end"] <= len(sound.samples) / RATE + 0.05
    assert live.predict([sound, sound])[1]["text"] == "cab"


def test_only_words_of_a_list_are_written(live, sound, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("ab\nba\nc\n")
    words = live.predict(sound, words=str(tmp_path / "words.txt"))["text"].split()
    assert words and set(words) <= {"ab", "ba", "c"}
    (tmp_path / "lines.txt").write_text("a b\nabc\n")
    assert live.predict(sound, words=str(tmp_path / "lines.txt"))["text"] in ("a b", "abc", "")
    (tmp_path / "strange.txt").write_text("ab\nax\n")
    with pytest.raises(DataError, match=r"strange.txt: line 2: 'ax' has what no training text has, .*: x"):
        live.predict(sound, words=str(tmp_path / "strange.txt"))


def test_an_arpa_file_and_a_run_decide_what_is_open(live, sound, tmp_path: Path) -> None:
    own = live.path / "language.arpa"
    assert live.predict(sound, lm=str(own), lm_weight=0.5)["text"] == live.predict(sound, lm_weight=0.5)["text"]
    (tmp_path / "texts.txt").write_text("abc abc ab ba cab\n" * 30)
    settings = {"quiet": True, "unit": "char", "hidden": 8, "layers": 1, "epochs": 2, "threads": 1, "bptt": 8}
    written = recurra.train("lm", tmp_path / "texts.txt", tmp_path / "lm", **settings)
    assert isinstance(live.predict(sound, lm=str(written.path), lm_weight=0.1)["text"], str)
    with pytest.raises(UsageError, match="lm: expected a run of lm, an ARPA file, own or none; got"):
        live.predict(sound, lm=str(live.path))


def test_options_that_do_not_go_together(live, sound) -> None:
    with pytest.raises(UsageError, match="words: belongs to the search"):
        live.predict(sound, beam=1, words="x")
    with pytest.raises(UsageError, match="best: expected 1 to 4, as many as the beam is wide, got 5"):
        live.predict(sound, beam=4, best=5)
    with pytest.raises(UsageError, match="there is no language model"):
        live.predict(sound, lm="none", lm_weight=1.0)


def test_what_is_no_signal(live, lines, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is shorter than a frame"):
        live.predict(Sound(np.zeros(20, np.float32), RATE))
    (tmp_path / "text.wav").write_bytes(b"no sound")
    with pytest.raises(DataError, match=r"text.wav: is no sound that can be read"):
        live.predict(str(tmp_path / "text.wav"))
    (tmp_path / "line.png").write_bytes(encode_png(line_of("ab", np.random.default_rng(1))))
    with pytest.raises(DataError, match="expected a sound, got a picture"):
        live.predict(str(tmp_path / "line.png"))
    with pytest.raises(DataError, match="input 2: expected the name of a file or a picture"):
        lines.predict([line_of("ab", np.random.default_rng(1)), np.zeros(3)])


def test_lines_are_read_from_files_and_arrays(lines, tmp_path: Path) -> None:
    picture = line_of("bca", np.random.default_rng(4))
    (tmp_path / "line.png").write_bytes(encode_png(picture))
    one, other = lines.predict(picture), lines.predict(str(tmp_path / "line.png"))
    assert one["log_prob"] == other["log_prob"] and other["file"].endswith("line.png")


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_transcribed(live, tmp_path: Path) -> None:
    whole = write_sounds(tmp_path, 3)
    (whole / "a_x_7.wav").write_bytes(b"no sound")
    (whole / "b_x_8.wav").write_bytes(wav_bytes(np.zeros(20, np.float32)))
    asked = ["predict", str(live.path), str(whole), "--json"]
    stopped = CliRunner().invoke(app, asked)
    assert isinstance(stopped.exception, DataError) and "a_x_7.wav: is no sound" in str(stopped.exception)
    result = CliRunner().invoke(app, [*asked, "--on-error", "skip"])
    assert result.exit_code == 0, result.output
    assert len([json.loads(line)["text"] for line in result.stdout.splitlines()]) == 3
    broken, short = result.stderr.splitlines()
    assert broken.startswith(f"{whole / 'a_x_7.wav'}: is no sound that can be read") and broken.endswith("; skipped")
    assert "b_x_8.wav: is shorter than a frame" in short and short.endswith("; skipped")


def notes_of(data: Path, **settings) -> list[str]:
    given = {"data": [str(data)], "label_from": "{text}_{speaker}_*", **settings}
    return TranscriptionTask(TranscriberConfig.model_validate({"data": given, "model": {"hidden": 4}})).prepare().notes


def test_texts_that_are_too_long_for_their_signals_are_an_error_with_its_place(tmp_path: Path) -> None:
    write_sounds(tmp_path, 16)
    sound = spoken("a", np.random.default_rng(1))
    (tmp_path / "abcabcabcabcabcabcabc_x_99.wav").write_bytes(wav_bytes(sound))
    shares = {"test_share": 0.0, "valid_share": 0.0}
    with pytest.raises(DataError, match=r"_x_99.wav: 1 signals have fewer steps than their texts take \(\d+ for 21"):
        notes_of(tmp_path, **shares)
    notes = notes_of(tmp_path, on_error="skip", **shares)
    assert any("fewer steps than their texts take" in note for note in notes)


def test_speakers_stay_on_one_side_of_a_split(tmp_path: Path) -> None:
    write_sounds(tmp_path, 24)
    notes = notes_of(tmp_path, valid_share=0.2, test_share=0.2)
    assert "split by who speaks or writes (6 groups)" in notes and not any(
        "speakers, writers" in note for note in notes
    )
    by_signal = notes_of(tmp_path, valid_share=0.2, test_share=0.2, split_by="signal")
    assert any("leakage" in note for note in by_signal)
    (tmp_path / "lines").mkdir()
    with pytest.raises(DataError, match="no signal says who speaks"):
        notes_of(write_lines(tmp_path / "lines"), label_from=None, split_by="group", height=16)


def test_single_words_by_characters_are_noted(tmp_path: Path) -> None:
    chance = np.random.default_rng(1)
    for number in range(16):
        text = ("ab", "ba", "cab", "c")[number % 4]
        (tmp_path / f"{text}_{'xy'[number % 2]}_{number}.wav").write_bytes(wav_bytes(spoken(text, chance)))
    assert any(note.startswith("the texts are 4 single words, by characters") for note in notes_of(tmp_path))
    assert not any("single words" in note for note in notes_of(tmp_path, unit="word"))


@pytest.mark.parametrize("text", ["שלום 12", "abc", "שלום (עולם) abc", ""])
def test_what_is_turned_round_twice_is_itself(text: str) -> None:
    assert visual_order(visual_order(text)) == text
