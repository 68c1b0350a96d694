from __future__ import annotations

from leaven.testing import RngContract


class TestNone(RngContract):
    spec = "rng:none"


class TestMixture(RngContract):
    spec = "rng:mixture"
    params = {"prob": 0.5, "rotation_sigma": 8, "scale_range": [0.9, 1.1], "noise_range": [0.02, 0.08]}
