"""FeedContract: what a loader relies on in a feed."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

from leaven.protocols import Feed
from leaven.testing.component import ComponentContract


class FeedContract(ComponentContract):
    """The contract of feeds whose arrays numpy can read."""

    @pytest.fixture
    def feed(self, component: Feed) -> Feed:
        """A new feed."""
        return component

    def test_values_are_kept(self, feed: Feed) -> None:
        """Arrays have the same values, shape and dtype; lists stay lists; no key is lost."""
        given = _batch()
        handed = feed(_batch())
        assert list(handed) == list(given)
        for key, value in given.items():
            if isinstance(value, np.ndarray):
                seen = np.asarray(handed[key])
                np.testing.assert_array_equal(seen, value, key)
                assert seen.dtype == value.dtype, key
            else:
                assert handed[key] == value, key

    def test_no_rows_are_no_trouble(self, feed: Feed) -> None:
        """A batch may be empty."""
        assert np.asarray(feed({"image": np.zeros((0, 3, 4, 4), np.uint8)})["image"]).shape == (0, 3, 4, 4)

    def test_what_it_hands_out_is_let_go(self, feed: Feed) -> None:
        """It keeps no batch alive: the slot that the batch lies in is free once the consumer drops it."""
        memory = np.arange(24, dtype=np.uint8)
        gone = weakref.ref(memory)
        handed: Any = feed({"image": memory.reshape(2, 3, 4)})
        del memory
        np.testing.assert_array_equal(np.asarray(handed["image"]).ravel(), np.arange(24))
        del handed
        gc.collect()
        assert gone() is None


def _batch() -> dict[str, Any]:
    return {
        "image": np.arange(24, dtype=np.uint8).reshape(2, 3, 2, 2),
        "label": np.array([[3], [5]]),
        "weight": np.array([0.5, 0.25], np.float32),
        "augmentation": [{"angle": 0.1}, {}],
    }
