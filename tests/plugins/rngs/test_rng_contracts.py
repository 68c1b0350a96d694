from __future__ import annotations

from leaven.testing import RngContract


class TestNone(RngContract):
    spec = "rng:none"


class TestMixture(RngContract):
    spec = "rng:mixture"
    params = {"prob": 0.5, "rotation_sigma": 8, "scale_range": [0.9, 1.1], "noise_range": [0.02, 0.08]}


class TestRandomResizedCrop(RngContract):
    spec = "rng:random_resized_crop"
    params = {"hmirror": 0.5, "interpolations": ["linear", "cubic"]}


class TestRandAugment(RngContract):
    spec = "rng:rand_augment"
    params = {"count": 3, "magnitude_sigma": 0.5, "prob": 0.7, "base": "imagenet"}


class TestTrivialAugment(RngContract):
    spec = "rng:trivial_augment"


class TestScaled(RngContract):
    spec = "rng:scaled"
    params = {"rng": {"use": "rand_augment", "base": "augmentation_all"}, "strength": 0.4}


class TestScheduled(RngContract):
    spec = "rng:scheduled"
    params = {"rng": "augmentation_train", "epochs": 10}


class TestAugmentationTrain(RngContract):
    spec = "rng:augmentation_train"


class TestAugmentationAll(RngContract):
    spec = "rng:augmentation_all"


class TestAugmentationVal(RngContract):
    spec = "rng:augmentation_val"


class TestNoAugmentation(RngContract):
    spec = "rng:no_augmentation"


class TestImagenet(RngContract):
    spec = "rng:imagenet"
    params = {"area_range": [0.2, 1]}
