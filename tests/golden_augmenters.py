"""Golden cases of device augmentation: key -> function(args, root) that returns what ``expected`` holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from leaven_plugins.augmenters.torch.functions import add_blur, add_gamma


def _gamma(args: dict[str, Any], root: Path) -> Any:
    return add_gamma(torch.from_numpy(args["im"]), args["augs"]).numpy()


def _blur(args: dict[str, Any], root: Path) -> Any:
    """The images are said in words."""
    name, _, dtype = args["im"].partition(" as ")
    assert dtype == "float32 / 255"
    with np.load(root / "crumpets.npz", allow_pickle=False) as arrays:
        images = torch.from_numpy(arrays[name].astype(np.float32) / 255)
    return add_blur(images, args["augs"]).numpy()


ADAPTERS = {"crumpets:torch_add_gamma_u8": _gamma, "crumpets:torch_add_blur_f32": _blur}
