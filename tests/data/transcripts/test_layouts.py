"""Every layout in which signals and their texts come is read: which text is whose, by whom, and where it stands."""

from __future__ import annotations

import io
import json
import lzma
import tarfile
import zipfile
from typing import Any

import numpy as np
import pytest
from tests.data.transcripts.conftest import Write, page_bytes, wav_bytes

from recurra.audio import Sound
from recurra.data.transcripts import Transcript, TranscriptOptions, read_transcripts
from recurra.errors import UsageError

ONE, TWO = wav_bytes(level=1000), wav_bytes(level=2000)


def summary(read: list[Transcript]) -> list[tuple[Any, ...]]:
    return [(one.text, one.group, one.source) for one in read]


def level(one: Transcript) -> int:
    assert isinstance(one.signal, Sound)
    return round(float(one.signal.samples[0]) * 32768)


def test_a_text_beside_each_sound(write: Write) -> None:
    folder = write(
        {"a/1.wav": ONE, "a/1.txt": "one \n  two\n", "b/1.wav": TWO, "b/1.lab": "cafe\u0301", "README.md": "x"}
    )
    read = read_transcripts([folder])
    assert summary(read) == [("one two", None, "a/1.wav"), ("café", None, "b/1.wav")]
    assert [level(one) for one in read] == [1000, 2000]
    assert [(one.kind, one.place, one.split) for one in read] == [("sound", None, None)] * 2


def test_pictures_with_their_ground_truth(write: Write) -> None:
    folder = write({"1.bin.png": page_bytes(), "1.gt.txt": "eins", "2.png": page_bytes(), "2.gt.txt": "zwei"})
    read = read_transcripts([folder])
    assert summary(read) == [("eins", None, "1.bin.png"), ("zwei", None, "2.png")]
    assert read[0].kind == "picture" and isinstance(read[0].signal, np.ndarray) and read[0].signal.shape == (40, 60)


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("t.csv", "path,sentence,client_id\nclips/a.wav,one,ann\nb.wav,two,bob\n"),
        ("t.tsv", "client_id\tpath\tsentence\nann\ta.wav\tone\nbob\tclips/b.wav\ttwo\n"),
        ("t.jsonl", '{"audio_filepath": "clips/a.wav", "text": "one", "speaker": "ann"}\n{"audio_filepath": "b", "text": "two", "speaker": "bob"}\n'),
        ("t.json", '[{"file": "a", "text": "one", "speaker": "ann"}, {"file": "clips/b.wav", "text": "two", "speaker": "bob"}]'),
    ],
)  # fmt: skip
def test_tables_with_a_file_and_a_text(write: Write, name: str, table: str) -> None:
    folder = write({name: table, "clips/a.wav": ONE, "clips/b.wav": TWO})
    wanted = [("one", "ann", 1000), ("two", "bob", 2000)]
    for arguments in ([folder], [folder / name], [folder / name, folder / "clips"]):
        assert [(one.text, one.group, level(one)) for one in read_transcripts(arguments)] == wanted


def test_a_table_without_names_whose_files_are_there(write: Write) -> None:
    folder = write(
        {"metadata.csv": "LJ-1|Dr. One|doctor one\nLJ-2|No. 2|number two\n", "wavs/LJ-1.wav": ONE, "wavs/LJ-2.wav": TWO}
    )
    assert summary(read_transcripts([folder])) == [
        ("doctor one", None, "LJ-1.wav"),
        ("number two", None, "LJ-2.wav"),
    ]


def test_columns_that_a_user_names(write: Write) -> None:
    folder = write({"t.csv": "a,b,c,d\n1.wav,x,one,ann\n", "1.wav": ONE})
    with pytest.raises(
        UsageError, match=r"t\.csv: which column is the name of the file.*a, b, c, d; say --file NAME --text NAME"
    ):
        read_transcripts([folder])
    read = read_transcripts([folder], TranscriptOptions(file="a", text="c", group="d"))
    assert [(one.text, one.group) for one in read] == [("one", "ann")]


