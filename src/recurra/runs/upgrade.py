"""Run folders that were written by earlier formats, as they would be written now; what is in them is never changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recurra.tasks.base.settings import Settings


def upgrade(sections: Mapping[str, type[Settings]], document: Mapping[str, Any]) -> dict[str, Any]:
    """Give the sections of a config.toml of format 1 with each setting under its present name.

    sections: those of the task, the training's among them. What is unknown stays, to be refused as it is in any other file.
    """
    upgraded = {}
    for section, values in document.items():
        renamed = sections[section].renamed if section in sections else {}
        upgraded[section] = (
            {
                renamed[name].name if name in renamed else name: renamed[name].value(value)
                if name in renamed
                else value
                for name, value in values.items()
            }
            if isinstance(values, Mapping)
            else values
        )
    return upgraded
