from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.optimizers.averaging import WeightAverage


class Network(nn.Module):
    """Takes and returns sample dicts."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1d(4)

    def forward(self, sample):
        return {**sample, "output": self.norm(self.first(sample["image"]))}


def train(module, average, count, seed=0):
    """Change all weights and buffers ``count`` times; return the state after each."""
    generator, states = torch.Generator().manual_seed(seed), []
    for step in range(count):
        with torch.no_grad():
            for tensor in module.state_dict().values():
                if tensor.is_floating_point():
                    tensor.add_(torch.rand(tensor.shape, generator=generator))
                else:
                    tensor.fill_(step)
        average.update()
        states.append(copied(module))
    return states


def copied(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        torch.testing.assert_close(one[name], other[name], msg=name)


@pytest.mark.parametrize("decay", [0.8, lambda count: min(0.9, (1 + count) / (10 + count))])
def test_ema_is_its_formula_for_weights_and_buffers(decay):
    module = Network()
    expected, average = copied(module), WeightAverage(module, decay=decay)
    for count, state in enumerate(train(module, average, 6), 1):
        share = decay(count) if callable(decay) else decay
        for name, tensor in state.items():
            is_whole = not tensor.is_floating_point()
            expected[name] = tensor if is_whole else share * expected[name] + (1 - share) * tensor
    assert_same(copied(average.module), expected)
    assert average.count == 6


@pytest.mark.parametrize(("start", "every", "counted"), [(0, 1, range(7)), (2, 1, range(2, 7)), (1, 3, (1, 4))])
def test_swa_is_the_mean_of_the_states_that_count(start, every, counted):
    module = Network()
    average = WeightAverage(module, "swa", start=start, every=every)
    states = [train(module, average, 1, seed)[0] for seed in range(7)]
    assert average.count == len(counted)
    for name, tensor in average.module.state_dict().items():
        if tensor.is_floating_point():
            torch.testing.assert_close(tensor, torch.stack([states[step][name] for step in counted]).mean(0))


@pytest.mark.parametrize("kind", ["ema", "swa"])
def test_nothing_is_brought_to_the_device_or_fetched(kind):
    network = Network().to("meta")
    average = WeightAverage(network, kind)
    with WatchedDevice():
        for _ in range(3):
            average.update()


class WatchedDevice(TorchDispatchMode):
    """Fails where a tensor goes to another device, or its value is looked at."""

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        assert function.overloadpacket not in (torch.ops.aten._to_copy, torch.ops.aten._local_scalar_dense)
        return function(*arguments, **(named or {}))


def test_an_ema_that_starts_late_begins_with_what_is_there_then():
    module = Network()
    average = WeightAverage(module, decay=0.5, start=3)
    states = train(module, average, 5)
    mean = (states[3]["first.weight"] + states[4]["first.weight"]) / 2
    torch.testing.assert_close(average.module.first.weight, mean)


def test_the_average_is_applied_in_place_and_taken_back():
    module = Network()
    average = WeightAverage(module, decay=0.5)
    own, weight = train(module, average, 3)[-1], module.first.weight
    mean = copied(average.module)
    with average.applied() as network:
        assert network is module
        assert module.first.weight is weight
        assert_same(copied(module), mean)
    assert_same(copied(module), own)
    assert_same(copied(average.module), mean)
    assert weight.requires_grad
    assert not average.module.first.weight.requires_grad


def test_it_is_taken_back_after_an_error():
    module = Network()
    average = WeightAverage(module)
    (own,) = train(module, average, 1)
    with pytest.raises(ZeroDivisionError), average.applied():
        raise ZeroDivisionError
    assert_same(copied(module), own)


def test_while_it_is_applied_nothing_else_is_done_with_it():
    average = WeightAverage(Network())
    with average.applied():
        for what in (average.update, average.state_dict, lambda: average.load_state_dict({})):
            with pytest.raises(LeavenError, match=r"within applied\(\)"):
                what()
        with pytest.raises(LeavenError, match=r"applied\(\) within applied\(\)"), average.applied():
            pass


@pytest.mark.parametrize("kind", ["ema", "swa"])
def test_it_goes_on_from_its_state(kind):
    module = Network()
    whole = WeightAverage(module, kind, start=1, every=2)
    train(module, whole, 4)
    part = WeightAverage(module, kind, start=1, every=2)
    part.load_state_dict(whole.state_dict())
    before = copied(module)
    train(module, whole, 4, seed=1)
    module.load_state_dict(before)
    train(module, part, 4, seed=1)
    assert part.count == whole.count == 4
    assert_same(copied(part.module), copied(whole.module))


def test_statistics_of_norms_are_measured_anew():
    module = Network()
    average = WeightAverage(module, "swa")
    train(module, average, 3)
    samples = [{"image": torch.randn(8, 3)} for _ in range(4)]
    average.update_statistics(samples)
    outputs = torch.stack([average.module.first(sample["image"]).mean(0) for sample in samples])
    torch.testing.assert_close(average.module.norm.running_mean, outputs.mean(0), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"kind": "mean"}, "kind='mean': must be one of ema, swa"),
        ({"decay": 1.5}, "decay=1.5"),
        ({"start": -1}, "start=-1"),
        ({"every": 0}, "every=0"),
    ],
)
def test_what_it_refuses(options, text):
    with pytest.raises(ParameterError, match=text):
        WeightAverage(Network(), **options)


def test_states_of_something_else_are_refused():
    average = WeightAverage(Network())
    with pytest.raises(LeavenError, match="has no 'calls'"):
        average.load_state_dict({"count": 1})
    state = WeightAverage(nn.Linear(1, 1)).state_dict()
    with pytest.raises(LeavenError, match="of another network"):
        average.load_state_dict(state)
    late = WeightAverage(Network(), decay=lambda count: count)
    with pytest.raises(ParameterError, match="decay=2"):
        train(late._module, late, 2)
