"""Datasets that need no download: generated on this machine, offline, into the cache folder."""

from __future__ import annotations

import io
import platform
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recurra.data.datasets.generated_files import GeneratedFiles, write_generated
from recurra.data.datasets.generated_pairs import addition, dates, phonemes, reversal, reversal_30
from recurra.errors import DataError, require

SCENES = 3_000
"""Pictures of the data set two-objects."""


def python_docs(folder: Path) -> GeneratedFiles:
    """Write the help texts that every Python carries (`pydoc_data.topics`) into one file, one file per Python version.

    Topics follow each other in the order of their names, a text that has two names once. A file whose text
    is not as it should be is written again. Raises `DataError` when this Python has no such texts
    or the folder cannot be written.
    """
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise DataError(
            "this Python has no module pydoc_data.topics, whose texts are the dataset",
            source="python-docs",
            hint="use a Python with its standard library complete, or another dataset",
        ) from None
    distinct = dict.fromkeys(topics[name].strip("\n") for name in sorted(topics))
    text = ("\n\n\n".join(distinct) + "\n").encode("utf-8")
    path = folder / platform.python_version() / "topics.txt"
    write_generated(path, text)
    return [(path, None)]


def digits(folder: Path) -> GeneratedFiles:
    """Write scikit-learn's 1,797 handwritten digits, 8 rows of 8 from 0 to 1, as two `.npz` files.

    The last fifth, in the order of the source, is the test. Raises `MissingExtraError`
    without scikit-learn, `DataError` when the folder cannot be written.
    """
    sklearn = require("sklearn.datasets", "learn", "the built-in dataset digits")
    import numpy as np

    bunch = sklearn.load_digits()
    images, labels = (bunch.images / 16).astype(np.float32), bunch.target.astype(np.int64)
    cut = len(images) * 4 // 5
    generated: GeneratedFiles = []
    for split, part in (("train", slice(cut)), ("test", slice(cut, None))):
        path = folder / f"digits-{split}.npz"
        write_generated(path, _archive({"x": images[part], "y": labels[part]}))
        generated.append((path, split))
    return generated


def two_objects(folder: Path) -> GeneratedFiles:
    """Write 3,000 pictures of two objects each with their captions, and the objects' boxes beside them, which no training reads."""
    from recurra.data.datasets.scenes import scene_files

    made = scene_files(SCENES, seed=1)
    for name, data in made.items():
        write_generated(folder / name, data)
    return [(folder / name, None) for name in made if name != "boxes.jsonl"]


def _archive(arrays: dict[str, Any]) -> bytes:
    """Pack arrays as `.npz`, always into the same bytes: numpy would write the time of day into it."""
    import numpy as np

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
    return stream.getvalue()


GENERATORS: dict[str, Callable[[Path], GeneratedFiles]] = {
    "python-docs": python_docs,
    "digits": digits,
    "two-objects": two_objects,
    "dates": dates,
    "addition": addition,
    "reversal": reversal,
    "reversal-30": reversal_30,
    "phonemes": phonemes,
}
