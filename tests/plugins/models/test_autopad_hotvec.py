from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from leaven.errors import ParameterError
from leaven_plugins.models.autopad import autopad
from leaven_plugins.models.hotvec import hotvec2mtx, mtx2hotvec

few = st.integers(1, 5)


@given(data=st.data(), dims=st.integers(1, 3))
def test_padding_keeps_the_size_over_the_stride(data, dims):
    each = st.lists(few, min_size=dims, max_size=dims)
    kernel, stride, dilation = (data.draw(each) for _ in range(3))
    size = data.draw(st.lists(st.integers(1, 12), min_size=dims, max_size=dims))
    padding = autopad(kernel, stride, dilation, size)
    assert len(padding) == 2 * dims
    assert min(padding) >= 0
    assert all(after - before in (0, 1) for before, after in zip(padding[::2], padding[1::2], strict=True))
    convolve = (functional.conv1d, functional.conv2d, functional.conv3d)[dims - 1]
    padded = functional.pad(torch.zeros(1, 1, *size), padding)
    made = convolve(padded, torch.zeros(1, 1, *kernel), stride=stride, dilation=dilation)
    assert list(made.shape[2:]) == [-(-n // s) for n, s in zip(size, stride, strict=True)]


@given(kernel=few, stride=few, dilation=few, times=st.integers(1, 4))
def test_without_a_size_it_holds_for_multiples_of_the_stride(kernel, stride, dilation, times):
    assert autopad(kernel, stride, dilation) == autopad(kernel, stride, dilation, [times * stride])


def test_numbers_come_in_the_order_of_pad():
    assert autopad((3, 6)) == (2, 3, 1, 1)  # left, right, top, bottom
    assert autopad(3, size=(8, 8, 8)) == (1,) * 6
    assert autopad(1, stride=3) == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"kernel": (3, 3), "stride": (1, 1, 1)}, "stride is \\(1, 1, 1\\); expected 2 numbers"),
        ({"kernel": (3, 3), "size": (8,)}, "size is \\(8,\\); expected 2 numbers"),
        ({"kernel": 3, "dilation": 0}, "dilation is 0; expected numbers of at least 1"),
        ({"kernel": (3, 0)}, "kernel is \\(3, 0\\)"),
    ],
)
def test_what_cannot_be_padded_is_said(arguments, text):
    with pytest.raises(ParameterError, match=text):
        autopad(**arguments)


@given(
    rows=st.lists(st.sets(st.integers(0, 6)).map(sorted), max_size=5),
    as_text=st.booleans(),
    values=st.sampled_from([(1, 0), (0.9, 0.1), (-1, 1), (0, 1)]),
)
def test_classes_come_back_from_their_matrix(rows, as_text, values):
    on, off = values
    labels = [", ".join(map(str, row)) for row in rows] if as_text else rows
    matrix = hotvec2mtx(labels, 7, on=on, off=off)
    assert (matrix.dtype, matrix.shape) == (np.float32, (len(rows), 7))
    assert matrix.tolist() == [[np.float32(on if c in row else off) for c in range(7)] for row in rows]
    assert mtx2hotvec(matrix, off=off) == rows


def test_single_classes_and_arrays():
    expected = [[0, 1, 0], [0, 0, 1], [1, 1, 0]]
    assert hotvec2mtx([1, np.int64(2), np.array([0, 1])], 3).tolist() == expected
    assert hotvec2mtx(["1", "2", "0,1,"], 3).tolist() == expected
    assert mtx2hotvec(torch.tensor(expected)) == [[1], [2], [0, 1]]


@pytest.mark.parametrize("label", [3, -1, "0,3", [0, 3]])
def test_classes_that_do_not_exist_are_errors(label):
    with pytest.raises(ParameterError, match=r"labels\[1\] is .*; expected classes from 0 to 2"):
        hotvec2mtx([0, label], 3)


@pytest.mark.parametrize("label", [0.5, "a", "0;1", [0.0], None, [[0]]])
def test_what_is_no_class_is_an_error(label):
    with pytest.raises(ParameterError, match="is not a class, several, or text such as '0,2'"):
        hotvec2mtx([label], 3)


def test_a_matrix_has_two_dimensions():
    with pytest.raises(ParameterError, match="matrix has 1 dimensions"):
        mtx2hotvec([1, 0])
