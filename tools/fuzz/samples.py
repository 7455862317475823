"""Good files: those of docs/data.md, and one for each format that is not text, with the command that reads them."""

from __future__ import annotations

import doctest
import io
import json
import math
import re
import shlex
import wave
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tools.fuzz.mutation.arrays import mat_bytes, npy_bytes, npz_bytes

from recurra.images import encode_png
from recurra.music import write_midi

PAGE = Path(__file__).resolve().parents[2] / "docs" / "data.md"
TINY = ("--hidden", "4", "--layers", "1", "--epochs", "1", "--threads", "1", "--seed", "1")
"""Settings of every training: what is tested is what is read, measured and written."""
PICTURES = 40
"""Pictures that have a caption."""
COMPANIONS = {"X_train.npy": ["y_train.npy"], "train-images-idx3-ubyte": ["train-labels-idx1-ubyte"]}
"""Files that are read because they lie beside the one that is named."""


@dataclass(frozen=True)
class Sample:
    """A good training.  words: what follows `recurra train`.  paths: which of them are files or folders, and what lies beside them."""

    words: tuple[str, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Usage:
    """A good run and a file to ask it about.  words: what follows `recurra`."""

    run: str
    words: tuple[str, ...]
    paths: tuple[str, ...]


def documented_files() -> dict[str, str]:
    """Give the files that the page on data shows, by name."""
    return dict(re.findall(r"(?ms)^```text (\S+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8")))


def documented_programs() -> str:
    """Give the statements of the page, which write arrays."""
    blocks = re.findall(r"(?ms)^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"))
    return "\n".join(example.source for example in doctest.DocTestParser().get_examples("\n".join(blocks)))


def documented_commands() -> Iterator[list[str]]:
    """Give the trainings that the page shows, each as the words behind `recurra train`."""
    for block in re.findall(r"(?ms)^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8")):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[:2] == ["recurra", "train"] and "--from" not in words:  # a run that the page does not make
                few = ["--test-share", "0"] if words[2] in ("classify", "tag") and "--test" not in words else []
                yield [*words[2:], *few]  # what the page shows is too little for a part to test on


MORE = [
    "classify table.csv", "classify table.csv --unit char", "classify table.csv --unit byte", "classify table.csv --vectors words.vec", "classify table.parquet", "classify table.json", "classify series.mat", "classify train-images-idx3-ubyte",
    "classify a05_s01_e02_skeleton3D.txt a06_s01_e01_skeleton3D.txt --test-share 0", "classify flat.csv", "classify table.csv --config settings.toml", "classify sound.npz --scale series",
    "translate table.csv --source text --target label", "translate reviews.jsonl --source review.text --target stars", "caption boxes.zip --side 32 --channels 2", "caption pictures.json --images boxes.zip --side 32 --channels 2", "transcribe inks.jsonl --split-by text", "strokes inks.jsonl --condition text", "strokes inks.jsonl --condition none --components 2", "grammar lines.txt", "grammar anbn --train-sizes 1-6 --valid-sizes 7-8 --test-sizes 9-10", "transcribe tones.zip --mels 8 --no-bidirectional", "pixels train-images-idx3-ubyte --levels 4", "music tune.mid waltz.mid --test-share 0", "music chorales.json --head bernoulli --steps 1", "pixels dot.png dash.png --test-share 0", "pixels train-images-idx3-ubyte --size 9x2 --binarise sample", "tag sentences.conll", "tag sentences.parquet", "tag sentences.conll --valid-share 0.2", "embed waves.npz", "embed flat.csv", "embed lines.txt", "embed series.mat", "embed GunPoint_TRAIN.ts",
    "lm lines.txt", "lm lines.txt --unit word", "lm lines.txt --unit byte", "lm lines.txt --unit bpe", "lm table.csv --text text", "lm reviews.jsonl --text review.text", "lm table.parquet --text text", "lm sentences.conll",
    "forecast sales.csv --horizon 2 --series shop --known promotion", "forecast sales.parquet --horizon 2 --series shop --known promotion", "forecast machine.csv --horizon 2 --every 2h --combine sum", "forecast machine.csv --horizon 3 --season 24",
    "detect machine.csv --window 8", "detect machine.csv --anomaly-labels windows.json", "detect machine.csv --label broken", "detect sales.parquet --series shop --target sold", "detect flags.npy --anomaly-labels flags_labels.npy",
    "detect machine.csv --anomaly-labels labeled_anomalies.csv",
]  # fmt: skip
"""Trainings on formats and with settings that the page does not show, on the files below."""

