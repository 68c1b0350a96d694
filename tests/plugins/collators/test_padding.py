from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.collators.padding import Padding


def collated(batch, **parameters):
    return Padding(**parameters).collate(batch, np.random.default_rng(0))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.integers(1, 5), st.integers(1, 3))
def test_what_was_there_is_there_and_the_rest_is_the_value(lengths, multiple, width):
    sequences = [np.random.default_rng(n).random((n, width), "float32") for n in lengths]
    batch = collated({"points": sequences, "names": ["a"] * len(lengths)}, multiple=multiple, value=-1)
    padded, mask = batch["points"], batch["points_mask"]
    assert padded.dtype == np.float32
    assert padded.shape[1] % multiple == 0
    assert max(lengths) <= padded.shape[1] < max(lengths) + multiple
    np.testing.assert_array_equal(padded[mask], np.concatenate(sequences))
    assert (padded[~mask] == -1).all()
    np.testing.assert_array_equal(mask.sum(1), lengths)
    assert (mask[:, :-1] >= mask[:, 1:]).all()
    assert batch["names"] == ["a"] * len(lengths)


def test_lists_of_arrays_alone_are_padded_unless_others_are_named():
    batch = {"a": [np.arange(2), np.arange(3)], "b": [[1], [2, 3]], "c": [np.float32(1), np.float32(2)], "d": [{}, {}]}
    found = collated(batch)
    assert set(found) == {"a", "a_mask", "b", "c", "d"}
    assert found["b"] is batch["b"]
    named = collated(batch, keys=["b"], mask=False)
    assert set(named) == {"a", "b", "c", "d"}
    np.testing.assert_array_equal(named["b"], [[1, 0], [2, 3]])
    assert batch["b"] == [[1], [2, 3]]


def test_dtypes_become_a_common_one():
    assert collated({"a": [np.zeros(2, "int16"), np.zeros(1, "float32")]})["a"].dtype == np.float32


@pytest.mark.parametrize(
    ("batch", "parameters", "text"),
    [
        ({"a": [np.zeros((1, 2)), np.zeros((2, 3))]}, {}, r"'a' has shapes \(2, 3\) in row 1, and \(1, 2\) in row 0"),
        ({"words": [np.zeros(1)]}, {"keys": ["word"]}, "no 'word', did you mean 'words'"),
        ({"a": [np.zeros(1), 3]}, {"keys": ["a"]}, "'a' in row 1 is not a sequence of numbers"),
        ({"a": [["x"]]}, {"keys": ["a"]}, "'a' in row 0 is not a sequence of numbers"),
        ({"a": [[[1], [2, 3]]]}, {"keys": ["a"]}, "'a' in row 0 is not a sequence of numbers"),
        (
            {"a": [np.zeros(1, "uint8"), np.zeros(2, "uint8")]},
            {"value": -1},
            "value -1 does not fit 'a', which is uint8",
        ),
    ],
)
def test_what_cannot_be_padded_is_refused(batch, parameters, text):
    with pytest.raises(LeavenError, match=text):
        collated(batch, **parameters)


@pytest.mark.parametrize(("parameters", "text"), [({"multiple": 0}, "multiple is 0"), ({"keys": "a"}, "keys is 'a'")])
def test_parameters_are_checked(parameters, text):
    with pytest.raises(ParameterError, match=text):
        Padding(**parameters)


@pytest.mark.parametrize("keys", [None, ["points"]])
@pytest.mark.parametrize("gap", [0, 1, 2])
def test_rows_without_a_sample_are_empty(keys, gap):
    points = [np.ones((length, 2), "float32") for length in (3, 1)]
    points.insert(gap, None)
    handed = {"points": points, "names": ["a", None, "b"], "valid": np.arange(3) != gap}
    padded = Padding(keys, value=7).collate(handed, np.random.default_rng(0))
    lengths = [3, 1]
    lengths.insert(gap, 0)
    assert padded["points_mask"].sum(1).tolist() == lengths
    assert (padded["points"].shape, padded["points"].dtype) == ((3, 3, 2), np.float32)
    assert (padded["points"][gap] == 7).all()
    assert padded["names"] == ["a", None, "b"]
