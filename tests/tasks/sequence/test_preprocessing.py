"""What is refused before it becomes numbers."""

from __future__ import annotations

import pytest

from recurra.errors import DataError
from recurra.tasks.sequence.preprocessing.tokens import TokenPreprocessor
from recurra.tasks.sequence.preprocessing.words import WordPreprocessor


@pytest.mark.parametrize(
    "text", [WordPreprocessor.build(["that was it"]), TokenPreprocessor.build(["that was it"], "char")]
)
def test_a_lone_surrogate_is_refused_where_a_text_is_checked(text: WordPreprocessor | TokenPreprocessor) -> None:
    with pytest.raises(DataError, match="surrogate U\\+D800"):
        text.check("that \ud800 was")
