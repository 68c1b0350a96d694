"""TritonRandomizer: ops on a batch, by one fused kernel."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import triton

from leaven.errors import LeavenError
from leaven.protocols import Model
from leaven_plugins.augmenters.batch import Values
from leaven_plugins.augmenters.steps import sequence
from leaven_plugins.augmenters.torch.randomizer import Randomizer
from leaven_plugins.augmenters.torch.table import DEFAULT_OPS
from leaven_plugins.augmenters.triton.launch import fused
from leaven_plugins.augmenters.triton.program import FUSED
from leaven_plugins.augmenters.units import Span

_OUTPUTS = (torch.uint8, torch.float16, torch.bfloat16, torch.float32)


class TritonRandomizer(Randomizer):
    """Does what ``augmenter:torch`` does, with uint8 images on a CUDA device in one pass over their pixels.

    ``tone``, ``noise_rgb``, ``noise_other``, ``blur`` and the normalisation are one kernel, in any order of the rows.
    A batch that it cannot take goes through torch's operations, and is counted in ``fallbacks``: images of another
    dtype, a blur that reaches further than 48 pixels, more than two ops of single pixels on one side of the blur, noise
    on a grey image of three channels, a batch in which another op applies, an output that is not uint8, float16,
    bfloat16 or float32.

    Args:
        net: this and what follows are those of ``augmenter:torch``.
        ops: which ones there are.
        normalize: mean and standard deviation.
        out_dtype: name of the dtype in the end.
        white: what stands for white, in place of what the dtype says.
        seed: of the noise, which is that of ``augmenter:torch``.
        input_key: key of the images.

    Raises:
        LeavenError: torch sees no CUDA device.
        ParameterError: as of ``augmenter:torch``.
    """

    def __init__(
        self,
        net: Model | None = None,
        ops: Sequence[str] = DEFAULT_OPS,
        normalize: tuple[Sequence[float], Sequence[float]] | None = None,
        out_dtype: str | None = None,
        white: float | None = None,
        seed: int = 0,
        input_key: str = "image",
    ) -> None:
        if not (torch.cuda.is_available() or _is_interpreted()):
            raise LeavenError("augmenter triton: torch sees no CUDA device here; use augmenter:torch, on any device")
        super().__init__(net, ops, normalize, out_dtype, white, seed, input_key)
        self.fallbacks = 0

    def augmented(self, images: torch.Tensor, values: Sequence[Values], span: Span, call: int) -> torch.Tensor:
        """Return what ``augmenter:torch`` does, by one kernel where that can.

        Raises:
            LeavenError: the images are on another device than a CUDA device.
        """
        if not (images.is_cuda or _is_interpreted()):
            there = f"the images are on {images.device}"
            raise LeavenError(f"augmenter triton: {there}; move them to a CUDA device, or use augmenter:torch")
        sequences = [sequence(row, self._workers_ops) for row in values]
        changed = self._fused(images, values, sequences, span, call) if any(sequences) else None
        if changed is not None:
            return changed
        self.fallbacks += any(sequences)
        return super().augmented(images, values, span, call)

    def _fused(
        self,
        images: torch.Tensor,
        values: Sequence[Values],
        sequences: Sequence[Sequence[str]],
        span: Span,
        call: int,
    ) -> torch.Tensor | None:
        dtype = self._finish.dtype or images.dtype
        is_fusable = {name for names in sequences for name in names} <= set(FUSED)
        if images.dtype != torch.uint8 or span != (0, 255) or dtype not in _OUTPUTS or not is_fusable:
            return None
        self._finish.check_channels(images.shape[1])
        return fused(images, values, sequences, self._finish.mean, self._finish.std, dtype, self._seed, call)


def _is_interpreted() -> bool:
    return bool(triton.knobs.runtime.interpret)
