from __future__ import annotations

import inspect

import numpy as np
import pytest

from leaven import create
from leaven.errors import ParameterError
from leaven.registry.recipes import Recipe, recipe_of
from leaven_plugins.rngs import presets
from leaven_plugins.rngs.mixture import MixtureRNG
from leaven_plugins.rngs.none import NoRNG
from leaven_plugins.rngs.random_resized_crop import RandomResizedCrop

TRAIN = {
    "prob": 0.5,
    "scale_range": (0.5 * 256 / 224, 2 * 256 / 224),
    "shift_range": (-1, 1),
    "brightness_range": (-0.5, 0.5),
    "color_range": (-0.5, 0.5),
    "contrast_range": (-1, 1),
    "rotation_sigma": 15,
    "aspect_sigma": 0.1,
    "interpolations": (1,),
    "hmirror": 0.5,
    "shear_range": (-0.1, 0.1),
}
EXPECTED = {
    "augmentation_train": MixtureRNG(**TRAIN),
    "augmentation_all": MixtureRNG(
        **{**TRAIN, "prob": 1, "noise_range": (0.03, 0.1), "blur_range": (0.75 / 224, 0.01)}
    ),
    "augmentation_val": NoRNG(),
    "no_augmentation": NoRNG(),
    "imagenet": RandomResizedCrop((0.08, 1), (3 / 4, 4 / 3), hmirror=0.5),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_presets_are_what_they_are_made_of(name):
    rng, expected = create(name, kind="rng"), EXPECTED[name]
    assert vars(rng).items() >= vars(expected).items()
    assert inspect.signature(type(rng)).parameters.keys() == inspect.signature(type(expected)).parameters.keys()


def test_each_parameter_can_be_given_another_value():
    rng = create("rng:augmentation_train", prob=1, blur_range=[0, 0.1])
    assert (rng.prob, rng.blur_range, rng.rotation_sigma) == (1, [0, 0.1], 15)
    assert create({"preset": "imagenet", "hmirror": 0}, kind="rng") == presets.Imagenet(hmirror=0)
    with pytest.raises(ParameterError, match="no parameter 'hmiror', did you mean 'hmirror'"):
        create("rng:imagenet", hmiror=1)
    with pytest.raises(ParameterError, match="prob is 3"):
        create("rng:augmentation_all", prob=3)


def test_another_process_makes_the_same():
    rng = create("rng:augmentation_all", prob=0.25)
    assert Recipe.from_plain(recipe_of(rng).to_plain()).build() == rng
    assert Recipe.from_plain(recipe_of(presets.Imagenet(hmirror=0)).to_plain()).build() == presets.Imagenet(hmirror=0)


def test_constants():
    np.testing.assert_allclose(np.divide(presets.IMAGENET_MEAN, 255), (0.485, 0.456, 0.406))
    np.testing.assert_allclose(np.divide(presets.IMAGENET_STD, 255), (0.229, 0.224, 0.225))
    assert pytest.approx(256 / 224) == presets.SCALE
    assert presets.INPUT_PARAMS_VAL == {"scale": presets.SCALE, "interp_method": 1}
    assert presets.INPUT_PARAMS_TRAIN == {}
    with pytest.raises(AttributeError, match="IMAGENET_MEDIAN"):
        _ = presets.IMAGENET_MEDIAN
