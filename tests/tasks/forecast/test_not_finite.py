"""A forecast that is no finite number is an error, before which nothing of a library is printed."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.tasks.forecast.conftest import ready

from recurra.errors import DivergedError


def test_weights_that_end_in_no_number_are_named_without_a_warning(tmp_path: Path) -> None:
    _, forecaster = ready(tmp_path, np.sin(np.arange(200.0)))
    with torch.no_grad():
        forecaster.network.stretch.fill_(float("inf"))  # the suite makes numpy's warnings errors
    with pytest.raises(DivergedError, match=re.escape("the forecast after step")):
        forecaster.predict([np.sin(np.arange(30.0))])
