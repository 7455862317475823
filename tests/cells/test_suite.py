"""Every registered cell passes the public suite."""

from __future__ import annotations

import pytest

from recurra.cells import cell_names, get_cell
from recurra.testing import cell_checks


@pytest.mark.parametrize("check", cell_checks(), ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", cell_names())
def test_cell_keeps_its_promises(name, check):
    check(get_cell(name))
