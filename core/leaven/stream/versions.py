"""Versions of the packages that the bytes of a batch depend on."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

_PACKAGES = ("leaven", "numpy", "opencv-python", "opencv-python-headless", "simplejpeg")


def versions() -> dict[str, str]:
    """Return those that are installed here, by distribution; components bring theirs in their recipes."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
