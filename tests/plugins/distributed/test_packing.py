from __future__ import annotations

import numpy as np
import pytest
import torch

from leaven.errors import ProtocolError
from leaven_plugins.distributed.packing import pack, unpack

DTYPES = [torch.bool, torch.uint8, torch.int64, torch.float16, torch.bfloat16, torch.float64, torch.complex64]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_tensors_arrive_as_they_are(dtype, shape):
    tensor = torch.randint(2, shape).to(dtype)
    arrived = unpack(pack({"a": [tensor]}))["a"][0]
    assert (arrived.dtype, arrived.shape) == (dtype, shape)
    assert torch.equal(arrived, tensor)


def test_parts_of_tensors_and_those_with_a_gradient_arrive():
    tensor = torch.arange(12.0, requires_grad=True).reshape(3, 4)[:, 1::2]
    arrived = unpack(pack(tensor))
    assert not arrived.requires_grad
    assert arrived.tolist() == [[1, 3], [5, 7], [9, 11]]
    arrived += 1  # memory of its own


def test_views_with_other_signs_and_small_floats_arrive():
    numbers = torch.tensor([1 + 2j, 3 - 4j])
    assert unpack(pack([numbers.conj(), numbers.conj().imag]))[0].tolist() == [1 - 2j, 3 + 4j]
    small = torch.tensor([0.5, 2.0]).to(torch.float8_e4m3fn)
    assert torch.equal(unpack(pack(small)).float(), small.float())


def test_plain_data_arrives():
    plain = {"n": None, "f": 0.5, "i": -3, "s": "ä", "b": b"\0", "l": [1, [True]], "a": np.arange(3)}
    arrived = unpack(pack({**plain, "t": (1, 2)}))
    assert arrived.pop("a").tolist() == [0, 1, 2]
    assert arrived.pop("t") == [1, 2]
    assert arrived == {key: value for key, value in plain.items() if key != "a"}


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"a": {"b": [0, object()]}}, r"a\.b\[1\]"),
        ({"a": {3: 1}}, "int 3"),
        ({"leaven:tensor": 1}, "stands for a tensor"),
        (torch.eye(2).to_sparse(), "a tensor of torch.float32, torch.sparse_coo, on cpu: expected a dense one"),
        (torch.empty(2, device="meta"), "on meta: expected a dense one with data"),
    ],
)
def test_what_cannot_be_packed_is_named(plain, message):
    with pytest.raises(ProtocolError, match=message):
        pack(plain)


@pytest.mark.parametrize("content", [["int99", [1], np.zeros(8, "u1")], ["int64", [2], np.zeros(8, "u1")]])
def test_malformed_tensors_are_refused(content):
    from leaven.stream import wire

    with pytest.raises(ProtocolError, match="malformed tensor"):
        unpack(wire.pack({"leaven:tensor": content}))
