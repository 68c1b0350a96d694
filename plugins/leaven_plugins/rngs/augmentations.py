"""Augmentations: those that automatic augmentation chooses from, and how strong each can be.

Geometric ones become keys of the geometry; all others the key of the op that has their name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from leaven.errors import ParameterError, listing, suggestion
from leaven_plugins.ops.geometry import Size, pixel_ratio
from leaven_plugins.rngs.placing import offset_of, placed

USUAL: Mapping[str, float] = {
    "identity": 0,
    "autocontrast": 1,
    "equalize": 1,
    "rotate": 30,
    "solarize": 1,
    "saturate": 0.9,
    "posterize": 4,
    "contrast_factor": 0.9,
    "brighten": 0.9,
    "sharpen": 0.9,
    "shear_x": 0.3,
    "shear_y": 0.3,
    "translate_x": 0.45,
    "translate_y": 0.45,
}
"""The strongest of each: degrees, a share of the values that are inverted, bits lost, distance of a factor from 1, and
shear and translation as shares of the target. Those of AutoAugment, with translations by 150 of 331 pixels."""

WIDE: Mapping[str, float] = {
    **USUAL,
    "rotate": 135,
    "saturate": 0.99,
    "posterize": 6,
    "contrast_factor": 0.99,
    "brighten": 0.99,
    "sharpen": 0.99,
    "shear_x": 0.99,
    "shear_y": 0.99,
    "translate_x": 32 / 224,
    "translate_y": 32 / 224,
}
"""The same for TrivialAugment's wide range, with translations by 32 of 224 pixels."""

_GEOMETRIC = frozenset({"rotate", "shear_x", "shear_y", "translate_x", "translate_y"})
_DECISIONS = frozenset({"autocontrast", "equalize"})
_FACTORS = frozenset({"brighten", "contrast_factor", "saturate", "sharpen"})
_BITS = 8


class Chosen(NamedTuple):
    """One augmentation; ``amount`` is -1 to 1 of the strongest, and its sign counts where there are two directions."""

    name: str
    amount: float


def check_names(names: Sequence[str]) -> None:
    """Check names of augmentations.

    Raises:
        ParameterError: there is none, or one does not exist.
    """
    if isinstance(names, str) or not names:
        raise ParameterError(f"names is {names!r}; it has to be a list of augmentations: {listing(USUAL, 20)}")
    for name in names:
        if name not in USUAL:
            raise ParameterError(f"no augmentation {name!r}{suggestion(name, USUAL)}; there are {listing(USUAL, 20)}")


def op_names(names: Collection[str]) -> list[str]:
    """Return the names of those augmentations that are ops; in a draw, these are their keys too."""
    return [name for name in dict.fromkeys(names) if name != "identity" and name not in _GEOMETRIC]


def augmented(
    values: Mapping[str, Any],
    chosen: Sequence[Chosen],
    names: Collection[str],
    most: Mapping[str, float],
    source: Size,
    target: Size,
) -> dict[str, Any]:
    """Return a draw with augmentations added: geometric ones to its geometry, the others after its ops.

    Args:
        values: what was drawn before, which may be nothing.
        chosen: what to add; each name once.
        names: those that could have been chosen. Keys of ops that were not are there, so that these draw nothing.
        most: the strongest of each.
        source: height and width of the image.
        target: height and width of what is made of it.
    """
    amounts = {name: amount * most[name] for name, amount in chosen}
    ops = op_names(names)
    return {
        **values,
        "angle": (values.get("angle") or 0) + amounts.get("rotate", 0.0),
        "shear": _sheared(values.get("shear"), amounts),
        **_moved(values, amounts, source, target),
        **{name: name in amounts if name in _DECISIONS else None for name in ops},
        **{name: _op_value(name, amounts[name]) for name in ops if name in amounts},
        "order": [*(values.get("order") or ()), *(name for name in amounts if name in ops)],
    }


def _op_value(name: str, amount: float) -> Any:
    if name in _DECISIONS:
        return True
    if name in _FACTORS:
        return 1 + amount
    if name == "posterize":
        return _BITS - round(abs(amount)) if round(abs(amount)) else None
    return 1 - abs(amount) if amount else None  # solarize, which inverts from there on; at 1 it would invert white


def _sheared(shear: Any, amounts: Mapping[str, float]) -> list[float]:
    rows, columns = (shear, shear) if isinstance(shear, (int, float)) else shear or (0.0, 0.0)
    return [rows + amounts.get("shear_y", 0.0), columns + amounts.get("shear_x", 0.0)]


def _moved(values: Mapping[str, Any], amounts: Mapping[str, float], source: Size, target: Size) -> dict[str, Any]:
    if not amounts.keys() & {"translate_x", "translate_y"}:
        return {}
    scale, aspect, mode = values.get("scale", 1), values.get("aspect", 1), values.get("scale_mode", "shortest")
    ratio = pixel_ratio(source, target, scale, mode)
    down, right = offset_of(source, target, scale, values.get("shift"), mode)
    down += amounts.get("translate_y", 0) * target[0] * ratio / aspect
    right += amounts.get("translate_x", 0) * target[1] * ratio * aspect
    return placed(source, target, scale, aspect, (down, right), mode)._asdict()
