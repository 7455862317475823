"""The report of a transcriber: what was heard can be heard, what was seen is drawn, and what is right is not among the worst."""

from __future__ import annotations

import base64
import re

import numpy as np
import pytest
from tests.tasks.transcribe.signals import RATE, TEXTS, spoken, tone, wav_bytes, write_sounds

from recurra.audio import Sound, read_sound
from recurra.tasks.transcribe.examples import MAX_HEARD_BYTES, MAX_SHOWN
from recurra.tasks.transcribe.sound import SoundKind

MU_STEP = 32 * 32 / 2**15


def evaluated(run, folder) -> list[dict]:
    return run.evaluate([str(folder)], baselines=False)["details"]["examples"]


def heard(example: dict) -> Sound:
    return read_sound(base64.b64decode(example["sound"]), "sound")


def test_the_sounds_of_a_report_are_those_that_were_read(live, tmp_path) -> None:
    examples = evaluated(live, write_sounds(tmp_path, 12))
    assert len(examples) >= MAX_SHOWN
    for example in examples:
        original = read_sound((tmp_path / example["place"]).read_bytes(), "original")
        sound = heard(example)
        assert sound.rate == original.rate == RATE and len(sound.samples) == len(original.samples)
        assert np.abs(sound.samples - original.samples).max() <= MU_STEP / 2
        assert example["heard"] == pytest.approx(original.seconds) == pytest.approx(example["seconds"], abs=0.04)


def test_the_page_plays_them(live, lines, pen) -> None:
    page = (live.path / "report.html").read_text(encoding="utf-8")
    found = re.findall(r'<audio controls preload="none" aria-label="[^"]*" src="data:audio/wav;base64,([^"]+)">', page)
    assert found and all(len(read_sound(base64.b64decode(one), "sound").samples) for one in found)
    assert page.count('<img alt="picture of') == len(found) and "media-src data:;" in page
    for other in (lines, pen):
        page = (other.path / "report.html").read_text(encoding="utf-8")
        assert "<audio" not in page and page.count("data:image/png;base64,") >= 2


def test_what_is_right_or_shown_before_is_not_among_the_worst(live, tmp_path) -> None:
    write_sounds(tmp_path, 24)
    chance = np.random.default_rng(5)
    for number in range(3):  # what is said is not what the name says
        (tmp_path / f"abcab_x_9{number}.wav").write_bytes(wav_bytes(spoken("c", chance)))
    examples = evaluated(live, tmp_path)
    places = [example["place"] for example in examples]
    assert len(set(places)) == len(places)
    worst = [example for example in examples if example["kind"] == "worst"]
    assert worst and all(example["character_error_rate"] > 0 for example in worst)
    rates = [example["character_error_rate"] for example in worst]
    assert rates == sorted(rates, reverse=True)


def test_long_sounds_are_cut_and_the_report_says_so(live, tmp_path) -> None:
    chance = np.random.default_rng(2)
    for number, text in enumerate(TEXTS):
        for copy in range(2):
            samples = np.concatenate([spoken(text, chance), tone(" ", 13 + number / 10, chance)]).astype(np.float32)
            (tmp_path / f"{text}{text}_x_{copy}{number}.wav").write_bytes(wav_bytes(samples))
    examples = evaluated(live, tmp_path)
    assert len(examples) == 2 * MAX_SHOWN
    sizes = [len(base64.b64decode(example["sound"])) for example in examples]
    assert sum(len(example["sound"]) for example in examples) < 1.01e6
    assert max(sizes) - min(sizes) <= 1 and examples[0]["heard"] == pytest.approx(
        MAX_HEARD_BYTES / 16 / 8_000, abs=0.01
    )
    drawn = "".join(block.draw() for block in live.task.report_blocks({"details": {"examples": examples}}))
    assert re.search(r"<small>the first 5\.9 s of 13\.\d</small>", drawn)


def test_nothing_is_kept_to_be_heard_of_the_training_part(live) -> None:
    live.task.prepare()
    dataset = live.task.dataset
    assert dataset.train.excerpts == [] and all(dataset.test.excerpts)


def test_what_is_kept_to_be_heard_takes_half_of_what_the_frames_take() -> None:
    sound, kind = Sound(np.zeros(48_000, np.float32), 16_000), SoundKind(16_000, 40)
    assert len(kind.excerpt(sound)) < 0.51 * kind.prepare(sound, "").nbytes
