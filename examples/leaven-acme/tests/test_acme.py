from __future__ import annotations

import numpy as np
import pytest

import leaven
from leaven.testing import OpContract, WorkerContract
from leaven.testing.tools import picture, png, run_worker


class TestPatches(WorkerContract):
    spec = "worker:patches"
    params = {"grid": 3, "size": 4}

    def test_the_first_patch_is_the_upper_left_corner(self):
        image = picture(8, 8)
        worker = leaven.create("worker:patches", grid=2, size=4, flip=0)
        patches = run_worker(worker, [{"image": png(image)}])["patches"]
        np.testing.assert_array_equal(patches[0, 0], image[:4, :4].transpose(2, 0, 1))
        np.testing.assert_array_equal(patches[0, 3], image[4:, 4:].transpose(2, 0, 1))

    def test_a_grid_of_nothing_is_refused(self):
        with pytest.raises(leaven.ParameterError, match="grid=0"):
            leaven.create("worker:patches", grid=0)


class TestInvert(OpContract):
    spec = "op:invert"
    params = {"prob": 0.5}

    def test_twice_is_the_same_again(self, op):
        image = picture()
        random = np.random.default_rng(0)
        once = op.apply(image, {"invert": True}, random)
        np.testing.assert_array_equal(once, 255 - image)
        np.testing.assert_array_equal(op.apply(once, {"invert": True}, random), image)


class TestMarked(WorkerContract):
    spec = "worker:classification"
    params = {"image": ((3, 16, 16), "uint8"), "label": ((1,), "int64")}

    def test_it_is_the_one_that_is_found(self, worker):
        assert run_worker(worker, self.samples)["acme"] == [True] * len(self.samples)
