"""The table of kinds, and that hooks and protocols are those in it."""

from __future__ import annotations

import pytest

from leaven import hookspecs, protocols
from leaven.errors import UnknownName
from leaven.kinds import KINDS, kind_named, kind_of_protocol


def test_each_kind_is_listed_by_its_name():
    assert all(name == kind.name and kind.meaning for name, kind in KINDS.items())
    assert {"worker", "rng", "op", "loss", "metric", "policy", "dataset"} <= set(KINDS)


def test_each_kind_has_a_hook_and_a_protocol_of_its_own():
    assert len({kind.hook for kind in KINDS.values()}) == len(KINDS)
    assert len({kind.protocol for kind in KINDS.values()}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS.values(), ids=str)
def test_hook_and_protocol_exist(kind):
    assert callable(getattr(hookspecs, kind.hook))
    if kind.name != "command":  # click's own class
        assert getattr(protocols, kind.protocol).__doc__


def test_every_hook_belongs_to_a_kind():
    hooks = {name for name in vars(hookspecs) if name.startswith("leaven_")}
    assert hooks == {kind.hook for kind in KINDS.values()}


def test_kind_named():
    assert kind_named("op").hook == "leaven_ops"
    with pytest.raises(UnknownName, match="no kind 'wroker', did you mean 'worker'"):
        kind_named("wroker")
    with pytest.raises(UnknownName, match=r"no kind 'zzz'; kinds: augmenter, cache, collator, command, .*, worker"):
        kind_named("zzz")


def test_kind_of_protocol():
    assert kind_of_protocol("OptimizerFactory") == "optimizer"
    assert kind_of_protocol("Nothing") == ""
