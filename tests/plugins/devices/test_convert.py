from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import torch

from leaven_plugins.devices.convert import coat, shell


class Pair(NamedTuple):
    first: object
    second: object


@pytest.mark.parametrize(
    ("datum", "dtype", "shape"),
    [
        (3, torch.int64, ()),
        (2.5, torch.float32, ()),
        (True, torch.bool, ()),
        (1j, torch.complex64, ()),
        (np.float64(2.5), torch.float64, ()),
        (np.arange(6, dtype=np.uint8).reshape(2, 3), torch.uint8, (2, 3)),
        (np.arange(6, dtype=">i4")[::-1], torch.int32, (6,)),
        (torch.ones(2, dtype=torch.float16), torch.float16, (2,)),
    ],
)
@pytest.mark.parametrize("requires_grad", [False, True])
def test_coat_makes_tensors(datum, dtype, shape, requires_grad):
    tensor = coat(datum, requires_grad=requires_grad)
    assert (tensor.dtype, tuple(tensor.shape), tensor.device.type) == (dtype, shape, "cpu")
    assert tensor.requires_grad == (requires_grad and (dtype.is_floating_point or dtype.is_complex))
    np.testing.assert_array_equal(tensor.detach().numpy(), np.asarray(datum))


def test_coat_puts_them_on_the_device():
    assert coat({"image": np.zeros(3)}, "meta")["image"].device.type == "meta"


def test_both_keep_what_surrounds():
    datum = {"a": [1, (2.0, None)], "b": Pair("text", np.ones(2)), 3: {"key": ["x", b"y"]}}
    coated = coat(datum)
    assert coated["a"][1][1] is None
    assert type(coat(np.str_("text"))) is np.str_
    assert type(coated["b"]) is Pair
    assert torch.equal(coated["b"].second, torch.ones(2, dtype=torch.float64))
    back = shell(coated)
    assert back["a"] == [1, (2.0, None)]
    assert back[3] == {"key": ["x", b"y"]}
    np.testing.assert_array_equal(back["b"].second, np.ones(2))


def test_coat_makes_leaves_and_leaves_the_original_alone():
    weight = torch.ones(2, requires_grad=True)
    leaf = coat(2 * weight, requires_grad=True)
    assert leaf.is_leaf
    leaf.sum().backward()
    assert weight.grad is None
    plain = torch.ones(2)
    coat(plain, requires_grad=True)
    assert not plain.requires_grad


def test_shell_unwraps_scalars_and_nothing_else():
    number = shell(torch.tensor(3, dtype=torch.int16))
    assert (type(number), number) == (int, 3)
    assert shell(torch.tensor(2.5, requires_grad=True)) == 2.5
    assert shell(torch.tensor([[7]])).shape == (1, 1)
    assert shell(torch.ones(3, requires_grad=True) * 2).tolist() == [2, 2, 2]
    assert shell(torch.ones(2, dtype=torch.bfloat16)).dtype == np.float32
    assert shell(torch.tensor([1 + 2j]).conj()).tolist() == [1 - 2j]
    assert shell("text") == "text"


def test_shell_leaves_tensors():
    tensor = shell([torch.ones(2, requires_grad=True)], as_numpy=False)[0]
    assert isinstance(tensor, torch.Tensor)
    assert not tensor.requires_grad
    assert shell(torch.tensor(1), as_numpy=False).ndim == 0
