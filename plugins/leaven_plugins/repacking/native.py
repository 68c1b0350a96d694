"""The native library for JPEGs, which is a distribution of its own and may be absent."""

from __future__ import annotations

import importlib.util
from typing import Protocol, cast

from leaven.errors import MissingPackageError

Info = tuple[int, int, int, int, bool, int, bool]
"""Height, width, channels, orientation, supported, restart interval, progressive."""


class Native(Protocol):
    """What of ``leaven_turbo._native`` is used here. All of it may be called by many threads at once."""

    JpegError: type[ValueError]
    """What the functions raise; its ``status`` is ``damaged``, ``unsupported`` or ``index``."""

    def info(self, data: bytes) -> Info:
        """Return what the header says."""

    def repack(self, data: bytes, interval: int, exif: bool, icc: bool, others: bool) -> bytes:
        """Return the same image as a baseline JPEG with restart markers, and with those other markers alone."""

    def same_coefficients(self, one: bytes, other: bytes) -> bool:
        """Return whether both decode to the same image, by their coefficients."""

    def make_index(self, data: bytes, interval: int) -> bytes:
        """Return where in a baseline JPEG its segments begin."""

    def check_index(self, index: bytes, data: bytes) -> None:
        """Raise where that is not the index of this JPEG."""


def native(purpose: str) -> Native:
    """Return the library.

    Args:
        purpose: what it is needed for, for the text of the error.

    Raises:
        MissingPackageError: it is not installed, or cannot be loaded.
    """
    try:
        return cast(Native, importlib.import_module("leaven_turbo._native"))
    except ImportError as error:
        if is_installed():
            text = f", which is installed, but its library cannot be loaded: {error}; install it again"
        else:
            text = f": `pip install leaven-turbo`, or `make native` in a checkout ({error})"
        raise MissingPackageError(f"{purpose} needs leaven-turbo{text}") from error


def is_installed() -> bool:
    """Return whether the distribution is there, whether its library can be loaded or not."""
    return importlib.util.find_spec("leaven_turbo") is not None
