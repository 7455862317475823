"""Held-out data: which documents, or which part of one long text, are kept for validation and test.

Documents are split by a hash of their content, so that a document never changes sides: not when others are added,
removed or reordered, not on another machine, and not away from its own copies. A continuous text is split by place.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from recurra.errors import DataError, UsageError


@dataclass(frozen=True)
class SplitIndices:
    """The indices of the documents of each part, in their order."""

    train: list[int]
    valid: list[int]
    test: list[int]


def hash_fraction(key: str | bytes, salt: str = "") -> float:
    """Return a number in [0, 1), uniform over keys, that depends on nothing but the key and the salt.

    A salt makes an independent split of the same documents. The hash is BLAKE2b (RFC 7693), of which 53 bits are used.

    >>> hash_fraction("白日依山盡"), hash_fraction("白日依山盡", salt="second")
    (0.018491601749792697, 0.860786302399555)
    """
    content = key.encode("utf-8", "surrogatepass") if isinstance(key, str) else key
    secret = hashlib.blake2b(salt.encode()).digest() if salt else b""
    digest = hashlib.blake2b(content, digest_size=8, key=secret).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)


def split_documents(documents: Sequence[str | bytes], valid: float, test: float, *, salt: str = "") -> SplitIndices:
    """Split documents by their content: about the share `test` of them, and the share `valid`, are held out.

    Test takes the documents with the smallest hashes and validation those with the largest, so that a larger share only
    ever takes documents from training. Where a few documents leave a part empty, it takes the one that is nearest to its
    share. Raises `UsageError` for shares that are no shares, `DataError` when there are too few documents for all parts.

    >>> split_documents(["one", "two", "three", "four", "six", "one"], valid=0.25, test=0.25)
    SplitIndices(train=[3], valid=[1, 4], test=[0, 2, 5])
    """
    _check_shares(valid, test)
    split = SplitIndices([], [], [])
    for index, document in enumerate(documents):
        share = hash_fraction(document, salt)
        part = split.test if share < test else split.valid if share >= 1 - valid else split.train
        part.append(index)
    _fill_empty_parts(split, documents, salt, valid, test)
    distinct = len(set(documents))
    count = f"{len(documents)} documents" + (f" (only {distinct} different)" if distinct < len(documents) else "")
    _check_part("test", test, len(split.test), count)
    _check_part("valid", valid, len(split.valid), count)
    _check_part("train", 1, len(split.train), count)
    return split


def _fill_empty_parts(
    split: SplitIndices, documents: Sequence[str | bytes], salt: str, valid: float, test: float
) -> None:
    """Give an empty part the nearest document (and its copies) that training can spare."""
    for part, share, nearest in ((split.test, test, min), (split.valid, valid, max)):
        spare = {documents[index] for index in split.train}
        if not part and share and len(spare) > 1:
            moved = nearest(spare, key=lambda document: hash_fraction(document, salt))
            part += [index for index in split.train if documents[index] == moved]
            split.train[:] = [index for index in split.train if documents[index] != moved]


def split_text(length: int, valid: float, test: float) -> tuple[int, int]:
    """Cut a continuous text of so many units into train | valid | test, and return where train and valid end.

    Test is the last share and validation the one before it. Cuts are rounded down, on the shares as they are
    written in decimals: `test=0.1` leaves int(0.9 · length) units, the split that is published for Tiny Shakespeare.
    Raises `UsageError` for shares that are no shares, `DataError` when a part is empty.

    >>> split_text(1_115_394, valid=0, test=0.1)
    (1003854, 1003854)
    """
    _check_shares(valid, test)
    # Exact: in binary, 1 − 0.07 falls short of 0.93, and so would a cut.
    before_test = 1 - Fraction(repr(float(test)))
    end_train = math.floor((before_test - Fraction(repr(float(valid)))) * length)
    end_valid = math.floor(before_test * length)
    count = f"{length} units of text"
    _check_part("test", test, length - end_valid, count)
    _check_part("valid", valid, end_valid - end_train, count)
    _check_part("train", 1, end_train, count)
    return end_train, end_valid


def _check_shares(valid: float, test: float) -> None:
    for name, share in (("valid", valid), ("test", test)):
        if not 0 <= share < 1:
            raise UsageError(f"{name}: expected a share from 0 up to, but not including, 1, got {share}")
    if valid + test >= 1:
        raise UsageError(f"valid {valid} and test {test} leave nothing to train on: their sum must be less than 1")


def _check_part(part: str, share: float, size: int, count: str) -> None:
    if size or not share:
        return
    if part == "train":
        raise DataError(
            f"the split of {count} leaves none to train on",
            hint="give more data, or hold out smaller shares (--test-share, --valid-share)",
        )
    raise DataError(
        f"the split of {count} puts none into the {part} share of {share:g}",
        hint=f"give more data, a larger share, a {part} file of its own (--{part} FILE), or no {part} share (0)",
    )


def split_fold(documents: Sequence[str | bytes], folds: int, fold: int, valid: float) -> SplitIndices:
    """Give one fold of a cross-validation: test takes fold `fold` (from 1) of `folds`, validation a share of the others.

    Each document, with its copies, is in the test part of exactly one fold. Raises `UsageError` for a fold that is not there,
    `DataError` when a part would be empty.

    >>> split_fold(["one", "two", "three", "four", "six", "one"], 2, 1, 0)
    SplitIndices(train=[0, 2, 3, 5], valid=[], test=[1, 4])
    """
    if folds < 2 or not 1 <= fold <= folds:
        raise UsageError(
            f"fold: expected one from 1 to the number of folds, of which there are at least 2; got {fold} of {folds}"
        )
    _check_shares(valid, 0.0)
    split = SplitIndices([], [], [])
    for index, document in enumerate(documents):
        if int(hash_fraction(document, "fold") * folds) + 1 == fold:
            split.test.append(index)
        else:
            (split.valid if hash_fraction(document) >= 1 - valid else split.train).append(index)
    count = f"{len(documents)} documents"
    for name, share, part in (
        ("test", 1 / folds, split.test),
        ("valid", valid, split.valid),
        ("train", 1, split.train),
    ):
        _check_part(name, share, len(part), count)
    return split
