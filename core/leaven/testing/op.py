"""OpContract: what an image worker relies on in an op."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from leaven.protocols import ImageInfo, Op
from leaven.stream import wire
from leaven.testing import tools
from leaven.testing.component import ComponentContract

_TRIES = 200


class OpContract(ComponentContract):
    """The contract of ops.

    Attributes:
        channels: numbers of channels of images that it takes.
    """

    channels: ClassVar[tuple[int, ...]] = (1, 3)

    @pytest.fixture
    def op(self, component: Op) -> Op:
        """A new op."""
        return component

    def test_it_has_what_an_op_has(self, op: Any) -> None:
        """Its keys are a tuple of strings, to be looked up in a draw."""
        assert isinstance(op, Op)
        assert isinstance(op.keys, tuple)
        assert all(isinstance(key, str) for key in op.keys)

    def test_a_draw_gives_its_keys(self, op: Op) -> None:
        """A draw has no other keys than the declared ones, and plain values: they are handed out with the batch."""
        for seed in range(20):
            values = op.draw(np.random.default_rng(seed), ImageInfo(24, 32, 3))
            assert set(values) <= set(op.keys)
            wire.pack(values)

    def test_a_draw_repeats_itself(self, op: Op) -> None:
        """The generator that it is handed is its only source of chance."""
        first, second = (op.draw(np.random.default_rng(5), ImageInfo(24, 32, 3)) for _ in range(2))
        assert first == second

    def test_it_does_something(self, op: Op) -> None:
        """Some draw applies, and changes the image."""
        for seed in range(_TRIES):
            image, values = tools.picture(), op.draw(np.random.default_rng(seed), ImageInfo(24, 32, 3))
            if op.applies(values) and (op.apply(image, values, np.random.default_rng(seed)) != image).any():
                return
        pytest.fail(f"none of {_TRIES} draws changed the image")

    def test_without_values_it_does_not_apply(self, op: Op) -> None:
        """A draw of another RNG may have none of its keys."""
        if op.keys:
            assert not op.applies({})

    def test_images_keep_their_form(self, op: Op) -> None:
        """The same shape and dtype come back, for all numbers of channels and odd sizes."""
        for channels in self.channels:
            for height, width in ((24, 32), (7, 5), (1, 1)):
                image = tools.picture(height, width, channels)
                changed = op.apply(image, self._applying(op, image), np.random.default_rng(1))
                assert changed.shape == image.shape
                assert changed.dtype == image.dtype

    def test_the_image_is_not_touched(self, op: Op) -> None:
        """The array that it is handed may be somebody else's; a read-only one will do."""
        for channels in self.channels:
            image = tools.picture(channels=channels)
            before = image.copy()
            image.flags.writeable = False
            op.apply(image, self._applying(op, image), np.random.default_rng(1))
            np.testing.assert_array_equal(image, before)

    def test_it_repeats_itself(self, op: Op) -> None:
        """The same image, values and generator give the same image; numpy's global state plays no part."""
        image = tools.picture()
        values = self._applying(op, image)
        first, second = (op.apply(image, values, np.random.default_rng(9)) for _ in range(2))
        np.testing.assert_array_equal(first, second)

    def test_views_are_as_good_as_arrays(self, op: Op) -> None:
        """Images may be cut out of others, or turned: rows need not follow each other in memory."""
        whole = tools.picture(40, 50)
        view = whole[3:27, 40:8:-1]
        values = self._applying(op, view)
        expected = op.apply(np.ascontiguousarray(view), values, np.random.default_rng(2))
        np.testing.assert_array_equal(op.apply(view, values, np.random.default_rng(2)), expected)

    def _applying(self, op: Op, image: Any) -> dict[str, Any]:
        """Return values under which the op applies."""
        for seed in range(_TRIES):
            values = op.draw(np.random.default_rng(seed), ImageInfo(*image.shape))
            if op.applies(values):
                return values
        pytest.fail(f"none of {_TRIES} draws applies")
