"""WAV files, every chunk of them checked: whole numbers of 8 to 32 bits, floats, µ-law and A-law; and written in µ-law.

The standard library's `wave` reads whole numbers alone, and knows neither floats nor the laws of telephony, nor what lengths
recorders write that do not know yet how long a recording will be; so there is one reader of our own.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from recurra.errors import DataError

_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_NAMES = {2: "Microsoft's ADPCM", 17: "IMA's ADPCM", 49: "GSM 6.10", 80: "MPEG", 85: "MP3", 255: "AAC"}
_WIDTHS = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64), _A_LAW: (8,), _MU_LAW: (8,)}
_FORMAT_BYTES, _EXTENSIBLE_BYTES, _LONG_BYTES = 16, 40, 16
_UNKNOWN_LENGTH = 0x7FFF0000
"""From here on a length is what a program writes that does not know it: SoX, ALSA and FFmpeg each have one of their own."""
_MAX_CHANNELS = 64
_HALF_RANGE = 2**15
"""Of whole numbers of 16 bits: full scale."""
MAX_AMPLITUDE = 1_000_000
"""Of a sample as a float: full scale is 1, but for programs that keep whole numbers as floats."""
MIN_RATE, MAX_RATE = 1_000, 768_000
"""Samples a second."""


@dataclass(frozen=True)
class _Format:
    code: int
    channels: int
    rate: int
    bits: int

    @property
    def frame(self) -> int:
        """Bytes of one sample of all channels."""
        return self.channels * self.bits // 8


def is_wav(data: bytes) -> bool:
    """Tell by its first bytes whether a file is WAV, or what becomes of it beyond 4 GB."""
    return data[:4] in (b"RIFF", b"RF64", b"BW64") and data[8:12] == b"WAVE"


def read_wav(data: bytes, name: str) -> tuple[np.ndarray, int, list[str]]:
    """Give the samples (n, channels) float32 of a WAV file, its rate, and what there is to say of it.

    Whole numbers and the laws are within -1 and 1. A length of 0 or of all ones, as recorders leave that were cut short or wrote to a
    pipe, stands for all that follows. Raises `DataError`, with the byte, for anything else that is not as it should be.
    """
    form, start, size, notes = _find_samples(data, name)
    whole = size // form.frame * form.frame
    if whole != size:
        notes.append("its last sample is not whole, and is left out")
    values = decode_samples(data[start : start + whole], form.code, form.bits)
    wrong = np.flatnonzero(~(np.abs(values) <= MAX_AMPLITUDE)) if form.code == _FLOAT else values[:0]
    if len(wrong):
        at = int(wrong[0])
        raise DataError(
            f"expected numbers within ±{MAX_AMPLITUDE:,}, got {values[at]:g} in sample {at // form.channels + 1}",
            source=name,
            byte=start + at * form.bits // 8,
        )
    return values.reshape(-1, form.channels), form.rate, notes


def _find_samples(data: bytes, name: str) -> tuple[_Format, int, int, list[str]]:
    """Walk over the chunks to the samples: their format, where they begin, how many bytes they are, and notes."""
    form, at, long = None, 12, None
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        start, left = at + 8, len(data) - at - 8
        if kind == b"data":
            if form is None:
                raise DataError("expected a chunk that says the format before the samples", source=name, byte=at)
            return form, start, *_length(data, start, size if long is None else long, name)
        if size > left:
            raise DataError(
                f"is cut off: the chunk {_shown(kind)} should have {size:,} bytes, and {left:,} follow",
                source=name,
                byte=at,
                hint="copy or record it again",
            )
        if kind == b"ds64" and size >= _LONG_BYTES:
            long = int.from_bytes(data[start + 8 : start + 16], "little")
        if kind == b"fmt ":
            form = _read_format(data[start : start + size], name, start)
        at = start + size + size % 2
    what = "samples" if form else "format and samples"
    raise DataError(
        f"is cut off: it ends before its {what}", source=name, byte=len(data), hint="copy or record it again"
    )


def _shown(kind: bytes) -> str:
    return repr(kind.decode("latin-1"))


def _length(data: bytes, start: int, size: int, name: str) -> tuple[int, list[str]]:
    left = len(data) - start
    if size <= left and not (size == 0 and left and not _is_chunk(data, start)):
        return size, []
    if size == 0 or size >= _UNKNOWN_LENGTH:
        return left, ["its header does not say how long it is: it is read to its end"]
    raise DataError(
        f"is cut off: its header says {size:,} bytes of sound, and {left:,} follow",
        source=name,
        byte=len(data),
        hint="copy or record it again, or leave it out (--on-error skip)",
    )


def _is_chunk(data: bytes, at: int) -> bool:
    """Tell whether another chunk begins here: letters, and a size that fits."""
    size = int.from_bytes(data[at + 4 : at + 8], "little")
    return data[at : at + 4].strip().isalnum() and at + 8 + size <= len(data)


def _read_format(chunk: bytes, name: str, at: int) -> _Format:
    if len(chunk) < _FORMAT_BYTES:
        raise DataError(f"expected a format of 16 bytes or more, got {len(chunk)}", source=name, byte=at)
    code, channels, rate, _, frame, bits = struct.unpack("<HHIIHH", chunk[:_FORMAT_BYTES])
    if code == _EXTENSIBLE:
        if len(chunk) < _EXTENSIBLE_BYTES:
            raise DataError(f"expected an extended format of 40 bytes, got {len(chunk)}", source=name, byte=at)
        code = int.from_bytes(chunk[24:26], "little")
    if code not in _WIDTHS:
        known = _NAMES.get(code, f"the coding {code:#06x}")
        raise DataError(
            f"holds {known}, which is not read",
            source=name,
            byte=at,
            hint="write it as 16-bit PCM: sox IN OUT.wav",
        )
    if bits not in _WIDTHS[code]:
        expected = ", ".join(map(str, _WIDTHS[code]))
        raise DataError(f"expected samples of {expected} bits, got {bits}", source=name, byte=at + 14)
    if not 1 <= channels <= _MAX_CHANNELS or frame != channels * bits // 8:
        raise DataError(
            f"expected 1 to {_MAX_CHANNELS} channels of {bits} bits, got {channels} in {frame} bytes",
            source=name,
            byte=at + 2,
        )
    check_rate(rate, name, at + 4)
    return _Format(code, channels, rate, bits)


def check_rate(rate: int, name: str, at: int | None = None) -> None:
    """Raise `DataError` for a rate at which nobody records."""
    if not MIN_RATE <= rate <= MAX_RATE:
        raise DataError(
            f"expected a rate of {MIN_RATE:,} to {MAX_RATE:,} samples a second, got {rate:,}", source=name, byte=at
        )


def decode_samples(data: bytes, code: int = _PCM, bits: int = 16) -> np.ndarray:
    """Turn bytes into float32, of whole numbers and the laws within -1 and 1; there are whole samples of them.

    >>> decode_samples(b"\\x00\\x80\\x00\\x40").tolist(), decode_samples(b"\\x80\\xff", 1, 8).tolist()
    ([-1.0, 0.5], [0.0, 0.9921875])
    """
    if code == _FLOAT:
        with np.errstate(over="ignore"):
            return np.frombuffer(data, "<f4" if bits == 32 else "<f8").astype(np.float32)
    if code in (_A_LAW, _MU_LAW):
        return (_MU_TABLE if code == _MU_LAW else _A_TABLE)[np.frombuffer(data, np.uint8)]
    if bits == 8:
        return (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / np.float32(128)
    if bits == 24:
        wide = np.zeros((len(data) // 3, 4), np.uint8)  # as the upper three bytes of 32 bits
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        data, bits = wide.tobytes(), 32
    return np.frombuffer(data, f"<i{bits // 8}").astype(np.float32) / np.float32(2.0 ** (bits - 1))


def _mu_table() -> np.ndarray:
    """Give what each byte stands for by ITU-T G.711's µ-law."""
    code = ~np.arange(256, dtype=np.uint8)
    size = ((((code & 15).astype(np.int32) << 3) + 132) << (code >> 4 & 7)) - 132
    return (np.where(code & 128, -size, size) / 32768).astype(np.float32)


