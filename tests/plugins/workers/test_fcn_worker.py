from __future__ import annotations

import numpy as np
import pytest

from leaven.errors import ParameterError, SampleError
from leaven.protocols import Decoded
from leaven.testing import WorkerContract
from leaven.testing.tools import picture, png, run_worker
from leaven_plugins.decoders.opencv import OpenCVDecoder
from leaven_plugins.workers.fcn import FCNWorker
from leaven_plugins.workers.image import ImageWorker

FILE = png(picture(60, 80))
IMAGE = ((3, 30, 40), "uint8")
DRAWN = {
    "angle": 10.0,
    "scale": 1.2,
    "hmirror": True,
    "contrast": 0.5,
    "noise": 0.1,
    "blur": 0.01,
    "order": ["blur", "noise", "contrast"],
}


class Fixed:
    """An RNG that draws what it is told."""

    def __init__(self, **values):
        self.values = values

    def draw(self, info, spec, random):
        return dict(self.values)


class TestFCN(WorkerContract):
    spec = "worker:fcn"
    params = {
        "image": IMAGE,
        "target_image": ((1, 60, 80), "float32"),
        "target_image_params": {"noise": 0, "blur": 0},
        "image_rng": {"use": "mixture", "rotation_sigma": 10, "noise_range": [0.05, 0.1], "blur_range": [0.01, 0.02]},
    }


def both(target=IMAGE, rng=DRAWN, data=FILE, **parameters):
    worker = FCNWorker(IMAGE, target, image_rng=Fixed(**rng), **parameters)
    batch = run_worker(worker, [{"image": data}])
    return batch["image"][0], batch["target_image"][0], batch["augmentation"][0]


def alone(spec=IMAGE, rng=DRAWN, data=FILE, **params):
    return run_worker(ImageWorker(spec, params, Fixed(**rng)), [{"image": data}])["image"][0]


def test_without_overrides_both_are_the_same():
    image, target, augmentation = both()
    np.testing.assert_array_equal(image, target)
    np.testing.assert_array_equal(image, alone())
    assert augmentation == {"gpu_augmentation": False, **DRAWN}


@pytest.mark.parametrize(
    "override",
    [
        {"noise": 0, "blur": None},
        {"scale": 2.0},
        {"hmirror": False},
        {"contrast": -0.5},
        {"colorspace": "lab"},
        {"background": 200, "scale": 0.5},
        {"interp_method": "cubic"},
        {"supersampling": 2},
    ],
)
def test_overrides_count_for_the_target_alone(override):
    image, target, augmentation = both(target_image_params=override)
    np.testing.assert_array_equal(target, alone(**override))
    np.testing.assert_array_equal(image, alone())
    assert augmentation == {"gpu_augmentation": False, **DRAWN}
    assert not np.array_equal(image, target)


def test_fixed_parameters_of_the_image_are_those_of_the_target():
    image, target, _ = both(image_params={"angle": 0, "noise": 0.0}, target_image_params={"contrast": 0})
    np.testing.assert_array_equal(image, alone(angle=0, noise=0.0))
    np.testing.assert_array_equal(target, alone(angle=0, noise=0.0, contrast=0))


def test_the_target_may_have_another_size_depth_and_number_of_channels():
    spec = ((1, 60, 80), "float32")
    _, target, _ = both(spec)
    assert target.shape == (1, 60, 80)
    np.testing.assert_array_equal(target, alone(spec))


def test_a_larger_target_shows_the_same():
    drawn = {"scale": 1.5, "shift": [0.4, -0.6], "angle": 15.0}
    image, target, _ = both(((3, 60, 80), "uint8"), drawn)
    reduced = target.reshape(3, 30, 2, 40, 2).mean((2, 4))
    assert np.abs(reduced - image)[:, 2:-2, 2:-2].mean() < 6


class Counting(OpenCVDecoder):
    asked = []

    def decode(self, data: bytes, **how) -> Decoded:
        self.asked.append(how)
        return super().decode(data, **how)


@pytest.mark.parametrize(("params", "times"), [({"noise": 0}, 1), ({"scale": 3.0}, 1), ({"color": False}, 2)])
def test_one_decoded_image_serves_both_where_it_can(params, times):
    Counting.asked.clear()
    both(((1, 30, 40), "uint8") if "color" in params else IMAGE, target_image_params=params, decoder=Counting())
    assert len(Counting.asked) == times


def test_what_is_decoded_holds_what_both_show():
    Counting.asked.clear()
    drawn = {"scale": 4.0, "shift": [-1, -1]}
    image, target, _ = both(rng=drawn, target_image_params={"shift": [1, 0]}, decoder=Counting())
    (asked,) = Counting.asked
    region = asked["region"]
    assert (region.top, region.left, region.bottom) == (0, 0, 60)
    assert region.right < 60
    np.testing.assert_array_equal(image, alone(rng=drawn))
    np.testing.assert_array_equal(target, alone(rng=drawn, shift=[1, 0]))


def test_ops_can_be_left_to_the_device():
    image, target, augmentation = both(gpu_augmentation=True, target_image_params={"hmirror": False})
    plain = {key: DRAWN[key] for key in ("angle", "scale")}
    np.testing.assert_array_equal(image, alone(rng=plain, hmirror=True))
    np.testing.assert_array_equal(target, alone(rng=plain))
    assert augmentation["noise"] == 0.1


def test_damage_names_the_sample():
    for params in ({}, {"color": False}):
        with pytest.raises(SampleError, match="sample 0: decode failed"):
            both(data=FILE[: len(FILE) // 2], target_image_params=params)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"target_image": ((30, 40), "uint8")}, "target_image: .*shape"),
        ({"target_image_params": {"nosie": 0}}, "target_image: .* no 'nosie', did you mean 'noise'"),
        ({"image_params": {"colorspace": "hsv"}, "target_image": ((1, 9, 9), "uint8")}, "target_image: colorspace"),
    ],
)
def test_parameters_are_checked(parameters, text):
    with pytest.raises(ParameterError, match=text):
        FCNWorker(**{"image": IMAGE, "target_image": IMAGE, **parameters})
