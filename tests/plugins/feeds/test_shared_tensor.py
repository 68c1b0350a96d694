from __future__ import annotations

import gc
import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from leaven.errors import LeavenError, ParameterError
from leaven.stream.shared import attach_array, descriptor_of
from leaven_plugins.feeds.torch import shared_tensor

ATTACH = """
import json, sys
from leaven.stream.shared import attach_array
array = attach_array(json.loads(sys.argv[1]))
print(array.dtype, array.tolist())
array += 1
"""


class Cuda:
    """A stand-in for CUDA's functions that keeps what is locked."""

    def __init__(self, failing=0):
        self.failing = failing
        self.locked = {}

    def cudaHostRegister(self, address, size, flags):  # noqa: N802
        if not self.failing:
            self.locked[address] = size
        return self.failing

    def cudaHostUnregister(self, address):  # noqa: N802
        del self.locked[address]
        return 0


@pytest.fixture
def cuda(monkeypatch):
    cuda = Cuda()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "cudart", lambda: cuda)
    return cuda


@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8, torch.bool, torch.bfloat16, torch.int64], ids=str)
def test_zeros_that_another_part_of_the_program_can_share(dtype):
    tensor = shared_tensor((2, 3), dtype, pinned=False)
    assert (tensor.dtype, tensor.shape, tensor.device.type) == (dtype, (2, 3), "cpu")
    assert not tensor.any()
    tensor[1, 2] = 1
    attached = torch.from_numpy(attach_array(descriptor_of(tensor.view(torch.uint8).numpy()))).view(dtype)
    assert torch.equal(attached, tensor)


def test_float32_by_default_and_any_shape():
    assert shared_tensor(3, pinned=False).dtype == torch.float32
    assert shared_tensor((), pinned=False).shape == ()
    assert shared_tensor((2, 0), pinned=False).shape == (2, 0)
    with pytest.raises(ParameterError, match="negative size"):
        shared_tensor((2, -1))


def test_another_process_changes_it():
    tensor = shared_tensor((2, 2), torch.int16, pinned=False)
    tensor[1] = 5
    words = [sys.executable, "-c", ATTACH, json.dumps(descriptor_of(tensor[1:].numpy()))]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "int16 [[5, 5]]\n"
    assert tensor.tolist() == [[0, 0], [6, 6]]


def test_the_memory_lives_as_long_as_any_view():
    tensor = shared_tensor((100, 10), pinned=False)
    descriptor = descriptor_of(tensor.numpy())
    view = tensor[50:, ::2]
    del tensor
    gc.collect()
    attach_array(descriptor)[50, 2] = 7
    assert view[0, 1] == 7
    del view
    gc.collect()
    with pytest.raises(LeavenError, match="it has been given back"):
        attach_array(descriptor)


@pytest.mark.parametrize("pinned", [None, True])
def test_pages_are_locked_until_the_last_view_dies(cuda, pinned):
    tensor = shared_tensor((3, 5), pinned=pinned)
    assert cuda.locked == {tensor.data_ptr(): 60}
    view = tensor[1]
    del tensor
    gc.collect()
    assert cuda.locked
    del view
    gc.collect()
    assert cuda.locked == {}


def test_pages_are_not_locked_unasked(cuda):
    shared_tensor(3, pinned=False)
    assert cuda.locked == {}


def test_cuda_refuses(cuda):
    cuda.failing = 2
    with pytest.raises(LeavenError, match=r"CUDA cannot lock 0\.0 MB of memory \(error 2\)"):
        shared_tensor(3)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_pinned_without_a_device():
    assert shared_tensor(3).shape == (3,)
    with pytest.raises(LeavenError, match="no CUDA device"):
        shared_tensor(3, pinned=True)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_device_reads_pinned_memory():
    tensor = shared_tensor((4, 1000))
    assert tensor.is_pinned()
    tensor[:] = torch.arange(4000.0).reshape(4, 1000)
    np.testing.assert_array_equal(tensor.to("cuda", non_blocking=True).cpu().numpy(), tensor.numpy())
