from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from leaven.errors import LeavenError
from leaven_plugins.devices.parallel import ParallelApply
from leaven_plugins.devices.samples import joined, moved, split_sample

CPU = torch.device("cpu")
TWO_GPUS = pytest.mark.skipif(torch.cuda.device_count() < 2, reason="fewer than two CUDA devices")


class Net(nn.Module):
    """Adds an output and the mean of it."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)
        self.rows = []

    def forward(self, sample):
        self.rows.append(len(sample["image"]))
        output = self.linear(sample["image"])
        return {**sample, "output": output, "mean": output.mean()}


def batch(rows):
    image = torch.arange(3.0 * rows).reshape(rows, 3)
    return {"image": image, "key": [f"k{i}" for i in range(rows)], "mask": np.arange(rows), "epoch": 3}


@given(st.integers(0, 20), st.integers(1, 8))
def test_parts_are_even_and_make_the_whole_again(rows, parts):
    sample = batch(rows)
    found = split_sample(sample, parts)
    sizes = [len(part["image"]) for part in found]
    assert sizes == [len(part) for part in np.array_split(range(rows), parts) if len(part)] or (rows, sizes) == (0, [0])
    assert all(len(part["key"]) == len(part["mask"]) == len(part["image"]) for part in found)
    whole = joined(found, CPU)
    assert torch.equal(whole["image"], sample["image"])
    assert (whole["key"], whole["mask"].tolist(), whole["epoch"]) == (sample["key"], list(range(rows)), 3)


def test_rows_that_do_not_match():
    with pytest.raises(LeavenError, match="a sample with 2 rows of 'image' and 3 of 'key'"):
        split_sample({"image": np.zeros((2, 3)), "key": ["a", "b", "c"]}, 2)
    with pytest.raises(LeavenError, match=r"different keys cannot be put together: \['a', 'b'\]"):
        joined([{"a": 1}, {"b": 1}], CPU)


def test_the_mask_stays_where_it_is():
    sample = moved({"image": torch.zeros(2), "valid": torch.ones(2), "key": ["a"]}, torch.device("meta"))
    assert (sample["image"].device.type, sample["valid"].device.type, sample["key"]) == ("meta", "cpu", ["a"])


def test_one_device_is_a_plain_call():
    net = Net()
    sample = batch(5)
    done = ParallelApply(net, "cpu")(sample)
    assert torch.equal(done["output"], net.linear(sample["image"]))
    assert done["mean"].ndim == 0
    assert net.rows == [5]
    assert ParallelApply(net, ["cpu", "cpu"])(sample)["output"].shape == (5, 2)


def test_samples_that_are_divided_already():
    net = Net()
    sample = batch(5)
    done = ParallelApply(net, ["cpu", "cpu"])(split_sample(sample, 2))
    assert net.rows == [3, 2]
    assert torch.equal(done["output"], net.linear(sample["image"]))
    assert done["key"] == sample["key"]
    assert done["mean"].shape == (2,)  # of each part
    done["output"].sum().backward()
    assert torch.equal(net.linear.bias.grad, torch.full((2,), 5.0))


@pytest.mark.parametrize("count", [0, 3])
def test_more_samples_than_devices(count):
    with pytest.raises(LeavenError, match=f"{count} samples for 2 devices"):
        ParallelApply(Net(), ["cpu", "cpu"])([batch(1)] * count)


@TWO_GPUS
@pytest.mark.parametrize("rows", [1, 2, 7])
def test_on_two_devices(rows):
    net = Net().to("cuda:0")
    done = ParallelApply(net, ["cuda:0", "cuda:1"])({**batch(rows), "image": batch(rows)["image"].to("cuda:0")})
    assert done["output"].device == torch.device("cuda:0")
    torch.testing.assert_close(done["output"], net.linear(batch(rows)["image"].to("cuda:0")))
    done["output"].sum().backward()
    torch.testing.assert_close(net.linear.bias.grad.cpu(), torch.full((2,), float(rows)))
