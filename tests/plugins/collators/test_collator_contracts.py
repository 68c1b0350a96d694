from __future__ import annotations

import numpy as np
import pytest

from leaven.testing import CollatorContract


class TestMixup(CollatorContract):
    spec = "collator:mixup"
    params = {"classes": 4, "lambda_mode": "sample", "shuffle_mode": "random"}


class TestCutmix(CollatorContract):
    spec = "collator:cutmix"
    params = {"classes": 4}


class TestMix(CollatorContract):
    spec = "collator:mix"
    params = {"classes": 4, "apply_mode": "sample", "mixup_prob": 0.4, "cutmix_prob": 0.4}


class TestPadding(CollatorContract):
    spec = "collator:padding"
    batch = {
        "points": [np.zeros((length, 2)) for length in (3, 0, 5, 1)],
        "label": np.arange(4).reshape(4, 1),
        "augmentation": [{}, {}, {}, {}],
    }


@pytest.mark.parametrize("name", ["Mixup", "Cutmix", "Mix", "Padding"])
def test_classes_are_at_their_doors(name):
    from importlib import import_module

    assert getattr(import_module(f"leaven_plugins.collators.{name.lower()}"), name).__name__ == name
