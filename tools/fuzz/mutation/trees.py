"""Mutation of trees: values of JSON and TOML."""

from __future__ import annotations

import contextlib
import copy
import json
from random import Random
from typing import Any

from tools.fuzz.hostile import node

Place = tuple[Any, Any]
"""A list or a dict, and the index or key within it."""


def places(tree: Any) -> list[Place]:
    """List every place of a tree, but only the first few of long lists."""
    found: list[Place] = []
    stack = [tree]
    while stack:
        one = stack.pop()
        inner = (
            list(one.items()) if isinstance(one, dict) else list(enumerate(one[:20])) if isinstance(one, list) else []
        )
        for key, value in inner:
            found.append((one, key))
            stack.append(value)
    return found


def mutate_tree(tree: Any, rng: Random) -> Any:
    """Change a tree at one place or a few: another value or type, a key less, more or renamed, a list cut or doubled."""
    tree = copy.deepcopy(tree)
    if rng.random() < 0.04:
        return node(rng)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        there = places(tree)
        if not there:
            return node(rng)
        holder, key = rng.choice(there)
        value, how = (
            holder[key],
            rng.choice(["value", "value", "value", "scale", "less", "more", "rename", "wrap", "resize"]),
        )
        if how == "scale" and type(value) in (int, float):
            with contextlib.suppress(OverflowError):  # of hundreds of digits by a float
                holder[key] = value * rng.choice([-1, 0, 2, 1000, 10**6, 1e30, 0.5])
        elif how == "less":
            del holder[key]
        elif how == "more" and isinstance(holder, dict):
            holder[rng.choice(["", "x", "__class__", "name", "\ud800", "a" * 5000])] = node(rng)
        elif how == "rename" and isinstance(holder, dict):
            holder[f"{key}{rng.choice(['', ' ', 's', '_'])}x"[1:]] = holder.pop(key)
        elif how == "wrap":
            holder[key] = rng.choice([[value], {"x": value}, [value, value], str(value)])
        elif how == "resize" and isinstance(value, list):
            holder[key] = value[: len(value) // 2] if rng.random() < 0.5 else value * rng.choice([2, 3, 100])
        else:
            holder[key] = node(rng)
    return tree


def mutate_json(data: bytes, rng: Random) -> bytes | None:
    """Mutate JSON, or one line of JSONL; None for what is neither."""
    if rng.random() < 0.08:
        return deep(rng)
    try:
        return _dump(mutate_tree(json.loads(data), rng))
    except (ValueError, RecursionError):
        pass
    lines = data.split(b"\n")
    records = [at for at, line in enumerate(lines) if line[:1] == b"{"]
    if not records:
        return None
    for at in rng.sample(records, min(len(records), rng.choice([1, 1, 2, 10]))):
        try:
            lines[at] = _dump(mutate_tree(json.loads(lines[at]), rng))
        except ValueError:
            continue
    return b"\n".join(lines)


def deep(rng: Random) -> bytes:
    """Give JSON nested deeper than a reader by recursion can go."""
    depth = rng.choice([500, 2_000, 200_000])
    start, end = rng.choice([(b"[", b"]"), (b'{"a":', b"}"), (b'[{"x":', b"}]")])
    return start * depth + rng.choice([b"1", b""]) + (end * depth if rng.random() < 0.7 else b"")


def _dump(tree: Any) -> bytes:
    return json.dumps(tree, ensure_ascii=True).encode()
