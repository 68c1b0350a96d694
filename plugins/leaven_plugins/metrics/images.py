"""Images: an output and the images that it is to look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from leaven.errors import LeavenError
from leaven_plugins.losses.pairs import pair
from leaven_plugins.metrics.sums import precise


def images_of(sample: Mapping[str, Any], output_key: str, target_key: str) -> tuple[Tensor, Tensor]:
    """Return output and target, both ``(rows, channels, height, width)`` in :func:`precise` floats.

    Args:
        sample: the sample dict.
        output_key: key of floats ``(rows, channels, height, width)``.
        target_key: key of numbers of any dtype in the same shape; axes of length one behind the rows do not count.

    Raises:
        LeavenError: the shapes do not fit, or the output is not float, or no images.
    """
    output, target = pair(sample, output_key, target_key)
    if output.ndim != 4:
        raise LeavenError(
            f"{output_key}: shape {tuple(output.shape)}, expected images of (rows, channels, height, width)"
        )
    return precise(output), precise(target)
