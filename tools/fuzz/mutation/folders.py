"""Mutation of the files of a run folder; its manifest is signed again, so that what is behind the check of sums is reached."""

from __future__ import annotations

import hashlib
import json
import struct
import tomllib
from pathlib import Path
from random import Random
from typing import Any

from tools.fuzz import hostile
from tools.fuzz.mutation import lines, raw, trees

MANIFEST = "manifest.json"
SIZES = [0, -1, 1, 5, 300, 6000, 65536, 65537, 10**9, 2**63]


def sign(folder: Path, *, log_too: bool = True) -> None:
    """Write the manifest of what is in the folder now, as the program would."""
    names = [path.name for path in folder.iterdir() if path.is_file() and path.name != MANIFEST]
    write_manifest(
        folder,
        {
            name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
            for name in sorted(names)
            if log_too or name != "metrics.jsonl"
        },
    )


def write_manifest(folder: Path, files: Any) -> None:
    """Write a manifest of any listing, with the sum of itself."""
    listing = json.dumps(files, ensure_ascii=False, sort_keys=True)
    own = hashlib.sha256(listing.encode("utf-8", "surrogatepass")).hexdigest()
    text = json.dumps({"files": files, "sha256": own}, ensure_ascii=False, sort_keys=True, indent=1) + "\n"
    (folder / MANIFEST).write_bytes(lines.encode(text))


def mutate_toml(data: bytes, rng: Random) -> bytes:
    """Mutate settings: the sizes of networks, any value, or the text."""
    import tomli_w

    if rng.random() < 0.1:
        return lines.mutate(data.decode(), rng)
    if rng.random() < 0.06:
        depth = rng.choice([500, 200_000])
        return data + b"\nx = " + b"[" * depth + b"]" * depth + b"\n"
    tree = tomllib.loads(data.decode())
    if rng.random() < 0.4:
        section, key = rng.choice(
            [
                ("model", "hidden"),
                ("model", "layers"),
                ("model", "embedding"),
                ("data", "max_words"),
                ("model", "components"),
                ("data", "window"),
                ("model", "bottleneck"),
                ("data", "horizon"),
            ]
        )
        tree.setdefault(section, {})[key] = rng.choice([*SIZES, True, "4", 4.5, [4], {}])
    else:
        tree = trees.mutate_tree(tree, rng)
    try:
        return tomli_w.dumps(tree).encode("utf-8", "surrogatepass")
    except Exception:  # noqa: BLE001  what TOML cannot hold is no case; its bytes are
        return raw.mutate(data, rng)


def mutate_safetensors(data: bytes, rng: Random) -> bytes:
    """Mutate weights: the header, or values, which may be NaN, infinite or huge."""
    if rng.random() < 0.15:
        return raw.mutate(data, rng)
    size = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + size]), bytearray(data[8 + size :])
    how = rng.random()
    tensors = [name for name in header if name != "__metadata__"]
    name = rng.choice(tensors)
    if how < 0.4:
        first, last = header[name]["data_offsets"]
        width = {"F64": 8, "F32": 4, "I64": 8, "I32": 4, "BF16": 2, "F16": 2}.get(header[name]["dtype"], 1)
        bad = {
            8: struct.pack("<d", rng.choice([float("nan"), float("inf"), 1e308])),
            4: struct.pack("<f", rng.choice([float("nan"), float("inf"), 3e38, -1e30])),
            2: b"\xc0\x7f",
            1: b"\xff",
        }[width]
        cells = range(first, last - width + 1, width)
        for at in cells if rng.random() < 0.5 else cells[: rng.choice([1, 3])]:
            body[at : at + width] = bad
    elif how < 0.7:
        entry = header[name]
        field = rng.choice(["shape", "dtype", "data_offsets"])
        entry[field] = {
            "shape": rng.choice(
                [[], [0], [-1], [1, 1], entry["shape"][::-1], [*entry["shape"], 1], [2**62, 4], [1.5], "x"]
            ),
            "dtype": rng.choice(["F64", "F32", "F16", "BF16", "I64", "U8", "BOOL", "F8_E4M3", "X", 1]),
            "data_offsets": rng.choice([[0, 0], [0, len(body) + 4], [4, 0], [-4, 4], [0]]),
        }[field]
    elif how < 0.85:
        header[rng.choice(["x", "", "a" * 5000, "漢", name + ".more"])] = header.pop(name)
    else:
        header = trees.mutate_tree(header, rng)
    packed = json.dumps(header).encode()
    packed += b" " * (-len(packed) % 8)
    length = len(packed) if rng.random() < 0.93 else rng.choice([0, 1, len(packed) + 8, 2**40, 2**64 - 1])
    return length.to_bytes(8, "little") + packed + bytes(body)


def mutate_run_file(name: str, data: bytes, rng: Random) -> bytes:
    """Mutate a file of a run folder in a way that its format has."""
    if name.endswith(".toml"):
        return mutate_toml(data, rng)
    if name.endswith(".safetensors"):
        return mutate_safetensors(data, rng)
    if rng.random() < 0.88 and (changed := trees.mutate_json(data, rng)) is not None:
        return changed
    return raw.mutate(data, rng) if rng.random() < 0.5 else lines.mutate(data.decode("utf-8", "replace"), rng)


def forge_manifest(folder: Path, rng: Random) -> str:
    """Write a manifest that signs what it should not; says what."""
    files: Any = json.loads((folder / MANIFEST).read_bytes())["files"]
    name = rng.choice(
        [
            "a" * 5000,
            "../RUN/config.toml",
            "/etc/passwd",
            "",
            ".",
            "a\x00b",
            "a\nb",
            "\ud800",
            "漢" * 100,
            "checkpoint",
            MANIFEST,
            "x/" * 2000,
        ]
    )
    how = rng.choice(["name", "sum", "kind", "raw"])
    if how == "name":
        files[name] = rng.choice([hashlib.sha256(b"").hexdigest(), next(iter(files.values()))])
    elif how == "sum":
        files[rng.choice(list(files))] = hostile.node(rng)
    elif how == "kind":
        files = rng.choice(
            [[], None, "x", [["config.toml", "x"]], {}, 1, {"model.safetensors": files["model.safetensors"]}]
        )
    else:
        (folder / MANIFEST).write_bytes(trees.mutate_json((folder / MANIFEST).read_bytes(), rng) or b"{")
        return "manifest.json itself"
    write_manifest(folder, files)
    return f"manifest.json: {how}"
