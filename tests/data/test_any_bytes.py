"""Any bytes give a result, or one of our errors that names the file: good files of every format, damaged at random places."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recurra.data.labelled.reader import LabelledOptions, read_labelled
from recurra.data.labelled.tagged import read_tagged
from recurra.data.timeseries.anomaly_labels import read_anomaly_labels
from recurra.data.timeseries.reader import read_time_series
from recurra.errors import RecurraError
from recurra.text import Faults, open_sources, read_corpus, read_vectors

DAMAGED_FILES_PER_FORMAT = 60
REVIEWS = "review,sentiment\n" + "".join(f'"it is, number {i}",{"good" if i % 2 else "bad"}\n' for i in range(12))
STEPS = "time,bar,series\n" + "".join(f"2024-05-{i + 1:02d} 13:00+02:00,{i * 0.5},{'ab'[i % 2]}\n" for i in range(12))
RECORDS = [{"text": f"it is {i}", "label": "ab"[i % 2], "time": i, "v": [i, None], "o": {"p": i}} for i in range(6)]
INSERTED = [b"\r", b"\0", b"\n\n", b'"', b",,,,", b"[[[[", b"9" * 400, b"1e999", b"nan", b"-", b"\xff\xfe", b"\\ud800"]
INSERTED += [
    "年".encode(),
    b"0001-01-01T00:00:00+05:00",
    b"{",
    b"\t",
    b"9" * 5000,
    b"__label__",
    b"@data\n",
    b"\x93NUMPY",
]
SIZES = [0, 1, 2, 5, 14, 15, 127, 128, 255, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1]


def packed(write: Callable[[io.BytesIO], object]) -> bytes:
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


def zipped(names: Sequence[str], content: bytes) -> bytes:
    def write(stream: io.BytesIO) -> None:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.writestr(name, content)

    return packed(write)


def tarred(name: str, content: bytes) -> bytes:
    def write(stream: io.BytesIO) -> None:
        with tarfile.open(fileobj=stream, mode="w") as archive:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))

    return packed(write)


def parquet(columns: dict[str, Any], **options: Any) -> bytes:
    arrow = pytest.importorskip("pyarrow")
    write_table = pytest.importorskip("pyarrow.parquet").write_table
    return packed(lambda stream: write_table(arrow.table(columns), stream, **options))


def matlab() -> bytes:
    savemat = pytest.importorskip("scipy.io", reason="SciPy writes MATLAB files").savemat
    cells = np.empty((1, 2), object)
    cells[0, 0], cells[0, 1] = np.arange(6.0).reshape(2, 3), np.arange(4.0).reshape(2, 2)
    return packed(lambda stream: savemat(stream, {"x": cells, "y": np.array([[1, 2]])}))


def zstandard() -> bytes:
    return pytest.importorskip("zstandard").ZstdCompressor().compress(REVIEWS.encode())


IMAGES = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3]) + bytes(range(12))
WAVES = np.arange(60.0).reshape(6, 5, 2)
FORMATS: dict[str, Callable[[], bytes]] = {
    "a.csv": lambda: REVIEWS.encode(),
    "steps.csv": lambda: STEPS.encode(),
    "a.tsv": lambda: REVIEWS.replace(",", "\t").encode(),
    "rows.txt": lambda: "".join(f"{i},{i * 2},{i % 2}\n" for i in range(12)).encode(),
    "a.txt": lambda: b"4 a stirring film\n__label__1 what a film\n2 so, so\n",
    "a.json": lambda: json.dumps(RECORDS).encode(),
    "a.jsonl": lambda: "".join(json.dumps(record) + "\n" for record in RECORDS).encode(),
    "a.parquet": lambda: parquet({"text": ["one two", "three"], "label": ["a", "b"], "n": [1, None]}),
    "steps.parquet": lambda: parquet({"time": np.arange(9) * 10**9, "v": np.arange(9.0)}, compression="none"),
    "a.conllu": lambda: b"# text = It is\n1\tIt\tit\tPRON\t_\t_\t0\troot\t_\t_\n2\tis\tbe\tAUX\t_\t_\t1\tx\t_\t_\n\n",
    "words.txt": lambda: b"It PRON\nis AUX\n\nSo ADV\nbe AUX\n",
    "a.tree": lambda: b"(3 (2 It) (4 (2 really) (4 shines)))\n(0 (2 It) (1 -LRB-sic-RRB-))\n",
    "a.ts": lambda: (
        b"@problemName a\n@timeStamps false\n@univariate false\n@classLabel true x y\n@data\n1,2:3,4:x\n5,?:6,7:y\n"
    ),
    "a.arff": lambda: (
        b"@relation a\n@attribute t1 numeric\n@attribute t2 numeric\n@attribute c {x,y}\n@data\n1,2,x\n3,?,y\n"
    ),
    "a.fasta": lambda: b">one\nACGT\nAC\n>two\nGG\n",
    "a05_s01_e02_skeleton3D.txt": lambda: "".join(f"{joint} 0.5 -1 1\n" for joint in range(20)).encode(),
    "a.npy": lambda: packed(lambda stream: np.save(stream, WAVES)),
    "a.npz": lambda: packed(lambda stream: np.savez(stream, x=WAVES[:, :, 0].ravel(), lengths=[10, 20], y=[0, 1])),
    "a.mat": matlab,
    "train-images-idx3-ubyte": lambda: IMAGES,
    "a.csv.gz": lambda: gzip.compress(REVIEWS.encode(), mtime=0),
    "a.csv.xz": lambda: lzma.compress(REVIEWS.encode()),
    "a.csv.bz2": lambda: bz2.compress(REVIEWS.encode()),
    "a.csv.zst": zstandard,
    "a.zip": lambda: zipped(["good/a.txt", "bad/b.txt"], b"it is so\nit is not\n"),
    "a.tar": lambda: tarred("good/a.txt", b"it is so\nit is not\n"),
}
LABELS: dict[str, Callable[[], bytes]] = {
    "windows.json": lambda: b'{"a": [["2024-05-02", "2024-05-03"], 3], "b": [[1, 2]]}',
    "sequences.csv": lambda: b'chan_id,anomaly_sequences\na,"[[1, 2], [4, 4]]"\nb,"[]"\n',
    "flags.txt": lambda: b"0 1 0, 1 0\n",
    "flags.npy": lambda: packed(lambda stream: np.save(stream, np.array([0, 1, 0]))),
}
VECTORS: dict[str, Callable[[], bytes]] = {
    "v.txt": lambda: b"it 0.5 1\nis 2 -3\n",
    "v.vec": lambda: b"2 2\nit 0.5 1\nis 2 -3\n",
    "v.txt.gz": lambda: gzip.compress(b"it 0.5 1\nis 2 -3\n", mtime=0),
}


def damage(data: bytes, rng: np.random.Generator) -> bytes:
    """Change a file at one to three places: a byte, a number, a piece that goes, comes twice or is put in; or cut it off."""
    damaged = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        at, end = (int(place) for place in sorted(rng.integers(0, len(damaged) + 1, 2)))
        match rng.integers(7):
            case 0:
                damaged[at : at + 1] = rng.bytes(1)
            case 1:
                damaged[at : at + 4] = int(rng.choice(SIZES)).to_bytes(4, "little" if rng.integers(2) else "big")
            case 2:
                damaged[at : min(end, at + 20)] = b""
            case 3:
                damaged[at:at] = damaged[at : min(end, at + 200)]
            case 4 | 5:
                damaged[at:at] = INSERTED[rng.integers(len(INSERTED))]
            case _:
                damaged = damaged[: max(at, end)]
    return bytes(damaged)


def read_every_way(path: Path) -> list[Callable[[], object]]:
    return [
        lambda: read_labelled([path]),
        lambda: read_labelled([path], LabelledOptions(need_labels=False, on_error="skip")),
        lambda: read_labelled([path], LabelledOptions(text="text", label="label", multi_label=True)),
        lambda: read_tagged([path]),
        lambda: read_time_series([path]),
        lambda: read_corpus([path]),
        lambda: list(open_sources([path], Faults("skip"))),
    ]


def check_names_file(read: Callable[[], object], path: Path, data: bytes) -> None:
    try:
        read()
    except RecurraError as error:
        assert str(path.parent) in str(error) and "\n" not in str(error), (str(error), data)
        str(error).encode()


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_data(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECURRA_UNPACK_LIMIT", "50M")
    good, rng = FORMATS[name](), np.random.default_rng(len(name))
    path = tmp_path / name
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 3]))
    for number in range(DAMAGED_FILES_PER_FORMAT):
        path.write_bytes(data := damage(good, rng) if number else good)
        for read in read_every_way(path):
            check_names_file(read, path, data)


@pytest.mark.parametrize("name", LABELS)
def test_damaged_anomaly_labels(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(STEPS, encoding="utf-8")
    series = read_time_series([tmp_path / "a.csv"]).series[0]
    good, rng = LABELS[name](), np.random.default_rng(len(name))
    path = tmp_path / name

    def read() -> None:
        labels = read_anomaly_labels(path)
        labels.knows(series)
        labels.events(series)

    for number in range(3 * DAMAGED_FILES_PER_FORMAT):
        path.write_bytes(data := damage(good, rng) if number else good)
        check_names_file(read, path, data)


@pytest.mark.parametrize("name", VECTORS)
def test_damaged_vectors(name: str, tmp_path: Path) -> None:
    good, rng = VECTORS[name](), np.random.default_rng(len(name))
    path = tmp_path / name
    for number in range(3 * DAMAGED_FILES_PER_FORMAT):
        path.write_bytes(data := damage(good, rng) if number else good)
        check_names_file(lambda: read_vectors(path, ["it", "is"]), path, data)
