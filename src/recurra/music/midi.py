"""Standard MIDI files, every length and event checked: the notes, and what is stated of tempo, metre and key.

Source: "Standard MIDI Files 1.0" (MMA, RP-001). A reader of our own: the fast libraries drop notes that never end without a
word, and read the tempo of an event that is too short from the bytes behind it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from recurra.errors import DataError

MAX_EVENTS = 2_000_000
"""Notes that one file may begin."""
MAX_BEATS = 100_000
"""Beats up to which a file is read: a day of music."""
DRUM_CHANNEL = 9
_META, _TEMPO, _METRE, _KEY, _END = 0xFF, 0x51, 0x58, 0x59, 0x2F
_DATA_BYTES = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
_MAX_DENOMINATOR_POWER = 6
MIN_TEMPO, MAX_TEMPO = 1.0, 1000.0
"""Beats a minute."""


@dataclass
class Song:
    """notes: (N, 5) int64: ticks at which each begins and ends, pitch, velocity, channel; by their beginnings.

    ticks: of a beat, which is a quarter note.  tempo: beats a minute, the first that is stated.  metre: beats of a bar, in quarters, by
    the first metre.  signature: sharps (flats below zero) and whether it is minor.  faults: what was passed over, and how often.
    """

    notes: np.ndarray
    ticks: int
    tempo: float | None = None
    metre: float | None = None
    signature: tuple[int, bool] | None = None
    faults: Counter[str] = field(default_factory=Counter)


def is_midi(data: bytes) -> bool:
    """Tell by its first bytes whether a file is MIDI, in a RIFF file or not."""
    return data[:4] == b"MThd" or (data[:4] == b"RIFF" and data[8:12] == b"RMID")


def read_midi(data: bytes, name: str) -> Song:
    """Read a file; raises `DataError`, with the byte, for what is damaged, has no notes, or counts time in seconds.

    >>> head = b"MThd\\0\\0\\0\\6\\0\\0\\0\\1\\0\\x60"
    >>> body = b"\\0\\x90\\x3c\\x40\\x60\\x80\\x3c\\0\\0\\xff\\x2f\\0"
    >>> read_midi(head + b"MTrk" + len(body).to_bytes(4, "big") + body, "a.mid").notes.tolist()
    [[0, 96, 60, 64, 0]]
    """
    start = _unwrap(data, name)
    at, tracks, ticks = _header(data, start, name)
    song = Song(np.zeros((0, 5), np.int64), ticks)
    reader = _Tracks(data, name, song)
    read = 0
    while at + 8 <= len(data) and read < tracks:
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "big")
        if size > len(data) - at - 8:
            problem = f"a chunk states {size:,} bytes, of which {len(data) - at - 8:,} are there"
            raise DataError(problem, source=name, byte=at, hint="copy it again, or leave it out (--on-error skip)")
        if kind == b"MTrk":
            reader.read(at + 8, at + 8 + size)
            read += 1
        at += 8 + size
    if not reader.notes:
        raise DataError("holds no notes", source=name, hint="leave it out, or take --on-error skip")
    song.notes = np.array(sorted(reader.notes), np.int64)
    return song


def _unwrap(data: bytes, name: str) -> int:
    """Give where the MIDI file begins: at once, or within a RIFF file."""
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        at = 12
        while at + 8 <= len(data):
            if data[at : at + 4] == b"data":
                return at + 8
            at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        raise DataError("is a RIFF file without a chunk of MIDI", source=name, byte=12)
    if data[:4] != b"MThd":
        raise DataError(f"is no MIDI file: expected MThd at its beginning, got {data[:4]!r}", source=name, byte=0)
    return 0


def _header(data: bytes, start: int, name: str) -> tuple[int, int, int]:
    """Give where the first track begins, how many there are, and the ticks of a beat."""
    head = data[start : start + 14]
    if len(head) < 14 or head[:4] != b"MThd":
        raise DataError("is cut off within its header", source=name, byte=start)
    size = int.from_bytes(head[4:8], "big")
    kind, tracks, division = (int.from_bytes(head[at : at + 2], "big") for at in (8, 10, 12))
    if not 6 <= size <= len(data) - start - 8:
        raise DataError(f"its header states {size:,} bytes", source=name, byte=start + 4)
    if kind > 2:
        raise DataError(f"expected the format 0, 1 or 2, got {kind}", source=name, byte=start + 8)
    if division & 0x8000:
        problem = "counts time in seconds (SMPTE), so that there are no beats"
        raise DataError(problem, source=name, byte=start + 12, hint="export it with ticks per quarter note")
    if not division:
        raise DataError("expected ticks per quarter note, got 0", source=name, byte=start + 12)
    return start + 8 + size, tracks, division


class _Tracks:
    """Reads tracks one after another, and collects their notes."""

    def __init__(self, data: bytes, name: str, song: Song) -> None:
        self.notes: list[tuple[int, int, int, int, int]] = []
        self._data, self._name, self._song = data, name, song

    def _fail(self, problem: str, at: int) -> DataError:
        return DataError(f"is damaged: {problem}", source=self._name, byte=at, hint="copy or export it again")

    def read(self, at: int, end: int) -> None:
        """Read the events of one track."""
        sounding: dict[tuple[int, int], tuple[int, int]] = {}
        last = self._song.ticks * MAX_BEATS
        time = 0
        for time, status, pitch, velocity in self._events(at, end):
            if time > last:
                raise self._fail(f"it goes on for more than {MAX_BEATS:,} beats", at)
            key = (status & 0x0F, pitch)
            if key in sounding:
                self._end_note(key, sounding.pop(key), time)
                if velocity and key[0] != DRUM_CHANNEL:
                    self._song.faults["notes that begin while they sound"] += 1
            if velocity:
                sounding[key] = (time, velocity)
        if sounding:
            endless = sum(channel != DRUM_CHANNEL for channel, _ in sounding)
            if endless:
                self._song.faults["notes that never end"] += endless
            for key, started in sounding.items():
                self._end_note(key, started, max(time, started[0] + self._song.ticks))

    def _end_note(self, key: tuple[int, int], started: tuple[int, int], time: int) -> None:
        if time == started[0] and key[0] != DRUM_CHANNEL:
            self._song.faults["notes without a duration"] += 1
        if len(self.notes) == MAX_EVENTS:
            raise self._fail(f"it has more than {MAX_EVENTS:,} notes", 0)
        self.notes.append((started[0], time, key[1], started[1], key[0]))

    def _events(self, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Give the notes that begin or, of velocity 0, end: time, status, pitch, velocity."""
        data, time, status = self._data, 0, 0
        while at < end:
            delta, at = self._number(at, end)
            time += delta
            if at >= end:
                raise self._fail("a track ends within an event", at)
            if data[at] >= 0x80:
                status, at = data[at], at + 1
                if status >= 0xF0:
                    kind = data[at] if status == _META and at < end else -1
                    size, start = self._number(at + (status == _META), end)
                    if status not in (_META, 0xF0, 0xF7):
                        raise self._fail(f"the event {status:#x} may not stand in a file", at - 1)
                    if size > end - start:
                        raise self._fail(f"an event states {size:,} bytes, of which {end - start:,} are there", at)
                    if kind == _END:
                        return
                    self._meta(kind, start, size)
                    at, status = start + size, 0
                    continue
            elif not status:
                raise self._fail(f"expected an event, got the byte {data[at]:#04x}", at)
            count = _DATA_BYTES[status & 0xF0]
            if at + count > end:
                raise self._fail("a track ends within an event", at)
            first, second = data[at], data[at + 1] if count == 2 else 0
            if first > 127 or second > 127:
                raise self._fail(f"expected numbers up to 127, got {max(first, second)}", at)
            if status & 0xF0 in (0x80, 0x90):
                yield time, status, first, second if status & 0xF0 == 0x90 else 0
            at += count

    def _number(self, at: int, end: int) -> tuple[int, int]:
        """Read a number of one to four bytes, the last of which is below 128."""
        value = 0
        for place in range(at, min(at + 4, end)):
            value = value << 7 | self._data[place] & 0x7F
            if self._data[place] < 0x80:
                return value, place + 1
        raise self._fail("a number has more than four bytes, or is cut off", at)

    def _meta(self, kind: int, at: int, size: int) -> None:
        data, song = self._data, self._song
        wanted = {_TEMPO: 3, _METRE: 2, _KEY: 2}.get(kind)
        if wanted is None:
            return
        if size < wanted:
            song.faults["events of tempo, metre or key that are too short"] += 1
        elif kind == _TEMPO and song.tempo is None:
            micros = int.from_bytes(data[at : at + 3], "big")
            tempo = 60e6 / micros if micros else 0.0
            if not MIN_TEMPO <= tempo <= MAX_TEMPO:
                raise self._fail(f"a tempo of {micros:,} microseconds for a beat", at)
            song.tempo = tempo
        elif kind == _METRE and song.metre is None:
            upper, power = data[at], data[at + 1]
            if not 1 <= upper <= 64 or power > _MAX_DENOMINATOR_POWER:
                raise self._fail(f"a metre of {upper}/2^{power}", at)
            song.metre = 4 * upper / 2**power
        elif kind == _KEY and song.signature is None:
            sharps = data[at] - 256 if data[at] > 127 else data[at]
            if abs(sharps) <= 7 and data[at + 1] <= 1:
                song.signature = (sharps, bool(data[at + 1]))
            else:
                song.faults["keys that there are not"] += 1


