"""Parameters: what can be fixed in ``image_params``, besides what ops read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from leaven.errors import ParameterError, suggestion
from leaven_plugins.ops.geometry import SCALE_MODES
from leaven_plugins.ops.interpolation import LINEAR, check_interpolation
from leaven_plugins.workers.image.pixels import COLORSPACES

GEOMETRY = ("angle", "scale", "aspect", "shift", "hmirror", "vmirror", "shear", "scale_mode")
"""Arguments of :func:`~leaven_plugins.ops.geometry.make_transform`."""

_OTHERS = ("background", "color", "colorspace", "interp_method", "order", "supersampling")


def check_params(params: Mapping[str, Any], op_keys: Iterable[str], channels: int) -> None:
    """Check fixed parameters for images of so many channels.

    Raises:
        ParameterError: a parameter does not exist, or its value is none of those that there are.
    """
    known = {*GEOMETRY, *_OTHERS, *op_keys}
    for key in params:
        if key not in known:
            hint = suggestion(key, known) or f"; there are {', '.join(sorted(known))}"
            raise ParameterError(f"image_params has no {key!r}{hint}")
    if params.get("scale_mode", SCALE_MODES[0]) not in SCALE_MODES:
        raise ParameterError(f"scale_mode is {params['scale_mode']!r}; it has to be one of {', '.join(SCALE_MODES)}")
    check_interpolation("interp_method", params.get("interp_method", LINEAR))
    colorspace = params.get("colorspace") or "rgb"
    if str(colorspace).lower() not in COLORSPACES:
        raise ParameterError(f"colorspace is {colorspace!r}; it has to be one of {', '.join(COLORSPACES)}")
    if COLORSPACES[str(colorspace).lower()] == 3 and channels != 3:
        raise ParameterError(f"colorspace {colorspace!r} has 3 channels, but the image buffer has {channels}")
