from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import ParameterError
from leaven.protocols import Policy
from leaven_plugins.policies.noop.policy import Noop
from leaven_plugins.policies.poly.policy import Poly


@pytest.mark.parametrize(("epoch", "value"), [(0, 0.4), (2.5, 0.3), (5, 0.2), (10, 0.0)])
def test_poly_with_power_one_is_a_line(epoch, value):
    assert Poly(power=1).value(0.4, epoch, 10) == pytest.approx(value)


@given(st.floats(0.1, 3), st.floats(0, 20))
def test_poly_falls_and_stays_at_zero_beyond_the_end(power, epoch):
    policy = Poly(power)
    value = policy.value(1.0, epoch, 10)
    assert isinstance(value, float)
    assert 0 <= value <= 1
    assert policy.value(1.0, epoch + 0.5, 10) <= value
    assert policy.value(1.0, 10 + epoch, 10) == 0


@pytest.mark.parametrize("power", [0, -1, float("nan")])
def test_poly_refuses_a_power_that_is_not_above_zero(power):
    with pytest.raises(ParameterError, match="power"):
        Poly(power)


def test_noop_changes_nothing():
    assert Noop().value(0.3, 7, 9) == 0.3


@pytest.mark.parametrize("policy", [Poly(), Noop()])
def test_they_are_policies(policy):
    assert isinstance(policy, Policy)
