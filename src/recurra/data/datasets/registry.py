"""The named datasets: one TOML file each in `catalogue/`, read into a `Dataset`."""

from __future__ import annotations

import difflib
import hashlib
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from recurra.errors import UsageError
from recurra.formatting import abbreviate

Split = Literal["train", "valid", "test"]


def _inside(path: str) -> str:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or "\\" in path or str(pure) != path or path in ("", "."):
        raise ValueError(f"expected a plain relative path with forward slashes, got {path!r}")
    return path


RelativePath = Annotated[str, AfterValidator(_inside)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class File(BaseModel):
    """One file of a dataset as its source published it; `size` (bytes) and `sha256` are those of the original bytes.

    A file without a split is cut by the task, as the dataset's `settings` say. One that is not `used` is of the source, and
    perhaps of the archive, but custom leaves it out: it is neither looked for nor downloaded. One that is not `archived`
    lies next to the archive.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: RelativePath
    sha256: Sha256
    size: int = Field(ge=0)
    split: Split | None = None
    url: str | None = None
    used: bool = True
    archived: bool = True


class Dataset(BaseModel):
    """What the project knows about one named dataset, whether or not it is on this machine.

    `url` is a pattern for files that name no address of their own: `{path}` stands for the file's quoted path.
    `folder` is the dataset's folder within RECURRA_DATA; `archive` names a tar file that may stand there for all
    the files that are `archived`. `builtin` names the function of `recurra.data.datasets.builtin` that makes the data. A dataset that is
    not `offered` has no address: `obtain` tells people how to come by it. `settings` are defaults for the
    configuration of `task`.

    >>> get("ptb").settings["unit"]
    'word'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    title: str
    about: str
    task: str
    homepage: str
    licence: str
    citation: str
    offered: bool = True
    obtain: str | None = None
    folder: RelativePath = ""
    archive: RelativePath | None = None
    url: str | None = None
    builtin: str | None = None
    files: tuple[File, ...] = ()
    settings: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _folder_is_name(cls, values: Any) -> Any:
        return {"folder": values.get("name"), **values} if isinstance(values, dict) else values

    @model_validator(mode="after")
    def _complete(self) -> Dataset:
        if bool(self.files) == bool(self.builtin):
            raise ValueError("expected either files or builtin")
        paths = [file.path for file in self.files]
        if len(paths) != len(set(paths)):
            raise ValueError("a file is listed twice")
        if self.offered:
            without = [file.path for file in self.files if self.address(file) is None]
            if without:
                raise ValueError(f"no url for {without[0]}; give it one, or say offered = false")
        elif self.obtain is None or self.url or any(file.url for file in self.files):
            raise ValueError("a dataset that is not offered has no url, and says in obtain how to come by it")
        return self

    @property
    def used(self) -> tuple[File, ...]:
        """The files that the dataset consists of."""
        return tuple(file for file in self.files if file.used)

    @property
    def size(self) -> int | None:
        """Bytes of all the original files; None for built-in data, whose size differs between Pythons."""
        return None if self.builtin else sum(file.size for file in self.used)

    def address(self, file: File) -> str | None:
        """The public address of one of the files."""
        return file.url or (self.url.replace("{path}", quote(file.path)) if self.url else None)

    @property
    def manifest(self) -> str:
        """The SHA-256 of the list of the files' sums: stands for the content of an archive of all of them."""
        return manifest_digest({file.path: file.sha256 for file in self.files if file.archived})


def manifest_digest(sums: dict[str, str]) -> str:
    """The SHA-256 of lines like those of `sha256sum`, sorted by path."""
    return hashlib.sha256("".join(f"{sums[path]}  {path}\n" for path in sorted(sums)).encode()).hexdigest()


@cache
def _load(name: str) -> Dataset:
    text = (files("recurra.data.datasets") / "catalogue" / f"{name}.toml").read_text(encoding="utf-8")
    return Dataset.model_validate({**tomllib.loads(text), "name": name})


def names() -> list[str]:
    """The names of all datasets, sorted.

    >>> "python-docs" in names()
    True
    """
    entries = (entry.name for entry in (files("recurra.data.datasets") / "catalogue").iterdir())
    return sorted(entry.removesuffix(".toml") for entry in entries if entry.endswith(".toml"))


def get(name: str) -> Dataset:
    """The dataset of that name.

    Raises `UsageError`, with the nearest names there are, when there is none.

    >>> get("tinyshakespear")
    Traceback (most recent call last):
    recurra.errors.UsageError: there is no dataset 'tinyshakespear'; did you mean tinyshakespeare? ...
    """
    known = names()
    if name in known:
        return _load(name)
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.6)
    guess = f"did you mean {' or '.join(near)}? " if near else ""
    raise UsageError(f"there is no dataset {abbreviate(name)}; {guess}`recurra data list` shows them all")
