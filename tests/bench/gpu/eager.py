"""The same augmentation as it is usually written: eager operations on floats, drawn values as tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.nn import functional


class Eager:
    """Gamma, noise, blur and normalisation of a batch of uint8 images, one after the other for all rows."""

    def __init__(self, values: Sequence[Mapping[str, Any]], width: int, device: str) -> None:
        def column(key: str, idle: float) -> torch.Tensor:
            return torch.tensor([row.get(key) or idle for row in values], device=device).view(-1, 1, 1, 1)

        self.gamma, self.noise = column("gamma_gray", 1.0), column("noise", 0.0)
        sigma = column("blur", 1e-4).flatten() * width
        self.radius = max(int(3 * float(sigma.max())), 1)
        places = torch.arange(-self.radius, self.radius + 1, device=device)
        weights = torch.exp(-0.5 * (places / sigma[:, None].clamp(min=1e-3)) ** 2)
        self.weights = weights / weights.sum(1, keepdim=True)

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Return bfloat16."""
        rows, channels, height, width = images.shape
        unit = (images.float() / 255) ** self.gamma
        unit = (unit + (torch.rand_like(unit) * 2 - 1) * self.noise).clamp(0, 1)
        kernel = self.weights.repeat_interleave(channels, 0)[:, None]
        planes = functional.pad(unit.view(1, rows * channels, height, width), [self.radius] * 4, mode="replicate")
        planes = functional.conv2d(planes, kernel[:, :, None, :], groups=rows * channels)
        planes = functional.conv2d(planes, kernel[:, :, :, None], groups=rows * channels)
        return ((planes.view(images.shape) - 0.45) / 0.22).to(torch.bfloat16)


def kornia() -> Any:
    """Return about the same by kornia; ``None`` where it is not installed."""
    try:
        from kornia import augmentation
    except ImportError:
        return None
    steps = augmentation.AugmentationSequential(
        augmentation.RandomGamma((0.5, 2.0), p=0.8),
        augmentation.RandomGaussianNoise(std=0.1, p=0.8),
        augmentation.RandomGaussianBlur((25, 25), (0.1, 4.0), p=0.8),
        augmentation.Normalize(0.45, 0.22),
    )
    return lambda images: steps(images.float() / 255).to(torch.bfloat16)
