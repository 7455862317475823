"""The native engine, where it was built: found once, set to the best instruction set that this machine runs."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import warnings
from types import ModuleType

from recurra.errors import UsageError

_NAME = "recurra._native"
_INSTALL = "install a C++17 compiler and reinstall: pip install --force-reinstall --no-deps recurra"
_NOT_BUILT = "the engine was not built when Recurra was installed: no compiler was found, or it failed"


@functools.cache
def engine() -> ModuleType | None:
    """Give the native engine, or None where torch computes everything.

    Two variables of the environment are read, once. `RECURRA_NATIVE=0` leaves the engine aside, and `RECURRA_NATIVE=1`
    makes it an error that there is none. `RECURRA_ISA=avx2`, say, takes that instruction set instead of the best one.

    Raises `UsageError` where one of them asks for what is not to be had here. An engine that was built and cannot be
    loaded is a `RuntimeWarning` that says why.
    """
    switch, isa = os.environ.get("RECURRA_NATIVE", ""), os.environ.get("RECURRA_ISA", "")
    if switch not in ("", "0", "1"):
        raise UsageError(f"RECURRA_NATIVE: expected 0 (torch alone) or 1 (the native engine), got {switch!r}")
    if switch == "0":
        return None
    module = _load()
    if module is None:
        if switch == "1" or isa:
            asked = "RECURRA_NATIVE is 1" if switch == "1" else f"RECURRA_ISA is {isa!r}"
            raise UsageError(f"{asked}, but {_why_absent()}")
    elif isa and not module.select(isa):
        compiled = [name for name, _ in module.isas()]
        why = "this machine cannot run it" if isa in compiled else "this build has no such instruction set"
        raise UsageError(f"RECURRA_ISA: expected one of {', '.join(_usable(module))}, got {isa!r}: {why}")
    return module


def describe() -> str:
    """Say in one line what computes the recurrence here, as `recurra info` does.

    >>> describe().split()[0] in ("native,", "torch")
    True
    """
    module = engine()
    if module is not None:
        return f"native, {module.selected()} (usable: {', '.join(_usable(module))})"
    if os.environ.get("RECURRA_NATIVE") == "0":
        return "torch alone (RECURRA_NATIVE is 0)"
    return f"torch alone ({_why_absent()})"


def _load() -> ModuleType | None:
    if not _is_installed():
        return None
    try:
        return importlib.import_module(_NAME)
    except ImportError as error:
        reason = f"the native engine cannot be loaded, and torch computes everything: {error}"
        warnings.warn(reason, RuntimeWarning, stacklevel=3)
        return None


def _is_installed() -> bool:
    return importlib.util.find_spec(_NAME) is not None


def _usable(module: ModuleType) -> list[str]:
    return [name for name, runs in module.isas() if runs]


def _why_absent() -> str:
    return "the engine is installed and cannot be loaded" if _is_installed() else f"{_NOT_BUILT}; {_INSTALL}"
