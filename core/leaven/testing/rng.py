"""RngContract: what an image worker relies on in an RNG."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from leaven.protocols import ImageInfo, Rng
from leaven.stream import wire
from leaven.stream.buffers import buffer_spec
from leaven.testing.component import ComponentContract

_IMAGES = (ImageInfo(24, 32, 3), ImageInfo(1, 1, 1), ImageInfo(4000, 3000, 3, 6))
_ROWS = (buffer_spec(((3, 16, 16), "uint8")), buffer_spec(((1, 8, 20), "uint8")))


class RngContract(ComponentContract):
    """The contract of RNGs."""

    @pytest.fixture
    def rng(self, component: Rng) -> Rng:
        """A new RNG."""
        return component

    def test_it_has_what_an_rng_has(self, rng: Any) -> None:
        """It draws."""
        assert isinstance(rng, Rng)

    def test_a_draw_is_plain_data(self, rng: Rng) -> None:
        """It travels to the loader with the batch."""
        for info in _IMAGES:
            for spec in _ROWS:
                drawn = rng.draw(info, spec, np.random.default_rng(3))
                assert isinstance(drawn, dict)
                assert all(isinstance(key, str) for key in drawn)
                wire.pack(drawn)

    def test_it_repeats_itself(self, rng: Rng) -> None:
        """The generator that it is handed is its only source of chance, and what it drew before plays no part."""
        draws = [dict(rng.draw(_IMAGES[0], _ROWS[0], np.random.default_rng(seed))) for seed in (1, 2, 3)]
        again = [dict(rng.draw(_IMAGES[0], _ROWS[0], np.random.default_rng(seed))) for seed in (3, 2, 1)]
        assert draws == again[::-1]

    def test_global_state_is_not_touched(self, rng: Rng) -> None:
        """Neither Python's nor numpy's."""
        before = random.getstate(), str(np.random.get_state())
        rng.draw(_IMAGES[0], _ROWS[0], np.random.default_rng(0))
        assert (random.getstate(), str(np.random.get_state())) == before

    def test_draws_are_their_receivers(self, rng: Rng) -> None:
        """What is done to one draw changes no other."""
        first = rng.draw(_IMAGES[0], _ROWS[0], np.random.default_rng(0))
        expected = dict(first)
        first.clear()
        assert rng.draw(_IMAGES[0], _ROWS[0], np.random.default_rng(0)) == expected

    def test_epochs_do_not_follow_each_other(self, rng: Any) -> None:
        """What ``at_epoch(epoch)`` returns, where there is such a method, draws for that epoch, whoever asked before.

        Other workers make other samples: nobody sees all epochs begin.
        """
        if hasattr(rng, "at_epoch"):
            draws = [rng.at_epoch(epoch).draw(_IMAGES[0], _ROWS[0], np.random.default_rng(0)) for epoch in (0, 7, 0)]
            assert draws[0] == draws[2]
            assert isinstance(rng.at_epoch(7), Rng)