def _a_table() -> np.ndarray:
    """Give what each byte stands for by ITU-T G.711's A-law."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    segment, step = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32) << 4
    size = np.where(segment == 0, step + 8, (step + 264) << np.maximum(segment - 1, 0))
    return (np.where(code & 128, size, -size) / 32768).astype(np.float32)


_MU_TABLE, _A_TABLE = _mu_table(), _a_table()


def _mu_codes() -> np.ndarray:
    """Give the µ-law byte that stands for what is nearest to each whole number of 16 bits, from the lowest."""
    order = np.argsort(_MU_TABLE, kind="stable")
    values = _MU_TABLE[order].astype(np.float64)
    numbers = np.arange(-_HALF_RANGE, _HALF_RANGE) / _HALF_RANGE
    return order[np.searchsorted((values[1:] + values[:-1]) / 2, numbers)].astype(np.uint8)


_MU_CODES = _mu_codes()


def encode_mu_law(samples: np.ndarray) -> bytes:
    """Write samples (n,) within -1 and 1 as a byte each, by ITU-T G.711's µ-law; what is louder is as loud as can be.

    >>> decode_samples(encode_mu_law(np.array([0.0, 0.25, -2.0])), 7, 8).astype(float).round(2).tolist()
    [0.0, 0.25, -0.98]
    """
    numbers = np.rint(samples * np.float32(_HALF_RANGE)).clip(-_HALF_RANGE, _HALF_RANGE - 1).astype(np.int32)
    return _MU_CODES[numbers + _HALF_RANGE].tobytes()


def mu_law_wav(codes: bytes, rate: int) -> bytes:
    """Make a WAV file of what `encode_mu_law` gave, of one channel.

    >>> read_wav(mu_law_wav(encode_mu_law(np.zeros(3, np.float32)), 8_000), "a.wav")[:2]
    (array([[0.],
           [0.],
           [0.]], dtype=float32), 8000)
    """
    form = struct.pack("<HHIIHHH", _MU_LAW, 1, rate, rate, 1, 8, 0)
    chunks = ((b"fmt ", form), (b"fact", struct.pack("<I", len(codes))), (b"data", codes))
    body = b"".join(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for name, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body
