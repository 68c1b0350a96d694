from __future__ import annotations

import numpy as np
import pytest

from leaven.errors import ParameterError
from leaven.stream.buffers import buffer_spec, make_fill_value


@pytest.mark.parametrize(
    "spec",
    [
        ((3, 4, 5), np.uint8),
        ([3, 4, 5], "uint8"),
        ((3, 4, 5), "uint8", 0),
        {"shape": [3, 4, 5], "dtype": "uint8"},
        {"shape": (3, 4, 5), "dtype": np.dtype("uint8"), "fill": 0},
    ],
)
def test_forms_of_a_spec_mean_the_same(spec):
    found = buffer_spec(spec)
    assert (found.shape, found.dtype) == ((3, 4, 5), np.dtype("uint8"))
    np.testing.assert_array_equal(found.allocate(2), np.zeros((2, 3, 4, 5), "uint8"))


def test_fill_is_one_value_for_each_channel():
    spec = buffer_spec(((3, 2, 2), "float32", (1, 2, 3)))
    expected = np.broadcast_to(np.array([1, 2, 3], "float32").reshape(1, 3, 1, 1), (4, 3, 2, 2))
    np.testing.assert_array_equal(spec.allocate(4), expected)


def test_scalar_shape_is_one_axis():
    assert buffer_spec((7, "int64")).shape == (7,)


def test_example_array_keeps_its_values_and_drops_constant_axes():
    example = np.zeros((2, 3, 4), "int16") + np.array([1, 2, 3], "int16")[:, None]
    spec = buffer_spec(example)
    assert spec.fill.shape == (1, 1, 3, 1)
    np.testing.assert_array_equal(spec.allocate(5), np.stack([example] * 5))


def test_row_bytes():
    assert buffer_spec(((3, 2), "float32")).row_bytes == 24


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (3, "expected (shape, dtype"),
        ("uint8", "expected (shape, dtype"),
        (((2, 2),), "expected (shape, dtype"),
        (((2, 2), "float33"), "float33"),
        (((2, -1), "uint8"), "negative"),
        (((2, 2), object), "objects"),
        ({"shape": (1,), "dtyp": "uint8"}, "a table has the keys"),
        (((2, 2), "uint8", (1, 2, 3)), "does not fit"),
        (np.array([object()]), "objects"),
    ],
)
def test_what_is_no_spec_says_so(spec, words):
    with pytest.raises(ParameterError) as caught:
        buffer_spec(spec)
    assert words in str(caught.value)


def test_make_fill_value_of_scalar():
    assert make_fill_value((3, 4), "uint8", 9).shape == (1, 1, 1)
