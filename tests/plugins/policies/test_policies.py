from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven import create
from leaven.errors import ParameterError
from leaven_plugins.policies.chain.policy import Chain
from leaven_plugins.policies.cosine.policy import Cosine
from leaven_plugins.policies.exp.policy import Exp
from leaven_plugins.policies.noop.policy import Noop
from leaven_plugins.policies.one_cycle.policy import OneCycle
from leaven_plugins.policies.plateau.policy import Plateau
from leaven_plugins.policies.poly.policy import Poly
from leaven_plugins.policies.poly_decay.policy import PolyDecay
from leaven_plugins.policies.ramp.policy import Ramp
from leaven_plugins.policies.sigmoid.policy import Sigmoid
from leaven_plugins.policies.step.policy import Step
from leaven_plugins.policies.warmup.policy import Warmup
from leaven_plugins.policies.wave.policy import Wave

LINE = Poly(power=1)


@pytest.mark.parametrize(("epoch", "value"), [(0, 0.4), (2.5, 0.3), (5, 0.2), (10, 0.0)])
def test_poly_with_power_one_is_a_line(epoch, value):
    assert LINE.value(0.4, epoch, 10) == pytest.approx(value)


@given(st.floats(0.1, 3), st.floats(0, 20))
def test_poly_falls_and_stays_at_zero_beyond_the_end(power, epoch):
    policy = Poly(power)
    value = policy.value(1.0, epoch, 10)
    assert isinstance(value, float)
    assert 0 <= value <= 1
    assert policy.value(1.0, epoch + 0.5, 10) <= value
    assert policy.value(1.0, 10 + epoch, 10) == 0


def test_noop_changes_nothing():
    assert Noop().value(0.3, 7, 9) == 0.3


def test_the_sigmoid_is_symmetric_about_half_of_the_base_value():
    policy = Sigmoid(q=5)
    assert policy.value(0.8, 5, 10) == pytest.approx(0.4)
    assert policy.value(0.8, 2, 10) + policy.value(0.8, 8, 10) == pytest.approx(0.8)
    assert Sigmoid(q=700).value(0.8, 20, 10) >= 0  # no overflow


SCALED = [LINE, Sigmoid(), Cosine(cycles=2, growth=3), OneCycle()]
COUNTING = [
    Ramp(3),
    Step(0.5, 2),
    Exp(0.7, 2),
    PolyDecay(5),
    Wave(4, 0.9),
    Warmup(LINE, 3),
    Warmup(Exp(0.5), 3, shifted=True),
]


@pytest.mark.parametrize("kind", SCALED + COUNTING)
@given(epoch=st.floats(0, 10))
def test_one_that_took_over_later_sees_the_rest_of_the_run_only(kind, epoch):
    """After ``last_epoch`` epochs, a policy is where it would be at the start of a run of what is left."""
    values = {name: getattr(kind, name) for name in kind.__dataclass_fields__}
    later = type(kind)(**{**values, "last_epoch": 5.0})
    assert later.value(0.3, 5 + epoch, 15) == pytest.approx(kind.value(0.3, 5 + epoch - 5, 10), abs=1e-9)
    assert later.value(0.3, epoch / 2, 15) == kind.value(0.3, 0, 10)


def test_a_policy_that_took_over_when_the_run_was_over_says_so():
    with pytest.raises(ParameterError, match=r"last_epoch=10: the run has 10"):
        Poly(last_epoch=10).value(0.1, 10, 10)


def test_a_linear_warmup_over_a_line_is_their_product():
    policy = Warmup(LINE, epochs=4, start=0.2)
    for epoch in range(11):
        share = 0.2 + 0.8 * min(epoch / 4, 1)
        assert policy.value(0.5, epoch, 10) == pytest.approx(0.5 * share * (1 - epoch / 10))


def test_a_shifted_warmup_leaves_the_whole_policy_for_later():
    policy = Warmup(LINE, epochs=4, shifted=True)
    rise = [policy.value(0.5, epoch, 10) for epoch in range(5)]
    assert rise == pytest.approx([0.5 * epoch / 4 for epoch in range(5)])
    assert [policy.value(0.5, 4 + epoch, 10) for epoch in range(7)] == [LINE.value(0.5, epoch, 6) for epoch in range(7)]