USAGES = [
    "classify-text predict RUN table.csv", "classify-text predict RUN lines.txt", "classify-text predict RUN lines.txt --steps --json", "classify-text evaluate RUN table.csv --json", "classify-text evaluate RUN table.csv --no-baselines",
    "classify-series predict RUN sound.npz", "classify-series predict RUN GunPoint_TRAIN.ts", "classify-series evaluate RUN sound.npz", "classify-series predict RUN numbers.txt --steps", "classify-series predict RUN wide.csv",
    "tag-words predict RUN sentences.conll", "tag-words predict RUN lines.txt --json", "tag-words evaluate RUN sentences.conll", "tag-words predict RUN names.jsonl", "lm predict RUN lines.txt", "lm score RUN lines.txt --json", "lm evaluate RUN lines.txt", "lm generate RUN lines.txt -l 20",
    "lm-bpe score RUN lines.txt", "forecast predict RUN sales.csv", "forecast evaluate RUN sales.csv --no-baselines", "forecast predict RUN sales.parquet", "forecast predict RUN sales.csv --json --steps", "translate predict RUN table.csv --attention", "translate predict RUN lines.txt --best 2 --json", "translate evaluate RUN table.csv", "caption predict RUN box.png --attention", "caption evaluate RUN boxes.zip", "transcribe predict RUN inks.jsonl --times --json", "transcribe predict RUN inks.jsonl --best 2", "transcribe evaluate RUN inks.jsonl", "music generate RUN --bars 2 --from tune.mid --json", "music generate RUN --harmonise waltz.mid --json", "music predict RUN tune.mid", "music score RUN waltz.mid", "pixels predict RUN train-images-idx3-ubyte --rows 1", "pixels score RUN dot.png --json", "pixels evaluate RUN train-images-idx3-ubyte", "pixels generate RUN --from dash.png -n 2", "detect predict RUN machine.csv", "detect predict RUN machine.csv --json",
    "detect evaluate RUN machine.csv --anomaly-labels windows.json", "embed predict RUN sound.npz", "embed predict RUN numbers.txt --cluster auto", "embed evaluate RUN sound.npz", "embed-texts predict RUN lines.txt --neighbours 2",
]  # fmt: skip
"""Questions to a good run: its name, and what follows `recurra`, with RUN for the folder."""

PIPES = [
    "classify-text predict RUN - <lines.txt", "lm score RUN - <lines.txt", "detect predict RUN - <machine.csv", "detect predict RUN --on-error skip <machine.csv", "forecast predict RUN - <sales.csv", "classify-series predict RUN - <numbers.txt",
    "classify-series predict RUN --on-error skip --json <numbers.txt", "tag-words predict RUN <lines.txt", "embed-texts predict RUN <lines.txt", "lm generate RUN - -l 9 <lines.txt", "classify-text predict RUN - <table.csv",
]  # fmt: skip
"""The same, from standard input."""


