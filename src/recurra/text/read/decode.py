"""Bytes to text: UTF-8 checked to the byte, one kind of line break, NFC.

Nothing is guessed on the user's behalf: a file in another encoding is an error, whose hint names the likely one.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from recurra.errors import DataError
from recurra.text.normal import nfc

HEAD_BYTES = 8192  # bytes that decide whether a file found in a folder is text
_WINDOW_BYTES = 1 << 20  # bytes looked at to guess an encoding

_SIGNATURES = (
    (b"\x1f\x8b", "a gzip file", "give it the suffix .gz, or unpack it"),
    (b"\xfd7zXZ\x00", "an xz file", "give it the suffix .xz, or unpack it"),
    (b"BZh91AY&SY", "a bzip2 file", "give it the suffix .bz2, or unpack it"),
    (b"(\xb5/\xfd", "a Zstandard file", "give it the suffix .zst, or unpack it"),
    (b"PK\x03\x04", "a ZIP archive (Word, Excel and EPUB files are such)", "export it as plain text or CSV"),
    (b"PAR1\x15", "a Parquet file", "give it the suffix .parquet"),
    (b"%PDF-", "a PDF document", "export it as plain text"),
    (b"\xd0\xcf\x11\xe0", "an old Word or Excel file", "export it as plain text or CSV"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it"),
    (b"Rar!\x1a", "a RAR archive", "unpack it"),
    (b"SQLite format 3\x00", "an SQLite database", "export a table as CSV"),
    (b"\x89PNG", "a PNG image", None),
    (b"\xff\xd8\xff", "a JPEG image", None),
    (b"\x7fELF", "a program", None),
)
_WIDE_MARKS = (  # UTF-32 first: its little-endian mark begins with the one of UTF-16
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
# Characters so frequent in modern or classical Chinese that text read in the right encoding is full of them,
# and text read in a wrong one has hardly any.
_FREQUENT_CHINESE = frozenset(
    "，。、的一是不了人在有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能好"
    "這個們來時國說為會對後麼過還沒學無風花日月春雲山水何相清白秋江夜歸長見聞開門處君此與誰知"
    "无风云归长见闻开门处与谁还没"
)


def file_signature(data: bytes) -> tuple[str, str | None] | None:
    """Name what a file is by its first bytes, with a hint on how to mend it; None for what may be text.

    >>> file_signature(b"%PDF-1.7 ...")
    ('a PDF document', 'export it as plain text')
    """
    for mark, name, hint in _SIGNATURES:
        if data.startswith(mark):
            return name, hint
    if data[257:262] == b"ustar":
        return "a tar archive", "give it the suffix .tar, or unpack it"
    return None


def is_binary(head: bytes) -> bool:
    """Say whether a file that begins with these bytes is no text.

    UTF-16 is text, though full of NUL bytes: it must not be passed over in a folder but reported.
    """
    return file_signature(head) is not None or (b"\0" in head and _byte_order_mark(head) is None)


def decode(data: bytes, source: str, *, lenient: bool = False) -> str:
    r"""Decode UTF-8, without its byte order mark, with "\n" as the only line break.

    `lenient` keeps bytes that are not UTF-8 as lone surrogates, for the caller to find with `defect` in the
    row they belong to. Raises `DataError` with the line and the offset in `data` (from 0) of the first byte that is wrong.

    >>> decode(b"\xef\xbb\xbfone\r\ntwo", "a.txt")
    'one\ntwo'
    >>> decode("春眠不觉晓".encode("gb18030"), "poem.txt")
    Traceback (most recent call last):
    ...
    recurra.errors.DataError: poem.txt: line 1: byte 0: expected UTF-8 text, got byte 0xb4; it looks like GB18030:
    convert it with 'iconv -f gb18030 -t utf-8 OLD > NEW'
    """
    known = file_signature(data)
    if known is not None:
        raise DataError(f"expected text, got {known[0]}", source=source, byte=0, hint=known[1])
    wide = _byte_order_mark(data) or _utf16_without_mark(data)
    if wide is not None:
        raise DataError(f"expected UTF-8 text, got {wide}", source=source, byte=0, hint=_iconv_hint(wide))
    start = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    text = _decode_strictly(data, start, source) if not lenient else data[start:].decode("utf-8", "surrogateescape")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def detect_encoding(data: bytes) -> str | None:
    """Name the encoding of a file that is no UTF-8, where its bytes leave little doubt: None for UTF-8 and where they do.

    >>> detect_encoding("un café trop cher, dit-elle".encode("windows-1252")), detect_encoding("café".encode())
    ('windows-1252', None)
    """
    encoding = _byte_order_mark(data)
    if encoding is None:
        if b"\0" in data or file_signature(data) is not None:
            return None
        start = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
        try:
            data[start:].decode("utf-8")
        except UnicodeDecodeError as error:
            encoding = _guess_encoding(data, start, error.start + start)[0]
    try:
        data.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        return None
    return encoding and encoding.lower()


def normalise(text: str) -> str:
    r"""Return the text in NFC, with "\n" as the only line break, in linear time.

    >>> normalise("cafe\u0301\r\n") == "café\n"
    True
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return nfc(text)


