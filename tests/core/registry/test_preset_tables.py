"""Tables that name a component by ``preset`` instead of ``use``."""

from __future__ import annotations

import pytest

from leaven.errors import ConfigError, ParameterError, UnknownName
from leaven.registry.config import load_config
from leaven.registry.registry import Registry
from leaven.registry.schema import Slot


@pytest.fixture
def registry(fake):
    fake("good")
    return Registry()


@pytest.mark.parametrize("table", [{"preset": "gale", "strength": 3.0}, {"use": "gale", "strength": 3.0}])
def test_preset_is_another_word_for_use(registry, table):
    gale = registry.create(table, kind="rng")
    assert (type(gale).__name__, gale.strength) == ("Gale", 3.0)
    assert "strength" in table  # the table is the caller's


def test_within_the_table_of_a_worker(registry):
    config = load_config(
        '[worker]\nuse = "boxes"\n[worker.image_rng]\npreset = "gale"\nstrength = 2.5\n',
        {"worker": Slot("worker")},
        registry,
    )
    assert config.build("worker").image_rng.strength == 2.5


def test_where_both_are_given_preset_is_a_parameter_like_any_other(registry):
    with pytest.raises(ParameterError, match="rng:gale has no parameter 'preset'"):
        registry.create({"use": "gale", "preset": "gale", "strength": 1}, kind="rng")


def test_mistakes_are_named(registry):
    with pytest.raises(UnknownName, match="no rng 'gal', did you mean 'gale'"):
        registry.create({"preset": "gal"}, kind="rng")
    with pytest.raises(ConfigError, match=r"worker\.preset: a name is needed here, and not 3"):
        load_config({"worker": {"preset": 3}}, {"worker": Slot("worker")}, registry)
