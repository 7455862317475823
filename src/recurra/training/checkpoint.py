"""Checkpoints: one self-verifying file that holds all that a training needs to go on bit for bit."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from recurra.errors import RunError
from recurra.files import write_whole


@dataclass(frozen=True)
class Checkpoint:
    """tensors: by slash-separated names.  facts: plain JSON."""

    tensors: dict[str, Tensor]
    facts: dict[str, Any]

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Give the tensors under a prefix, without it."""
        return {name[len(prefix) + 1 :]: t for name, t in self.tensors.items() if name.startswith(prefix + "/")}


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint beside the ones there are, and remove those once it is safe on disk.

    The name carries the step and the SHA-256 of the content, so a damaged file cannot pass for a whole one.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()}
    content = save(tensors, {"recurra": json.dumps(checkpoint.facts)})
    step = int(checkpoint.facts["step"])
    path = folder / f"{step:09d}-{hashlib.sha256(content).hexdigest()}.safetensors"
    folder.mkdir(parents=True, exist_ok=True)
    older = [other for other in folder.glob("*.safetensors") if other != path]
    write_whole(path, content)
    for other in older:
        other.unlink(missing_ok=True)
    return path


def drop_older(folder: Path) -> None:
    """Remove all checkpoints but the newest, which has been read: a kill can come before those that it replaces are gone."""
    for path in sorted(folder.glob("*.safetensors"))[:-1]:
        path.unlink(missing_ok=True)


def read_checkpoint(folder: Path) -> Checkpoint | None:
    """Read the newest checkpoint, or None where there is none; raises `RunError` when it is damaged."""
    paths = sorted(folder.glob("*.safetensors"))
    if not paths:
        return None
    path = paths[-1]
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or error}") from None
    if path.stem.partition("-")[2] != hashlib.sha256(content).hexdigest():
        hint = "delete it, since an older one is there" if len(paths) > 1 else "train again into another folder"
        raise RunError(
            f"{path}: the checkpoint is damaged (its content does not have the SHA-256 sum in its name); "
            f"restore the file from a copy, or {hint}"
        )
    try:
        with safe_open(path, framework="pt") as file:  # type: ignore[no-untyped-call]
            facts = json.loads((file.metadata() or {})["recurra"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise RunError(f"{path}: not a checkpoint of Recurra: {error}") from None
    return Checkpoint(tensors, facts)


def last_checkpoint(folder: Path) -> Checkpoint | None:
    """Read the newest checkpoint of a run folder, or None where there is none."""
    return read_checkpoint(folder / "checkpoint")


def flatten(prefix: str, nested: Any) -> dict[str, Tensor]:
    """Name the tensors of nested tuples by their place.

    >>> import torch
    >>> sorted(flatten("carry", ((torch.zeros(1), torch.ones(1)),)))
    ['carry/0/0', 'carry/0/1']
    """
    if nested is None:
        return {}
    if isinstance(nested, Tensor):
        return {prefix: nested}
    return {name: t for i, part in enumerate(nested) for name, t in flatten(f"{prefix}/{i}", part).items()}


def unflatten(tensors: dict[str, Tensor]) -> Any:
    """Undo `flatten`, given the names without the prefix.

    >>> import torch
    >>> unflatten({"0/0": torch.zeros(1), "0/1": torch.ones(1)})
    ((tensor([0.]), tensor([1.])),)
    """
    if not tensors:
        return None
    if list(tensors) == [""]:
        return tensors[""]
    groups: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        head, _, rest = name.partition("/")
        groups.setdefault(int(head), {})[rest] = tensor
    return tuple(unflatten(groups[index]) for index in sorted(groups))
