"""Spoken digits beyond the recipe: several in a row, as a whole and as a stream, and a speaker who was never heard.

    python recipes/spoken_digits.py strings RUN [--count 300] [--seed 1]
    python recipes/spoken_digits.py left-out [--within 3m] [--seed 1] [--out FOLDER] [SPEAKER ...]

`strings` joins 3 to 7 test recordings of a speaker, with 0.1 to 0.4 s of silence between, and lets a run of the recipe spoken-digits or
spoken-digits-live write them: the edits by the digits that were said (the bar is 1.5 %). A run in one direction reads them as a stream too, piece by
piece. `left-out` trains on five speakers and tests on all recordings of the sixth, for each of the six: the share that is right, of each, and
the mean (the bar is 85 %). Prints JSON lines.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

import recurra
from recurra.audio import Sound, join_sounds
from recurra.data.datasets.locate import resolve_files
from recurra.data.transcripts import TranscriptOptions, iter_transcripts
from recurra.errors import RecurraError, RunError
from recurra.metrics import count_edits
from recurra.text import Faults

DATASET = "free-spoken-digits"
DIGITS = (3, 7)
SILENCE = (0.1, 0.4)
"""Seconds between two digits."""
PIECE = 0.03
"""Seconds of a piece of a stream."""
MOST_EDITS, LEAST_MEAN = 0.015, 0.85


def recordings() -> list[Any]:
    """Read all recordings, each with its text, its speaker and its part."""
    files, settings = resolve_files([DATASET])
    return list(iter_transcripts(files, TranscriptOptions(**settings), Faults("stop"), []))


def strings(count: int, seed: int) -> tuple[list[Sound], list[str]]:
    """Join test recordings, each string of one speaker's."""
    by_speaker, chance = defaultdict(list), np.random.default_rng(seed)
    for one in recordings():
        if one.split == "test":
            by_speaker[one.group].append(one)
    speakers, sounds, texts = sorted(by_speaker), [], []
    for number in range(count):
        own = by_speaker[speakers[number % len(speakers)]]
        chosen = [own[place] for place in chance.choice(len(own), int(chance.integers(*DIGITS, endpoint=True)))]
        rate = chosen[0].signal.rate
        gap = (int(SILENCE[0] * rate), int(SILENCE[1] * rate))
        sounds.append(Sound(join_sounds([one.signal.samples for one in chosen], chance, gap), rate))
        texts.append("".join(one.text for one in chosen))
    return sounds, texts


def as_stream(run: Any, sound: Sound) -> str:
    """Give what a stream writes of a sound, piece by piece."""
    stream, size = run.stream(), int(PIECE * sound.rate)
    events = [
        event
        for start in range(0, len(sound.samples), size)
        for event in stream.push(sound.samples[start : start + size])
    ]
    return "".join(event["text"] for event in [*events, *stream.finish()] if event["type"] == "final")


def digits_alone(text: str) -> str:
    return text.replace(" ", "")


def measure_strings(folder: Path, count: int, seed: int) -> dict[str, Any]:
    run = recurra.load(folder)
    sounds, texts = strings(count, seed)
    ways = {"whole": [result["text"] for result in run.predict(sounds)]}
    if run.predictor.why_not_streamable() is None:
        ways["stream"] = [as_stream(run, sound) for sound in sounds]
    found: dict[str, Any] = {"strings": count, "digits": sum(map(len, texts)), "bar": MOST_EDITS}
    for way, written in ways.items():
        scores = count_edits([digits_alone(one) for one in written], texts).scores()
        found[way] = {"digit_error_rate": scores["character_error_rate"], "error_free": scores["error_free"]}
    found["reached"] = all(found[way]["digit_error_rate"] <= MOST_EDITS for way in ways)
    return found


def measure_left_out(speaker: str, out: Path, within: str, seed: int) -> dict[str, Any]:
    run = recurra.train(
        "transcribe",
        DATASET,
        out / speaker,
        test_names=f"*_{speaker}_*.wav",
        split_by="signal",  # else a whole speaker of five is kept for validation
        within=within,
        seed=seed,
    )
    if run.evaluation is None:
        raise RunError(f"{out / speaker}: nothing was measured")
    metrics = run.evaluation["metrics"]
    return {"speaker": speaker, "right": metrics["error_free"], "baselines": run.evaluation["baselines"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ways = parser.add_subparsers(dest="way", required=True)
    joined = ways.add_parser("strings")
    joined.add_argument("run", type=Path)
    joined.add_argument("--count", type=int, default=300)
    joined.add_argument("--seed", type=int, default=1)
    others = ways.add_parser("left-out")
    others.add_argument("speakers", nargs="*", help="by default each in turn")
    others.add_argument("--within", default="3m")
    others.add_argument("--seed", type=int, default=1)
    others.add_argument("--out", type=Path, help="where the runs are to be; by default a new folder")
    given = parser.parse_args()
    try:
        if given.way == "strings":
            print(json.dumps(measure_strings(given.run, given.count, given.seed)))
            return
        out, right = given.out or Path(tempfile.mkdtemp()), []
        for speaker in given.speakers or sorted({one.group for one in recordings()}):
            found = measure_left_out(speaker, out, given.within, given.seed)
            right.append(found["right"])
            print(json.dumps(found), flush=True)
        mean = float(np.mean(right))
        print(json.dumps({"speakers": len(right), "mean": mean, "bar": LEAST_MEAN, "reached": mean >= LEAST_MEAN}))
    except RecurraError as error:
        parser.exit(error.exit_code, f"{error}\n")


if __name__ == "__main__":
    main()
