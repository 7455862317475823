"""Captions with their pictures, and which of them are trained on, validated on and tested on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recurra.data.captions import Captioned
from recurra.data.splits import split_documents
from recurra.errors import DataError, UsageError
from recurra.tasks.base.dataset import default_valid_share
from recurra.tasks.caption.config import Data
from recurra.tasks.caption.preprocessing import Picture
from recurra.text import Faults

MAX_VALIDATION_PICTURES = 1_000
"""More tell hardly more, and would be looked at again and again while training."""
PARTS = ("train", "valid", "test")


@dataclass(frozen=True)
class Part:
    """Captions and the pictures that they belong to, in one order."""

    captioned: Captioned
    pictures: list[Picture]
    keys: list[bytes]

    def select(self, indices: Sequence[int]) -> Part:
        """Give some of the pictures."""
        pictures, keys = [self.pictures[index] for index in indices], [self.keys[index] for index in indices]
        return Part(self.captioned.select(indices), pictures, keys)


def drop_unlisted(captioned: Captioned, data: Data, faults: Faults, notes: list[str]) -> Captioned:
    """Leave out what no list names, where those to train on are listed and nothing is to be held out of the others.

    Raises `UsageError` for a name in two lists; names without a caption are faults.
    """
    lists, known = captioned.lists, set(captioned.names)
    parts_of: dict[str, str] = {}
    for part, listed in lists.items():
        for name in listed:
            if parts_of.setdefault(name, part) != part:
                raise UsageError(f"the picture {name} is in two lists, those of {parts_of[name]} and {part} pictures")
        lost = [one for one in dict.fromkeys(listed) if one not in known]
        many = f" ({len(lost):,} of {len(listed):,} have none)" if len(lost) > 1 else ""
        for one in lost:
            faults.handle(DataError(f"the picture {one} has no caption{many}", source=f"the list of {part} pictures"))
    if not lists.get("train") or _open_parts(lists, data):
        return captioned
    kept = [at for at, name in enumerate(captioned.names) if name in parts_of]
    notes += _left_out_notes(len(captioned) - len(kept))
    chosen = captioned.select(kept)
    chosen.skipped, chosen.lists = captioned.skipped, captioned.lists
    return chosen


def _left_out_notes(count: int) -> list[str]:
    return [f"{count:,} pictures with captions are in no list, and are left out"] if count else []


def _open_parts(lists: Mapping[str, Sequence[str]], data: Data) -> list[str]:
    """Give the parts that are to be held out and that neither a list nor a file names."""
    wanted = {"valid": not data.valid and data.valid_share != 0, "test": not data.test and data.test_share > 0}
    return [part for part, open_one in wanted.items() if open_one and not lists.get(part)]


def split_pictures(whole: Part, data: Data, notes: list[str]) -> dict[str, Part]:
    """Split by the lists, by the parts that the data themselves name, or by shares: equal pictures are on one side only.

    Where those to train on are listed, what is held out comes from pictures in no list, and from the listed ones if there are none.
    """
    lists, names = whole.captioned.lists, whole.captioned.names
    listed = {name: part for part, some in lists.items() for name in some}
    assigned = [listed.get(name) or split for name, split in zip(names, whole.captioned.splits, strict=True)]
    given = {part for part in assigned if part is not None}
    valid = 0.0 if "valid" in given else default_valid_share(data, len(whole.pictures))
    if data.valid_share is None and whole.pictures:
        valid = min(valid, MAX_VALIDATION_PICTURES / len(whole.pictures))
    test = 0.0 if data.test or "test" in given else data.test_share
    open_ones = [at for at, part in enumerate(assigned) if part in (None, "train")]
    if lists.get("train"):
        unlisted = [at for at in open_ones if names[at] not in listed]
        open_ones = [at for at in open_ones if names[at] in listed]
        held = _hold_out(unlisted, whole.keys, valid, test)
        filled = sorted(part for part, some in held.items() if some)
        if filled:
            notes.append(f"{' and '.join(filled)}: {sum(map(len, held.values())):,} pictures that are in no list")
            valid, test = 0.0, 0.0
        else:
            notes += _left_out_notes(len(unlisted))
            shares = [part for part, share in (("test", test), ("valid", valid)) if share]
            notes += [f"{' and '.join(shares)}: a share of the pictures listed to train on"] if shares else []
    else:
        held = {}
    try:
        split = split_documents([whole.keys[at] for at in open_ones], valid, test)
    except DataError as error:
        raise DataError(str(error), source=" ".join(data.data[:3])) from None
    chosen = {name: [open_ones[at] for at in getattr(split, name)] + held.get(name, []) for name in PARTS}
    for name in ("valid", "test"):
        chosen[name] += [at for at, part in enumerate(assigned) if part == name]
    if given - {"train"} and not any(lists.values()):
        notes.append(f"held out as the data say: {', '.join(sorted(given - {'train'}))}")
    return {name: whole.select(sorted(indices)) for name, indices in chosen.items()}


def _hold_out(unlisted: Sequence[int], keys: Sequence[bytes], valid: float, test: float) -> dict[str, list[int]]:
    """Share out the pictures that are in no list; none where they are too few for all parts that have a share."""
    if not unlisted or not (valid or test):
        return {}
    if not (valid and test):
        return {"valid" if valid else "test": list(unlisted)}
    try:
        split = split_documents([keys[at] for at in unlisted], valid / (valid + test), 0.0)
    except DataError:
        return {}
    return {"valid": [unlisted[at] for at in split.valid], "test": [unlisted[at] for at in split.train]}


def leakage_notes(parts: Mapping[str, Part]) -> list[str]:
    """Say how many held-out pictures are in the training data too."""
    known = set(parts["train"].keys)
    counts = {name: sum(key in known for key in part.keys) for name, part in parts.items() if name != "train"}
    return [
        f"leakage: {count:,} of {len(parts[name].keys):,} {name} pictures are in the training data too"
        for name, count in counts.items()
        if count
    ]
