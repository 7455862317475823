"""Small signals with texts: tones for letters, marks on paper, strokes."""

from __future__ import annotations

import io
import json
import wave
from pathlib import Path

import numpy as np

from recurra.images import encode_png

RATE = 8_000
TONES = {"a": 400.0, "b": 1_400.0, "c": 2_600.0}
TEXTS = ("ab", "ba", "abc", "c", "a b", "cab", "bc", "b a")


def tone(letter: str, seconds: float, chance: np.random.Generator) -> np.ndarray:
    times = np.arange(int(seconds * RATE)) / RATE
    sound = np.zeros(len(times)) if letter == " " else 0.3 * np.sin(2 * np.pi * TONES[letter] * times)
    return sound + 0.003 * chance.standard_normal(len(times))


def spoken(text: str, chance: np.random.Generator) -> np.ndarray:
    """A tone for each letter, about a tenth of a second long, with silence between."""
    parts = [tone(" ", 0.05, chance)]
    for letter in text:
        parts += [tone(letter, 0.09 + 0.03 * chance.random(), chance), tone(" ", 0.06, chance)]
    return np.concatenate(parts).astype(np.float32)


def wav_bytes(samples: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def write_sounds(folder: Path, count: int = 24) -> Path:
    """Write sounds named text_speaker_number.wav into a folder."""
    chance = np.random.default_rng(1)
    for number in range(count):
        text = TEXTS[number % len(TEXTS)]
        path = folder / f"{text}_{'xyzuvw'[number % 6]}_{number}.wav"
        path.write_bytes(wav_bytes(spoken(text, chance)))
    return folder


def line_of(text: str, chance: np.random.Generator) -> np.ndarray:
    """A line of writing: a mark for each letter, at another height."""
    line = np.full((32, 20 + 24 * len(text)), 230, np.uint8)
    for place, letter in enumerate(text):
        left = 10 + 24 * place + int(chance.integers(0, 3))
        if letter != " ":
            top = {"a": 4, "b": 12, "c": 20}[letter]
            line[top : top + 8, left : left + 14] = 30
    return line


def write_lines(folder: Path, count: int = 16) -> Path:
    """Write pictures with their texts beside them."""
    chance = np.random.default_rng(2)
    for number in range(count):
        text = TEXTS[number % len(TEXTS)]
        (folder / f"{number}.png").write_bytes(encode_png(line_of(text, chance)))
        (folder / f"{number}.gt.txt").write_text(text)
    return folder


def strokes_of(text: str, chance: np.random.Generator) -> list[list[list[float]]]:
    """Strokes for letters: a zigzag, a circle or a line down."""
    found = []
    for place, letter in enumerate(text):
        turns = np.linspace(0, 2 * np.pi, 20)
        shapes = {
            "a": np.stack([turns / 6, np.abs(np.sin(3 * turns))], 1),
            "b": np.stack([(1 - np.cos(turns)) / 2, (1 + np.sin(turns)) / 2], 1),
            "c": np.stack([0 * turns + 0.5, turns / 6.3], 1),
        }
        if letter != " ":
            points = shapes[letter] * 10 + [14 * place, 0] + 0.2 * chance.standard_normal((20, 2))
            found.append(points.round(2).tolist())
    return found


def write_inks(folder: Path, count: int = 16) -> Path:
    """Write strokes with texts as JSON lines."""
    chance = np.random.default_rng(3)
    path = folder / "inks.jsonl"
    lines = [
        json.dumps({"strokes": strokes_of(TEXTS[number % len(TEXTS)], chance), "text": TEXTS[number % len(TEXTS)]})
        for number in range(count)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path