def test_a_run_may_end_amid_the_rise():
    assert Warmup(LINE, epochs=4, shifted=True).value(1.0, 2, 2) == 0.5
    assert Warmup(LINE, epochs=4, shifted=True).value(1.0, 4, 4) == 1.0


def test_a_chain_gives_each_policy_a_run_of_its_own():
    chain = Chain([LINE, Noop(), Ramp(2)], until=[4, 6])
    expected = [1, 0.75, 0.5, 0.25, 1, 1, 0, 0.5, 1, 1]
    assert [chain.value(1.0, epoch, 10) for epoch in range(10)] == expected


@pytest.mark.parametrize("num_epochs", [3, 4])
def test_a_run_may_end_before_a_stretch_begins(num_epochs):
    chain = Chain([Ramp(2), LINE], until=[4])
    assert [chain.value(1.0, epoch, num_epochs) for epoch in range(6)] == [0, 0.5, 1, 1, 1, 1]


def test_a_chain_is_made_from_names_and_tables():
    chain = create("policy:chain", policies=["noop", {"use": "poly", "power": 1}], until=[2])
    assert [chain.value(1.0, epoch, 4) for epoch in range(5)] == [1, 1, 1, 0.5, 0]


def test_what_is_measured_reaches_policies_within_others():
    chain = Chain([Plateau(patience=0), Warmup(Plateau(patience=0, factor=0.5), 2)], until=[3])
    for epoch, value in enumerate([1.0, 1.0, 1.0, 1.0, 1.0], 1):
        chain.observe(value, epoch)
    assert chain.value(1.0, 2, 10) == pytest.approx(0.01)
    assert chain.value(1.0, 9, 10) == 0.5
    again = Chain([Plateau(patience=0), Warmup(Plateau(patience=0, factor=0.5), 2)], until=[3])
    again.load_state_dict(chain.state_dict())
    assert again.value(1.0, 9, 10) == 0.5
    with pytest.raises(ParameterError, match="of other policies"):
        again.load_state_dict({})


@pytest.mark.parametrize(
    ("build", "first"),  # the first epoch that the plateau looks at
    [
        (lambda plateau: Chain([Noop(), Chain([Noop(), plateau], until=[2])], until=[4]), 7),
        (lambda plateau: Chain([Noop(), plateau], until=[2.5]), 3),
        (lambda plateau: Chain([plateau, Noop()], until=[9], last_epoch=3), 4),
        (lambda plateau: Warmup(plateau, 3, shifted=True), 4),
        (lambda plateau: Warmup(plateau, 3), 1),
        (lambda plateau: Warmup(Chain([Noop(), plateau], until=[2]), 3, shifted=True, last_epoch=1), 7),
    ],
)
def test_what_is_measured_outside_of_a_policys_run_is_not_looked_at(build, first):
    plateau = Plateau(patience=0)
    policy = build(plateau)
    seen = []
    for epoch in range(1, 9):
        before = plateau.state_dict()
        policy.observe(1.0, epoch)
        seen += [epoch] if plateau.state_dict() != before else []
    assert seen == list(range(first, 9))


@pytest.mark.parametrize("growth", [1, 2, 0.5])
def test_each_cycle_of_a_cosine_begins_at_the_base_value(growth):
    policy = Cosine(cycles=3, growth=growth)
    whole = sum(growth**cycle for cycle in range(3))
    starts = [sum(growth**cycle for cycle in range(begun)) / whole for begun in range(3)]
    for start in starts:
        assert policy.value(1.0, start * 700, 700) == pytest.approx(1)
        assert start == 0 or policy.value(1.0, start * 700 - 1e-6, 700) == pytest.approx(0, abs=1e-6)
    assert policy.value(1.0, 700, 700) == pytest.approx(0)
    assert policy.value(1.0, 900, 700) == pytest.approx(0)


