from __future__ import annotations

import pytest
import torch
from torch import nn

from leaven.errors import ParameterError
from leaven_plugins.optimizers.adamw.optimizer import AdamW
from leaven_plugins.optimizers.groups import layers_of
from leaven_plugins.optimizers.sgd.optimizer import SGD


def network():
    """A stem with a norm, two numbered blocks, a head; and a weight of its own."""
    made = nn.Module()
    made.token = nn.Parameter(torch.zeros(1, 3))
    made.stem = nn.Conv2d(3, 4, 3)
    made.norm = nn.BatchNorm2d(4)
    made.blocks = nn.ModuleList([nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 4)) for _ in range(2)])
    made.head = nn.Linear(4, 2)
    return made


def names_of(optimizer, module):
    """Return, for each group, its weights' names and its values that are not by default."""
    names = {id(weight): name for name, weight in module.named_parameters()}
    return [
        ([names[id(weight)] for weight in group["params"]], group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
    ]


def test_the_first_rule_that_matches_counts():
    module = network()
    rules = [{"match": "head.*", "lr": 1.0}, {"match": "*.bias", "weight_decay": 0.0}, {"match": "stem*", "lr": 0.5}]
    groups = names_of(SGD(lr=0.1, weight_decay=0.2, groups=rules)(module.named_parameters()), module)
    by_values = {tuple(values): names for names, *values in groups}
    assert by_values[1.0, 0.2] == ["head.weight", "head.bias"]
    assert by_values[0.5, 0.2] == ["stem.weight"]
    assert {"stem.bias", "norm.bias"} <= set(by_values[0.1, 0.0])
    assert "head.bias" not in by_values[0.1, 0.0]
    assert "norm.weight" in by_values[0.1, 0.2]
    assert sum(len(names) for names, *_ in groups) == len(list(module.parameters()))


def test_vectors_have_no_decay_where_none_is_wanted():
    module = network()
    rules = [{"match": "norm.*", "weight_decay": 0.7}]
    groups = names_of(AdamW(no_decay=True, groups=rules)(module.named_parameters()), module)
    decays = {name: decay for names, _, decay in groups for name in names}
    weights = dict(module.named_parameters())
    for name, decay in decays.items():
        own = 0.7 if name.startswith("norm.") else 0.01 if weights[name].ndim > 1 else 0.0
        assert decay == own, name


def test_layers_are_blocks_and_what_has_vectors_only_belongs_to_the_one_before():
    layers = layers_of(dict(network().named_parameters()))
    numbers = {}
    for name, layer in layers.items():
        numbers.setdefault(layer, set()).add(name.rsplit(".", 1)[0])
    assert numbers == {
        0: {"token"},
        1: {"stem", "norm"},
        2: {"blocks.0.0", "blocks.0.1", "blocks.0.2"},
        3: {"blocks.1.0", "blocks.1.1", "blocks.1.2"},
        4: {"head"},
    }


def test_rates_fall_from_layer_to_layer_towards_the_input():
    module = network()
    rules = [{"match": "stem.*", "lr": 8.0}]
    groups = names_of(SGD(lr=1.0, layer_decay=0.5, groups=rules)(module.named_parameters()), module)
    rates = {name: rate for names, rate, _ in groups for name in names}
    assert rates["head.bias"] == 1.0
    assert rates["blocks.1.2.weight"] == 0.5
    assert rates["blocks.0.0.weight"] == rates["blocks.0.1.weight"] == 0.25
    assert rates["norm.weight"] == 0.125
    assert rates["stem.weight"] == 8 * 0.125
    assert rates["token"] == 0.0625


def test_weights_may_come_in_every_form():
    module = nn.Linear(2, 1)
    tensors = list(module.parameters())
    groups = [{"params": [module.weight], "lr": 0.5}, {"params": module.bias}]
    with_names = [{"params": [("w", module.weight)], "lr": 0.5}, {"params": [("b", module.bias)]}]
    for given in (iter(tensors), module.named_parameters()):
        (group,) = SGD(lr=0.1)(given).param_groups
        assert [id(weight) for weight in group["params"]] == [id(weight) for weight in tensors]
    for given in (groups, with_names):
        made = SGD(lr=0.1)(given).param_groups
        assert [(group["lr"], id(group["params"][0])) for group in made] == [
            (0.5, id(module.weight)),
            (0.1, id(module.bias)),
        ]


@pytest.mark.parametrize(
    ("options", "parameters", "text"),
    [
        ({}, [], "there are no weights"),
        ({"no_decay": True}, network().parameters(), r"pass network.named_parameters\(\)"),
        ({"layer_decay": 0.9}, [{"params": network().parameters()}], "go by the names of weights"),
        (
            {"groups": [{"match": "heads.*"}]},
            network().named_parameters(),
            r"groups.0: no weight has a name like 'heads.\*', did you mean 'head\.\w+'\?; there are: blocks.0.0.bias",
        ),
        (
            {"groups": [{"match": "head.*"}, {"match": "head.bias"}]},
            network().named_parameters(),
            "groups.1: all that 'head.bias' matches is in a group above it",
        ),
        ({}, [*nn.Linear(1, 1).named_parameters()] * 2, "two weights have the name 'weight'"),
    ],
)
def test_what_cannot_be_sorted(options, parameters, text):
    with pytest.raises(ParameterError, match=text):
        AdamW(**options)(parameters)


def test_values_of_groups_are_checked_by_name():
    with pytest.raises(ParameterError, match=r"groups.0: no value 'weight_decai', did you mean 'weight_decay'\?"):
        AdamW(groups=[{"match": "*", "weight_decai": 0.0}])
    with pytest.raises(ParameterError, match=r"groups.1: lr=0: must be above 0"):
        AdamW(groups=[{"match": "a"}, {"match": "*", "lr": 0}])
    with pytest.raises(ParameterError, match="needs 'match'"):
        AdamW(groups=[{"lr": 0.1}])
