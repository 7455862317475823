"""Arrays of arrays, which numpy saves by pickle: their bytes are read by a reader of its own, which builds arrays of numbers and can do nothing else.

Source: the opcodes of CPython's `Lib/pickletools.py` (3.11), of which those are read that numpy's arrays are written with, of
protocols 2 to 4. What would name, import or call anything is an error: the names that arrays need stand for functions here.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from recurra.errors import DataError

MAX_NESTED = 1_000_000
"""Arrays of one file."""
_NAMES = {
    "numpy.core.multiarray _reconstruct": "array",
    "numpy._core.multiarray _reconstruct": "array",
    "numpy ndarray": "kind",
    "numpy dtype": "dtype",
    "_codecs encode": "bytes",
}
_PUSHED = frozenset(
    [
        "BININT",
        "BININT1",
        "BININT2",
        "INT",
        "LONG1",
        "BINUNICODE",
        "SHORT_BINUNICODE",
        "BINUNICODE8",
        "BINSTRING",
        "SHORT_BINSTRING",
        "BINBYTES",
        "SHORT_BINBYTES",
        "BINBYTES8",
    ]
)
_CONSTANTS = {"NEWTRUE": True, "NEWFALSE": False, "NONE": None}
_NOTHING = frozenset(("PROTO", "FRAME", "STOP"))
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_DTYPES = {kind + size for kind, sizes in (("i", "1248"), ("u", "1248"), ("f", "248")) for size in sizes}
_STATE_FIELDS, _DTYPE_FIELDS = 5, 2


class _Mark:
    """Where a list or a tuple begins on the stack."""


class _Name(str):
    """A name that stands for a function of this file."""


class _Dtype:
    """A kind of numbers, whose byte order comes later."""

    def __init__(self, code: str) -> None:
        self.code, self.order = code, "="


class _Array:
    """An array, of numbers or, the outermost one, of arrays; these come later."""

    def __init__(self) -> None:
        self.values: np.ndarray | None = None
        self.nested: list[np.ndarray] | None = None

    def fill(self, shape: Sequence[int], dtype: _Dtype, fortran: bool, content: Any) -> None:
        """Take the numbers, or the arrays, once all of them are there."""
        if dtype.code == "O8":
            if not all(isinstance(each, _Array) and each.values is not None for each in content):
                raise ValueError("an object that is no array of numbers")
            self.nested = [each.values for each in content]
            return
        raw = content.encode("latin-1") if isinstance(content, str) else content
        if dtype.code not in _DTYPES or dtype.order not in ("<", ">", "|", "=") or not isinstance(raw, bytes):
            raise ValueError(f"numbers of the kind {dtype.code[:20]!r}")
        kind = np.dtype(("<" if dtype.order in ("|", "=") else dtype.order) + dtype.code)
        if min(shape, default=1) < 0 or prod(shape) * kind.itemsize != len(raw):
            raise ValueError("another count of bytes than its shape says")
        self.values = np.frombuffer(raw, kind).reshape(shape, order="F" if fortran else "C")


def read_pickled(data: bytes, shape: tuple[int, ...], name: str) -> list[np.ndarray]:
    """Give the arrays of numbers that an array of objects of one axis holds.

    data: what follows the header of the `.npy` file.  Raises `DataError` for anything but arrays of numbers, and for damage.

    >>> import io, warnings
    >>> stream = io.BytesIO()
    >>> made = np.empty(2, object)
    >>> made[0], made[1] = np.arange(3), np.zeros((2, 2))
    >>> np.save(stream, made, allow_pickle=True)
    >>> content = stream.getvalue()
    >>> [each.tolist() for each in read_pickled(content[128:], (2,), "a.npy")]
    [[0, 1, 2], [[0.0, 0.0], [0.0, 0.0]]]
    """
    if len(shape) != 1:
        sizes = " x ".join(map(str, shape)) or "one"
        raise DataError(f"expected one row of arrays, got {sizes} objects", source=name)
    try:
        found = _Machine(name).run(data)
    except DataError:
        raise
    except (ValueError, IndexError, TypeError, KeyError, OverflowError, AttributeError, UnicodeError) as error:
        raise DataError(
            f"is damaged: its arrays cannot be read ({type(error).__name__}: {str(error)[:80]})", source=name
        ) from None
    if len(found) != shape[0]:
        raise DataError(f"expected {shape[0]:,} arrays, got {len(found):,}", source=name)
    return found


class _Machine:
    """Does what the opcodes say, with arrays, lists, tuples, numbers and texts alone."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._other: dict[str, Callable[[], None]] = {
            "MARK": lambda: self._stack.append(_Mark()),
            "EMPTY_LIST": lambda: self._stack.append([]),
            "EMPTY_TUPLE": lambda: self._stack.append(()),
            "TUPLE": lambda: self._stack.append(tuple(self._to_mark())),
            "APPEND": self._append,
            "APPENDS": self._appends,
            "MEMOIZE": lambda: self._memo.__setitem__(len(self._memo), self._stack[-1]),
            "REDUCE": self._reduce,
            "BUILD": self._build,
            "STACK_GLOBAL": self._stack_global,
        }

    def run(self, data: bytes) -> list[np.ndarray]:
        """Give what all of it comes to."""
        for code, value, _ in pickletools.genops(data):
            self._step(code.name, value)
        (result,) = self._stack
        if not isinstance(result, _Array) or result.nested is None:
            raise ValueError("no array of arrays")
        return result.nested

    def _step(self, code: str, value: Any) -> None:
        if code in _PUSHED:
            self._stack.append(value)
        elif code in _CONSTANTS:
            self._stack.append(_CONSTANTS[code])
        elif code in _TUPLES:
            items = tuple(self._stack[-_TUPLES[code] :])
            del self._stack[-_TUPLES[code] :]
            self._stack.append(items)
        elif code in ("BINPUT", "LONG_BINPUT"):
            self._memo[value] = self._stack[-1]
        elif code in ("BINGET", "LONG_BINGET"):
            self._stack.append(self._memo[value])
        elif code == "GLOBAL":
            self._push_name(value)
        elif code in self._other:
            self._other[code]()
        elif code not in _NOTHING:
            raise self._refused(f"the opcode {code}")

    def _refused(self, what: str) -> DataError:
        return DataError(
            f"holds something else than arrays of numbers, {what}, which is not read: it could run code",
            source=self._name,
        )

    def _push_name(self, name: str) -> None:
        if name not in _NAMES:
            raise self._refused(name.replace(" ", ".")[:60])
        self._stack.append(_Name(_NAMES[name]))

    def _stack_global(self) -> None:
        module, name = self._stack.pop(-2), self._stack.pop()
        self._push_name(f"{module} {name}")

    def _to_mark(self) -> list[Any]:
        place = next(at for at in range(len(self._stack) - 1, -1, -1) if isinstance(self._stack[at], _Mark))
        items = self._stack[place + 1 :]
        del self._stack[place:]
        return items

    def _append(self) -> None:
        item = self._stack.pop()
        self._list().append(item)

    def _appends(self) -> None:
        items = self._to_mark()
        self._list().extend(items)

    def _list(self) -> list[Any]:
        if not isinstance(self._stack[-1], list):
            raise ValueError("items of what is no list")
        if len(self._stack[-1]) > MAX_NESTED:
            raise DataError(f"expected at most {MAX_NESTED:,} arrays in a file", source=self._name)
        return self._stack[-1]

    def _reduce(self) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        if not isinstance(function, _Name) or not isinstance(arguments, tuple):
            raise self._refused("a call")
        if function == "array":
            self._stack.append(_Array())
        elif function == "dtype":
            self._stack.append(_Dtype(str(arguments[0])))
        elif function == "bytes" and arguments[1] in ("latin1", "latin-1"):
            self._stack.append(arguments[0].encode("latin-1"))
        else:
            raise self._refused("a call")

    def _build(self) -> None:
        state = self._stack.pop()
        target = self._stack[-1]
        if isinstance(target, _Dtype) and len(state) >= _DTYPE_FIELDS:
            target.order = str(state[1])
        elif isinstance(target, _Array) and len(state) == _STATE_FIELDS:
            _, shape, dtype, fortran, content = state
            target.fill(shape, dtype, bool(fortran), content)
        else:
            raise self._refused("an object")
