"""From names, tables and classes to objects, with everything nested in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import pytest

import leaven
from leaven.errors import (
    ConfigError,
    DeclarationError,
    LookupFailed,
    MissingPackageError,
    ParameterError,
    RecipeError,
    UnknownName,
)
from leaven.protocols import Op, Rng
from leaven.registry.recipes import recipe_of
from leaven.registry.registry import Registry, default_registry
from leaven.stream.worker import Worker


@pytest.fixture
def registry(fake):
    fake("good")
    return Registry()


def kinds(components):
    return [type(component).__name__ for component in components]


def test_create_by_name(registry):
    gale = registry.create("rng:gale", strength=3.0)
    assert (type(gale).__name__, gale.strength, gale.gusts) == ("Gale", 3.0, False)


@pytest.mark.parametrize(
    "what", ["rng:gale", "gale", "weather/gale", {"use": "rng:gale"}, {"use": "gale", "gusts": True, "strength": 1}]
)
def test_ways_to_name_a_component(registry, what):
    assert registry.create(what, kind="rng", strength=3.0).strength == 3.0


def test_defaults_that_are_names_are_built(registry):
    worker = registry.create("worker:boxes")
    assert kinds(worker.ops) == ["Snow", "Rain"]
    assert worker.ops[1].prob == 1.0
    assert type(worker.main_op).__name__ == "Rain"
    assert worker.image_rng is None
    assert worker.image == ((3, 8, 8), "uint8")


def test_nested_names_tables_classes_and_instances(registry):
    rain = registry.find("op:rain").load()
    snow = registry.create("op:snow", size=5)
    worker = registry.create(
        "worker:boxes", image_rng={"use": "gale", "strength": 2.0}, ops=["rain", snow, rain], main_op={"use": "op:snow"}
    )
    assert worker.image_rng.strength == 2.0
    assert kinds(worker.ops) == ["Rain", "Snow", "Rain"]
    assert worker.ops[1] is snow
    assert type(worker.main_op).__name__ == "Snow"


def test_one_name_for_a_parameter_that_takes_several(registry):
    assert kinds(registry.create("worker:boxes", ops="rain").ops) == ["Rain"]


def test_tables_with_use_within_plain_parameters(registry):
    extra = {"a": [1, {"use": "op:rain"}], "b": ({"use": "gale", "strength": 1},)}
    worker = registry.create("worker:boxes", extra=extra)
    assert worker.extra["a"][0] == 1
    assert type(worker.extra["a"][1]).__name__ == "Rain"
    assert type(worker.extra["b"]) is tuple
    assert worker.extra["b"][0].strength == 1


def test_plain_values_are_handed_on_as_they_are(registry):
    extra = {"a": [1, (2,)]}
    made = registry.create("worker:boxes", extra=extra, ops=[extra["a"]])
    assert made.extra is extra
    assert made.ops[0] is extra["a"]


class Named(NamedTuple):
    size: int


def test_component_that_is_a_tuple_is_no_list(registry):
    assert registry.create("worker:boxes", main_op=Named(1)).main_op == Named(1)
    assert registry.create(Named, size=2) == Named(2)


def test_strings_of_plain_parameters_stay_strings(registry):
    assert registry.create("worker:boxes", extra="rain").extra == "rain"


def test_a_table_is_not_changed(registry):
    table = {"use": "worker:boxes", "image_rng": {"use": "gale", "strength": 2.0}}
    registry.create(table, ops=[])
    assert table == {"use": "worker:boxes", "image_rng": {"use": "gale", "strength": 2.0}}


class Local(Worker):
    def __init__(self, rng: Rng | str | None = None, ops: Sequence[Op] = ()):
        self.rng = rng
        self.ops = ops


def test_create_of_a_class(registry):
    made = registry.create(Local, rng={"use": "gale", "strength": 1.0})
    assert isinstance(made, Local)
    assert made.rng.strength == 1.0


def test_create_of_an_instance_returns_it(registry):
    made = Local()
    assert registry.create(made) is made
    with pytest.raises(ParameterError, match="Local is built already, and takes no ops"):
        registry.create(made, ops=[])


def test_leaven_create_uses_the_default_registry(fake):
    fake("good")
    default_registry.cache_clear()
    try:
        assert leaven.create("op:snow", size=4).size == 4
        assert leaven.default_registry() is leaven.default_registry()
    finally:
        default_registry.cache_clear()


# ---- mistakes


@pytest.mark.parametrize(
    ("params", "text"),
    [
        (
            {"gust": 1, "strength": 1},
            "rng:gale has no parameter 'gust', did you mean 'gusts'? it takes: strength, gusts",
        ),
        ({"zzz": 1, "strength": 1.0}, "rng:gale has no parameter 'zzz'; it takes: strength, gusts"),
        ({"strenght": 1}, "rng:gale has no parameter 'strenght', did you mean 'strength'? it takes: strength, gusts"),
        ({}, "rng:gale needs the parameter 'strength'; it takes: strength, gusts"),
    ],
)
def test_wrong_parameters(registry, params, text):
    with pytest.raises(ParameterError) as caught:
        registry.create("rng:gale", **params)
    assert str(caught.value) == text


def test_several_mistakes_come_at_once(registry):
    with pytest.raises(ParameterError) as caught:
        registry.create("worker:boxes", imagee=1, image_rng={"use": "gale", "gust": 1}, main_op="rian")
    assert str(caught.value).splitlines() == [
        "4 problems",
        (
            "  worker:boxes has no parameter 'imagee', did you mean 'image'? "
            "it takes: image, image_rng, ops, main_op, extra"
        ),
        "  image_rng: rng:gale has no parameter 'gust', did you mean 'gusts'? it takes: strength, gusts",
        "  image_rng: rng:gale needs the parameter 'strength'; it takes: strength, gusts",
        "  main_op: no op 'rian', did you mean 'rain'? ops: rain, snow",
    ]


@pytest.mark.parametrize(
    ("params", "error", "text"),
    [
        ({"image_rng": "gael"}, UnknownName, "image_rng: no rng 'gael', did you mean 'gale'"),
        ({"image_rng": "op:rain"}, LookupFailed, "image_rng: 'op:rain' is of kind op, but one of kind rng is needed"),
        ({"image_rng": {"strength": 1}}, ParameterError, "image_rng: a table for a rng needs the key 'use'"),
        ({"image_rng": {"use": 3}}, ParameterError, "image_rng.use: a name is needed here, and not 3"),
        ({"image_rng": ["gale"]}, ParameterError, "image_rng: takes one rng, not a list"),
        ({"ops": ["rain", "snwo"]}, UnknownName, "ops.1: no op 'snwo', did you mean 'snow'"),
        ({"ops": [{"use": "rain", "prob": 2}]}, ParameterError, "ops.0: op:rain: prob 2 is not within 0 and 1"),
        ({"extra": {"a": {"use": "op:rain", "p": 1}}}, ParameterError, "extra.a: op:rain has no parameter 'p'"),
    ],
)
def test_mistakes_in_nested_components(registry, params, error, text):
    with pytest.raises(error, match=re.escape(text)):
        registry.create("worker:boxes", **params)


def test_nothing_is_built_when_something_is_wrong(registry, monkeypatch):
    monkeypatch.setattr(registry.find("op:snow").load(), "__init__", lambda self, size=1: pytest.fail("was built"))
    with pytest.raises(UnknownName):
        registry.create("worker:boxes", ops=["snow"], image_rng="gael")


def test_value_errors_of_a_constructor_name_the_component(registry):
    with pytest.raises(ParameterError, match=r"^op:rain: prob 3 is not within 0 and 1$") as caught:
        registry.create("op:rain", prob=3)
    assert isinstance(caught.value.__cause__, ValueError)


class Refuses:
    def __init__(self):
        raise ConfigError(["one", "two"], "file.toml")


def test_our_own_errors_keep_their_type_and_attributes(registry):
    with pytest.raises(ConfigError, match=r"^Refuses: file.toml: 2 problems") as caught:
        registry.create(Refuses)
    assert caught.value.problems == ("one", "two")


class Variadic:
    def __init__(self, **options):
        pass


def test_variadic_component_is_refused(registry):
    with pytest.raises(DeclarationError, match=r"Variadic takes \*\*options: a component names each"):
        registry.create(Variadic)


class Itself:
    def __init__(self, rng: Rng | str | None = None):
        pass


def test_component_that_is_its_own_default_ends(plugin_file):
    path = plugin_file(
        """
        from leaven.protocols import Rng
        class Loop:
            def __init__(self, rng: Rng | str = "loop"):
                pass

        @hookimpl
        def leaven_rngs():
            yield Component("loop", Loop)
        """
    )
    with pytest.raises(ParameterError, match="nested more than 32 deep"):
        Registry(plugins=[path]).create("rng:loop")


def test_table_within_itself_ends(registry):
    table: dict = {"a": 1}
    table["b"] = table
    with pytest.raises(ParameterError, match="nested more than 32 deep"):
        registry.create("worker:boxes", extra=table)


def test_missing_package_of_a_nested_component(fake):
    fake("good", "missing_package")
    with pytest.raises(MissingPackageError, match="pip install 'acme-needy"):
        Registry().create("worker:boxes", extra={"use": "loss:needy"})


# ---- resolve


def test_resolve_a_name(registry):
    made, recipe = registry.resolve("boxes", kind="worker")
    assert kinds(made.ops) == ["Snow", "Rain"]
    assert recipe.component == "worker:boxes/boxes"


def test_resolve_makes_a_handmade_worker_again_where_names_are_among_its_arguments(registry):
    by_hand = Local(rng={"use": "gale", "strength": 1.0}, ops=["rain"])
    made, recipe = registry.resolve(by_hand, kind="worker")
    assert made is not by_hand
    assert made.rng.strength == 1.0
    assert kinds(made.ops) == ["Rain"]
    assert recipe == recipe_of(made)
    assert recipe.params["rng"].component == "rng:weather/gale"


def test_resolve_leaves_a_handmade_worker_without_names_alone(registry):
    by_hand = Local(rng=registry.create("gale", strength=1.0))
    made, recipe = registry.resolve(by_hand, kind="worker")
    assert made is by_hand
    assert recipe.params["rng"].component == "rng:weather/gale"


def test_resolve_of_wrong_names_in_a_handmade_worker(registry):
    with pytest.raises(UnknownName, match="rng: no rng 'gael', did you mean 'gale'"):
        registry.resolve(Local(rng="gael"))


def test_resolve_without_a_recipe(registry):
    thing = Itself()
    assert registry.resolve(thing) == (thing, None)

    class Hidden(Worker):
        def __init__(self, size=1):
            self.size = size

    hidden = Hidden(2)
    assert registry.resolve(hidden) == (hidden, None)
    with pytest.raises(RecipeError, match="is defined within a function"):
        recipe_of(hidden)


class Positional(Worker):
    def __init__(self, *sizes):
        self.sizes = sizes


def test_resolve_of_a_handmade_worker_that_create_would_refuse(registry):
    made = Positional(1, 2)
    assert registry.resolve(made) == (made, None)
    with pytest.raises(RecipeError, match=r"Positional takes \*sizes"):
        recipe_of(made)


class Refusing:
    def __init__(self, budget: int = 0, named: bool = False):
        raise ParameterError(f"Refusing: budget={budget}" if named else f"budget={budget}")


@pytest.mark.parametrize("named", [False, True])
def test_what_a_constructor_says_is_said_once(named):
    with pytest.raises(ParameterError, match=r"^Refusing: budget=0$"):
        Registry(builtin_only=True).create(Refusing, named=named)
