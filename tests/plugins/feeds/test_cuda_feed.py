"""The feed on a real CUDA device: nothing waits, copies go beside the computation, slots come back."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import torch

from leaven import TurboDataLoader
from leaven_plugins.feeds.torch import TorchFeed, TorchTurboDataLoader

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")

WORKER = {"use": "classification", "image": ((3, 64, 64), "uint8"), "image_params": {"gamma_gray": 0.5}}


@pytest.fixture
def without_waiting():
    """Whoever waits for the device gets an error."""
    torch.zeros(1, device="cuda").add_(1).item()  # all that is loaded once
    torch.cuda.set_sync_debug_mode("error")
    yield
    torch.cuda.set_sync_debug_mode("default")


def batch(rows=64, size=128):
    image = np.random.default_rng(0).integers(0, 256, (rows, 3, size, size), np.uint8)
    return {"image": image, "label": np.arange(rows), "key": ["a"] * rows, "valid": np.ones(rows, bool)}


def busy(milliseconds):
    """Queue work on the current stream for about so long."""
    torch.cuda._sleep(int(milliseconds * 1_000_000))  # cycles, of 1 to 2 GHz


@pytest.mark.parametrize("channels_last", [False, True])
def test_values_and_places(channels_last):
    sample = batch()
    fed = TorchFeed("cuda", channels_last)(sample)
    assert fed["image"].device == torch.device("cuda", torch.cuda.current_device())
    assert fed["image"].is_contiguous(memory_format=torch.channels_last) == channels_last
    assert (fed["valid"].device.type, fed["key"]) == ("cpu", sample["key"])
    np.testing.assert_array_equal(fed["image"].cpu().numpy(), sample["image"])
    np.testing.assert_array_equal(fed["label"].cpu().numpy(), sample["label"])


def test_nothing_waits_for_the_device(without_waiting):
    feed, sample = TorchFeed("cuda", channels_last=True), batch()
    sums = []
    for _ in range(5):
        busy(5)
        sums.append(feed(sample)["image"].sum())
    torch.cuda.set_sync_debug_mode("default")
    assert {total.item() for total in sums} == {int(sample["image"].sum())}


def test_a_copy_goes_beside_what_is_computed():
    feed = TorchFeed("cuda")
    feed(batch())  # what is reserved once
    torch.cuda.synchronize()
    computed = torch.cuda.Event()
    busy(500)
    computed.record()
    complete = feed.ahead(batch())
    feed._routes[0]._under_way[-1][0].synchronize()
    assert not computed.query(), "the copy has waited for the computation"
    complete()
    torch.cuda.synchronize()


def test_the_readers_stream_waits_for_the_copy():
    feed, sample = TorchFeed("cuda"), batch(256)
    side = feed._routes[0]._cuda._side
    for _ in range(5):
        with torch.cuda.stream(side):
            busy(50)  # the copy will be late
        np.testing.assert_array_equal(feed(sample)["image"].clone().cpu().numpy(), sample["image"])


def test_device_memory_is_not_used_again_while_the_reader_is_at_it():
    feed, sums = TorchFeed("cuda"), []
    samples = [{"image": np.full((64, 3, 128, 128), value, np.uint8)} for value in range(20)]
    for sample in samples:
        fed = feed(sample)
        busy(5)
        sums.append(fed["image"].float().mean())
        del fed
    assert [round(mean.item()) for mean in sums] == list(range(20))


def test_an_array_is_let_go():
    sample = batch()
    lease = weakref.ref(sample["image"])
    fed = TorchFeed("cuda")(sample)
    del sample
    gc.collect()
    assert lease() is None
    assert fed["image"].shape == (64, 3, 128, 128)


@pytest.mark.parametrize("parts", [1, 2])
def test_a_loaders_batches_are_those_of_numpy(parts):
    common = {"shuffle": True, "num_mini_batches": parts, "seed": 4, "last_batch": "pad"}
    with (
        TorchTurboDataLoader("dataset:digits", 100, WORKER, 2, **common) as loader,
        TurboDataLoader("dataset:digits", 100, WORKER, 0, **common) as plain,
    ):
        for (_, mine), (_, theirs) in zip(loader, plain, strict=True):
            for fed, sample in zip(mine, theirs, strict=True):
                np.testing.assert_array_equal(fed["image"].cpu().numpy(), sample["image"])
                np.testing.assert_array_equal(fed["valid"].numpy(), sample["valid"])
        slots = loader._feeding._feed._routes[0]._cuda._locks._tried
        assert list(slots.values()) == [True]  # copies came straight from the shared memory


def test_a_step_waits_for_nothing(without_waiting):
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 64 * 64, 10)).to("cuda")
    total = torch.zeros((), device="cuda")
    with TorchTurboDataLoader("dataset:digits", 100, WORKER, 2, gpu_augmentation=True) as loader:
        for _, mini_batches in loader:
            for sample in mini_batches:
                logits = net(sample["image"].float() / 255)
                loss = torch.nn.functional.cross_entropy(logits, sample["label"].ravel())
                loss.backward()
                total += loss.detach()
    torch.cuda.set_sync_debug_mode("default")
    assert torch.isfinite(total).item()
