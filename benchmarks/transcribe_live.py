"""The live half of `transcribe_peer.py`: a step beside ONNX Runtime's, a whole push, how long a character takes to be shown, and an hour's memory."""

from __future__ import annotations

import io
import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from measuring import held
from torch import Tensor, nn

import recurra
from recurra.audio import LogMel
from recurra.benchmark.onnx_peer import bound_step, plain_step, session
from recurra.benchmark.turns import Contestant, Timing, take_turns
from recurra.data.datasets.locate import resolve_files
from recurra.data.transcripts import iter_transcripts
from recurra.tasks.transcribe.config import TranscribePredictOptions
from recurra.tasks.transcribe.live import RAW_PIECE, SampleStream
from recurra.tasks.transcribe.network import TranscriberNetwork
from recurra.tasks.transcribe.predict import Transcriber
from recurra.tasks.transcribe.stream import NetworkSteps, PackedSteps

DATASET = "free-spoken-digits"
OURS, NETWORK, PEER = "recurra", "recurra, network's own step", "ONNX Runtime"
CHECKED, TOLERANCE = 50, 1e-5
"""Steps from which it is seen that all compute the same, and how far their probabilities may lie from those of torch in float64."""
PUSH_SECONDS = 0.03
READ_SECONDS = 0.01
"""How much is read of a pipe at a time where a character is waited for."""
SILENCE_SECONDS, GAP_SECONDS, NOISE = 1.5, 0.5, 1e-3
OPSET = 17

Step = Callable[[np.ndarray], np.ndarray]


class Spoken(NamedTuple):
    """A recording: its samples, and what is said in it."""

    samples: np.ndarray
    text: str


