from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import ParameterError
from leaven_plugins.policies.poly.policy import Poly
from leaven_plugins.policies.schedule import Schedule, bind, parse
from leaven_plugins.policies.schedules.policy import Dec, LinDec, Updates

LINE = Poly(power=1)


def optimizer(**options):
    weights = [torch.nn.Parameter(torch.zeros(2)) for _ in range(2)]
    return torch.optim.AdamW([{"params": weights[:1], "lr": 0.2}, {"params": weights[1:], "lr": 0.4}], **options)


def by_steps(factor, step):
    """What each step makes of the one before, as it was defined."""
    value = 1.0
    for done in range(1, step + 1):
        value *= factor if done % 1000 == 0 else 1
    return value


@pytest.mark.parametrize("step", [0, 999, 1000, 1001, 5999, 6000])
def test_dec_is_what_repeated_multiplication_gives(step):
    assert Dec(0.95).value(1.0, step, 1e9) == pytest.approx(by_steps(0.95, step))
    assert Dec(0.95).value([1.0, 2.0], step, 1e9) == pytest.approx([by_steps(0.95, step), 2 * by_steps(0.95, step)])


@given(st.integers(1, 9000), st.integers(0, 12000))
def test_lindec_reaches_zero_at_its_end_whatever_that_is(steps, step):
    value = LinDec(steps).value(0.5, step, 12000)
    assert value == (0 if step >= steps else pytest.approx(0.5 - 0.5 * (step // 1000) * 1000 / steps))


def test_lindec_takes_off_what_it_was_told_but_never_too_much():
    assert LinDec(4000, initial=0.4).value(0.5, 2000, 9e9) == pytest.approx(0.3)
    assert LinDec(4000, initial=4.0).value(0.5, 2000, 9e9) == 0
    assert LinDec(4000).value([1.0, 2.0], 1000, 9e9) == [0.75, 1.5]


def test_updates_set_values_at_their_steps():
    policy = Updates([[2500, 0.5], [5000, [0.1, 0.2]]])
    assert [policy.value(0.9, step, 9e9) for step in (0, 1000, 2499, 2500, 4999)] == [0.9, 0.9, 0.9, 0.5, 0.5]
    assert policy.value(0.9, 5000, 9e9) == policy.value(0.9, 10**9, 9e9) == [0.1, 0.2]


def test_steps_count_from_where_a_policy_took_over():
    assert Dec(0.5, last_epoch=700).value(1.0, 1699, 9e9) == 1
    assert Dec(0.5, last_epoch=700).value(1.0, 1700, 9e9) == 0.5


def test_each_parameter_group_goes_down_from_its_own_rate():
    used = optimizer()
    schedule = Schedule(LINE, used, "lr")
    assert schedule.apply(2.5, 10, step=99, num_steps=100) == pytest.approx([0.15, 0.3])
    assert [group["lr"] for group in used.param_groups] == pytest.approx([0.15, 0.3])
    assert [group["initial_lr"] for group in used.param_groups] == [0.2, 0.4]


def test_a_schedule_that_is_bound_again_goes_on_from_what_was_there_at_first():
    used = optimizer(weight_decay=0.1)
    Schedule(LINE, used, "weight_decay").apply(5, 10, 0, 0)
    again = optimizer()
    again.load_state_dict(used.state_dict())
    assert Schedule(LINE, again, "weight_decay").apply(5, 10, 0, 0) == pytest.approx([0.05, 0.05])


def test_a_state_may_be_loaded_after_a_schedule_was_bound():
    """Loading puts other groups into the optimizer."""
    saved, used = optimizer(), optimizer()
    saved.param_groups[0]["lr"] = saved.param_groups[1]["lr"] = 0.8
    schedule = Schedule(LINE, used, "lr")
    used.load_state_dict(saved.state_dict())
    schedule.apply(5, 10, 0, 0)
    assert [group["lr"] for group in used.param_groups] == [0.4, 0.4]


def test_steps_and_epochs_are_not_mixed_up():
    schedule = Schedule(Dec(0.5), SimpleNamespace(rate=1.0), "rate")
    assert schedule.apply(epoch=3000, num_epochs=9000, step=1000, num_steps=9000) == 0.5


def test_betas_are_set_as_pairs():
    used = optimizer(betas=(0.9, 0.99))
    Schedule(parse({"updates": [[10, [0.5, 0.9]]]}), used, "betas").apply(0, 1, 10, 20)
    assert [group["betas"] for group in used.param_groups] == [(0.5, 0.9)] * 2


def test_a_list_gives_each_layer_its_own_value():
    used = optimizer()
    Schedule(Updates([[10, [0.1, 0.3]]]), used, "lr").apply(0, 1, 10, 20)
    assert [group["lr"] for group in used.param_groups] == [0.1, 0.3]


class Variable:
    def __init__(self, value):
        self.held = value

    def get_value(self):
        return self.held

    def set_value(self, value):
        self.held = value


def targets():
    """Each place that a property can be, and how to look at it."""
    network = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Sequential(torch.nn.Dropout(0.8)))
    table, nested = {"rate": 0.8}, SimpleNamespace(parts=[{"rate": 0.8}])
    variable, model = Variable(0.8), SimpleNamespace(nontrainable_params={"rate": Variable(0.8), "other": 1.0})
    plain = SimpleNamespace(nontrainable_params={"rate": 0.8})
    return [
        (network, "1.0.p", lambda: network[1][0].p),
        (table, "rate", lambda: table["rate"]),
        (nested, "parts.0.rate", lambda: nested.parts[0]["rate"]),
        (variable, "", lambda: variable.held),
        (model, "rate", lambda: model.nontrainable_params["rate"].held),
        (plain, "rate", lambda: plain.nontrainable_params["rate"]),
    ]


@pytest.mark.parametrize(("target", "name", "look"), targets())
def test_any_property_can_be_scheduled(target, name, look):
    schedule = Schedule(LINE, target, name)
    assert look() == 0.8
    schedule.apply(2.5, 10, 0, 0)
    schedule.apply(5, 10, 0, 0)
    assert look() == pytest.approx(0.4)


@dataclass(frozen=True)
class Fixed:
    rate: float = 0.5


@pytest.mark.parametrize(
    ("target", "name", "text"),
    [
        (optimizer(), "weight_decai", r"no 'weight_decai', did you mean 'weight_decay'\?; there are: amsgrad"),
        (optimizer(), "params", "no 'params'"),
        (optimizer(), "amsgrad", r"it is list, and not a number"),
        (SimpleNamespace(rate=1.0), "rat", r"property 'rat': SimpleNamespace has no 'rat', did you mean 'rate'\?"),
        ({"rate": 1.0}, "Rate", r"did you mean 'rate'\?"),
        (SimpleNamespace(inner={"a": 1.0}), "inner.b", r"property 'inner.b': dict has no 'b'"),
        (SimpleNamespace(), "", "has no ''"),
        (SimpleNamespace(rate=torch.zeros(1)), "rate", "it is Tensor, and not a number"),
        (SimpleNamespace(rate=True), "rate", "it is bool"),
        (Fixed(), "rate", "it cannot be set"),
    ],
)
def test_what_cannot_be_scheduled(target, name, text):
    with pytest.raises(ParameterError, match=text):
        Schedule(LINE, target, name)


def test_lists_have_to_be_of_one_length():
    schedule = Schedule(Updates([[1, [0.1, 0.2, 0.3]]]), optimizer(), "lr")
    with pytest.raises(ParameterError, match="it has 2 values, and the policy gives 3"):
        schedule.apply(0, 1, 1, 2)


def test_names_are_looked_up_on_one_target_after_the_other():
    model, config = SimpleNamespace(dropout=0.5), SimpleNamespace(dropout=0.1, warp=np.float64(0.3))
    schedules = bind({"dropout": {"dec": 0.5}, "warp": LINE}, [model, config])
    for schedule in schedules:
        schedule.apply(5, 10, 1000, 2000)
    assert (model.dropout, config.dropout, config.warp) == (0.25, 0.1, pytest.approx(0.15))
    with pytest.raises(ParameterError, match=r"has no 'wrap'; there are: dropout; .*did you mean 'warp'\?"):
        bind({"wrap": LINE}, [model, config])


def test_tables_of_old_are_read():
    assert parse({"dec": 0.95}) == Dec(0.95)
    assert parse({"lindec": [4000, 0.1]}) == LinDec(4000, 0.1)
    assert parse({"updates": [[10, 0.1]]}) == Updates([[10, 0.1]])
    assert parse(LINE) is LINE


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({"decc": 0.9}, r"expected a table with one of dec, lindec, updates, did you mean 'dec'\?"),
        ({"dec": 0.9, "updates": []}, "expected a table with one"),
        (0.9, "expected a table with one"),
        ({"lindec": 4000}, r"lindec is \[steps, initial\]"),
        ({"updates": []}, "one or more"),
        ({"updates": [[1, 2, 3]]}, "expected pairs"),
        ({"updates": [[5, 1.0], [5, 2.0]]}, "must rise"),
        ({"dec": -1}, "factor=-1"),
        ({"dec": "fast"}, r"schedule {'dec': 'fast'}: '<' not supported"),
        ({"updates": 5}, "schedule {'updates': 5}: 'int' object is not iterable"),
    ],
)
def test_other_tables_are_refused(table, text):
    with pytest.raises(ParameterError, match=text):
        parse(table)
