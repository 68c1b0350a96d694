"""Golden cases of the tools around models: key -> function(args, root) that returns what ``expected`` holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from leaven_plugins.models.autopad import autopad
from leaven_plugins.models.hotvec import hotvec2mtx, mtx2hotvec


def _autopad(args: dict[str, Any], root: Path) -> list[int]:
    """The original leaves out every other number where both sides of each dimension are padded alike."""
    padding = autopad(**args)
    is_even = padding[::2] == padding[1::2]
    return list(padding[::2] if is_even else padding)


def _hotvec2mtx(args: dict[str, Any], root: Path) -> Any:
    return hotvec2mtx(args["labels"], args["nclasses"], args.get("on_value", 1), args.get("off_value", 0))


def _mtx2hotvec(args: dict[str, Any], root: Path) -> list[list[int]]:
    return mtx2hotvec(args["labels"])


ADAPTERS = {
    "nebulae:autopad": _autopad,
    "nebulae:autopad_mixed": _autopad,
    "nebulae:hotvec2mtx": _hotvec2mtx,
    "nebulae:hotvec2mtx_int": _hotvec2mtx,
    "nebulae:hotvec2mtx_str_bug": _hotvec2mtx,
    "nebulae:mtx2hotvec": _mtx2hotvec,
}

_CLAMPED = (20, 21, 23, 46, 93, 95, 116, 118)
FAULTS = {f"nebulae:autopad/{number}": "N073: the original pads by less than nothing" for number in _CLAMPED}
