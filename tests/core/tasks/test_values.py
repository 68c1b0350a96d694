"""Values that cross between processes come out as they went in, or are refused with their path."""

from __future__ import annotations

import threading
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import task_parts
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import leaven
from leaven.errors import LeavenError, ProtocolError, RecipeError
from leaven.stream import wire
from leaven.tasks import values
from leaven.tasks.constants import SharedConstant, Sharing

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.just("leaven:tuple")
    | st.binary(max_size=8)
    | st.sampled_from(
        [range(1, 7, 2), slice(None, 3), Path("a/b"), *task_parts.Color, np.dtype("f4"), task_parts.double]
    )
)
KEYS = st.integers() | st.text(max_size=4) | st.just("leaven:x") | st.tuples(st.booleans(), st.integers())
VALUES = st.recursive(
    LEAVES,
    lambda part: (
        st.lists(part, max_size=4)
        | st.tuples(part, part)
        | st.dictionaries(KEYS, part, max_size=4)
        | st.builds(task_parts.Point, part, part)
        | st.builds(lambda a, b: task_parts.Plain(a=a, b=b), part, part)
    ),
    max_leaves=12,
)


def crossed(value, **options):
    return values.unpack(values.pack({"x": value}), **options)["x"]


@given(VALUES)
def test_plain_values_come_out_as_they_went_in(value):
    found = crossed(value)
    assert found == value
    assert type(found) is type(value)


@given(VALUES)
def test_so_do_answers(value):
    assert crossed(value, answer=True) == value


@given(npst.arrays(npst.scalar_dtypes() | npst.nested_dtypes(), npst.array_shapes(min_dims=0, max_side=4)))
def test_arrays_of_any_fixed_dtype(array):
    if array.dtype.itemsize == 0:
        return
    found = crossed(array)
    assert found.dtype == array.dtype
    assert found.shape == array.shape
    assert found.tobytes() == array.tobytes()
    assert found.flags.writeable


@given(st.binary(max_size=60))
def test_what_is_no_value_is_refused(data):
    try:
        values.unpack(data)
    except LeavenError:
        return
    except Exception as error:
        pytest.fail(f"{type(error).__name__}: {error}")


@given(VALUES, st.data())
def test_mutated_values_are_refused_or_other_values(value, data):
    packed = bytearray(values.pack({"x": value}))
    packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    try:
        values.unpack(bytes(packed), answer=True)
    except LeavenError:
        pass


def test_aligned_structures_scalars_and_sets():
    dtype = np.dtype([("a", "i1"), ("b", ">f8", (2, 3)), ("c", [("d", "M8[ms]")])], align=True)
    array = np.zeros((2, 2), dtype)
    array["b"] = 5
    assert crossed(array).dtype == dtype
    assert (crossed(array) == array).all()
    assert crossed(np.float16(2.5)).dtype == np.float16
    assert crossed({1, 2}) == {1, 2}
    assert crossed(frozenset({(1, 2)})) == frozenset({(1, 2)})
    assert crossed(np.arange(6).reshape(2, 3).T).tolist() == [[0, 3], [1, 4], [2, 5]]


def test_functions_methods_and_objects():
    data = task_parts.Data(5)
    assert crossed(task_parts.double) is task_parts.double
    assert crossed(np.add) is np.add
    assert crossed(partial(task_parts.echo, 1, b=data.batch))(2)[0] == (1, 2)
    assert crossed(data.batch)(3, factor=2).tolist() == [0, 2, 4]
    assert crossed(data.scaled)(3) == 30
    assert crossed(task_parts.Data.doubled)(3) == 6
    assert crossed(data)(2) == 7
    assert crossed(task_parts.Slotted(4).get)() == (4, 4, False)
    assert crossed(task_parts.Stateful(4).get)() == (4, None)
    assert crossed(task_parts.Plain(inner=task_parts.Plain(a=(1,)))).inner.a == (1,)


def test_components_go_by_their_recipe():
    dataset = leaven.create("dataset:digits", split="val")
    assert crossed(dataset.sample)(3) == dataset.sample(3)
    with pytest.raises(ProtocolError, match="a worker answered with a recipe"):
        crossed(dataset, answer=True)


def local():
    def inner():
        pass

    return inner


class Loop:
    def __init__(self):
        self.itself = self


WITHIN = [1, {"a": (threading.Lock(),)}]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (lambda: None, "x: a lambda cannot be handed to another process"),
        (local(), r"x: local.<locals>.inner is defined within a function"),
        (partial(task_parts.echo, key=lambda: None), r"x.keywords\['key'\]: a lambda"),
        (WITHIN, r"x\[1\]\['a'\]\[0\]: a lock cannot be handed"),
        (task_parts.Plain(a=[threading.Lock()]), r"x.a\[0\]: a lock"),
        (task_parts.Plain(lock=threading.Lock()).__eq__, r"Plain.lock: a lock cannot .*transport='threads'"),
        (Fraction(1, 2), "x: a Fraction cannot be handed to another process: it says itself how"),
        (np.random.default_rng(0), "x: a Generator cannot be handed"),
        (np.array([None]), "x: an array of objects"),
        (np.ma.masked_array([1]), "x: a MaskedArray"),
        ("\udc80", "cannot pack x"),
        ([1].append, "x: .*neither a class nor a function"),
        (iter([]), "x: a list_iterator cannot"),
    ],
)
def test_what_cannot_cross_is_named(value, text):
    with pytest.raises(RecipeError, match=text):
        values.pack({"x": value})


def test_what_holds_itself_is_refused():
    own = task_parts.Plain()
    own.itself = own
    with pytest.raises(RecipeError, match=r"x.itself.itself.*nested more than 64 deep, or within itself"):
        values.pack({"x": own})


def test_an_answer_imports_nothing():
    forged = wire.pack({"x": {"leaven:reference": ["this:s", None]}})
    with pytest.raises(ProtocolError, match="this:s, which is not imported here"):
        values.unpack(forged, answer=True)
    made = wire.pack({"x": {"leaven:object": [["subprocess:Popen", None], {}, {}]}})
    with pytest.raises(ProtocolError, match="malformed value"):
        values.unpack(made, answer=True)


def test_large_arrays_are_shared_and_constants_are_read_once():
    large = task_parts.Data(20_000)
    sharing = Sharing()
    packed = values.pack({"constant": large.batch}, sharing)
    assert len(packed) < 1000
    constant = SharedConstant(packed, sharing)
    first, second = crossed([constant, constant])
    assert first is second
    assert first(3).tolist() == [0, 1, 2]
    assert not first.__self__.writeable()
