"""The pickles of CIFAR, read without unpickling: nothing that a pickle names is imported or called.

A pickle is a program. This runs the few of its instructions that lists, dicts, strings, numbers and arrays of numbers
consist of; the only names that it knows are those that numpy's arrays are written with, and these stand for the
functions here.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import FormatError, printable

_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_MAKERS: dict[str, Callable[[], Any]] = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_NUMBERS = frozenset({"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "BINFLOAT"})
_STRINGS = frozenset({"STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE"})
_VALUES = _NUMBERS | _STRINGS | {"BINBYTES", "SHORT_BINBYTES"}
_SKIPPED = frozenset({"PROTO", "FRAME", "STOP"})
_MOST_SIDES = 32
_TYPES = frozenset({"u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"})


def load_pickled(content: bytes, name: str) -> dict[str, Any]:
    """Return the dict in a pickle, with the arrays and lists in it. Strings of Python 2 are read as latin1.

    Args:
        content: the pickle.
        name: what it is called in errors.

    Raises:
        FormatError: it holds something else, or is damaged.
    """
    from pickletools import genops

    machine = _Machine(4 * len(content))
    try:
        for opcode, argument, position in genops(content):
            machine.run(opcode.name, argument, position or 0)
        (result,) = machine.stack
    except FormatError as error:
        raise FormatError(f"{name}: {error}") from None
    except (ValueError, TypeError, LookupError, AttributeError, UnicodeError) as error:
        raise FormatError(f"{name}: is no pickle that can be read: {printable(str(error))}") from error
    if not isinstance(result, dict):
        raise FormatError(f"{name}: holds a {type(result).__name__}, not a dict")
    return {str(key): value.array if isinstance(value, _Array) else value for key, value in result.items()}


class _Machine:
    """Runs instructions; ``most`` is how many bytes it makes of strings, which may be named any number of times."""

    def __init__(self, most: int) -> None:
        self.stack: list[Any] = []
        self._left = most
        self._memo: dict[int, Any] = {}
        self._marks: list[int] = []

    def run(self, name: str, argument: Any, position: int) -> None:
        if name in _SKIPPED:
            return
        if name in _VALUES:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _MAKERS:
            self.stack.append(_MAKERS[name]())
        elif hasattr(self, f"_do_{name.lower()}"):
            getattr(self, f"_do_{name.lower()}")(argument)
        else:
            raise FormatError(f"the pickle has the instruction {name} at {position}, which no data of arrays needs")

    def _do_mark(self, argument: None) -> None:
        self._marks.append(len(self.stack))

    def _do_binput(self, slot: int) -> None:
        self._memo[slot] = self.stack[-1]

    _do_put = _do_long_binput = _do_binput

    def _do_memoize(self, argument: None) -> None:
        self._memo[len(self._memo)] = self.stack[-1]

    def _do_binget(self, slot: int) -> None:
        self.stack.append(self._memo[slot])

    _do_get = _do_long_binget = _do_binget

    def _do_tuple(self, argument: None) -> None:
        self.stack.append(tuple(self._since_mark()))

    def _do_tuple1(self, argument: None) -> None:
        self.stack.append(tuple(self._popped(1)))

    def _do_tuple2(self, argument: None) -> None:
        self.stack.append(tuple(self._popped(2)))

    def _do_tuple3(self, argument: None) -> None:
        self.stack.append(tuple(self._popped(3)))

    def _do_append(self, argument: None) -> None:
        (value,) = self._popped(1)
        self._top(list).append(value)

    def _do_appends(self, argument: None) -> None:
        values = self._since_mark()
        self._top(list).extend(values)

    def _do_setitem(self, argument: None) -> None:
        key, value = self._popped(2)
        self._fill(self._top(dict), [key, value])

    def _do_setitems(self, argument: None) -> None:
        values = self._since_mark()
        self._fill(self._top(dict), values)

    def _fill(self, target: dict[Any, Any], values: list[Any]) -> None:
        # hashing, comparing or showing tuples of tuples that share their parts takes time without end
        if not all(isinstance(key, (str, bytes, int)) for key in values[::2]):
            raise FormatError("the pickle has a dict with keys that are neither strings nor numbers")
        target.update(zip(values[::2], values[1::2], strict=True))

    def _do_global(self, name: str) -> None:
        self.stack.append(_known(name))

    def _do_stack_global(self, argument: None) -> None:
        module, name = self._popped(2)
        if not isinstance(module, str) or not isinstance(name, str):  # to show a tuple may take without end
            raise FormatError("the pickle asks for something that has no name")
        self.stack.append(_known(f"{module} {name}"))

    def _do_reduce(self, argument: None) -> None:
        function, arguments = self._popped(2)
        if not isinstance(function, _Name) or function not in _FUNCTIONS:
            raise FormatError("the pickle calls what is no function")
        self._spend(arguments)
        self.stack.append(_FUNCTIONS[function](*arguments))

    def _do_build(self, argument: None) -> None:
        (state,) = self._popped(1)
        target = self.stack[-1]
        if not isinstance(target, (_Array, _Type)):
            raise FormatError(f"the pickle fills in a {type(target).__name__}")
        self._spend(state)
        target.fill(*state)

    def _spend(self, values: Any) -> None:
        self._left -= sum(len(value) for value in values if isinstance(value, (str, bytes)))
        if self._left < 0:
            raise FormatError("the pickle makes the same strings into arrays again and again")

    def _popped(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise FormatError("the pickle takes more than it has put down")
        values = self.stack[-count:]
        del self.stack[-count:]
        return values

    def _since_mark(self) -> list[Any]:
        start = self._marks.pop()
        values = self.stack[start:]
        del self.stack[start:]
        return values

    def _top(self, kind: type) -> Any:
        if not isinstance(self.stack[-1], kind):
            raise FormatError(f"the pickle adds to a {type(self.stack[-1]).__name__} as if it was a {kind.__name__}")
        return self.stack[-1]


class _Name:
    """What a name in a pickle stands for."""

    def __init__(self, name: str) -> None:
        self.name = name


class _Type:
    """A type of numbers, as numpy writes it: ``u1``, and in its state the order of the bytes."""

    def __init__(self, code: Any, *rest: Any) -> None:
        if not isinstance(code, str) or code not in _TYPES:
            raise FormatError(f"the pickle has an array that is none of numbers, but of {_brief(code)}")
        self.code = code
        self._order = "|"

    def fill(self, version: int, order: str, *rest: Any) -> None:
        if order not in ("|", "<", ">", "="):
            raise FormatError("the pickle has an array of numbers in no known order of bytes")
        self._order = order

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self._order + self.code)


class _Array:
    """An array, as numpy writes it: made empty, then given its state."""

    def __init__(self, *rest: Any) -> None:
        self.array: NDArray[Any] = np.zeros(0, np.uint8)

    def fill(self, version: int, shape: Any, kind: Any, is_fortran: bool, content: Any) -> None:
        if not isinstance(kind, _Type) or not _is_shape(shape):
            raise FormatError("the pickle has an array that is none of numbers")
        data = content.encode("latin1") if isinstance(content, str) else content
        if not isinstance(data, bytes) or len(data) != prod(shape) * kind.dtype.itemsize:
            raise FormatError(f"the pickle has an array of {shape} with other bytes than these")
        self.array = np.frombuffer(data, kind.dtype).reshape(shape, order="F" if is_fortran else "C")


def _is_shape(shape: Any) -> bool:
    """Return whether it is one that an array may have; numbers without bounds would take hours to multiply."""
    sides = shape if isinstance(shape, tuple) and len(shape) <= _MOST_SIDES else (-1,)
    return all(type(side) is int and 0 <= side < 1 << 32 for side in sides)


def _brief(value: Any) -> str:
    return repr(printable(value, 40)) if isinstance(value, str) else f"a {type(value).__name__}"


def _encoded(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise FormatError(f"the pickle has bytes in the encoding {_brief(encoding)}")
    return text.encode("latin1")


_RECONSTRUCT, _NDARRAY, _DTYPE, _ENCODE = map(_Name, ("_reconstruct", "ndarray", "dtype", "encode"))
_NAMES = {
    "numpy.core.multiarray _reconstruct": _RECONSTRUCT,
    "numpy._core.multiarray _reconstruct": _RECONSTRUCT,
    "numpy ndarray": _NDARRAY,
    "numpy dtype": _DTYPE,
    "_codecs encode": _ENCODE,
}
_FUNCTIONS: dict[Any, Callable[..., Any]] = {_RECONSTRUCT: _Array, _DTYPE: _Type, _ENCODE: _encoded}


def _known(name: str) -> _Name:
    if name not in _NAMES:
        raise FormatError(f"the pickle asks for {printable(name.replace(' ', '.'))}, which no data of arrays needs")
    return _NAMES[name]
