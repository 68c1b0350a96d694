from __future__ import annotations

import pytest
import torch

from leaven.testing import AugmenterContract


class TestTorch(AugmenterContract):
    spec = "augmenter:torch"
    params = {"ops": ["tone", "noise_rgb", "blur", "flip", "hue"]}
    values = [
        {"gamma_gray": 0.7, "noise": 0.2, "order": ["noise", "tone"]},
        {"noise": 0.1, "blur": 0.05, "contrast": -0.5, "order": ["blur", "noise", "contrast"]},
        {"flip_left_right": True, "hue": 40},
        {"noise": 0.1},
    ]

    @pytest.fixture
    def handed(self):
        return torch.from_numpy


class TestTorchWithFloats(TestTorch):
    dtype = "float32"
    params = {**TestTorch.params, "white": 255}
