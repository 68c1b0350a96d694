from __future__ import annotations

import numpy as np
import pytest

from leaven.errors import ParameterError
from leaven_plugins.models.positions import sincos_positions


def test_rows_and_columns_are_waves_of_falling_frequency():
    found = sincos_positions(12, 4, 5)
    assert found.shape == (12, 4, 5)
    assert found.dtype == np.float32
    for k in range(3):
        for row in range(4):
            for column in range(5):
                rate = 10_000 ** (-k / 3)
                expected = [np.sin(row * rate), np.cos(row * rate), np.sin(column * rate), np.cos(column * rate)]
                np.testing.assert_allclose(found[k::3, row, column], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [((6, 1, 1), "channels=6: expected a multiple of 4"), ((0, 1, 1), "channels=0"), ((4, 0, 1), "0 x 1 patches")],
)
def test_what_makes_no_sense_is_refused(arguments, text):
    with pytest.raises(ParameterError, match=text):
        sincos_positions(*arguments)
