from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import torch

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.feeds.numpy.feed import NumpyFeed
from leaven_plugins.feeds.torch.feed import TorchFeed


def test_numpy_hands_over_the_same_arrays():
    sample = {"image": np.zeros((2, 1, 3, 3)), "key": ["a", "b"]}
    assert NumpyFeed()(sample)["image"] is sample["image"]


def test_torch_shares_the_arrays_memory_on_the_cpu():
    image = np.arange(24, dtype=np.uint8).reshape(2, 3, 2, 2)
    tensor = TorchFeed()({"image": image})["image"]
    assert tensor.dtype == torch.uint8
    assert tensor.shape == (2, 3, 2, 2)
    image[1, 2, 0, 1] = 99
    assert tensor[1, 2, 0, 1] == 99


class Lease(np.ndarray):
    """An array that can be referred to weakly, as the one of a slot is."""


def test_torch_keeps_the_array_alive_for_as_long_as_the_tensor():
    image = np.zeros((4, 2)).view(Lease)
    lease = weakref.ref(image)
    tensor = TorchFeed()({"image": image})["image"]
    part = tensor[1:2]
    del image, tensor
    gc.collect()
    assert lease() is not None
    del part
    gc.collect()
    assert lease() is None


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "uint16", "int32", "uint32", "int64", "float16", "float64"])
def test_torch_keeps_dtype_and_values(dtype):
    values = np.array([[0, 1], [1, 0]], dtype)
    tensor = TorchFeed()({"x": values})["x"]
    assert str(tensor.dtype) == f"torch.{dtype}"
    np.testing.assert_array_equal(tensor.numpy(), values)


@pytest.mark.parametrize(
    "values",
    [np.arange(6, dtype=">u2"), np.arange(6)[::-1], np.broadcast_to(np.arange(6), (2, 6))],
    ids=["byte order", "negative stride", "read-only"],
)
def test_torch_copies_what_it_cannot_share(values):
    tensor = TorchFeed()({"x": values})["x"]
    np.testing.assert_array_equal(tensor.numpy(), values)


def test_torch_leaves_everything_else_alone():
    sample = {"key": ["a"], "augmentation": [{"angle": 3.0}], "name": np.array(["a"]), "n": 3}
    assert TorchFeed()(sample) == sample


def test_torch_puts_tensors_on_the_device():
    tensor = TorchFeed("meta")({"x": np.zeros((2, 3), "float32")})["x"]
    assert tensor.device.type == "meta"
    assert tensor.shape == (2, 3)


def test_torch_refuses_what_is_no_device():
    with pytest.raises(ParameterError, match="'gpu'"):
        TorchFeed("gpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_torch_says_that_there_is_no_cuda_device():
    with pytest.raises(LeavenError, match="no CUDA device"):
        TorchFeed("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_torch_copies_to_the_cuda_device_and_lets_the_array_go():
    image = np.arange(24, dtype=np.uint8).reshape(2, 12).view(Lease)
    lease = weakref.ref(image)
    tensor = TorchFeed("cuda")({"image": image})["image"]
    del image
    gc.collect()
    assert lease() is None
    assert tensor.sum().item() == sum(range(24))
