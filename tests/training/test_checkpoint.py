"""A checkpoint is whole or it is not there, and a damaged one is never read."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recurra.errors import RunError
from recurra.training.checkpoint import Checkpoint, flatten, read_checkpoint, unflatten, write_checkpoint


def checkpoint(step: int) -> Checkpoint:
    tensors = {
        "a/b": torch.full((3, 2), float(step)),
        "a/c": torch.arange(4),
        "d": torch.tensor(1.5, dtype=torch.bfloat16),
    }
    return Checkpoint(tensors, {"step": step, "詩": [0.1, None]})


def test_the_newest_is_read_and_the_older_are_gone(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    assert read_checkpoint(folder) is None
    for step in (1, 9, 10):
        write_checkpoint(folder, checkpoint(step))
    found = read_checkpoint(folder)
    assert found is not None
    assert found.facts == checkpoint(10).facts
    assert all(
        torch.equal(found.tensors[n], t) and found.tensors[n].dtype == t.dtype
        for n, t in checkpoint(10).tensors.items()
    )
    assert set(found.part("a")) == {"b", "c"}
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_ends_in_the_middle_leaves_the_older_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    write_checkpoint(tmp_path, checkpoint(1))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, call, killed)
    with pytest.raises(KeyboardInterrupt):
        write_checkpoint(tmp_path, checkpoint(2))
    found = read_checkpoint(tmp_path)
    assert found is not None
    assert found.facts["step"] == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_every_kind_of_damage_is_detected_and_the_older_one_offered(tmp_path: Path) -> None:
    path, chance = write_checkpoint(tmp_path, checkpoint(2)), random.Random(1)
    content = path.read_bytes()
    flipped = []
    for bit in [0, 8 * len(content) - 1, *(chance.randrange(8 * len(content)) for _ in range(200))]:
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        flipped.append(bytes(damaged))
    for damaged_content in [*flipped, *(content[:end] for end in range(0, len(content), 7)), content + b"\0"]:
        path.write_bytes(damaged_content)
        with pytest.raises(RunError, match=rf"{path.name}: the checkpoint is damaged .*train again"):
            read_checkpoint(tmp_path)
    (tmp_path / f"{1:09d}-{'0' * 64}.safetensors").touch()
    with pytest.raises(RunError, match="delete it, since an older one is there"):
        read_checkpoint(tmp_path)


def test_a_name_that_was_changed_is_detected(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path, checkpoint(2))
    path.rename(tmp_path / f"{3:09d}-{'a' * 64}.safetensors")
    with pytest.raises(RunError, match="the checkpoint is damaged"):
        read_checkpoint(tmp_path)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    import hashlib

    from safetensors.torch import save

    content = save({"x": torch.zeros(1)})
    (tmp_path / f"{1:09d}-{hashlib.sha256(content).hexdigest()}.safetensors").write_bytes(content)
    with pytest.raises(RunError, match="not a checkpoint of Recurra"):
        read_checkpoint(tmp_path)


nested = st.recursive(
    st.integers(0, 9).map(lambda n: torch.tensor([n])),
    lambda inner: st.lists(inner, min_size=1, max_size=12).map(tuple),
)


@given(nested)
def test_nested_tuples_come_back_in_their_order(carry: object) -> None:
    prefix = "carry"
    names = {name[len(prefix) + 1 :]: tensor for name, tensor in flatten(prefix, carry).items()}
    assert repr(unflatten(names)) == repr(carry)


def test_nothing_carried_comes_back_as_nothing() -> None:
    assert unflatten(flatten("carry", None)) is None
