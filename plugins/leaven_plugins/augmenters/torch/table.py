"""The ops that torch's augmenter does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from leaven.errors import ParameterError, listing, suggestion
from leaven_plugins.augmenters.torch.blur import BLUR
from leaven_plugins.augmenters.torch.color import BRIGHTEN, CONTRAST_FACTOR, GRAYSCALE, HUE, SATURATE, SATURATION
from leaven_plugins.augmenters.torch.flip import FLIP
from leaven_plugins.augmenters.torch.noise import NOISE_OTHER, NOISE_RGB
from leaven_plugins.augmenters.torch.op import DeviceOp
from leaven_plugins.augmenters.torch.tone import TONE

DEFAULT_OPS = ("tone", "noise_rgb", "blur")
"""Those that image workers have by default."""

OPS: Mapping[str, DeviceOp] = MappingProxyType(
    {
        "flip": FLIP,
        "tone": TONE,
        "noise_rgb": NOISE_RGB,
        "noise_other": NOISE_OTHER,
        "blur": BLUR,
        "grayscale": GRAYSCALE,
        "brighten": BRIGHTEN,
        "contrast_factor": CONTRAST_FACTOR,
        "saturate": SATURATE,
        "hue": HUE,
        "saturation": SATURATION,
    }
)
"""Name -> what is done; the names are those of the worker's ops."""


def chosen(names: Sequence[str]) -> dict[str, DeviceOp]:
    """Return the ops of these names, in this order.

    Raises:
        ParameterError: there is no such op, one is named twice, or ``names`` is no list.
    """
    if isinstance(names, str):
        raise ParameterError(f"ops is {names!r}; it has to be a list of names")
    for name in names:
        if name not in OPS:
            raise ParameterError(f"ops: no op {name!r} on the device{suggestion(name, OPS)}; there are: {listing(OPS)}")
    if len(set(names)) < len(names):
        raise ParameterError(f"ops: {', '.join(names)}: name each op once")
    return {name: OPS[name] for name in names}
