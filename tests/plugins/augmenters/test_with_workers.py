"""What workers leave out, an augmenter does: together they make what workers make alone."""

from __future__ import annotations

import numpy as np
import pytest

from leaven import TurboDataLoader, create
from leaven.testing.tools import picture, png

SAMPLES = [{"image": png(picture(40, 50)[::step]), "label": step} for step in (1, -1)] * 2
VALUES = {"gamma_gray": 0.6, "contrast": 0.5, "blur": 0.02, "order": ["blur", "contrast"]}


def batches(left):
    worker = {
        "use": "classification",
        "image": ((3, 32, 40), "uint8"),
        "image_params": VALUES,
        "gpu_augmentation": left,
    }
    feed = create("feed:torch")
    with TurboDataLoader(SAMPLES, 2, worker, nworkers=0, feed=feed, seed=3) as loader:
        yield from (sample for _, (sample,) in loader)


@pytest.mark.parametrize("left", [True, ["tone"], ["tone", "blur"]])
def test_together_they_do_all_of_it(left):
    augment = create("augmenter:torch")
    for alone, shared in zip(batches(False), batches(left), strict=True):
        apart = augment(shared)["image"].numpy().astype(int)[..., 4:-4, 4:-4] - alone["image"].numpy()[..., 4:-4, 4:-4]
        assert np.abs(apart).mean() < 1  # blur of 8 bits is rounded before contrast makes more of it
        assert np.abs(apart).max() <= 6
        assert (augment(shared)["image"] != shared["image"]).any()


def test_what_only_the_worker_knows_is_told():
    with pytest.raises(TypeError, match="'blur' was left to the device"):
        create("augmenter:torch", ops=["tone"])(next(iter(batches(["blur"]))))


def test_cells_are_those_of_the_stream():
    assert [row["cell"] for batch in batches(True) for row in batch["augmentation"]] == [[0, i] for i in range(4)]
