from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import ParameterError, SampleError
from leaven.testing import WorkerContract
from leaven.testing.tools import picture, png, run_worker
from leaven_plugins.workers.image import ImageWorker
from leaven_plugins.workers.sequence import SequenceWorker
from leaven_plugins.workers.sequence.frames import chosen_frames

FILES = [png(picture(40, 60, seed=n)) for n in range(12)]
FIRST = {"phase": 0, "start": 0}
DRAWN = {"angle": 12.0, "scale": 1.3, "hmirror": True, "contrast": 0.5, "blur": 0.02}


class Fixed:
    """An RNG that draws what it is told, and counts how often."""

    def __init__(self, **values):
        self.values = values
        self.draws = 0

    def draw(self, info, spec, random):
        self.draws += 1
        return dict(self.values)


class TestSequence(WorkerContract):
    spec = "worker:sequence"
    params = {
        "image": ((4, 3, 20, 24), "uint8"),
        "theta": 2,
        "image_rng": {"use": "mixture", "rotation_sigma": 10, "noise_range": [0.05, 0.1], "hmirror": 0.5},
    }
    samples = [{"key": f"s{n}", "image": FILES[n:]} for n in (0, 3, 6, 9)]


def batch_of(files=FILES, frames=4, seed=0, **parameters):
    worker = SequenceWorker(((frames, 3, 20, 30), "uint8", 7), **parameters)
    batch = run_worker(worker, [{"key": "it", "image": files}], seed=seed)
    return batch["image"][0], batch["augmentation"][0], batch["length"][0]


def single(number, rng, **params):
    worker = ImageWorker(((3, 20, 30), "uint8"), params, rng)
    return run_worker(worker, [{"image": FILES[number]}])["image"][0]


def test_every_frame_is_drawn_by_the_same_parameters():
    rng = Fixed(**DRAWN)
    images, augmentation, length = batch_of(image_rng=rng, image_params=FIRST)
    assert rng.draws == 1
    assert length == 4
    assert augmentation == {"gpu_augmentation": False, **DRAWN, **FIRST, "frames": [0, 1, 2, 3]}
    for place, number in enumerate(augmentation["frames"]):
        np.testing.assert_array_equal(images[place], single(number, Fixed(**DRAWN)))


def test_every_theta_th_frame_is_shown():
    _, augmentation, _ = batch_of(theta=3, image_params=FIRST)
    assert augmentation["frames"] == [0, 3, 6, 9]
    _, augmentation, _ = batch_of(theta=3, image_params={"phase": 0.7, "start": 0})
    assert augmentation["frames"] == [2, 5, 8, 11]
    _, augmentation, _ = batch_of(theta=1.5, image_params=FIRST)
    assert augmentation["frames"] == [0, 1, 3, 4]


def test_the_place_is_drawn():
    shown = {tuple(batch_of(theta=2, seed=seed)[1]["frames"]) for seed in range(60)}
    assert shown == {tuple(range(first, first + 8, 2)) for first in range(6)}
    assert batch_of(seed=3)[1] == batch_of(seed=3)[1]


def test_what_is_missing_keeps_the_fill_value():
    images, augmentation, length = batch_of(FILES[:2])
    assert length == 2
    assert augmentation["frames"] == [0, 1]
    assert (images[2:] == 7).all()
    assert (images[:2] != 7).any((1, 2, 3)).all()
    images, augmentation, length = batch_of(FILES[:2], theta=5)
    assert length == 1


def test_the_grain_of_noise_is_not_frozen():
    files = [FILES[0]] * 3
    images, _, _ = batch_of(files, 3, image_rng=Fixed(noise=0.2))
    plain = batch_of(files, 3)[0][0].astype(int)
    grains = [image.astype(int) - plain for image in images]
    assert np.corrcoef(grains[0].ravel(), grains[1].ravel())[0, 1] < 0.5
    assert grains[0].std() == pytest.approx(grains[1].std(), rel=0.2)
    same = batch_of(files, 3, image_rng=Fixed(blur=0.02))[0]
    np.testing.assert_array_equal(same[0], same[1])


@given(st.integers(1, 200), st.integers(1, 20), st.floats(1, 30), st.floats(0, 0.999999), st.floats(0, 0.999999))
def test_frames_exist_and_ascend(available, wanted, theta, phase, start):
    chosen = chosen_frames(available, wanted, theta, phase, start)
    assert 1 <= len(chosen) <= wanted
    assert chosen == sorted(set(chosen))
    assert chosen[0] >= 0
    assert chosen[-1] < available
    assert len(chosen) == min(wanted, max(int(available // theta), 1))


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ([], "'image' is an empty list; it has to be a list of image files"),
        (FILES[0], "'image' is of type bytes"),
        (None, "'image' is of type NoneType"),
        ([*FILES[:2], b""], "decode failed: .*frame 2: no image: 0 bytes"),
        ([*FILES[:2], 5], "frame 2: 'image' is of type int"),
        ([*FILES[:1], png(picture(41, 60))], "frame 1: 41 x 60 pixels instead of 40 x 60"),
        ([FILES[0], FILES[1][:90]], "frame 1: "),
    ],
)
def test_bad_sequences_name_sample_and_frame(files, text):
    with pytest.raises(SampleError, match=text) as caught:
        batch_of(files)
    assert (caught.value.index, caught.value.key) == (0, "it")


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"image": ((3, 20, 30), "uint8")}, r"the buffer's shape is \(3, 20, 30\); it has to be \(frames"),
        ({"image": ((4, 2, 20, 30), "uint8")}, "1, 3 or 4 channels"),
        ({"theta": 0.5}, "theta is 0.5"),
        ({"theta": float("nan")}, "theta is nan"),
        ({"image_params": {"phase": 1}}, "phase is 1"),
        ({"image_params": {"start": -0.1}}, "start is -0.1"),
        ({"image_params": {"fase": 0}}, "no 'fase'"),
    ],
)
def test_parameters_are_checked(parameters, text):
    with pytest.raises(ParameterError, match=text):
        SequenceWorker(**{"image": ((4, 3, 20, 30), "uint8"), **parameters})
