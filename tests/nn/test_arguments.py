"""Functions of `recurra.nn` refuse what they do not take, as `UsageError`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recurra import nn
from recurra.errors import UsageError


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (nn.transitions, ([[]],)),
        (nn.widen, (np.zeros(0), [])),
        (nn.violations, (np.zeros((2, 2)), [])),
        (nn.collate_words, (["-", "-"],)),
        (nn.Dropout, ("x",)),
        (nn.can_be_packed, (3,)),
        (nn.pack_once, (np.ones(2), 3, 0, None)),
        (nn.GRU, (3, 4, 1, np.ones(2))),
        (nn.WordEncoder, (np.ones((9, 1)), 1)),
    ],
)
def test_arguments_of_another_type_are_refused(function: Any, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(UsageError, match="expected"):
        function(*arguments)
