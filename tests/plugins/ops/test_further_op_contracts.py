from __future__ import annotations

import numpy as np

from leaven.protocols import ImageInfo
from leaven.testing import ComponentContract, OpContract, tools


class TestBrighten(OpContract):
    spec = "op:brighten"
    params = {"brighten_range": [0.5, 1.5], "prob": 0.8}


class TestContrastFactor(OpContract):
    spec = "op:contrast_factor"
    params = {"contrast_factor_range": [0.5, 1.5], "prob": 0.8}


class TestSaturate(OpContract):
    spec = "op:saturate"
    params = {"saturate_range": [0, 1.5], "prob": 0.8}


class TestHue(OpContract):
    spec = "op:hue"
    params = {"hue_range": [-180, 180], "prob": 0.8}


class TestSaturation(OpContract):
    spec = "op:saturation"
    params = {"saturation_range": [-1, 1], "prob": 0.8}


class TestColorJitter(OpContract):
    spec = "op:color_jitter"
    params = {"brighten_range": [0.6, 1.4], "contrast_factor_range": [0.6, 1.4], "hue_range": [-36, 36]}


class TestGrayscale(OpContract):
    spec = "op:grayscale"
    params = {"prob": 0.8}
    channels = (1, 3, 5)


class TestSharpen(OpContract):
    spec = "op:sharpen"
    params = {"sharpen_range": [0.2, 4], "prob": 0.8}
    channels = (1, 3, 5)


class TestGaussianBlur(OpContract):
    spec = "op:gaussian_blur"
    params = {"gaussian_blur_range": [1, 4], "prob": 0.8}
    channels = (1, 3, 5)


class TestSinc(OpContract):
    spec = "op:sinc"
    params = {"sinc_range": [0.5, 3], "diameter": 6, "prob": 0.8}
    channels = (1, 3, 5)


class TestSolarize(OpContract):
    spec = "op:solarize"
    params = {"solarize_range": [0, 0.9], "prob": 0.8}
    channels = (1, 3, 5)


class TestPosterize(OpContract):
    spec = "op:posterize"
    params = {"posterize_range": [1, 7], "prob": 0.8}
    channels = (1, 3, 5)


class TestEqualize(OpContract):
    spec = "op:equalize"
    params = {"prob": 0.8}
    channels = (1, 3, 5)


class TestAutocontrast(OpContract):
    spec = "op:autocontrast"
    params = {"prob": 0.8}
    channels = (1, 3, 5)

    def test_it_does_something(self, op):
        pale = tools.picture() // 2 + 50
        assert (op.apply(pale, {"autocontrast": True}, np.random.default_rng(0)) != pale).any()


class TestErasing(OpContract):
    spec = "op:erasing"
    params = {"prob": 0.8, "count_range": [1, 3], "fill": "noise"}
    channels = (1, 3, 5)


class TestCutout(OpContract):
    spec = "op:cutout"
    params = {"holes": 3, "size": 0.3, "prob": 0.8, "fill": "color"}
    channels = (1, 3, 5)


class TestJpeg(OpContract):
    spec = "op:jpeg"
    params = {"jpeg_range": [5, 90], "prob": 0.8}
    channels = (1, 3, 5)


class TestWebp(OpContract):
    spec = "op:webp"
    params = {"webp_range": [5, 90], "prob": 0.8}


class TestGaussianNoise(OpContract):
    spec = "op:gaussian_noise"
    params = {"gaussian_noise_range": [0.05, 0.2], "prob": 0.8}
    channels = (1, 3, 5)


class TestPoissonNoise(OpContract):
    spec = "op:poisson_noise"
    params = {"poisson_noise_range": [0.5, 5], "prob": 0.8}
    channels = (1, 3, 5)


class TestFlip(OpContract):
    spec = "op:flip"
    params = {"left_right": 0.5, "top_bottom": 0.5}
    channels = (1, 3, 5)


