from __future__ import annotations

import pytest
import torch
from torch import nn

from leaven_plugins.snapshots.weights import WeightsError, load_weights, save_scope, weights_in


def a_network(value=0.0):
    network = nn.ModuleDict(
        {
            "encoder": nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)),
            "encoder2": nn.Linear(1, 1),
            "head": nn.Linear(3, 4),
        }
    )
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(value)
    return network


def filled(network, value):
    return {name for name, parameter in network.named_parameters() if (parameter == value).all()}


def test_all_weights():
    network = a_network()
    found = load_weights(network, a_network(1).state_dict())
    assert set(found.loaded) == set(network.state_dict())
    assert (found.missing, found.unexpected, found.mismatched) == ((), (), ())
    assert filled(network, 1) == set(dict(network.named_parameters()))


@pytest.mark.parametrize("scope", ["encoder", "/encoder/", "encoder."])
def test_a_scope_is_loaded_and_the_rest_left_alone(scope):
    network = a_network()
    state = {**a_network(1).state_dict(), "head.weight": torch.ones(100), "foreign": torch.ones(1)}
    load_weights(network, state, scope)
    assert filled(network, 1) == {"encoder.0.weight", "encoder.0.bias", "encoder.1.weight", "encoder.1.bias"}


@pytest.mark.parametrize("scope", ["encoder/0", "encoder.0"])
def test_a_scope_within(scope):
    state = save_scope(a_network(1), scope)
    assert sorted(state) == ["encoder.0.bias", "encoder.0.weight"]
    network = a_network()
    load_weights(network, state, scope)
    assert filled(network, 1) == set(state)


def test_a_scope_that_is_none():
    for scope, text in (
        ("encode", "did you mean 'encoder'"),
        ("x", r"; it has: encoder, encoder\.0, encoder\.1, encoder2, head$"),
    ):
        with pytest.raises(WeightsError, match=text):
            save_scope(a_network(), scope)
    with pytest.raises(WeightsError, match="what is to be loaded has nothing in the scope 'head'"):
        load_weights(a_network(), save_scope(a_network(), "encoder"), "head")


class Wrapped(nn.Module):
    """As data parallelism does it."""

    def __init__(self, module):
        super().__init__()
        self.module = module


class Compiled(nn.Module):
    """As torch.compile does it, which takes seconds to import."""

    def __init__(self, module):
        super().__init__()
        self._orig_mod = module


WRAPPERS = {
    "bare": lambda network: network,
    "parallel": Wrapped,
    "compiled": Compiled,
    "both": lambda network: Compiled(Wrapped(network)),
    "the other way": lambda network: Wrapped(Compiled(network)),
}


@pytest.mark.parametrize("given", WRAPPERS)
@pytest.mark.parametrize("own", WRAPPERS)
def test_wrappers_make_no_difference(given, own):
    network = a_network()
    load_weights(WRAPPERS[own](network), WRAPPERS[given](a_network(1)).state_dict(), "encoder")
    assert len(filled(network, 1)) == 4
    assert sorted(save_scope(WRAPPERS[own](network))) == sorted(network.state_dict())


@pytest.mark.slow
def test_a_part_that_is_compiled():
    network = a_network()
    network["encoder"] = torch.compile(network["encoder"], backend="eager")
    load_weights(network, a_network(1).state_dict())
    assert len(filled(network, 1)) == 8


def test_a_module_called_module_stays_one():
    network = nn.ModuleDict({"module": nn.Linear(1, 1), "other": nn.Linear(1, 1)})
    assert sorted(save_scope(network, "module")) == ["module.bias", "module.weight"]


# ---- what does not fit


def misfits():
    state = a_network(1).state_dict()
    state["encoder.0.wieght"] = state.pop("encoder.0.weight")
    return {**state, "head.weight": torch.ones(5, 3)}


def test_strict_lists_all_with_shapes_and_near_names_and_changes_nothing():
    network = a_network()
    with pytest.raises(WeightsError) as caught:
        load_weights(network, misfits())
    assert str(caught.value).splitlines() == [
        "the weights do not fit the module",
        "  missing: encoder.0.weight (3, 2), did you mean 'encoder.0.wieght'?",
        "  unexpected: encoder.0.wieght (3, 2)",
        "  mismatched: head.weight is (4, 3), given (5, 3)",
    ]
    assert filled(network, 1) == set()


def test_otherwise_what_fits_is_loaded():
    network = a_network()
    found = load_weights(network, misfits(), strict=False)
    assert (found.missing, found.unexpected) == (("encoder.0.weight",), ("encoder.0.wieght",))
    assert found.mismatched == ("head.weight",)
    assert filled(network, 0) == {"encoder.0.weight", "head.weight"}
    assert len(found.loaded) == len(network.state_dict()) - 2


def test_nothing_that_fits_is_an_error_always():
    with pytest.raises(WeightsError, match="none of the weights fits"):
        load_weights(a_network(), {"x": torch.ones(1)}, strict=False)


def test_versions_of_modules_are_respected():
    """Batch norms of before 2018 have no counter; their version says so."""
    network = nn.BatchNorm1d(3)
    state = network.state_dict()
    del state["num_batches_tracked"]
    assert load_weights(network, state, strict=False).missing == ("num_batches_tracked",)


def test_which_weights_of_a_snapshot():
    average = {"calls": 3, "count": 2, "weights": {"a": 2}}
    assert weights_in({"model": {"a": 1}, "average": average}) == {"a": 2}
    assert weights_in({"model": {"a": 1}, "average": average}, averaged=False) == {"a": 1}
    assert weights_in({"model": {"a": 1}}) == {"a": 1}
    with pytest.raises(WeightsError, match="no part 'model'; it has: optimizer"):
        weights_in({"optimizer": {}})