def test_files_elsewhere(write: Write) -> None:
    folder = write({"here/t.csv": "file,text\nx/1.wav,one\n", "there/x/1.wav": ONE, "there/y/1.wav": TWO})
    read = read_transcripts([folder / "here/t.csv"], TranscriptOptions(files=(str(folder / "there"),)))
    assert [(one.text, level(one)) for one in read] == [("one", 1000)]


def test_a_part_of_a_sound(write: Write) -> None:
    rows = [
        {"audio": "1.wav", "offset": 0.01, "duration": 0.005, "text": "one"},
        {"audio": "1.wav", "text": "all", "duration": 1},
    ]
    folder = write({"m.jsonl": "".join(json.dumps(row) + "\n" for row in rows), "1.wav": ONE})
    assert [(one.text, len(one.signal.samples)) for one in read_transcripts([folder])] == [("one", 40), ("all", 160)]  # type: ignore[union-attr]


def test_kaldi(write: Write) -> None:
    folder = write({
        "wav.scp": "rec1 sounds/1.wav\nrec2 sounds/2.wav\n",
        "segments": "u1 rec1 0.0 0.01\nu2 rec1 0.01 0.02\nu3 rec2 0 0.02\n",
        "text": "u1 one\nu2 two  three\nu3 four\n",
        "utt2spk": "u1 ann\nu2 ann\nu3 bob\n",
        "sounds/1.wav": ONE,
        "sounds/2.wav": TWO,
    })  # fmt: skip
    for arguments in ([folder], [folder / name for name in ("wav.scp", "text", "segments", "utt2spk")]):
        read = read_transcripts(arguments)
        assert [(one.text, one.group, level(one), len(one.signal.samples)) for one in read] == [  # type: ignore[union-attr]
            ("one", "ann", 1000, 80),
            ("two three", "ann", 1000, 80),
            ("four", "bob", 2000, 160),
        ]


def test_librispeech(write: Write) -> None:
    soundfile, stream = pytest.importorskip("soundfile"), io.BytesIO()
    soundfile.write(stream, np.zeros(160), 16_000, format="FLAC")
    folder = write({
        "84/121/84-121-0.flac": stream.getvalue(),
        "84/121/84-121-1.flac": stream.getvalue(),
        "84/121/84-121.trans.txt": "84-121-0 GO\n84-121-1 DO YOU\n",
    })  # fmt: skip
    assert [one[:2] for one in summary(read_transcripts([folder]))] == [("GO", "84"), ("DO YOU", "84")]


def test_tables_that_are_named_as_parts(write: Write) -> None:
    head, clips = "path,sentence\n", {f"clips/{number}.wav": ONE for number in range(3)}
    tables = {
        "train.csv": f"{head}0.wav,a\n",
        "dev.csv": f"{head}1.wav,b\n",
        "validated.csv": f"{head}0.wav,a\n1.wav,b\n2.wav,c\n",
    }
    folder = write({**clips, **tables})
    assert [(one.text, one.split) for one in read_transcripts([folder])] == [
        ("a", "train"),
        ("b", "valid"),
        ("c", None),
    ]
    assert [(one.text, one.split) for one in read_transcripts([folder / "dev.csv"])] == [("b", None)]


def test_the_group_of_inks_by_their_names(write: Write) -> None:
    folder = write({"ann_1.jsonl": '{"strokes": [[[0, 1]]], "text": "to"}\n'})
    assert [one.group for one in read_transcripts([folder], TranscriptOptions(label_from="{writer}_*"))] == ["ann"]


def test_lists_that_begin_with_a_name(write: Write) -> None:
    folder = write(
        {"transcript/aishell.txt": "S1W1 而 对\nS1W2 楼市\n", "wav/S1/S1W1.wav": ONE, "wav/S1/S1W2.wav": TWO}
    )
    read = read_transcripts([folder], TranscriptOptions(label_from="{speaker}/*"))
    assert [(one.text, one.group) for one in read] == [("而 对", "S1"), ("楼市", "S1")]


