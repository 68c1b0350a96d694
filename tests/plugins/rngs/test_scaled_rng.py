from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from leaven.errors import ParameterError
from leaven.protocols import ImageInfo
from leaven.stream.buffers import buffer_spec
from leaven_plugins.ops.geometry import make_transform, map_points
from leaven_plugins.rngs.epochs import at_epoch
from leaven_plugins.rngs.mixture import MixtureRNG
from leaven_plugins.rngs.none import NoRNG
from leaven_plugins.rngs.presets import AugmentationAll, Imagenet
from leaven_plugins.rngs.rand_augment import RandAugment
from leaven_plugins.rngs.scaled import Scaled
from leaven_plugins.rngs.scheduled import Scheduled

SOURCE, TARGET = (90, 120), (32, 48)
INFO, SPEC = ImageInfo(*SOURCE, 3), buffer_spec(((3, *TARGET), "uint8"))
GEOMETRY = ("angle", "scale", "aspect", "shift", "hmirror", "vmirror", "shear")
EVERYTHING = RandAugment(3, 10, base=AugmentationAll())


@dataclass(frozen=True)
class Fixed:
    """Draws always the same."""

    values: dict

    def draw(self, info, spec, random):
        return dict(self.values)


def drawn(rng, seed=0):
    return rng.draw(INFO, SPEC, np.random.default_rng(seed))


def matrix_of(values):
    return make_transform(SOURCE, TARGET, **{key: values[key] for key in GEOMETRY if key in values})


def middle_of(values):
    return map_points(matrix_of(values), [(TARGET[1] / 2, TARGET[0] / 2)])[0]


@pytest.mark.parametrize("rng", [EVERYTHING, Imagenet(), MixtureRNG(), NoRNG()])
def test_full_strength_changes_nothing(rng):
    for seed in range(20):
        assert drawn(Scaled(rng), seed) == drawn(rng, seed)


@pytest.mark.parametrize("rng", [EVERYTHING, Imagenet(vmirror=1)])
def test_without_strength_nothing_is_left(rng):
    for seed in range(50):
        values = drawn(Scaled(rng, 0.0), seed)
        np.testing.assert_allclose(matrix_of(values), make_transform(SOURCE, TARGET), rtol=3e-5, atol=1e-9)
        for key in (
            "hmirror",
            "vmirror",
            "contrast",
            "noise",
            "blur",
            "equalize",
            "autocontrast",
            "posterize",
            "solarize",
        ):
            assert not values.get(key)
        for key in ("gamma_gray", "brighten", "saturate", "contrast_factor", "sharpen"):
            assert values.get(key) in (None, 1)
        assert set(values.get("gamma_color") or [1]) == {1}


HALF_WAY = {
    "angle": (30, 15),
    "shear": ([0.2, -0.4], [0.1, -0.2]),
    "scale": (4.0, 2.0),
    "aspect": (0.25, 0.5),
    "contrast": (-1, -0.5),
    "noise": (0.1, 0.05),
    "blur": (0.01, 0.005),
    "hue": (60, 30),
    "gamma_gray": (4.0, 2.0),
    "gamma_color": ([0.25, 1.0, 9.0], [0.5, 1.0, 3.0]),
    "brighten": (1.8, 1.4),
    "sharpen": (0.4, 0.7),
    "posterize": (4, 6),
    "solarize": (0.2, 0.6),
    "saturate": (None, None),
    "interp_method": (2, 2),
    "order": (["blur"], ["blur"]),
    "of_another_package": (7, 7),
}


def test_values_half_way():
    full = {key: values[0] for key, values in HALF_WAY.items()}
    assert drawn(Scaled(Fixed(full), 0.5)) == {key: values[1] for key, values in HALF_WAY.items()}
    assert drawn(Scaled(Fixed({"posterize": 7}), 0.2)) == {"posterize": None}


def test_offsets_are_scaled_whatever_the_room_is():
    for rng in (Imagenet(), MixtureRNG(scale_range=(0.5, 2), shift_range=(-1, 1), rotation_sigma=20)):
        for seed in range(100):
            full, half = middle_of(drawn(rng, seed)), middle_of(drawn(Scaled(rng, 0.5), seed))
            middle = np.array(SOURCE[::-1]) / 2
            np.testing.assert_allclose(half - middle, (full - middle) / 2, atol=1e-6)


def test_decisions_are_more_seldom():
    always = Fixed({"hmirror": True, "equalize": True, "vmirror": False})
    found = [drawn(Scaled(always, 0.3), seed) for seed in range(3000)]
    for key, expected in (("hmirror", 0.3), ("equalize", 0.3), ("vmirror", 0)):
        assert np.mean([values[key] for values in found]) == pytest.approx(expected, abs=0.03)
    both = np.mean([values["hmirror"] and values["equalize"] for values in found])
    assert both == pytest.approx(0.09, abs=0.02)


def test_a_schedule_is_a_straight_line_that_stays():
    rng = Scheduled(Fixed({"angle": 100}), epochs=4, start=0.2, end=1.0)
    angles = [drawn(rng.at_epoch(epoch))["angle"] for epoch in (0, 1, 2, 3, 4, 100)]
    assert angles == pytest.approx([20, 40, 60, 80, 100, 100])
    assert drawn(rng)["angle"] == 20
    assert drawn(Scheduled(Fixed({"angle": 100}), 2, 1, 0).at_epoch(1))["angle"] == 50


def test_wrapped_rngs_are_told_the_epoch():
    inner = Scheduled(Fixed({"angle": 100, "scale": 1}), epochs=2)
    for rng in (Scaled(inner, 0.5), RandAugment(0, base=inner), Scheduled(inner, 1, 0.5, 0.5)):
        factor = 1 if isinstance(rng, RandAugment) else 0.5
        assert [drawn(at_epoch(rng, epoch))["angle"] for epoch in (0, 1, 2)] == pytest.approx(
            [0, 50 * factor, 100 * factor]
        )
    assert at_epoch(NoRNG(), 3) == NoRNG()


@pytest.mark.parametrize("wrapped", [Scaled(EVERYTHING), Scheduled(EVERYTHING, 3)])
def test_wrapped_rngs_check_the_worker(wrapped):
    with pytest.raises(ParameterError, match="rand_augment draws what none"):
        wrapped.check({}, [])
    Scaled(NoRNG()).check({"scale"}, [])


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Scaled(NoRNG(), 1.5), "strength is 1.5"),
        (lambda: Scheduled(NoRNG(), 0), "epochs is 0"),
        (lambda: Scheduled(NoRNG(), 3, end=-1), "end is -1"),
    ],
)
def test_parameters_are_checked(make, text):
    with pytest.raises(ParameterError, match=text):
        make()
