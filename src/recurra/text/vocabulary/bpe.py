"""Units that are pieces of words, learnt from the text: byte-pair encoding over bytes (Sennrich et al. 2016, arXiv:1508.07909v5)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import regex

from recurra.errors import RunError, require
from recurra.text.vocabulary.base import FIRST_BYTE, MARKS, PieceVocabulary, check_at_least, normal_form

_MIN_SIZE = FIRST_BYTE + 256

# What a piece may be part of. A line's end stands alone, so that a line always begins in the same context. Chinese and
# Japanese run on without spaces: a run is kept apart from Latin letters and digits, and the merges find the words in it.
# Runs are bounded, since the time to learn merges grows with the square of the longest.
_SPLIT = (
    r"\r\n|\n|\r"
    r"|['’](?:[sdmt]|ll|ve|re)(?!\p{L})"
    r"| ?[\p{Han}\p{Hiragana}\p{Katakana}ー]{1,16}"
    r"| ?[\p{L}\p{M}&&[^\p{Han}\p{Hiragana}\p{Katakana}ー]]{1,64}"
    r"| ?\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{M}\p{N}]{1,16}"
    r"|[^\S\r\n]{1,16}(?!\S)"
    r"|[^\S\r\n]"
)

# Places where `_SPLIT` cuts whatever stands further left or right, so that a text may be encoded block by block.
_CERTAIN = regex.compile(r"(?<=\n)|(?<=[A-Za-z0-9,.])(?= [A-Za-z0-9])|(?<=[，。！？；])(?=[一-龥])")
_BLOCK_CHARACTERS = 1 << 16


class BpeVocabulary(PieceVocabulary):
    """Pieces of words; each is some bytes, so that any text can be encoded and `decode` gives it back exactly.

    Saved as tokenizer.json, which the `tokenizers` library reads; the marks are ids 0 and 1 there too, but no text is
    ever read as one. Needs the extra `text`.

    >>> vocabulary = BpeVocabulary.build(["low lower lowest " * 9], max_size=264)
    >>> ids = vocabulary.encode("lowly 中")
    >>> [vocabulary.label(id) for id in ids[:4]], vocabulary.decode(ids)
    (['low', 'l', 'y', ' '], 'lowly 中')
    """

    unit = "bpe"
    file = "tokenizer.json"
    settings = frozenset({"min_count", "max_size"})

    def __init__(self, model: dict[str, Any]) -> None:
        """Take the vocabulary (from piece, spelt in the byte alphabet, to id) and the merges, as tokenizer.json has them.

        Raises `RunError` when they do not fit together.
        """
        library = require("tokenizers", "text", "the unit bpe")
        self._model = {"vocab": dict(model["vocab"]), "merges": [list(pair) for pair in model["merges"]]}
        self._pieces = _pieces(self._model["vocab"])
        self.size = len(self._pieces)
        self.line_break_id = self._pieces.index(b"\n")
        try:
            self._tokenizer = library.Tokenizer.from_str(json.dumps(self.to_json()))
        except Exception as error:  # noqa: BLE001 the library raises no narrower class
            raise RunError(f"model: {error}") from None

    @classmethod
    def build(cls, texts: Sequence[str], *, min_count: int = 2, max_size: int = 8000) -> Self:
        """Learn merges of pairs that come at least `min_count` times, until there are `max_size` ids in all.

        The same texts give the same merges on every run.
        """
        check_at_least("min_count", min_count, 1)
        check_at_least("max_size", max_size, _MIN_SIZE, " (two marks and 256 bytes)")
        library = require("tokenizers", "text", "the unit bpe")
        tokenizer = library.Tokenizer(library.models.BPE())
        bytes_only = library.pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)
        split = library.pre_tokenizers.Split(library.Regex(_SPLIT), "isolated")
        tokenizer.pre_tokenizer = library.pre_tokenizers.Sequence([split, bytes_only])
        trainer = library.trainers.BpeTrainer(
            vocab_size=max_size,
            min_frequency=min_count,
            special_tokens=list(MARKS),
            initial_alphabet=sorted(_ALPHABET.values()),
            show_progress=False,
        )
        tokenizer.train_from_iterator((block for text in texts for block in _blocks(normal_form(text))), trainer)
        return cls(json.loads(tokenizer.to_str())["model"])

    def _encode(self, text: str) -> Iterator[npt.NDArray[np.int32]]:
        encode = self._tokenizer.encode
        return (np.array(encode(block, add_special_tokens=False).ids, dtype=np.int32) for block in _blocks(text))

    @property
    def merges(self) -> list[tuple[str, str]]:
        """The pairs that are merged, the first the earliest, in the byte alphabet."""
        return [(first, second) for first, second in self._model["merges"]]

    def id_of(self, piece: str) -> int:
        """Give the id of a piece in the byte alphabet."""
        return int(self._model["vocab"][piece])

    def spelt_words(self, text: str) -> Iterator[str]:
        """Give what merges never cross, word by word, in the byte alphabet."""
        split = self._tokenizer.pre_tokenizer.pre_tokenize_str
        return (word for block in _blocks(normal_form(text)) for word, _ in split(block))

    def to_json(self) -> dict[str, Any]:
        pre_tokenizers = [
            {"type": "Split", "pattern": {"Regex": _SPLIT}, "behavior": "Isolated", "invert": False},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False},
        ]
        return {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [],
            "normalizer": None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": pre_tokenizers},
            "post_processor": None,
            "decoder": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False},
            "model": {
                "type": "BPE",
                "dropout": None,
                "unk_token": None,
                "continuing_subword_prefix": None,
                "end_of_word_suffix": None,
                "fuse_unk": False,
                "byte_fallback": False,
                "ignore_merges": False,
                **self._model,
            },
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        model = document.get("model")
        if not isinstance(model, dict) or model.get("type") != "BPE":
            raise RunError("expected a byte-pair encoding under model")
        vocab, merges = model.get("vocab"), model.get("merges")
        if not isinstance(vocab, dict):
            raise RunError("model.vocab: expected pieces and their ids")
        if not isinstance(merges, list):
            raise RunError("model.merges: expected a list of pairs")
        for place, pair in enumerate(merges):
            if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(piece, str) for piece in pair)):
                raise RunError(f"model.merges[{place}]: expected two pieces, got {pair!r}")
            if "".join(pair) not in vocab:
                raise RunError(f"model.merges[{place}]: {''.join(pair)!r} is not in model.vocab")
        made = cls({"vocab": vocab, "merges": merges})
        if made.to_json() != document:
            raise RunError(
                "expected the settings that Recurra writes; this tokenizer was made or changed by something else"
            )
        return made


def _byte_alphabet() -> dict[int, str]:
    """Return the letter for each byte in tokenizer.json: itself where it is seen in print, else the next from U+0100 on."""
    printed = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in printed]
    return {byte: chr(byte) for byte in printed} | {byte: chr(0x100 + place) for place, byte in enumerate(hidden)}


_ALPHABET = _byte_alphabet()
_BYTES = {letter: byte for byte, letter in _ALPHABET.items()}


def _pieces(vocab: dict[str, Any]) -> list[bytes]:
    """Return the bytes of each id. Raises `RunError` unless ids go from 0 up, marks first, with every byte among them."""
    spelt: list[str | None] = [None] * len(vocab)
    for piece, id in vocab.items():
        if isinstance(id, bool) or not isinstance(id, int) or not 0 <= id < len(vocab) or spelt[id] is not None:
            raise RunError(f"model.vocab: {piece!r}: expected an id of its own below {len(vocab)}, got {id!r}")
        spelt[id] = piece
    if tuple(spelt[:FIRST_BYTE]) != MARKS:
        raise RunError(f"model.vocab: expected {MARKS[0]} and {MARKS[1]} as ids 0 and 1, got {spelt[:FIRST_BYTE]}")
    pieces = [b""] * FIRST_BYTE
    for piece in spelt[FIRST_BYTE:]:
        if not piece or not set(piece) <= _BYTES.keys():
            raise RunError(f"model.vocab: {piece!r}: expected a piece in the byte alphabet")
        pieces.append(bytes(_BYTES[letter] for letter in piece))
    if missing := _ALPHABET.keys() - {piece[0] for piece in pieces if len(piece) == 1}:
        raise RunError(f"model.vocab: expected all 256 bytes, got none for {sorted(missing)[0]:#04x}")
    return pieces


def _blocks(text: str) -> Iterator[str]:
    """Cut a text where it is cut anyway, into blocks of some 65,000 characters."""
    start = 0
    while start < len(text):
        cut = _CERTAIN.search(text, start + _BLOCK_CHARACTERS)
        stop = cut.start() if cut and cut.start() > start else len(text)
        yield text[start:stop]
        start = stop
