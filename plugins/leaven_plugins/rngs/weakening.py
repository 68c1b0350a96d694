"""Weakening: draws nearer to nothing at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from leaven_plugins.ops.geometry import Size
from leaven_plugins.rngs.placing import offset_of, placed

if TYPE_CHECKING:
    import numpy as np


def weakened(
    values: Mapping[str, Any], strength: float, source: Size, target: Size, random: np.random.Generator
) -> dict[str, Any]:
    """Return a draw with what it does to the image made weaker.

    Args:
        values: the draw. Keys that are not known here stay as they are.
        strength: 1 leaves all as it is, 0 nothing to do.
        source: height and width of the image.
        target: height and width of what is made of it.
        random: decides which of the things that are done or not are done.
    """
    chances = dict(zip(_DECISIONS, random.random(len(_DECISIONS)).tolist(), strict=True))
    if strength == 1:
        return dict(values)
    weaker = {key: _weaker(key, value, strength, chances) for key, value in values.items()}
    if "shift" in values:
        weaker |= _placed(values, weaker, strength, source, target)
    return weaker


def _weaker(key: str, value: Any, strength: float, chances: Mapping[str, float]) -> Any:
    if key in _DECISIONS:
        return bool(value) and chances[key] < strength
    if value is None or key not in _TOWARDS:
        return value
    towards = _TOWARDS[key]
    return [towards(part, strength) for part in value] if isinstance(value, (list, tuple)) else towards(value, strength)


def _placed(
    values: Mapping[str, Any], weaker: Mapping[str, Any], strength: float, source: Size, target: Size
) -> dict[str, Any]:
    """Move less: a shift's unit depends on the scale, which is another now."""
    mode = values.get("scale_mode", "shortest")
    down, right = offset_of(source, target, values.get("scale", 1), values["shift"], mode)
    scale, aspect = weaker.get("scale", 1), weaker.get("aspect", 1)
    return placed(source, target, scale, aspect, (down * strength, right * strength), mode)._asdict()


def _to_zero(value: float, strength: float) -> float:
    return value * strength


def _to_one(value: float, strength: float) -> float:
    return 1 + (value - 1) * strength


def _by_power(value: float, strength: float) -> float:
    return float(value**strength)


def _to_all_bits(bits: int, strength: float) -> int | None:
    lost = round((_BITS - bits) * strength)
    return _BITS - lost if lost > 0 else None


def _to_no_threshold(threshold: float, strength: float) -> float | None:
    return _to_one(threshold, strength) if strength else None


_BITS = 8
_TOWARDS: dict[str, Callable[[Any, float], Any]] = {
    **dict.fromkeys(("angle", "shear", "contrast", "noise", "blur", "hue", "saturation"), _to_zero),
    **dict.fromkeys(("gaussian_noise", "poisson_noise"), _to_zero),
    **dict.fromkeys(("scale", "aspect", "gamma_gray", "gamma_color"), _by_power),
    **dict.fromkeys(("brighten", "contrast_factor", "saturate", "sharpen"), _to_one),
    "posterize": _to_all_bits,
    "solarize": _to_no_threshold,
}
_DECISIONS = ("hmirror", "vmirror", "autocontrast", "equalize", "grayscale")
