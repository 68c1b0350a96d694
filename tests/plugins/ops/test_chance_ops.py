from __future__ import annotations

import numpy as np
import pytest

from leaven.errors import ParameterError
from leaven.protocols import ImageInfo
from leaven.testing.tools import picture
from leaven_plugins.ops.chance import Nothing, OneOf, Sometimes
from leaven_plugins.ops.crop import CenterCrop
from leaven_plugins.ops.errors import ImageError
from leaven_plugins.ops.flip import Flip
from leaven_plugins.ops.grayscale import Grayscale

INFO = ImageInfo(24, 32, 3)


def draws(op, count=3000):
    return [op.draw(np.random.default_rng(seed), INFO) for seed in range(count)]


def test_sometimes_is_as_often_as_asked():
    op = Sometimes(Grayscale(), prob=0.3)
    drawn = draws(op)
    assert 0.27 < np.mean([op.applies(values) for values in drawn]) < 0.33
    assert {str(values) for values in drawn} == {
        "{'sometimes': None}",
        "{'sometimes': {'values': {'grayscale': True}}}",
    }


@pytest.mark.parametrize(("probs", "expected"), [(None, [1 / 3] * 3), ([0.1, 0.6, 0.3], [0.1, 0.6, 0.3])])
def test_one_of_is_exactly_one_of_them(probs, expected):
    image = picture()
    op = OneOf([Flip(1), Grayscale(), Nothing()], probs)
    drawn = draws(op)
    counts = np.bincount([values["one_of"]["index"] for values in drawn], minlength=3)
    np.testing.assert_allclose(counts / len(drawn), expected, atol=0.03)
    for values in drawn[:30]:
        index = values["one_of"]["index"]
        assert op.applies(values) is (index < 2)
        if index < 2:
            chosen = (image[:, ::-1], Grayscale().apply(image, {}, np.random.default_rng(0)))[index]
            np.testing.assert_array_equal(op.apply(image, values, np.random.default_rng(0)), chosen)


def test_they_can_stand_in_each_other():
    op = OneOf([Sometimes(OneOf([Flip(1), Flip(0, 1)]), 1), OneOf([Nothing()])])
    image, seen = picture(), set()
    for values in draws(op, 50):
        if op.applies(values):
            seen.add(op.apply(image, values, np.random.default_rng(0)).tobytes())
    assert seen == {image[:, ::-1].tobytes(), image[::-1].tobytes()}


def test_they_say_whether_sizes_stay():
    assert Sometimes(Flip()).keeps_size
    assert not Sometimes(CenterCrop([3, 3])).keeps_size
    assert not OneOf([Flip(), CenterCrop([3, 3])]).keeps_size


@pytest.mark.parametrize("probs", [[0.5], [0.5, 0.4], [1.5, -0.5]])
def test_probabilities_are_checked(probs):
    with pytest.raises(ParameterError, match="it has to be 2 probabilities, together 1"):
        OneOf([Flip(), Flip()], probs)


def test_other_mistakes():
    with pytest.raises(ParameterError, match="ops is empty"):
        OneOf([])
    with pytest.raises(ParameterError, match="prob is 2"):
        Sometimes(Flip(), 2)
    with pytest.raises(ImageError, match="no op number 5; there are 1"):
        OneOf([Flip()]).applies({"one_of": {"index": 5, "values": {}}})
