"""The tone curve: contrast, then gamma, of values in [0, 1]."""

from __future__ import annotations

from math import atanh, exp
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

SIGMOID_RANGE = 6.279
"""The logistic function is used from minus to plus this."""
SIGMOID_OFFSET = 1 / (1 + exp(SIGMOID_RANGE))
"""Its value at the lower end."""
TANH_RANGE = 1 - 2 * SIGMOID_OFFSET
"""The inverse hyperbolic tangent is used from minus to plus this."""
TANH_OFFSET = atanh(TANH_RANGE)
"""Its value at the upper end."""


def human2gamma(human: float) -> float:
    """Return the exponent for a brightness as people count it: -1 is black, 0 as it was, 1 white.

    It lies within 0.001 and 1000; below 1 brightens.
    """
    if abs(human) >= 0.999:
        return 0.001 if human > 0 else 1000.0
    return 1 - human if human > 0 else 1 / (1 + human)


def more_contrast(values: Values) -> Values:
    """Return full positive contrast: a logistic curve through (0, 0) and (1, 1)."""
    logistic = 1 / (1 + np.exp(-SIGMOID_RANGE * (2 * values - 1)))
    return (logistic - SIGMOID_OFFSET) / (1 - 2 * SIGMOID_OFFSET)


def less_contrast(values: Values) -> Values:
    """Return full negative contrast: an inverse hyperbolic tangent through (0, 0) and (1, 1)."""
    return (np.arctanh(TANH_RANGE * (2 * values - 1)) + TANH_OFFSET) / (2 * TANH_OFFSET)


def tone_curve(values: Values, gamma: Any, contrast: float) -> Values:
    """Return ``values`` after contrast and gamma.

    Args:
        values: within 0 and 1.
        gamma: exponents that broadcast against ``values``.
        contrast: -1 to 1; 0 leaves as it is.
    """
    if contrast > 0:
        values = (1 - contrast) * values + contrast * more_contrast(values)
    elif contrast < 0:
        values = (1 + contrast) * values - contrast * less_contrast(values)
    # both curves end at 0 and 1 but for rounding, and a power of less than 0 is not a number
    curved: Values = np.clip(values, 0, 1) ** gamma
    return curved