def text_files() -> dict[str, str]:
    """Give good files of text that are large enough to be trained on."""
    good, bad = ["warm", "fine", "quick", "good", "好"], ["cold", "dull", "slow", "bad", "坏"]
    rows = [(f"a {(good if n % 2 else bad)[n % 5]} film {n * n % 13}", "pos" if n % 2 else "neg") for n in range(40)]
    hours = [f"{np.datetime64('2024-01-01T00') + n}:00" for n in range(160)]
    machine = [f"{hour},{math.sin(n / 9):.4f},{n % 7 / 4:.2f},{int(100 < n < 110)}" for n, hour in enumerate(hours)]
    days = [f"{np.datetime64('2024-01-01') + n // 2},{'ab'[n % 2]},{math.sin(n / 5):.4f},{n % 3}" for n in range(120)]
    days += [f"2024-03-0{1 + n // 2},{'ab'[n % 2]},,{n % 3}" for n in range(4)]
    joints = "\n".join(f"{n % 7} {n % 5} {n % 3} 1" for n in range(60))
    points = [f"{'xy'[n % 2]}," + ",".join(f"{math.sin(n % 2 + m * n / 9):.3f}" for m in range(6)) for n in range(24)]
    settings = "[model]\nhidden = 4\nlayers = 1\n[training]\nepochs = 1\nbatch = 8\nseed = 3\n"
    windows = {"machine.csv": [["2024-01-04 12:00:00", "2024-01-05 02:00:00"]]}
    return {
        "table.csv": "\n".join(["text,label", *(f"{text},{label}" for text, label in rows)]) + "\n",
        "table.json": json.dumps([{"text": text, "label": label} for text, label in rows]),
        "sentences.conll": "\n".join(f"the\tO\ncat{n % 5}\tB-animal\nsits\tO\n" for n in range(24)),
        "lines.txt": "".join(f"{n} 白日依山盡 the rain in spain {n * n % 101}\n" for n in range(40)),
        "numbers.txt": "\n".join(f"{n / 7:.3f}, {n / 5:.2f}, nan, {n % 3}" for n in range(6)) + "\n",
        "flat.csv": "\n".join(["label," + ",".join(f"t{m}" for m in range(6)), *points]) + "\n",
        "machine.csv": "\n".join(["time,x,y,broken", *machine]) + "\n",
        "sales.csv": "\n".join(["day,shop,sold,promotion", *days]) + "\n",
        "windows.json": json.dumps(windows),
        "labeled_anomalies.csv": 'chan_id,spacecraft,anomaly_sequences,class,num_values\nmachine,M,"[[100, 110]]",[point],160\n',
        "words.vec": "".join(f"{word} 0.1 -0.2 0.{n} 1\n" for n, word in enumerate([*good, *bad, "film", "a"])),
        "settings.toml": settings,
        "a05_s01_e02_skeleton3D.txt": joints,
        "a06_s01_e01_skeleton3D.txt": joints.replace("6", "9"),
        "inks.jsonl": "".join(
            json.dumps({"strokes": _strokes(n), "text": ("ab", "ba", "b a")[n % 3]}) + "\n" for n in range(24)
        ),
        "bench.json": json.dumps({"format": 1, "rows": []}),
        "pictures.json": json.dumps(
            {
                "images": [{"id": n, "file_name": f"{n}.png"} for n in range(PICTURES)],
                "annotations": [
                    {"image_id": n, "caption": f"a {'red' if n % 2 else 'dark'} box"} for n in range(PICTURES)
                ],
            }
        ),
    }