def test_lists_of_the_signals_of_a_part(write: Write) -> None:
    words = {f"{word}/{number}.wav": ONE for word in ("yes", "no") for number in range(3)}
    folder = write({**words, "validation_list.txt": "yes/1.wav\n", "testing_list.txt": "no/0.wav\nyes/0.wav\n"})
    notes: list[str] = []
    read = read_transcripts([folder], None, None, notes)
    assert [(one.text, one.split) for one in read] == [
        ("no", "test"),
        ("no", None),
        ("no", None),
        ("yes", "test"),
        ("yes", "valid"),
        ("yes", None),
    ]
    assert notes == ["testing_list.txt: says which are test", "validation_list.txt: says which are valid"]


def test_a_folder_for_each_word(write: Write) -> None:
    folder = write({"yes/a.wav": ONE, "no/a.wav": TWO, "_background_noise_/hum.wav": TWO})
    notes: list[str] = []
    assert [(one.text, level(one)) for one in read_transcripts([folder], None, None, notes)] == [
        ("no", 2000),
        ("yes", 1000),
    ]
    assert notes == ["without a text and left out: hum.wav"]
    read = read_transcripts([folder], TranscriptOptions(label_from="{text}/{speaker}"))
    assert (read[-1].text, read[-1].group) == ("yes", "a")


def test_names_that_say_the_text(write: Write) -> None:
    folder = write({"7_bob_0.wav": ONE, "zero_ann_12.wav": TWO})
    options = TranscriptOptions(label_from="{text}_{speaker}_{index}", test_names="*_[0-4].wav", valid_names="zero*")
    read = read_transcripts([folder], options)
    assert [(one.text, one.group, one.split) for one in read] == [("7", "bob", "test"), ("zero", "ann", "valid")]


def test_names_that_say_the_group_alone(write: Write) -> None:
    folder = write({"bob-1.wav": ONE, "bob-1.txt": "one"})
    assert summary(read_transcripts([folder], TranscriptOptions(label_from="{speaker}-*"))) == [
        ("one", "bob", "bob-1.wav")
    ]


@pytest.mark.parametrize("pattern", ["", "text", "{}", "{text}{text}", "{index}_*"])
def test_patterns_that_say_nothing(pattern: str) -> None:
    with pytest.raises(UsageError, match="label_from: expected"):
        read_transcripts(["a"], TranscriptOptions(label_from=pattern))


def test_archives_and_compressed_files(write: Write) -> None:
    packed, zipped = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz") as archive:
        for name, data in (("lines/test/1.wav", ONE), ("lines/train/1.wav", TWO)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    with zipfile.ZipFile(zipped, "w") as file:
        file.writestr("t.csv", "file,text\ntest/1.wav,one\ntrain/1.wav,two\n3.wav,three\n")
    folder = write({"lines.tar.xz": packed.getvalue(), "t.zip": zipped.getvalue(), "3.wav.xz": lzma.compress(ONE)})
    read = read_transcripts([folder], TranscriptOptions(test_names="test/*", valid_names="[3-9].wav"))
    assert sorted((one.text, level(one), one.split) for one in read) == [
        ("one", 1000, "test"),
        ("three", 1000, "valid"),
        ("two", 2000, None),
    ]


def test_signals_without_texts(write: Write) -> None:
    folder = write({"1.wav": ONE, "sub/2.wav": TWO, "sub/2.txt": "two"})
    assert [one.text for one in read_transcripts([folder], TranscriptOptions(need_texts=False))] == [None, "two"]


def test_what_is_said_of_many_files(write: Write) -> None:
    silent = wav_bytes(level=0)
    notes: list[str] = []
    read_transcripts(
        [write({"a_1.wav": silent, "a_2.wav": silent})], TranscriptOptions(label_from="{text}_*"), None, notes
    )
    assert notes == ["2 files, such as a_1.wav: is silent"]
