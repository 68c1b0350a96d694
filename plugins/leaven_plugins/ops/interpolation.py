"""Interpolation: how values between pixels are made, by OpenCV's numbers."""

from __future__ import annotations

from leaven.errors import ParameterError, suggestion
from leaven_plugins.ops.errors import ImageError

NEAREST, LINEAR, CUBIC, AREA, LANCZOS4 = range(5)

NAMES: dict[str, int] = {"nearest": NEAREST, "linear": LINEAR, "cubic": CUBIC, "area": AREA, "lanczos4": LANCZOS4}

RADIUS: dict[int, int] = {NEAREST: 1, LINEAR: 1, CUBIC: 2, AREA: 1, LANCZOS4: 4}
"""How many pixels away a value is still looked at."""


def interpolation(method: int | str) -> int:
    """Return the number of an interpolation method, given by number or by name.

    Raises:
        ImageError: it is none.
    """
    number = NAMES.get(method.lower()) if isinstance(method, str) else method
    if number not in RADIUS:
        known = ", ".join(f"{name} ({value})" for name, value in NAMES.items())
        raise ImageError(f"no interpolation {method!r}{suggestion(str(method), NAMES)}; there are {known}")
    return number


def check_interpolation(name: str, method: int | str) -> None:
    """Check a parameter that names an interpolation method.

    Raises:
        ParameterError: it is none.
    """
    try:
        interpolation(method)
    except ImageError as error:
        raise ParameterError(f"{name}: {error}") from error