def find_defect(text: str, *, lenient: bool = False) -> str | None:
    r"""Say what keeps a text from being used: a NUL, a lone surrogate, or (`lenient`) a byte that was no UTF-8.

    >>> find_defect("\ud83d")
    'holds half of a surrogate pair, \\ud83d'
    """
    if "\0" in text:
        return "holds a NUL character: this is no text"
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError as error:
        code = ord(text[error.start])
        if lenient and 0xDC80 <= code <= 0xDCFF:
            return f"expected UTF-8 text, got byte 0x{code - 0xDC00:02x}"
        return f"holds half of a surrogate pair, \\u{code:04x}"
    return None


def _decode_strictly(data: bytes, start: int, source: str) -> str:
    nul = data.find(0)
    try:
        text = data[start:].decode("utf-8")
        wrong = -1
    except UnicodeDecodeError as error:
        text, wrong = "", error.start + start
    if nul >= 0 and (wrong < 0 or nul < wrong):
        raise DataError("expected text, got a binary file (a NUL byte)", source=source, byte=nul)
    if wrong < 0:
        return text
    raise DataError(
        f"expected UTF-8 text, got byte 0x{data[wrong]:02x}",
        source=source,
        line=data.count(b"\n", 0, wrong) + 1,
        byte=wrong,
        hint=_guess_encoding(data, start, wrong)[1],
    )


def _byte_order_mark(data: bytes) -> str | None:
    return next((name for mark, name in _WIDE_MARKS if data.startswith(mark)), None)


def _utf16_without_mark(data: bytes) -> str | None:
    """Recognise UTF-16 without a mark, for text that is mostly ASCII, by where its NUL bytes are."""
    head = data[: HEAD_BYTES // 2 * 2]
    if len(head) < 4 or b"\0" not in head:
        return None
    even, odd = head[0::2], head[1::2]
    for name, text, zeros in (("UTF-16LE", even, odd), ("UTF-16BE", odd, even)):
        if zeros.count(0) > 0.7 * len(zeros) and all(byte >= 0x20 or byte in b"\t\n\r" for byte in text):
            return name
    return None


def _iconv_hint(encoding: str) -> str:
    return f"convert it with 'iconv -f {encoding.lower()} -t utf-8 OLD > NEW'"


def _guess_encoding(data: bytes, start: int, wrong: int) -> tuple[str | None, str]:
    """Guess what a file that is no UTF-8 is, None where that is doubtful, and a hint on how to mend it; from the megabyte that begins with the line of its first wrong byte."""
    line = data.rfind(b"\n", 0, wrong) + 1
    # A line break is never part of a longer character, so that reading from one is in step in every encoding.
    first = max(start, line) if wrong - line < _WINDOW_BYTES else wrong
    window = data[first : first + _WINDOW_BYTES]
    last = first + len(window) == len(data)
    around = data[max(start, first - _WINDOW_BYTES) : first] + window
    high = sum(byte >= 0x80 for byte in around) / len(around)
    as_utf8 = around.decode("utf-8", "replace")
    broken = as_utf8.count("\ufffd")
    sound = sum(character > "\x7f" for character in as_utf8) - broken
    if sound > 4 * broken:
        ends = wrong >= len(data) - 3
        return None, (
            "the file ends within a character: is it cut off?"
            if ends
            else "the rest is UTF-8: mend or remove this byte"
        )
    shares = {name: _frequent_share(window, name, last) for name in ("gb18030", "big5")}
    best = max(shares, key=lambda name: shares[name])
    if shares[best] > 0.04:
        return best, f"it looks like {best.upper()}: {_iconv_hint(best)}"
    if shares[best] >= 0 and high > 0.5:
        return None, f"it may be GB18030: {_iconv_hint('gb18030')}"
    if high < 0.25:
        return "windows-1252", f"it looks like Latin-1 or Windows-1252: {_iconv_hint('windows-1252')}"
    return None, "convert it with 'iconv -f ENCODING -t utf-8 OLD > NEW', where ENCODING is the one it was written in"


def _frequent_share(window: bytes, encoding: str, last: bool) -> float:
    """Share of frequent Chinese characters among those beyond ASCII, or −1 if the bytes are not in this encoding."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(window, last)
    except UnicodeDecodeError:
        return -1.0
    beyond = [character for character in text if character > "\x7f"]
    if not beyond:
        return -1.0
    return sum(character in _FREQUENT_CHINESE for character in beyond) / len(beyond)


def iter_lines(text: str) -> Iterator[str]:
    r"""Give the lines of a text as `text.split("\n")` does, one at a time: a list of short ones takes twenty times their memory.

    >>> list(iter_lines("one\n\ntwo\n"))
    ['one', '', 'two', '']
    """
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start:end]
        start = end + 1
    yield text[start:]
