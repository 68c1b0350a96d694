from __future__ import annotations

import numpy as np
import pytest

from leaven_plugins.ops.blur.op import add_blur
from leaven_plugins.ops.errors import ImageError
from leaven_plugins.ops.noise.reference import add_noise_other, add_noise_rgb
from leaven_plugins.ops.randomize import STEPS, randomize_image
from leaven_plugins.ops.tone.gamma import add_gamma

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
ALL = {"gamma_gray": 1.5, "contrast": 0.5, "noise": 0.2, "blur": 0.03}


def generator():
    return np.random.default_rng(4)


def by_hand(image, order, rgb=True):
    noise = add_noise_rgb if rgb else add_noise_other
    steps = {
        "tone": lambda im: add_gamma(im, gamma_gray=1.5, contrast=0.5),
        "noise": lambda im: noise(im, 0.2, generator()),
        "blur": lambda im: add_blur(im, 0.03),
    }
    for step in order:
        image = steps[step](image)
    return image


@pytest.mark.parametrize("order", [("tone", "noise", "blur"), ("blur", "noise", "tone"), ("noise", "tone", "blur")])
@pytest.mark.parametrize("is_rgb", [True, False])
def test_pixel_operations_run_in_the_order_asked_for(order, is_rgb):
    size = IMAGE.shape[:2]
    got = randomize_image(IMAGE, size, **ALL, is_rgb=is_rgb, order=order, random=generator())
    np.testing.assert_array_equal(got, by_hand(IMAGE, order, is_rgb))


def test_those_not_mentioned_follow():
    got = randomize_image(IMAGE, (40, 50), **ALL, order=["blur"], random=generator())
    np.testing.assert_array_equal(got, by_hand(IMAGE, ("blur", "tone", "noise")))


def test_without_an_order_a_generator_draws_it():
    values = {"gamma_gray": 2.0, "blur": 0.05}
    seen = {
        randomize_image(IMAGE, (40, 50), **values, random=np.random.default_rng(seed)).tobytes() for seed in range(20)
    }
    assert len(seen) == 2
    fixed = randomize_image(IMAGE, (40, 50), **values)
    np.testing.assert_array_equal(fixed, randomize_image(IMAGE, (40, 50), **values, order=STEPS))
    assert fixed.tobytes() in seen


def test_what_is_left_out():
    np.testing.assert_array_equal(randomize_image(IMAGE, (40, 50), **ALL, gpu_augmentation=True), IMAGE)
    np.testing.assert_array_equal(
        randomize_image(IMAGE, (9, 9), scale=3, contrast=1, do_rotate_and_resize=False), add_gamma(IMAGE, contrast=1)
    )


def test_mistakes_are_named():
    with pytest.raises(ImageError, match="no step 'blurr', did you mean 'blur'"):
        randomize_image(IMAGE, (9, 9), order=["blurr"])
    with pytest.raises(ImageError, match="pass a numpy Generator"):
        randomize_image(IMAGE, (9, 9), noise=0.1)


def test_the_same_generator_gives_the_same_image_and_the_input_stays():
    before = IMAGE.copy()
    first, second = (randomize_image(IMAGE, (30, 20), angle=9, **ALL, random=generator()) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(IMAGE, before)
    assert first.shape == (30, 20, 3)