def binary_files() -> dict[str, bytes]:
    """Give good files of formats that are not text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    noise = np.random.default_rng(3)
    cells = np.empty(12, dtype=object)
    for at in range(12):
        cells[at] = noise.normal(size=(2, 5 + at % 3))
    days = np.datetime64("2024-01-01") + np.arange(84) // 2
    tables = {
        "table.parquet": {"text": [f"film {n % 5}" for n in range(30)], "label": ["ab"[n % 2] for n in range(30)]},
        "sentences.parquet": {"tokens": [["a", "b"], ["c"]] * 9, "tags": [["O", "B-x"], ["O"]] * 9},
"sales.parquet": {"day": days, "shop": ["ab"[n % 2] for n in range(84)], "sold": [n % 9 / 2 if n < 80 else None for n in range(84)], "promotion": [n % 3 for n in range(84)]},
    }  # fmt: skip
    made = {}
    for name, columns in tables.items():
        file = io.BytesIO()
        pq.write_table(pa.table(columns), file)
        made[name] = file.getvalue()
    pixels = noise.integers(0, 255, size=(12, 4, 3), dtype=np.uint8)
    boxes = noise.integers(0, 255, size=(PICTURES, 5, 6, 3), dtype=np.uint8)
    boxes[1::2, ..., 0] = 255
    shape = b"".join(size.to_bytes(4, "big") for size in pixels.shape)
    return {
        **made,
        "series.mat": mat_bytes({"x": cells, "y": np.arange(12.0) % 2}),
        "sound.npz": npz_bytes(x=noise.normal(size=(16, 9, 1)), y=np.arange(16) % 2),
        "train-images-idx3-ubyte": b"\x00\x00\x08\x03" + shape + pixels.tobytes(),
        "train-labels-idx1-ubyte": b"\x00\x00\x08\x01\x00\x00\x00\x0c" + bytes(n % 2 for n in range(12)),
        "flags.npy": npy_bytes(noise.normal(size=(120, 2))),
        "dot.png": encode_png(pixels[0]),
        "tune.mid": write_midi(_melody(4), 96, 120),
        "waltz.mid": write_midi(_melody(3), 96, 150, beats=3),
        "chorales.json": json.dumps({"train": [[[60 + n, 67 + n], [n + 62], []] for n in range(12)]}).encode(),
        "dash.png": encode_png(pixels[1:2].repeat(3, 0).transpose(1, 2, 0)),
        "flags_labels.npy": npy_bytes(np.arange(120) % 40 == 7),
        "box.png": encode_png(boxes[0]),
        "boxes.zip": _captioned(boxes),
        "tones.zip": _spoken(),
    }


def _strokes(number: int) -> list[list[list[float]]]:
    """Draw a few zigzags."""
    return [[[9.0 * at + n, float((n * number) % 7)] for n in range(9)] for at in range(1 + number % 3)]


def _spoken() -> bytes:
    """Pack tones with texts of them."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for n in range(16):
            sound = io.BytesIO()
            with wave.open(sound, "wb") as one:
                one.setnchannels(1)
                one.setsampwidth(2)
                one.setframerate(8000)
                tone = 9_000 * np.sin(np.arange(2_400) * (0.2 + 0.4 * (n % 2)))
                one.writeframes(tone.astype("<i2").tobytes())
            archive.writestr(zipfile.ZipInfo(f"{n}.wav"), sound.getvalue())
            archive.writestr(zipfile.ZipInfo(f"{n}.txt"), "high" if n % 2 else "low")
    return file.getvalue()


def _melody(notes: int) -> np.ndarray:
    """Make bars of so many notes a bar: rows of start, end, pitch, velocity and channel."""
    return np.array([[96 * n, 96 * n + 90, 60 + n % (notes + 1), 70, 0] for n in range(6 * notes)])


def _captioned(pictures: np.ndarray) -> bytes:
    """Pack pictures with captions of them."""
    file = io.BytesIO()
    rows = [f"{n}.png,a {'red' if n % 2 else 'dark'} box {n % 5}" for n in range(len(pictures))]
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("captions.csv"), "\n".join(["image,caption", *rows]) + "\n")
        for n, picture in enumerate(pictures):
            archive.writestr(zipfile.ZipInfo(f"{n}.png"), encode_png(picture))
    return file.getvalue()


def _sample(words: list[str], folder: Path) -> Sample:
    paths = [word for word in words if (folder / word).exists()]
    nearby = [other for path in paths for other in COMPANIONS.get(path, [])]
    return Sample(tuple(words), tuple(dict.fromkeys([*paths, *nearby])))


def samples(folder: Path) -> list[Sample]:
    """List the good trainings on the files of a folder."""
    return [_sample(words, folder) for words in [*documented_commands(), *map(str.split, MORE)]]


def usages(folder: Path) -> list[tuple[Usage, str]]:
    """List the questions to good runs, each with the name of the file that is standard input, or an empty one."""
    found = []
    for line in [*USAGES, *PIPES]:
        line, _, piped = line.partition(" <")
        run, *words = line.split()
        paths = [word for word in words if (folder / word).exists()] + ([piped] if piped else [])
        found.append((Usage(run, tuple(words), tuple(paths)), piped))
    return found
