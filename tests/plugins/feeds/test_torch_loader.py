"""TorchTurboDataLoader, lists of devices, and augmentation that is left to an augmenter."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import torch

from leaven import ParameterError, TurboDataLoader, create, default_registry
from leaven.errors import LeavenError
from leaven_plugins.feeds.torch import TorchFeed, TorchTurboDataLoader
from leaven_plugins.feeds.torch.augmented import shared_work, then

WORKER = {"use": "classification", "image": ((1, 12, 12), "uint8")}
AUGMENTED = {**WORKER, "image_params": {"gamma_gray": 0.5}}


class Recorder:
    """An augmenter that does one op, and notes for which rows."""

    ops: ClassVar = ("blur", "hue")

    def __init__(self):
        self.left = []

    def __call__(self, sample):
        self.left += [values["gpu_augmentation"] for values in sample["augmentation"]]
        return {**sample, "seen": True}


def test_batches_are_tensors():
    with TorchTurboDataLoader("dataset:digits", 60, WORKER, 0, device="cpu", channels_last=True, length=120) as loader:
        batches = [sample for _, mini_batches in loader for sample in mini_batches]
    assert [sample["image"].shape for sample in batches] == [(60, 1, 12, 12)] * 2
    assert all(isinstance(sample["label"], torch.Tensor) for sample in batches)


def test_other_arguments_are_the_loaders():
    seen = []
    options = {"num_mini_batches": 2, "shuffle": True, "seed": 3, "length": 100, "last_batch": "pad"}
    with TorchTurboDataLoader(
        "dataset:digits", 60, WORKER, 0, device="cpu", transform=lambda sample: seen.append(sample) or sample, **options
    ) as loader:
        ours = [sample for _, mini_batches in loader for sample in mini_batches]
    with TurboDataLoader("dataset:digits", 60, WORKER, 0, **options) as loader:
        for mine, sample in zip(ours, (sample for _, batches in loader for sample in batches), strict=True):
            np.testing.assert_array_equal(mine["image"].numpy(), sample["image"])
            assert mine["valid"].tolist() == sample["valid"].tolist()
    assert len(seen) == len(ours) == 4
    with pytest.raises(TypeError, match="no_such_thing"):
        TorchTurboDataLoader("dataset:digits", 60, WORKER, 0, device="cpu", no_such_thing=1)
    with pytest.raises(ParameterError, match="for another feed, use TurboDataLoader"):
        TorchTurboDataLoader("dataset:digits", 60, WORKER, 0, device="cpu", feed="numpy")


def test_augmentation_on_the_device_needs_one():
    with pytest.raises(ValueError, match="gpu_augmentation: device 'cpu' is no CUDA device"):
        TorchTurboDataLoader("dataset:digits", 60, WORKER, 0, device="cpu", gpu_augmentation=True)


# ---- several devices


def test_each_device_gets_its_rows():
    sample = {
        "image": np.arange(5 * 12, dtype=np.uint8).reshape(5, 3, 2, 2),
        "key": list("abcde"),
        "valid": np.array([True] * 4 + [False]),
    }
    first, second = TorchFeed(["cpu", "cpu"])(sample)
    assert torch.equal(torch.cat([first["image"], second["image"]]), torch.from_numpy(sample["image"]))
    assert (first["key"], second["key"]) == (["a", "b", "c"], ["d", "e"])
    assert second["valid"].tolist() == [True, False]
    assert list(first) == list(sample)
    assert len(TorchFeed(["cpu", "cpu"])({"image": sample["image"][:1]})) == 1
    assert len(TorchFeed(["cpu"])(sample)) == 1


def test_rows_have_to_match():
    with pytest.raises(LeavenError, match="5 rows of 'image' and 4 of 'key'"):
        TorchFeed(["cpu", "cpu"])({"image": np.zeros((5, 1)), "key": list("abcd")})


@pytest.mark.parametrize("device", ["meta", ["meta", "meta"]])
def test_the_mask_stays_on_the_cpu(device):
    made = TorchFeed(device)({"image": np.zeros((4, 2)), "valid": np.ones(4, bool)})
    for sample in made if isinstance(made, list) else [made]:
        assert (sample["image"].device.type, sample["valid"].device.type) == ("meta", "cpu")


def test_nothing_is_begun_early_without_a_cuda_device():
    assert not hasattr(TorchFeed("cpu"), "ahead")


# ---- what the worker leaves to the augmenter


@pytest.mark.parametrize("given", [AUGMENTED, create(AUGMENTED, kind="worker")], ids=["table", "instance"])
@pytest.mark.parametrize("nworkers", [0, 1])
def test_what_both_can_do_is_left_to_the_augmenter(given, nworkers):
    recorder = Recorder()
    worker, augmenter = shared_work(given, recorder, default_registry())
    with TurboDataLoader(
        "dataset:digits", 30, worker, nworkers, length=60, feed="torch", transform=then(augmenter, None)
    ) as loader:
        batches = [sample for _, mini_batches in loader for sample in mini_batches]
    assert recorder.left == [["blur"]] * 60
    assert all(sample["seen"] for sample in batches)


def test_torchs_augmenter_is_found_by_name():
    worker, augmenter = shared_work(AUGMENTED, "torch", default_registry())
    with TurboDataLoader(
        "dataset:digits", 30, worker, 0, length=30, feed="torch", transform=then(augmenter, None)
    ) as loader:
        ((_, (sample,)),) = loader
    with TurboDataLoader("dataset:digits", 30, {**WORKER}, 0, length=30) as loader:
        ((_, (still,)),) = loader
    assert sample["image"].shape == still["image"].shape
    assert not np.array_equal(sample["image"].numpy(), still["image"])
    assert {name for row in sample["augmentation"] for name in row["gpu_augmentation"]} == {"tone", "noise_rgb", "blur"}


@pytest.mark.parametrize("dtype", ["float32", "uint16"])
def test_an_augmenter_has_to_know_what_is_white(dtype):
    worker = {**AUGMENTED, "image": ((1, 12, 12), dtype)}
    with pytest.raises(ParameterError, match=f'workers make {dtype} of images of 8 bits.*"white": 255'):
        shared_work(worker, "torch", default_registry())
    batches = {}
    for made in (AUGMENTED, worker):
        left, augmenter = shared_work(made, {"use": "torch", "white": 255}, default_registry())
        transform = then(augmenter, None)
        with TurboDataLoader("dataset:digits", 9, left, 0, length=9, feed="torch", transform=transform) as loader:
            ((_, (sample,)),) = loader
        batches[made["image"][1]] = sample["image"].double()
    assert (batches["uint8"] - batches[dtype]).abs().max() <= 1


def test_then_goes_over_the_samples_of_all_devices():
    both = then(lambda sample: sample + 1, lambda fed: ("done", fed))
    assert both(1) == ("done", 2)
    assert both([1, 2]) == ("done", [2, 3])


@pytest.mark.parametrize(
    ("worker", "text"),
    [
        ({**WORKER, "ops": ["tone"]}, "nothing is left to do for the augmenter: the worker's ops are tone; the augm"),
        ({**WORKER, "ops": []}, "nothing is left to do for the augmenter: the worker's ops are none"),
    ],
)
def test_an_augmenter_that_has_nothing_to_do(worker, text):
    with pytest.raises(ParameterError, match=text):
        shared_work(worker, Recorder(), default_registry())


def test_workers_that_cannot_leave_ops():
    import loader_parts

    with pytest.raises(ParameterError, match="Echo cannot leave ops to a device"):
        shared_work(loader_parts.Echo(), Recorder(), default_registry())

    class Handmade:
        buffers: ClassVar = {}

        def setup(self):
            pass

        def process(self, request):
            pass

    with pytest.raises(ParameterError, match="this Handmade was made by hand"):
        shared_work(Handmade(), Recorder(), default_registry())
