"""Constants of images of the ImageNet kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leaven_plugins.ops.interpolation import LINEAR

IMAGENET_MEAN = (123.675, 116.28, 103.53)
"""Mean of red, green and blue, 0 to 255."""
IMAGENET_STD = (58.395, 57.12, 57.375)
"""Standard deviation of red, green and blue, 0 to 255."""

SCALE = 256 / 224
"""By how much an image is larger than the target in validation: 224 pixels are cut out of 256."""

INPUT_PARAMS_TRAIN: Mapping[str, Any] = {}
"""Fixed parameters for training."""
INPUT_PARAMS_VAL: Mapping[str, Any] = {"scale": SCALE, "interp_method": LINEAR}
"""Fixed parameters for validation."""
