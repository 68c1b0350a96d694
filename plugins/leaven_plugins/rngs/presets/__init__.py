"""Plugin: RNGs with parameters that have proved good, and the constants that go with them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.rngs.presets.constants import IMAGENET_MEAN as IMAGENET_MEAN
    from leaven_plugins.rngs.presets.constants import IMAGENET_STD as IMAGENET_STD
    from leaven_plugins.rngs.presets.constants import INPUT_PARAMS_TRAIN as INPUT_PARAMS_TRAIN
    from leaven_plugins.rngs.presets.constants import INPUT_PARAMS_VAL as INPUT_PARAMS_VAL
    from leaven_plugins.rngs.presets.constants import SCALE as SCALE
    from leaven_plugins.rngs.presets.rngs import AugmentationAll as AugmentationAll
    from leaven_plugins.rngs.presets.rngs import AugmentationTrain as AugmentationTrain
    from leaven_plugins.rngs.presets.rngs import Imagenet as Imagenet

_ROOM = "leaven_plugins.rngs.presets"
_NONE = "leaven_plugins.rngs.none.rng:NoRNG"
_ROOMS = {
    **dict.fromkeys(("AugmentationAll", "AugmentationTrain", "Imagenet"), "rngs"),
    **dict.fromkeys(("IMAGENET_MEAN", "IMAGENET_STD", "INPUT_PARAMS_TRAIN", "INPUT_PARAMS_VAL", "SCALE"), "constants"),
}


@hookimpl
def leaven_rngs() -> Iterable[Component]:
    """Declare the presets."""
    yield Component("augmentation_train", f"{_ROOM}.rngs:AugmentationTrain", "preset: the mixture for training")
    yield Component("augmentation_all", f"{_ROOM}.rngs:AugmentationAll", "preset: all of the mixture, for every image")
    yield Component("augmentation_val", _NONE, "preset: nothing, for validation")
    yield Component("no_augmentation", _NONE, "preset: nothing")
    yield Component("imagenet", f"{_ROOM}.rngs:Imagenet", "preset: a random part of the image, and mirrored")


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
