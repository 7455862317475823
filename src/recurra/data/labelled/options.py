"""How labelled data is to be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from recurra.data.header import Header
from recurra.errors import UsageError
from recurra.text import resolve_column

LABEL_SOURCES = ("file", "folder", "line")


@dataclass(frozen=True)
class LabelledOptions:
    """How labelled data is to be read; every field has a default."""

    text: str | None = None
    """field with the text (CSV, TSV, JSON, JSONL, Parquet); None: the one that looks like it"""

    label: str | None = None
    """field with the label; or "file": each file is a class, named by what tells the files apart; "folder": each folder;
    "line": each line begins with its label. None: what the files look like"""

    series: str | tuple[str, ...] | None = None
    """long tables: the column that names the series a row belongs to, or several that do so together"""

    time: str | None = None
    """long tables: the column to sort a series by (numbers or ISO dates)"""

    columns: tuple[str, ...] = ()
    """long and wide tables: the value columns; none: all numeric ones but label, series and time"""

    images: Literal["rows", "pixels"] = "rows"
    """how an image becomes a series: a row a step, or a pixel a step"""

    phrases: bool = False
    """trees: each labelled phrase is an example too"""

    rename: tuple[tuple[str, str], ...] = ()
    """a label and its new name; "" leaves the example out"""

    multi_label: bool = False
    """a label cell is a list, or names separated by "|", ";" or ","; it may be empty"""

    need_labels: bool = True
    """False: the same files with or without labels"""

    header: Header = "auto"
    """whether the first row of a CSV or TSV table names its columns; "auto": as it looks. Columns may be named by their
    numbers, from 1, and as "last" too"""

    on_error: Literal["stop", "skip"] = "stop"
    """what is done with a row or file that cannot be used: stop there, or list it"""

    @property
    def series_columns(self) -> tuple[str, ...]:
        """The columns that name the series a row belongs to; none where no table is long."""
        return (self.series,) if isinstance(self.series, str) else self.series or ()

    @property
    def named(self) -> tuple[str, ...]:
        """All columns that are named."""
        one = (name for name in (self.text, self.label, self.time) if name is not None)
        return (*one, *self.series_columns, *self.columns)

    def with_names(self, names: Sequence[str]) -> LabelledOptions:
        """Give the same for a table with columns of these names, without positions.

        >>> LabelledOptions(text="2", label="last").with_names(["id", "review", "stars"]).named
        ('review', 'stars')
        """

        def name(given: str | None) -> str | None:
            return given if given is None or given in LABEL_SOURCES else resolve_column(given, names)

        return replace(
            self,
            text=name(self.text),
            label=name(self.label),
            time=name(self.time),
            series=tuple(resolve_column(each, names) for each in self.series_columns),
            columns=tuple(resolve_column(each, names) for each in self.columns),
        )


def parse_renames(pairs: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Turn settings such as "0=negative" into pairs; raises `UsageError` for one without "=".

    >>> parse_renames(["0=negative", "2="])
    (('0', 'negative'), ('2', ''))
    """
    for pair in pairs:
        if "=" not in pair:
            raise UsageError(f"rename: expected LABEL=NEW, or LABEL= to leave it out; got {pair!r}")
    return tuple((old.strip(), new.strip()) for old, _, new in (pair.partition("=") for pair in pairs))
