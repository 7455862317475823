"""MIDI goes there and back, as mido reads it too; what is damaged is one line."""

from __future__ import annotations

import io
import struct
import tracemalloc
from pathlib import Path

import mido
import numpy as np
import pytest

from recurra.data.music import MusicOptions, read_music
from recurra.errors import DataError
from recurra.music import read_midi, render, to_drums, to_piece, to_song, write_midi

NOTE, END = b"\x00\x90\x3c\x40\x60\x80\x3c\x40", b"\x00\xff\x2f\x00"


def chunk(body: bytes, size: int | None = None) -> bytes:
    return b"MTrk" + struct.pack(">I", len(body) if size is None else size) + body


def midi(body: bytes, division: int = 96, kind: int = 0) -> bytes:
    return b"MThd" + struct.pack(">IHHH", 6, kind, 1, division) + chunk(body)


def random_notes(count: int, seed: int = 0, channel: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    begins = np.sort(random.integers(0, 40, count)) * 24
    pitches = 40 + np.arange(count) % 40
    return np.stack([begins, begins + 24, pitches, random.integers(1, 128, count), np.full(count, channel)], 1)


def test_what_is_written_is_read_again_and_mido_reads_the_same() -> None:
    notes = random_notes(60)
    data = write_midi(notes, 96, 90.0, beats=3)
    song = read_midi(data, "a.mid")
    assert sorted(song.notes.tolist()) == sorted(notes.tolist())
    assert song.tempo == pytest.approx(90) and song.metre == 3
    peer = mido.MidiFile(file=io.BytesIO(data))
    time, found = 0, []
    for message in peer.tracks[0]:
        time += message.time
        if message.type == "note_on":
            found.append((time, message.note, message.velocity))
    assert sorted(found) == sorted((start, pitch, velocity) for start, _, pitch, velocity, _ in notes.tolist())


def test_mido_writes_what_we_read() -> None:
    file = mido.MidiFile(ticks_per_beat=120)
    track = mido.MidiTrack()
    file.tracks.append(track)
    track.append(mido.MetaMessage("key_signature", key="Dm"))
    track.append(mido.MetaMessage("time_signature", numerator=6, denominator=8))
    track.append(mido.Message("program_change", program=3))
    for pitch in (60, 62):
        track.append(mido.Message("note_on", note=pitch, velocity=70, time=10))
        track.append(mido.Message("note_on", note=pitch, velocity=0, time=50))
    stream = io.BytesIO()
    file.save(file=stream)
    song = read_midi(stream.getvalue(), "b.mid")
    assert song.notes[:, :4].tolist() == [[10, 60, 60, 70], [70, 120, 62, 70]]
    assert song.metre == 3 and song.signature == (-1, True)


def test_a_piece_on_the_grid_goes_there_and_back() -> None:
    random = np.random.default_rng(3)
    song = read_midi(write_midi(random_notes(30), 96, 120), "a.mid")
    piece = to_piece(song, "a.mid", 4, None)
    again = to_piece(to_song(piece), "a.mid", 4, None)
    assert np.array_equal(piece.frames, again.frames)
    hits = np.stack(
        [
            np.arange(20) * 24 + random.integers(-5, 6, 20) + 24,
            np.arange(20) * 24 + 40,
            [36, 38] * 10,
            random.integers(1, 128, 20),
            [9] * 20,
        ],
        1,
    )
    drums = to_drums(read_midi(write_midi(hits, 96, 120), "d.mid"), "d.mid", 4, None)
    back = to_drums(to_song(drums), "d.mid", 4, None)
    assert np.array_equal(drums.frames, back.frames)
    assert drums.velocities is not None and back.velocities is not None
    assert drums.velocities == pytest.approx(back.velocities)
    assert drums.offsets == pytest.approx(back.offsets, abs=0.01)  # ticks are whole


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (midi(END), "holds no notes"),
        (midi(NOTE + END, 0), "expected ticks per quarter note, got 0"),
        (midi(NOTE + END, 0xE728), "SMPTE"),
        (midi(b"\x00\xff\x51\x03\x00\x00\x00" + NOTE + END), "a tempo of 0 microseconds"),
        (midi(b"\x00\xff\x58\x04\x04\xff\x18\x08" + NOTE + END), "a metre of 4/2^255"),
        (midi(b"\x00\xff\x58\x04\x00\x02\x18\x08" + NOTE + END), "a metre of 0/2^2"),
        (midi(b"\x00\x3c\x40" + END), "expected an event, got the byte 0x3c"),
        (b"MThd" + struct.pack(">IHHH", 6, 0, 1, 96) + chunk(NOTE, 2**32 - 1), "a chunk states 4,294,967,295 bytes"),
        (midi(NOTE + b"\x8f\xee\xb5\x30\x90\x3c\x40"), "more than 100,000 beats"),
        (b"RIFF\0\0\0\0RMIDLIST\0\0\0\0", "RIFF file without a chunk of MIDI"),
        (b"hello, this is no MIDI", "expected MThd"),
        (midi(NOTE + END, kind=7), "expected the format 0, 1 or 2, got 7"),
    ],
)
def test_what_cannot_be_read_says_why_and_where(data: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason.replace("^", r"\^")) as caught:
        read_midi(data, "odd.mid")
    assert str(caught.value).startswith("odd.mid: ") and "\n" not in str(caught.value)


def test_oddities_are_counted() -> None:
    late = midi(b"\x00\xff\x51\x01\x05" + b"\x00\x90\x40\x40" + NOTE + b"\x00\x90\x3c\x40\x00\x80\x3c\x40")
    song = read_midi(late, "odd.mid")
    assert song.faults["notes that never end"] == 1
    assert song.faults["notes without a duration"] == 1
    assert song.faults["events of tempo, metre or key that are too short"] == 1
    wrapped = b"RIFF\0\0\0\0RMIDdata\0\0\0\0" + midi(NOTE + END)
    assert len(read_midi(wrapped, "riff.rmi").notes) == 1


def corrupted(number: int) -> bytes:
    """Damage a good file in one of many ways."""
    random = np.random.default_rng(number)
    data = bytearray(write_midi(random_notes(20, channel=9 * (number % 2)), 96, 120))
    for _ in range(1 + number % 5):
        at = int(random.integers(len(data)))
        match number % 4:
            case 0:
                data[at] = int(random.integers(256))
            case 1:
                del data[at:]
            case 2:
                data[at:at] = random.bytes(int(random.integers(1, 9)))
            case _:
                data[at : at + 4] = b"\xff\xff\xff\xff"
        if not data:
            data = bytearray(b"M")
    return bytes(data)


def test_hundreds_of_damaged_files_are_one_line_each_and_take_little_memory(tmp_path: Path) -> None:
    tracemalloc.start()
    read, refused = 0, 0
    for number in range(400):
        path = tmp_path / f"{number}.mid"
        path.write_bytes(corrupted(number))
        try:
            render(to_song(read_music([path], MusicOptions()).pieces[0].part(0, 64)), 2_000)
            read += 1
        except DataError as error:
            assert "\n" not in str(error) and str(number) in str(error)
            refused += 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read > 20 and refused > 200
    assert peak < 300 * 2**20
