"""Golden cases of pictures as floating point numbers: ADAPTERS maps "batchup:family" to function(args, root)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from leaven_plugins.datasets.standard_views import FloatView


def _u8_to_f32(args: dict[str, Any], root: Path) -> Any:
    return np.asarray(FloatView(args["arr_u8"], args["val_lower"], args["val_upper"]))


ADAPTERS: dict[str, Callable[[dict[str, Any], Path], Any]] = {"batchup:u8_to_f32": _u8_to_f32}
