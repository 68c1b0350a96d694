from __future__ import annotations

from leaven.testing import WorkerContract

AUGMENTED = {
    "use": "mixture",
    "prob": 0.7,
    "rotation_sigma": 10,
    "scale_range": [0.8, 1.2],
    "brightness_range": [-0.3, 0.3],
    "noise_range": [0.01, 0.1],
    "blur_range": [0.001, 0.01],
}


class TestImage(WorkerContract):
    spec = "worker:image"
    params = {"image": ((3, 16, 20), "uint8")}


class TestAugmentedImage(WorkerContract):
    spec = "worker:image"
    params = {"image": ((3, 16, 20), "uint8"), "image_rng": AUGMENTED}


class TestClassification(WorkerContract):
    spec = "worker:classification"
    params = {"image": ((1, 16, 16), "uint8"), "image_params": {"color": False}, "image_rng": AUGMENTED, "classes": 4}
