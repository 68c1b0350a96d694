"""What goes wrong with snapshots."""

from __future__ import annotations

from leaven.errors import LeavenError


class SnapshotError(LeavenError):
    """A snapshot cannot be written, or is not what its manifest says; the text names the file or the value."""


class WeightsError(LeavenError):
    """Weights do not fit a module; the text lists all that is missing, left over or of another shape."""
