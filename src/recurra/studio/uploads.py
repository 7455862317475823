"""Files that a page has sent: in a temporary folder, which is gone when the studio ends."""

from __future__ import annotations

import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from recurra.errors import OutputError, UsageError
from recurra.files import write_whole
from recurra.studio.results import StudioError, not_found

MAX_UPLOAD_BYTES = 200 * 2**20
MAX_UPLOADS = 100
MAX_BYTES_IN_ALL = 2 * 2**30
MAX_NAME_CHARACTERS = 120
KEPT = "uploads"
"""The folder beside the runs to which the files of a training are copied: it is measured on them again."""
_UNSAFE = re.compile(r"[^\w. ()\[\]+=,@#%&-]")


@dataclass
class Upload:
    """A file, and its length while it comes."""

    id: str
    name: str
    path: Path
    bytes: int = 0


def plain_name(name: str) -> str:
    """Give a name that a file may have: its last part, with nothing in it that leads elsewhere.

    >>> plain_name("../../etc/passwd"), plain_name("C:\\\\x\\\\日本 1.csv"), plain_name(".bashrc")
    ('passwd', '日本 1.csv', 'bashrc')
    """
    last = _UNSAFE.sub("_", re.split(r"[/\\]", name)[-1]).strip(" .")
    if len(last) > MAX_NAME_CHARACTERS:
        stem, dot, suffix = last.rpartition(".")
        kept = suffix[-20:]
        last = f"{stem[: MAX_NAME_CHARACTERS - len(kept) - 1]}{dot}{kept}" if dot else last[:MAX_NAME_CHARACTERS]
    return last or "file"


class Uploads:
    """limit: bytes of one."""

    def __init__(self, limit: int = MAX_UPLOAD_BYTES) -> None:
        self.limit = limit
        self._folder = TemporaryDirectory(prefix="recurra-studio-")
        self._known: dict[str, Upload] = {}

    @property
    def folder(self) -> Path:
        """Where they are."""
        return Path(self._folder.name)

    def receive(self, name: str) -> tuple[Upload, BinaryIO]:
        """Make room for a file that is about to come; `take` or `drop` has to follow. Raises `StudioError` (429) where there are too many."""
        used = sum(one.bytes for one in self._known.values())
        if len(self._known) >= MAX_UPLOADS or used >= MAX_BYTES_IN_ALL:
            raise StudioError("there are too many uploads; remove some, or start the studio again", 429, "busy")
        upload = Upload(secrets.token_hex(8), plain_name(name), Path())
        folder = self.folder / upload.id
        folder.mkdir()
        upload.path = folder / upload.name
        return upload, upload.path.open("xb")

    def take(self, upload: Upload) -> None:
        """Keep a file that is whole."""
        if not upload.bytes:
            self.drop(upload)
            raise UsageError(f"{upload.name}: the file is empty")
        self._known[upload.id] = upload

    def drop(self, upload: Upload) -> None:
        """Remove a file."""
        self._known.pop(upload.id, None)
        shutil.rmtree(self.folder / upload.id, ignore_errors=True)

    def get(self, id: str) -> Upload:
        """Find an upload by its id; raises `StudioError` (404) where there is none."""
        if id not in self._known:
            raise not_found("upload")
        return self._known[id]

    def all(self) -> list[Upload]:
        """List them."""
        return list(self._known.values())

    def find(self, id: str) -> Path | None:
        """Give the file of an upload; None where there is none of that id."""
        found = self._known.get(id)
        return None if found is None else found.path

    def keep(self, upload: Upload, home: Path) -> Path:
        """Copy a file beside the runs, once, so that a run finds its data when the studio has ended."""
        kept = home / KEPT / upload.id / upload.name
        if not kept.is_file():
            try:
                kept.parent.mkdir(parents=True, exist_ok=True)
                write_whole(kept, upload.path.read_bytes())
            except OSError as error:
                raise OutputError(f"{KEPT}: cannot be written: {error.strerror}") from None
        return kept

    def close(self) -> None:
        """Remove all of them."""
        self._known.clear()
        self._folder.cleanup()