@given(st.integers(1, 60), st.integers(1, 60))
def test_cosine_restarts_at_whole_epochs_are_not_missed_by_rounding(cycles, length):
    policy, run = Cosine(cycles=cycles), cycles * length
    assert all(policy.value(1.0, start, run) == pytest.approx(1) for start in range(0, run, length))


def test_a_wave_has_its_heights():
    policy = Wave(period=4, dampen=0.5)
    assert [policy.value(1.0, epoch, 99) for epoch in (0, 2, 4, 6, 8, 10)] == [0.5, 1, 0.5, 0.75, 0.5, 0.625]


def test_poly_decay_ends_at_its_floor_and_never_raises_a_value():
    policy = PolyDecay(cutoff=10, power=1, floor=0.1)
    assert [policy.value(0.5, epoch, 99) for epoch in (0, 5, 10, 50)] == pytest.approx([0.5, 0.3, 0.1, 0.1])
    assert policy.value(0.01, 50, 99) == 0.01


def test_parts_of_an_epoch_are_not_observed():
    policy = Plateau(patience=0)
    for epoch in (0.5, 1.5, 1.75):
        policy.observe(1.0, epoch)
    assert policy.best == math.inf
    policy.observe(1.0, 1)
    policy.observe(1.0, 2)
    assert policy.value(1.0, 2, 9) == pytest.approx(0.1)


def test_a_plateau_that_took_over_later_looks_at_nothing_before():
    policy = Plateau(patience=0, last_epoch=3)
    for epoch in range(1, 4):
        policy.observe(1.0, epoch)
    assert policy.reductions == 0


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: Poly(0), r"poly: power=0: must be above 0"),
        (lambda: Poly(-1), "power"),
        (lambda: Poly(float("nan")), "power"),
        (lambda: Poly(last_epoch=-1), "last_epoch=-1"),
        (lambda: Sigmoid(q=701), r"q=701: must be at most 700"),
        (lambda: Ramp(0), "ramp_epochs=0"),
        (lambda: Ramp(unit="stepp"), r"unit='stepp': must be one of epoch, step, did you mean 'step'\?"),
        (lambda: Step(factor=0), "factor=0"),
        (lambda: Exp(every=float("inf")), "every=inf"),
        (lambda: PolyDecay(0), "cutoff=0"),
        (lambda: Wave(period=-1), "period=-1"),
        (lambda: Cosine(min_share=1.5), "min_share=1.5: must be within 0 and 1"),
        (lambda: Cosine(growth=2, restart=False), "have to be of one length"),
        (lambda: Cosine(cycles=20, growth=0.1), "cycles=20, growth=0.1: the shortest cycle"),
        (lambda: Cosine(cycles=400, growth=10), "the shortest cycle would be too short"),
        (lambda: OneCycle(anneal_strategy="cosine"), r"must be one of cos, linear"),
        (lambda: OneCycle(pct_start=2), "pct_start"),
        (lambda: Plateau(mode="least"), "mode='least'"),
        (lambda: Plateau(factor=1), "factor=1"),
        (lambda: Plateau().load_state_dict({"best": 1}), r"no 'bad_epochs'; it has: best"),
        (lambda: Warmup(Step(), unit="step"), r"warmup counts steps, and Step within it epochs"),
        (lambda: Warmup(Noop(), start=2), "start=2"),
        (lambda: Chain([], []), "0 policies"),
        (lambda: Chain([Noop(), Noop()], [3, 4]), "one time less"),
        (lambda: Chain([Noop(), Noop(), Noop()], [3, 3]), "must rise"),
        (lambda: Chain([Noop(), Plateau()], [3], unit="step"), "what is measured comes with epochs"),
        (lambda: Chain([Noop(), Noop()], [3], last_epoch=4), "must rise, from last_epoch=4"),
        (
            lambda: Chain([Noop(), create("policy:dec", factor=0.5)], [3]),
            "chain counts epochs, and Dec within it steps",
        ),
    ],
)
def test_what_they_refuse(build, text):
    with pytest.raises(ParameterError, match=text):
        build()
