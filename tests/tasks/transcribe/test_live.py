"""Raw sound through a pipe: partial results as they come, a final one at the end, and when it is interrupted."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from tests.tasks.transcribe.signals import RATE, spoken, strokes_of, tone, wav_bytes

from recurra.errors import DataError, UsageError
from recurra.tasks.transcribe.config import TranscribePredictOptions
from recurra.verbs.base.live import transcribe_live
from recurra.verbs.base.pipe import Pipe


def raw(samples: np.ndarray) -> bytes:
    return (samples * 32767).astype("<i2").tobytes()


@pytest.fixture(scope="module")
def recorded() -> bytes:
    chance = np.random.default_rng(6)
    silence = tone(" ", 1.6, chance).astype(np.float32)
    return raw(np.concatenate([spoken("ab", chance), silence, spoken("c", chance)]))


def test_bytes_give_what_samples_give(live, recorded) -> None:
    predictor = live.predictor
    for size in (1_001, 64_000):
        stream = predictor.byte_stream(TranscribePredictOptions(rate=RATE))
        events = [event for at in range(0, len(recorded), size) for event in stream.push(recorded[at : at + size])]
        finals = [event for event in [*events, *stream.finish()] if event["type"] == "final"]
        assert [final["text"] for final in finals] == ["ab", "c"]
    assert predictor.byte_stream(TranscribePredictOptions()) is None


def command(run, *arguments: str) -> subprocess.Popen:
    call = [sys.executable, "-c", "from recurra.cli import main; main()", "predict", str(run.path), "-", *arguments]
    return subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_pipe_is_answered_as_it_comes(live, recorded) -> None:
    process = command(live, "--rate", str(RATE), "--json")
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(recorded[:5_000])
    process.stdin.flush()
    first = json.loads(process.stdout.readline())  # before the pipe has ended
    assert first["type"] == "partial" and set(first) == {"type", "text", "stable", "time"}
    rest, errors = process.communicate(recorded[5_000:], timeout=240)
    events = [json.loads(line) for line in rest.splitlines()]
    assert [event["text"] for event in events if event["type"] == "final"] == ["ab", "c"], errors
    assert process.returncode == 0 and not errors


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_interrupting_gives_the_final_result(live, recorded) -> None:
    with command(live, "--rate", str(RATE), "--json") as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(recorded[:5_000])
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["type"] == "partial"
        process.send_signal(signal.SIGINT)
        lines = process.stdout.read().splitlines()
    assert json.loads(lines[-1])["type"] == "final" and process.returncode == 0


def test_a_wav_file_in_a_pipe_is_read_as_a_whole(live, recorded) -> None:
    samples = spoken("ba", np.random.default_rng(1))
    process = command(live)
    out, errors = process.communicate(wav_bytes(samples), timeout=240)
    assert out.decode().split() == ["ba"], errors


def test_what_a_live_pipe_cannot_give(live) -> None:
    with pytest.raises(UsageError, match="best, steps: what is transcribed as it comes has one text"):
        live.predictor.byte_stream(TranscribePredictOptions(rate=RATE, best=2))


def test_silence_at_the_end_is_no_line(live, recorded, capsys) -> None:
    quiet = raw(tone(" ", 1.9, np.random.default_rng(7)))
    options = TranscribePredictOptions(rate=RATE)
    assert transcribe_live(live.predictor, options, Pipe(io.BytesIO(recorded + quiet)), json=False)
    assert capsys.readouterr().out == "ab\nc\n"


@pytest.mark.parametrize("size", [1, 12, 100_000])
def test_a_wav_file_is_no_raw_sound(live, size) -> None:
    data = wav_bytes(spoken("ba", np.random.default_rng(1)))
    stream = live.predictor.byte_stream(TranscribePredictOptions(rate=RATE))
    with pytest.raises(DataError, match="expected raw samples, as --rate says, got a WAV file; leave --rate out"):
        for at in range(0, len(data), size):
            stream.push(data[at : at + size])


def stroke_lines(strokes) -> str:
    return "".join(f"{json.dumps(stroke)}\n" for stroke in strokes)


def test_strokes_of_a_pipe_are_read_as_they_end(pen) -> None:
    chance = np.random.default_rng(3)
    inks = [strokes_of(text, chance) for text in ("ab", "c")]
    with command(pen, "--strokes", "--json") as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(stroke_lines(inks[0]).encode())
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["type"] == "partial"  # before the pipe has ended
        rest, errors = process.communicate(f"\n{stroke_lines(inks[1])}".encode(), timeout=240)
    finals = [event for line in rest.splitlines() if (event := json.loads(line))["type"] == "final"]
    assert process.returncode == 0 and not errors
    assert [final["text"] for final in finals] == [pen.predict(json.dumps(ink))["text"] for ink in inks]


def test_a_line_that_is_no_stroke_is_named_behind_what_came_before(pen) -> None:
    line = stroke_lines(strokes_of("a", np.random.default_rng(4)))
    stream = pen.predictor.byte_stream(TranscribePredictOptions(strokes=True))
    events = []
    with pytest.raises(DataError, match="expected a stroke as JSON") as caught:
        events += stream.push(f"{line}\n".encode())
        events += stream.push(b"xyz\n")
    assert events[-1]["type"] == "final" and (caught.value.source, caught.value.line) == ("standard input", 3)


def test_a_stream_begins_with_nothing(live) -> None:
    for prompt in ("a", np.zeros(3), {"a": [1]}):
        with pytest.raises(UsageError, match="prompt: a transcriber begins with nothing"):
            live.stream(prompt)


def test_each_way_of_coming_belongs_to_its_signal(live, pen) -> None:
    for run, wrong in ((live, {"strokes": True}), (pen, {"rate": RATE})):
        with pytest.raises(UsageError, match="leave it out"):
            run.predictor.byte_stream(TranscribePredictOptions(**wrong))
