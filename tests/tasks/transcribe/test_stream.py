"""A signal in pieces of any size gives what the whole does, bit by bit; utterances end by silence."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.tasks.transcribe.signals import RATE, spoken, tone

from recurra.audio import Sound
from recurra.errors import UsageError
from recurra.kernels.native import engine
from recurra.tasks.transcribe.sound import LIVE_TAIL
from recurra.tasks.transcribe.stream import STEPS_AT_ONCE, NetworkSteps, PackedSteps, TranscriptStream

needs_engine = pytest.mark.skipif(engine() is None, reason="without the engine results are the same but for rounding")


def pieces(samples, size, chance):
    """Cut a signal into pieces of so many samples, or of any number of them (None)."""
    start = 0
    while start < len(samples):
        stop = start + (size or int(chance.integers(0, 900)))
        yield samples[start:stop]
        start = stop


@needs_engine
@pytest.mark.parametrize("size", [1, 7, 80, 999, 100_000, None])
def test_pieces_of_any_size_give_the_log_probabilities_of_the_whole(live, size):
    chance = np.random.default_rng(3)
    samples = spoken("abc ba", chance)[: 1_000 if size == 1 else None]
    predictor = live.predictor
    (whole,) = predictor.log_probs([predictor.preprocessor.check(Sound(samples, RATE), predictor.config.data)])
    stream = predictor.stream(endpoints=False)
    for piece in pieces(samples, size, chance):
        stream.push(piece)
    before = stream.log_probs
    assert (
        np.array_equal(before, whole[: len(before)])
        and len(whole) - len(before) <= 1 + LIVE_TAIL / predictor.step_frames
    )
    (final,) = stream.finish()
    assert final["text"] == live.predict(Sound(samples, RATE))["text"]
    assert final["log_prob"] == live.predict(Sound(samples, RATE))["log_prob"]


@needs_engine
def test_weights_that_are_packed_give_the_bits_of_the_network(live):
    network, frames = live.predictor.transcriber_network, live.predictor.step_frames
    inputs = np.random.default_rng(4).standard_normal((50 * frames, network.front.size // frames)).astype(np.float32)
    found = []
    for steps in (PackedSteps(network), NetworkSteps(network)):
        first = steps.read(inputs, 50)
        again = [steps.read(inputs[at : at + frames], 1) for at in range(0, len(inputs), frames)]
        steps.reset()
        found += [first, np.concatenate(again), steps.read(inputs, 50)]
    assert np.array_equal(found[0], found[3]) and np.array_equal(found[1], found[4])
    assert np.array_equal(found[0], found[2]) and not np.array_equal(found[0], found[1])


def test_a_large_piece_ends_utterances_as_small_ones_do(live):
    chance = np.random.default_rng(10)
    silence = tone(" ", 1.6, chance).astype(np.float32)
    parts = [part for text in ("ab", "c", "ba", "cab") for part in (spoken(text, chance), silence, silence)]
    samples = np.concatenate(parts)
    whole, small = live.predictor.stream(), live.predictor.stream()
    events = whole.push(samples) + whole.finish()
    one_by_one = [event for piece in pieces(samples, 240, chance) for event in small.push(piece)] + small.finish()
    finals = [[event for event in some if event["type"] == "final"] for some in (events, one_by_one)]
    assert finals[0] == finals[1] and [final["text"] for final in finals[0] if final["text"]] == [
        "ab",
        "c",
        "ba",
        "cab",
    ]
    seconds_of_a_step = 0.01 * live.predictor.step_frames
    assert len(samples) / RATE > 1.2 * STEPS_AT_ONCE * seconds_of_a_step


def test_it_reads_what_was_learnt_and_what_is_stable_only_grows(live):
    chance = np.random.default_rng(5)
    samples, stream = spoken("cab", chance), live.predictor.stream()
    events = [event for piece in pieces(samples, 400, chance) for event in stream.push(piece)] + stream.finish()
    assert [event["type"] for event in events[:-1]] == ["partial"] * (len(events) - 1)
    final = events[-1]
    assert final["type"] == "final" and final["text"] == "cab"
    stable = [event["stable"] for event in events[:-1]]
    assert all(after.startswith(before) for before, after in itertools.pairwise(stable))
    assert all(event["text"].startswith(event["stable"]) for event in events[:-1]) and final["text"].startswith(
        stable[-1]
    )
    (word,) = final["words"]
    assert word["word"] == "cab" and 0 <= word["start"] < word["end"] <= final["end"] and 0 <= word["confidence"] <= 1


def test_an_utterance_ends_with_silence_and_another_begins(live):
    chance = np.random.default_rng(6)
    silence = tone(" ", 1.6, chance).astype(np.float32)
    stream, events = live.predictor.stream(), []
    for text in ("ab", "c"):
        for piece in pieces(np.concatenate([spoken(text, chance), silence]), 800, chance):
            events += stream.push(piece)
    finals = [event for event in events if event["type"] == "final"]
    assert [final["text"] for final in finals] == ["ab", "c"]
    assert finals[0]["end"] <= finals[1]["start"] and finals[1]["words"][0]["start"] >= finals[1]["start"]
    assert all(event["type"] != "final" or not event["text"] for event in stream.finish())


def test_silence_alone_says_nothing_and_takes_no_memory(live):
    chance = np.random.default_rng(7)
    stream = live.predictor.stream()
    events = [event for _ in range(12) for event in stream.push(tone(" ", 1.0, chance).astype(np.float32))]
    assert [event for event in events if event["type"] == "final"] == []
    assert len(stream.log_probs) * 0.02 < 3


def test_another_rate_is_brought_to_that_of_the_run(live):
    chance = np.random.default_rng(8)
    samples = spoken("ba", chance)
    stream = live.predictor.stream(rate=16_000)
    stream.push(np.repeat(samples, 2))
    (final,) = stream.finish()
    assert final["text"] == "ba"


def test_the_likeliest_units_as_they_come(live):
    chance = np.random.default_rng(9)
    samples = spoken("bc", chance)
    stream = live.predictor.stream(beam=1, endpoints=False)
    stream.push(samples)
    assert stream.finish()[-1]["text"] == live.predict(Sound(samples, RATE), beam=1)["text"] == "bc"


def test_strokes_as_they_are_written(pen):
    from tests.tasks.transcribe.signals import strokes_of

    from recurra.ink import Ink

    strokes = [np.array(stroke, np.float32) for stroke in strokes_of("abc", np.random.default_rng(1))]
    stream = pen.predictor.stream()
    assert isinstance(stream, TranscriptStream)
    for stroke in strokes:
        stream.push(stroke)
    (final,) = stream.finish()
    whole = pen.predict(Ink(tuple(strokes)))
    assert final["text"] == whole["text"]
    if engine() is not None:
        assert final["log_prob"] == whole["log_prob"]


def test_what_cannot_be_streamed_says_so(live, lines):
    assert live.predictor.why_not_streamable() is None
    with pytest.raises(UsageError, match="cannot be fed piece by piece: a picture is read as a whole"):
        lines.predictor.stream()
