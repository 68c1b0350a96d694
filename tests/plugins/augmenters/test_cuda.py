"""Augmentation on a CUDA device: the numbers of the CPU, and no step waits for the device."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from leaven import create

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")

RNG = {"prob": 0.8, "noise_range": (0, 0.2), "blur_range": (0, 0.04), "brightness_range": (-0.5, 0.5)}


@pytest.fixture
def sample():
    rng = create("rng:mixture", **RNG)
    drawn = [rng.draw(None, None, np.random.default_rng(seed)) for seed in range(16)]
    pixels = np.random.default_rng(0).integers(0, 256, (16, 3, 120, 150), dtype=np.uint8)
    told = [{"gpu_augmentation": True, "cell": [0, row], **values} for row, values in enumerate(drawn)]
    return {"image": torch.from_numpy(pixels), "augmentation": told}


def on_cuda(sample):
    return {**sample, "image": sample["image"].cuda()}


@pytest.mark.parametrize("name", ["torch", "triton"])
@pytest.mark.parametrize("out_dtype", ["uint8", "float32", "bfloat16"])
def test_it_is_what_the_cpu_does(name, out_dtype, sample):
    parameters = {"out_dtype": out_dtype}
    if out_dtype != "uint8":
        parameters["normalize"] = ([0.5, 0.4, 0.3], [0.2, 0.25, 0.3])
    wanted = create("augmenter:torch", **parameters)(sample)["image"].double()
    augment = create(f"augmenter:{name}", **parameters)
    got = augment(on_cuda(sample))["image"].cpu().double()
    step = 1 if out_dtype == "uint8" else 1 / 255 / 0.2
    rounding = 0.02 if out_dtype == "bfloat16" else 1e-4
    apart = (got - wanted).abs()
    assert apart.max() <= 2 * step + rounding
    assert apart.mean() <= 0.05 * step + rounding
    assert getattr(augment, "fallbacks", 0) == 0


@pytest.mark.parametrize("name", ["torch", "triton"])
def test_nothing_waits_for_the_device(name, sample):
    augment = create(f"augmenter:{name}", normalize=([0.5], [0.2]))
    there = on_cuda(sample)
    augment(there)
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        augment(there)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_noise_is_the_same_on_both(sample):
    noisy = {**sample, "augmentation": [{"noise": 0.3, "cell": [0, row]} for row in range(16)]}
    augment = create("augmenter:torch")
    apart = (augment(noisy)["image"].int() - augment(on_cuda(noisy))["image"].cpu().int()).abs()
    assert apart.max() <= 1
    assert apart.double().mean() < 1e-3


def test_images_of_another_device_are_refused(sample):
    from leaven.errors import LeavenError

    with pytest.raises(LeavenError, match="use augmenter:torch"):
        create("augmenter:triton")(sample)