def _variable(value: int) -> bytes:
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.append(value & 0x7F | 0x80)
    return bytes(parts[::-1])


def write_midi(notes: np.ndarray, ticks: int, tempo: float, *, beats: float = 4) -> bytes:
    """Write a file of one track: notes (N, 5) as in `Song`, ticks of a beat, beats a minute, quarters of a bar.

    >>> notes = np.array([[0, 96, 60, 64, 0], [96, 192, 62, 64, 0]])
    >>> read_midi(write_midi(notes, 96, 120), "a.mid").notes.tolist() == notes.tolist()
    True
    """
    upper, power = (round(beats), 2) if float(beats).is_integer() else (round(beats * 4), 4)
    # What ends comes before what begins at the same time, so that a repeated note is not cut short.
    events = [(int(end), 0, 0x80 | int(channel), int(pitch), 0) for _, end, pitch, _, channel in notes]
    events += [
        (int(start), 1, 0x90 | int(channel), int(pitch), int(velocity)) for start, _, pitch, velocity, channel in notes
    ]
    body = bytearray(b"\0\xff\x51\x03" + round(60e6 / tempo).to_bytes(3, "big"))
    body += b"\0\xff\x58\x04" + bytes([upper, power, 24, 8])
    time = 0
    for at, _, status, pitch, velocity in sorted(events):
        body += _variable(at - time) + bytes([status, pitch, velocity])
        time = at
    body += b"\0\xff\x2f\0"
    head = b"MThd" + (6).to_bytes(4, "big") + b"\0\0\0\1" + ticks.to_bytes(2, "big")
    return head + b"MTrk" + len(body).to_bytes(4, "big") + bytes(body)
