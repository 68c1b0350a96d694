from __future__ import annotations

from leaven.testing import OpContract


class TestTone(OpContract):
    spec = "op:tone"
    params = {"brightness_range": [-0.4, 0.4], "color_range": [-0.3, 0.3], "contrast_range": [-0.9, 0.9], "prob": 0.8}


class TestNoiseRGB(OpContract):
    spec = "op:noise_rgb"
    params = {"noise_range": [0.05, 0.2], "prob": 0.8}


class TestNoiseOther(OpContract):
    spec = "op:noise_other"
    params = {"noise_range": [0.05, 0.2], "prob": 0.8}


class TestBlur(OpContract):
    spec = "op:blur"
    params = {"blur_range": [0.01, 0.05], "prob": 0.8}
