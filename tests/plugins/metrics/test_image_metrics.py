"""MSE, PSNR, NSS and SSIM: against numpy, and against torchmetrics."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from leaven import create
from leaven.errors import LeavenError, ParameterError
from leaven_plugins.metrics.mse.metric import MSE
from leaven_plugins.metrics.nss.metric import NSS
from leaven_plugins.metrics.psnr.metric import PSNR
from leaven_plugins.metrics.ssim.metric import SSIM, GlobalSSIM


def images(seed, shape, data_range=1.0):
    random = torch.Generator().manual_seed(seed)
    smooth = torch.nn.functional.avg_pool2d(torch.rand(shape, generator=random), 3, 1, 1)
    return smooth * data_range, (smooth + 0.1 * torch.rand(shape, generator=random)) * data_range


def value(metric, output, target, cut=1):
    for part in (slice(0, cut), slice(cut, None)):
        metric.update({"output": output[part], "target_image": target[part]})
    (found,) = metric.compute().values()
    return found


@given(rows=st.integers(2, 5), cut=st.integers(1, 2), seed=st.integers(0, 99))
@settings(max_examples=30)
def test_mse_and_psnr_do_not_depend_on_batches(rows, cut, seed):
    output, target = images(seed, (rows, 2, 5, 4))
    error = float(np.square(output.double().numpy() - target.double().numpy()).mean())
    assert value(MSE(), output, target, cut) == pytest.approx(error)
    assert value(PSNR(peak=3), output, target, cut) == pytest.approx(10 * math.log10(9 / error))


def test_psnr_is_that_of_torchmetrics():
    output, target = images(0, (4, 3, 16, 17), 255)
    expected = float(peak_signal_noise_ratio(output, target, data_range=255.0))
    assert value(PSNR(peak=255), output, target) == pytest.approx(expected, rel=1e-6)


def test_psnr_of_equal_images_is_finite():
    output, _ = images(0, (2, 3, 4, 4))
    assert value(PSNR(), output, output) == pytest.approx(80)


def test_psnr_of_an_output_that_has_diverged_is_infinitely_low():
    assert value(PSNR(), torch.full((2, 3), 1e30), torch.zeros(2, 3)) == -math.inf


@given(rows=st.integers(2, 5), cut=st.integers(1, 2), seed=st.integers(0, 99))
@settings(max_examples=30)
def test_nss_is_the_mean_over_fixations(rows, cut, seed):
    random = np.random.default_rng(seed)
    output, target = random.normal(size=(rows, 2, 6, 5)), (random.random((rows, 2, 6, 5)) < 0.2).astype("uint8")
    target[0, 0, 0, 0] = 1
    standardised = [(channel - channel.mean()) / (channel.std(ddof=1) + 1e-5) for image in output for channel in image]
    expected = np.mean(np.stack(standardised)[target.reshape(-1, 6, 5) == 1])
    assert value(NSS(), torch.tensor(output), torch.tensor(target), cut) == pytest.approx(expected)


def test_nss_of_no_fixations_is_unknown_and_of_a_flat_map_nothing():
    flat = torch.ones(2, 1, 3, 3)
    assert math.isnan(value(NSS(), flat, torch.zeros(2, 1, 3, 3)))
    assert value(NSS(), flat, torch.ones(2, 1, 3, 3)) == 0


@pytest.mark.parametrize("data_range", [1.0, 255.0])
@pytest.mark.parametrize("shape", [(3, 1, 11, 11), (2, 3, 32, 20)])
def test_ssim_is_that_of_torchmetrics_away_from_the_border(shape, data_range):
    """Theirs mirrors images at the border; ours, as the paper's own program, takes whole windows only."""
    output, target = images(1, shape, data_range)
    options = {"data_range": data_range, "return_full_image": True}
    _, similarity = structural_similarity_index_measure(output.double(), target.double(), **options)
    expected = float(similarity[..., 5:-5, 5:-5].mean())
    assert value(SSIM(data_range=data_range), output, target) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("kind", [SSIM, GlobalSSIM])
def test_ssim_is_1_for_equal_images_and_below_0_for_inverted_ones(kind):
    output, _ = images(2, (2, 3, 16, 16))
    assert value(kind(), output, output) == pytest.approx(1)
    assert value(kind(), output, 1 - output) < 0


def test_global_ssim_is_a_product_of_three_terms():
    output, target = images(3, (3, 2, 5, 4), 100)
    expected = []
    for x, y in zip(output.double().numpy(), target.double().numpy(), strict=True):
        c1, c2, c3 = 1.0, 9.0, 4.5
        luminance = (2 * x.mean() * y.mean() + c1) / (x.mean() ** 2 + y.mean() ** 2 + c1)
        contrast = (2 * x.std() * y.std() + c2) / (x.var() + y.var() + c2)
        structure = (((x - x.mean()) * (y - y.mean())).mean() + c3) / (x.std() * y.std() + c3)
        expected.append(luminance * contrast * structure)
    assert value(GlobalSSIM(data_range=100), output, target) == pytest.approx(np.mean(expected))


def test_axes_of_length_one_do_not_count():
    output, target = images(4, (3, 1, 12, 12))
    for metric in (MSE(), NSS(), SSIM()):
        whole = value(metric, output, target)
        metric.reset()
        assert value(metric, output, target[:, 0]) == whole


@pytest.mark.parametrize("name", ["mse", "psnr", "nss", "ssim", "ssim_global"])
def test_shapes_that_would_be_stretched_are_refused(name):
    sample = {"output": torch.zeros(4, 1, 12, 12), "target_image": torch.zeros(4, 3, 12, 12)}
    with pytest.raises(
        LeavenError, match=r"target_image: a target of shape \(4, 3, 12, 12\) does not fit an output of shape \(4, 1"
    ):
        create(f"metric:{name}").update(sample)


def test_wrong_images_and_ranges_are_refused():
    with pytest.raises(LeavenError, match=r"output: shape \(4, 9\), expected images of \(rows, channels"):
        NSS().update({"output": torch.zeros(4, 9), "target_image": torch.zeros(4, 9)})
    with pytest.raises(LeavenError, match=r"images of \(10, 30\) pixels; the window alone has 11"):
        SSIM().update({"output": torch.zeros(1, 1, 10, 30), "target_image": torch.zeros(1, 1, 10, 30)})
    with pytest.raises(ParameterError, match="ssim: data_range=0: must be above 0"):
        SSIM(data_range=0)
    with pytest.raises(ParameterError, match="peak=-1: must be above 0"):
        PSNR(peak=-1)
