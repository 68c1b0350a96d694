from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch

from leaven.errors import LeavenError
from leaven_plugins.devices.choice import Cuda, DeviceError, chosen, chosen_all
from leaven_plugins.devices.gpus import Gpu, available
from leaven_plugins.devices.predicates import is_cpu_only, is_gpu_only, is_single_torch_device

NONE = Cuda(0, ())
TWO = Cuda(2, (1, 0))
RANK = Cuda(2, (1, 0), local_rank=0)


@pytest.mark.parametrize(
    ("spec", "cuda", "expected"),
    [
        ("auto", NONE, "cpu"),
        ("auto", TWO, "cuda:1"),
        ("auto", RANK, "cuda:0"),
        ("auto", Cuda(0, (), local_rank=1), "cpu"),
        ("auto:1", TWO, "cuda:1"),
        ("cuda", TWO, "cuda:0"),
        ("cuda", Cuda(2, (0, 1), local_rank=1), "cuda:1"),
        ("cuda:1", RANK, "cuda:1"),
        (["cuda:1"], TWO, "cuda:1"),
        ("cpu", NONE, "cpu"),
        (torch.device("cpu"), NONE, "cpu"),
        ("meta", NONE, "meta"),
    ],
)
def test_one(spec, cuda, expected):
    assert chosen(spec, cuda) == torch.device(expected)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [("auto:2", ["cuda:1", "cuda:0"]), (["cuda:0", "cpu"], ["cuda:0", "cpu"]), (["cpu", "cpu"], ["cpu", "cpu"])],
)
def test_several(spec, expected):
    assert chosen_all(spec, TWO) == [torch.device(name) for name in expected]
    with pytest.raises(DeviceError, match="one is needed here, and these are 2"):
        chosen(spec, TWO)


@pytest.mark.parametrize(
    ("spec", "cuda", "text"),
    [
        ("gpu", NONE, "device 'gpu': expected 'auto', 'auto:NUMBER', 'cpu'"),
        ("auto:x", TWO, "device 'auto:x': expected"),
        ("auto:0", TWO, "device 'auto:0': expected"),
        ("auto:3", TWO, "device 'auto:3': torch sees 2 CUDA devices here; use 'auto' or fewer"),
        ("cuda:2", TWO, "device 'cuda:2': torch sees 2 CUDA devices here"),
        ("cuda", NONE, "device 'cuda': torch sees no CUDA device here; use 'cpu'"),
        ("cuda", Cuda(1, (0,), local_rank=1), "torch sees 1 CUDA device here, and this process's local rank is 1"),
        ("auto", Cuda(1, (0,), local_rank=1), "this process's local rank is 1; start as many processes as there are"),
        (["auto", "cpu"], TWO, "device 'auto': expected"),
        ([], TWO, r"device \[\]: expected"),
        (3, TWO, "device 3: expected"),
        ([0], TWO, "device 0: expected"),
    ],
)
def test_what_there_is_not(spec, cuda, text):
    with pytest.raises(DeviceError, match=text) as caught:
        chosen_all(spec, cuda)
    assert isinstance(caught.value, (ValueError, LeavenError))


def test_a_device_without_free_memory_is_there_all_the_same(monkeypatch):
    gpus = [Gpu(0, 0, "full", 8192, 0), Gpu(1, 1, "free", 8192, 8000)]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr("leaven_plugins.devices.gpus.readings", lambda nvml=None: nullcontext(lambda: gpus))
    assert [gpu.index for gpu in available(n=None)] == [1]
    assert chosen_all("auto:2", Cuda.here()) == [torch.device("cuda:1"), torch.device("cuda:0")]


def test_here():
    known = Cuda.here()
    assert known.count == torch.cuda.device_count()
    assert sorted(known.by_room) == list(range(known.count))


@pytest.mark.parametrize(
    ("value", "single", "cpu", "gpu"),
    [
        ("cpu", True, True, False),
        ("cuda:3", True, False, True),
        (torch.device("cuda"), True, False, True),
        (["cpu"], False, True, False),
        (("cuda:0", torch.device("cuda:1")), False, False, True),
        (iter(["cuda:0", "cpu"]), False, False, False),
    ],
)
def test_predicates(value, single, cpu, gpu):
    values = list(value) if not isinstance(value, (str, torch.device)) else value
    found = [predicate(values) for predicate in (is_single_torch_device, is_cpu_only, is_gpu_only)]
    assert found == [single, cpu, gpu]


@pytest.mark.parametrize("predicate", [is_single_torch_device, is_cpu_only, is_gpu_only])
@pytest.mark.parametrize("value", [3, None, [], "gpu", ["cpu", 1], [["cpu"]], 1.5])
def test_predicates_of_what_is_no_device(predicate, value):
    with pytest.raises(TypeError, match="expected a device, such as 'cpu' or 'cuda:0', or an iterable of devices"):
        predicate(value)