class PlainNetwork(nn.Module):
    """The transcriber's network of torch.nn alone, one step a call: what is to be exported.

    x (1, 1, I), a state (1, 1, H) for each layer → log-probabilities (1, 1, V), the states after.
    """

    def __init__(self, network: TranscriberNetwork) -> None:
        super().__init__()
        stack = network.stack
        self.cells, self.norms = nn.ModuleList(), nn.ModuleList()
        for layer, norm in zip(stack, stack.norms, strict=True):
            cell = nn.GRU(layer.input_size, layer.hidden_size)
            cell.load_state_dict({f"{name}_l0": value for name, value in layer.state_dict().items()})
            self.cells.append(cell)
            plain = nn.LayerNorm(layer.hidden_size, norm.eps) if isinstance(norm, nn.LayerNorm) else nn.Identity()
            plain.load_state_dict(norm.state_dict())
            self.norms.append(plain)
        self.output = nn.Linear(stack.output_size, network.output.out_features)
        self.output.load_state_dict(network.output.state_dict())

    def forward(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        after = []
        for cell, norm, state in zip(self.cells, self.norms, states, strict=True):
            x, h = cell(x, state)
            x = norm(x)
            after.append(h)
        return self.output(x).log_softmax(-1), *after


def exported(network: TranscriberNetwork) -> bytes:
    """Export the network by torch for ONNX Runtime: a step a call, states in and out."""
    plain, sizes = PlainNetwork(network).eval(), [layer.hidden_size for layer in network.stack]
    inputs = torch.zeros(1, 1, network.front.size), *(torch.zeros(1, 1, size) for size in sizes)
    names = [f"state_{number}" for number in range(len(sizes))]
    buffer = io.BytesIO()
    torch.onnx.export(
        plain,
        inputs,
        buffer,
        input_names=["x", *names],
        output_names=["log_probs", *(f"{name}_after" for name in names)],
        opset_version=OPSET,
        dynamo=False,  # which keeps the cells whole; the other exporter writes each step of a GRU as some twenty nodes
    )
    return buffer.getvalue()


def our_step(steps: PackedSteps | NetworkSteps, frames: int) -> Step:
    """Give a step x (I) → log-probabilities (V) of the network as a stream reads it."""
    return lambda x: steps.read(x.reshape(frames, -1), 1)[0]


def stepping(predictor: Transcriber, options: Any) -> tuple[list[Timing], dict[str, Any]]:
    """Time one step, the output layer included; gives also how far each one's probabilities are from torch's in float64."""
    network, frames = predictor.transcriber_network.eval(), predictor.step_frames
    model, inputs = exported(network), torch.randn(64, network.front.size).numpy()
    makers: list[tuple[str, int, Callable[[], Step]]] = []
    for threads in options.threads:
        makers.append((OURS, threads, lambda: our_step(PackedSteps(network), frames)))
        makers.append((NETWORK, threads, lambda: our_step(NetworkSteps(network), frames)))
        for way, name in ((plain_step, PEER), (bound_step, f"{PEER}, bound")):
            makers.append((name, threads, lambda way=way, threads=threads: way(session(model, threads))))
    truth = true_probabilities(network, inputs[:CHECKED])
    apart: dict[str, float] = {}
    contestants = []
    for name, threads, make in makers:
        torch.set_num_threads(threads)
        step = make()
        made = np.stack([np.array(step(x)) for x in inputs[:CHECKED]])
        apart[name] = max(float(np.abs(np.exp(made) - truth).max()), apart.get(name, 0.0))
        if apart[name] > TOLERANCE:
            raise SystemExit(f"{name}: expected what torch computes, got probabilities {apart[name]:.1e} apart")
        contestants.append(Contestant(name, "float32", threads, endless(step, inputs)))
    return take_turns(contestants, options.rounds), {"apart": apart}


@torch.inference_mode()
def true_probabilities(network: TranscriberNetwork, inputs: np.ndarray) -> np.ndarray:
    """Give the probabilities (n, V) at each step, by torch in float64."""
    states = [torch.zeros(1, 1, layer.hidden_size, dtype=torch.float64) for layer in network.stack]
    plain, truth = PlainNetwork(network).eval().double(), []
    for x in inputs:
        found, *states = plain(torch.from_numpy(x).double().view(1, 1, -1), *states)
        truth.append(found.exp().flatten().numpy())
    return np.stack(truth)


def endless(step: Step, inputs: np.ndarray) -> Callable[[], object]:
    """Give a step that reads one input after another, round and round."""
    rows = itertools.cycle(list(inputs))
    return lambda: step(next(rows))


def recordings(predictor: Transcriber) -> list[Spoken]:
    """Read the test recordings of the data set, at the run's rate."""
    files, settings = resolve_files([DATASET])
    reading = predictor.config.data.model_copy(update=settings).reading()
    rate = predictor.preprocessor.signals.rate
    return [
        Spoken(one.signal.at_rate(rate).samples, one.text or "")
        for one in iter_transcripts(files, reading)
        if one.split == "test"
    ]


def joined(sounds: list[Spoken], rate: int) -> np.ndarray:
    """Put recordings one behind another, in an order drawn by chance, with gaps of quiet noise between them."""
    chance, pieces = np.random.default_rng(3), []
    for row in chance.permutation(len(sounds)):
        pieces += [sounds[row].samples, quiet(GAP_SECONDS, rate, chance)]
    return np.concatenate(pieces)


def quiet(seconds: float, rate: int, chance: np.random.Generator) -> np.ndarray:
    """Make noise that is hardly heard, as a microphone has where nobody speaks."""
    return (NOISE * chance.standard_normal(int(seconds * rate))).astype(np.float32)


def raw(samples: np.ndarray) -> bytes:
    """Give samples as a pipe brings them, in 16 bits."""
    return (samples * 32768).round().clip(-32768, 32767).astype("<i2").tobytes()


def pushing(predictor: Transcriber, sounds: list[Spoken], options: Any) -> list[Timing]:
    """Time a push of 30 ms of sound to a stream, and of as much to a pipe: features, network, search and the text so far."""
    rate = predictor.preprocessor.signals.rate
    size = int(PUSH_SECONDS * rate)
    samples = joined(sounds, rate)[: int(options.seconds * rate) // size * size]
    pieces = np.split(samples, len(samples) // size)
    as_bytes = [raw(piece) for piece in pieces]
    asked = TranscribePredictOptions(rate=rate)

    def push(stream: Any, given: list[Any]) -> None:
        for piece in given:
            stream.push(piece)
        stream.finish()

    ways: dict[str, Callable[[], None]] = {
        "a push of 30 ms": lambda: push(predictor.stream(), pieces),
        "the same, greedy": lambda: push(predictor.stream(beam=1), pieces),
        "30 ms of a pipe": lambda: push(predictor.byte_stream(asked), as_bytes),
    }
    return take_turns([Contestant(name, "float32", 1, go, len(pieces)) for name, go in ways.items()], options.rounds)


def waits(predictor: Transcriber) -> float:
    """Give the most seconds between a sample of a pipe and the step that is the first to have read it: of its window, its stack and its piece.

    Counted sample by sample, over a second.
    """
    signals = predictor.preprocessor.signals
    mel, rate = LogMel(signals.rate, signals.size), signals.rate
    inner = predictor.stream(endpoints=False)
    stream, read_at = SampleStream(inner, rate), []
    for fed in range(1, rate + 1):
        stream.push(b"\0\0")
        read_at += [fed] * (len(inner.log_probs) - len(read_at)) if fed % int(RAW_PIECE * rate) == 0 else []
    ends = [((step + 1) * predictor.step_frames - 1) * mel.step + mel.length for step in range(len(read_at))]
    return max(at - end for at, end in zip(read_at[1:], ends, strict=False)) / rate


def latencies(predictor: Transcriber, sounds: list[Spoken]) -> dict[str, Any]:
    """Measure, of recordings that come in real time and are read right, from the last sample to the event that first shows all of the text.

    The time of the sound itself is counted in samples, that of the computation by the clock.
    """
    rate, found = predictor.preprocessor.signals.rate, []
    size, chance = 2 * int(READ_SECONDS * rate), np.random.default_rng(4)
    for sound in sounds:
        stream = predictor.byte_stream(TranscribePredictOptions(rate=rate))
        data, shown = raw(np.concatenate([sound.samples, quiet(SILENCE_SECONDS, rate, chance)])), None
        text = ""
        for start in range(0, len(data), size):
            began = time.perf_counter()
            for event in stream.push(data[start : start + size]):
                text, before = event["text"], text
                if text == sound.text and before != text:
                    shown = (min(start + size, len(data)) / 2 - len(sound.samples)) / rate, time.perf_counter() - began
            if text != sound.text:
                shown = None
        if shown is not None:
            found.append(shown)
    totals = sorted(waited + computed for waited, computed in found)
    return {
        "recordings": len(sounds),
        "read right": len(found),
        "median": statistics.median(totals),
        "95 %": totals[int(0.95 * (len(totals) - 1))],
        "most": totals[-1],
        "computation, median": statistics.median(computed for _, computed in found),
    }


def hour(predictor: Transcriber, sounds: list[Spoken], minutes: int) -> dict[str, Any]:
    """Feed so many minutes of sound through a pipe, faster than it would come; gives what this process holds after the first and the last."""
    rate, asked = (
        predictor.preprocessor.signals.rate,
        TranscribePredictOptions(rate=predictor.preprocessor.signals.rate),
    )
    stream, events, texts = predictor.byte_stream(asked), 0, 0
    data = raw(joined(sounds, rate))
    size, minute = 2 * int(RAW_PIECE * rate), 2 * 60 * rate
    held_after, start, spent = [], time.perf_counter(), time.process_time()

    def pieces() -> Iterator[bytes]:
        for at in itertools.count(0, size):
            yield data[at % len(data) :][:size]

    fed = 0
    for piece in pieces():
        new = stream.push(piece)
        events, texts = events + len(new), texts + sum(event["type"] == "final" for event in new)
        fed += len(piece)
        while fed >= (len(held_after) + 1) * minute:
            held_after.append(held("VmRSS"))
        if len(held_after) == minutes:
            break
    seconds = 60 * minutes
    return {
        "minutes": minutes,
        "MiB after a minute": held_after[0] / 1024,
        "MiB after all": held_after[-1] / 1024,
        "MiB after each": [kib / 1024 for kib in held_after],
        "real-time factor": (time.perf_counter() - start) / seconds,
        "real-time factor, processor": (time.process_time() - spent) / seconds,
        "events": events,
        "utterances": texts,
    }


def main() -> None:
    """Print what `hour` finds of a run; a process of its own, which has loaded nothing else."""
    folder, minutes = sys.argv[1:]
    torch.set_num_threads(1)
    predictor = recurra.load(folder).predictor
    print(json.dumps(hour(predictor, recordings(predictor), int(minutes))))


if __name__ == "__main__":
    main()