class TestRotate(OpContract):
    spec = "op:rotate"
    params = {"rotate_range": [-180, 180], "background": 7, "prob": 0.8}
    channels = (1, 3, 5)


class TestRandomResizedCrop(OpContract):
    spec = "op:random_resized_crop"
    params = {"area_range": [0.3, 0.9], "interpolation": "cubic"}
    channels = (1, 3, 5)


class TestSometimes(OpContract):
    spec = "op:sometimes"
    params = {"op": {"use": "solarize", "solarize_range": [0, 0.5]}, "prob": 0.5}


class TestOneOf(OpContract):
    spec = "op:one_of"
    params = {"ops": ["equalize", {"use": "op:erasing", "fill": "noise"}, "nothing"], "probs": [0.4, 0.4, 0.2]}


class OtherSize(OpContract):
    """The contract of ops that say, by ``keeps_size``, that they are not for workers."""

    channels = (1, 3, 5)

    def form(self, height, width, channels):
        """The shape, and the dtype of a uint8 image."""
        raise NotImplementedError

    def test_it_says_that_it_is_not_for_workers(self, op):
        assert op.keeps_size is False

    def test_it_does_something(self, op):
        self.test_images_keep_their_form(op)

    def test_images_keep_their_form(self, op):
        for channels in self.channels:
            for height, width in ((24, 32), (7, 5), (1, 1)):
                image = tools.picture(height, width, channels)
                changed = op.apply(image, self._applying(op, image), np.random.default_rng(1))
                assert (changed.shape, str(changed.dtype)) == self.form(height, width, channels)


class TestResizedCropOfASize(OtherSize):
    spec = "op:random_resized_crop"
    params = {"size": [9, 11]}

    def form(self, height, width, channels):
        return (9, 11, channels), "uint8"


class TestRandomCrop(OtherSize):
    spec = "op:random_crop"
    params = {"size": [8, 6], "padding": [1, 2, 3, 4]}

    def form(self, height, width, channels):
        return (8, 6, channels), "uint8"


class TestCenterCrop(OtherSize):
    spec = "op:center_crop"
    params = {"size": [8, 6]}

    def form(self, height, width, channels):
        return (8, 6, channels), "uint8"


class TestPad(OtherSize):
    spec = "op:pad"
    params = {"margins": [1, 2, 3, 4], "mode": "symmetric"}

    def form(self, height, width, channels):
        return (height + 3, width + 7, channels), "uint8"


class TestResize(OtherSize):
    spec = "op:resize"
    params = {"size": [5, 50]}

    def form(self, height, width, channels):
        return (5, 50, channels), "uint8"


class TestEnlargedRotation(OtherSize):
    spec = "op:rotate"
    params = {"rotate_range": [90, 90], "enlarge": True}

    def form(self, height, width, channels):
        return (width, height, channels), "uint8"


class TestToFloat(OtherSize):
    spec = "op:to_float"

    def form(self, height, width, channels):
        return (height, width, channels), "float32"


class TestWhiten(OtherSize):
    spec = "op:whiten"
    params = {"mean": 0.4, "std": 0.3}

    def form(self, height, width, channels):
        return (height, width, channels), "float32"


class TestToCHW(OtherSize):
    spec = "op:to_chw"

    def form(self, height, width, channels):
        return (channels, height, width), "uint8"


class TestSampling(OpContract):
    spec = "op:sampling"
    params = {"theta": 2}

    def test_it_does_something(self, op):
        frames = [tools.picture(seed=i) for i in range(6)]
        assert len(op.apply_frames(frames, {"sampling": 0.7}, np.random.default_rng(0))) == 3


class TestNothing(ComponentContract):
    spec = "op:nothing"

    def test_it_never_applies(self, component):
        image = tools.picture()
        assert component.draw(np.random.default_rng(0), ImageInfo(24, 32, 3)) == {}
        assert not component.applies({"anything": 1})
        assert component.apply(image, {}, np.random.default_rng(0)) is image
