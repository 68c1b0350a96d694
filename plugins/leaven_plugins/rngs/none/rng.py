"""NoRNG: no augmentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from leaven.protocols import ImageInfo
    from leaven.stream.buffers import BufferSpec


@dataclass(frozen=True)
class NoRNG:
    """Draws nothing."""

    def draw(self, info: ImageInfo, spec: BufferSpec, random: np.random.Generator) -> dict[str, Any]:
        """Return no parameters."""
        return {}
