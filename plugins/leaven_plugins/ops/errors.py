"""ImageError: the one error of image operations."""

from __future__ import annotations

from leaven.errors import LeavenError


class ImageError(LeavenError, ValueError):
    """An image operation was asked for something that does not exist, or that does not fit the image."""
