"""The delimiter of a table whose first row may be read by several."""

from __future__ import annotations

import pytest

from recurra.text.read.dialect import find_dialect

WORDS = ["warm", "cold", "slow", "quick", "late"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("mark", [", ", "; ", "| ", ",", ";", ", very, "])
@pytest.mark.parametrize("label", ["numbers", "classes", "last"])
def test_marks_within_texts_are_no_delimiters(delimiter: str, mark: str, label: str) -> None:
    if delimiter in mark:
        return
    texts = [f"the film {row} was {WORDS[row % 5]}{mark}and {row}" for row in range(20)]
    labels = [str(row % 2) if label == "numbers" else f"class {row % 3}" for row in range(20)]
    rows = [(a, b) if label != "last" else (b, a) for a, b in zip(labels, texts, strict=True)]
    table = "".join(delimiter.join(row) + "\n" for row in rows)
    assert find_dialect(table, "csv").delimiter == delimiter


@pytest.mark.parametrize(("delimiter", "mark"), [(";", ", "), (",", "; "), ("|", ", ")])
def test_numbers_at_the_end_of_texts_are_no_column(delimiter: str, mark: str) -> None:
    table = "".join(f"{row % 2}{delimiter}film {row * 7}{mark}{row}\n" for row in range(20))
    assert find_dialect(table, "csv").delimiter == delimiter


def test_a_field_asked_for_decides_before_the_rows() -> None:
    table = "a,text;label\n" + "".join(f"{row},{row};{row}\n" for row in range(9))
    assert find_dialect(table, "csv", ["label"]).delimiter == ";"
    assert find_dialect(table, "csv", ["a"]).delimiter == ","
