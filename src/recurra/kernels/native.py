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
_ABSENT = (
    "torch alone (the native engine was not built when Recurra was installed, as no C++17 compiler was found or it "
    "failed; install one and reinstall: pip install --force-reinstall --no-deps recurra)"
)


@functools.cache
def engine() -> ModuleType | None:
    """Give the native engine, or None where torch computes everything.

    Two variables of the environment are read, once: `RECURRA_NATIVE=0` leaves the engine aside, and
    `RECURRA_ISA=avx2`, say, takes that instruction set instead of the best one.

    Raises `UsageError` where one of them asks for what is not to be had here. An engine that was built and cannot be
    loaded is a `RuntimeWarning` that says why.
    """
    switch = os.environ.get("RECURRA_NATIVE", "1")
    if switch not in ("0", "1"):
        raise UsageError(f"RECURRA_NATIVE: expected 0 (torch alone) or 1, got {switch!r}")
    module = _load() if switch == "1" else None
    wanted = os.environ.get("RECURRA_ISA", "")
    if wanted and switch == "1":
        _select(module, wanted)
    return module


def usable() -> list[str]:
    """List the instruction sets that the engine was compiled for and this machine runs, the best one last."""
    module = engine()
    return _usable(module) if module else []


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
    return _ABSENT if importlib.util.find_spec(_NAME) is None else "torch alone (the native engine cannot be loaded)"


def _load() -> ModuleType | None:
    if importlib.util.find_spec(_NAME) is None:
        return None
    try:
        return importlib.import_module(_NAME)
    except ImportError as error:
        reason = f"the native engine cannot be loaded, and torch computes everything: {error}"
        warnings.warn(reason, RuntimeWarning, stacklevel=3)
        return None


def _select(module: ModuleType | None, wanted: str) -> None:
    if module is None:
        raise UsageError(
            f"RECURRA_ISA: {wanted!r} asks for the native engine, which is {_ABSENT}; or unset RECURRA_ISA"
        )
    if not module.select(wanted):
        compiled = [name for name, _ in module.isas()]
        why = "this machine cannot run it" if wanted in compiled else "there is no such instruction set in this build"
        raise UsageError(f"RECURRA_ISA: expected one of {', '.join(_usable(module))}, got {wanted!r}: {why}")


def _usable(module: ModuleType) -> list[str]:
    return [name for name, runs in module.isas() if runs]
