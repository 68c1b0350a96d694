"""From TOML tables to components, all mistakes at once."""

from __future__ import annotations

import re

import pytest

from leaven.errors import BrokenPluginError, ConfigError, MissingPackageError, UnknownName
from leaven.protocols import Op
from leaven.registry.config import load_config, registry_for
from leaven.registry.registry import Registry
from leaven.registry.schema import Slot
from leaven.registry.toml import read_toml, to_toml


class Loader:
    def __init__(self, dataset, batch_size: int, nworkers: int = 0, first_op: Op | str = "snow"):
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        self.dataset = dataset
        self.batch_size = batch_size
        self.nworkers = nworkers
        self.first_op = first_op


SCHEMA = {
    "seed": Slot(types=(int,), default=0),
    "rate": Slot(types=(float, str)),
    "data.train": Slot(kind="op", required=True),
    "data.val": Slot(kind="op"),
    "loader": Slot(signature=Loader, exclude=("dataset",)),
    "worker": Slot(kind="worker"),
    "rngs": Slot(kind="rng", many=True, exclude=("strength",)),
    "last": Slot(kind="op", default={"use": "rain", "prob": 0.25}),
    "more": Slot(kind="op", many=True, default=()),
}

GOOD = """
rate = 2

[data]
train = "snow"

[data.val]
use = "op:snow"
size = 3

[loader]
batch_size = 4
first_op = { use = "rain", prob = 0.75 }

[worker]
use = "boxes"
image = [[1, 24, 24], "uint8"]
ops = ["rain", { use = "snow", size = 2 }]

[worker.image_rng]
use = "gale"
strength = 1.5

[[rngs]]
use = "gale"
gusts = true
"""


@pytest.fixture
def registry(fake):
    fake("good")
    return Registry()


@pytest.fixture
def problems(registry):
    """Return a function from text and overrides to the list of problems."""

    def find(text, *overrides, schema=SCHEMA):
        with pytest.raises(ConfigError) as caught:
            load_config(text + "\n", schema, registry, overrides)
        return list(caught.value.problems)

    return find


def test_good_configuration(registry):
    config = load_config(GOOD, SCHEMA, registry)
    assert config.build("seed") == 0
    assert config.build("rate") == 2
    assert type(config.build("data.train")).__name__ == "Snow"
    assert config.build("data.val").size == 3
    worker = config.build("worker")
    assert worker.image == [[1, 24, 24], "uint8"]
    assert worker.image_rng.strength == 1.5
    assert [type(op).__name__ for op in worker.ops] == ["Rain", "Snow"]
    assert worker.ops[1].size == 2
    assert config.build("last").prob == 0.25
    assert config.build("more") == []


def test_parameters_that_the_program_gives(registry):
    config = load_config(GOOD, SCHEMA, registry)
    loader = config.build("loader", dataset=[1, 2])
    assert (loader.dataset, loader.batch_size, loader.nworkers, loader.first_op.prob) == ([1, 2], 4, 0, 0.75)
    (gale,) = config.build("rngs", strength=7)
    assert (gale.strength, gale.gusts) == (7, True)


def test_each_build_makes_a_new_object(registry):
    config = load_config(GOOD, SCHEMA, registry)
    assert config.build("worker") is not config.build("worker")
    assert config.build("worker").ops[0] is not config.build("worker").ops[0]


def test_checking_builds_nothing(registry, monkeypatch):
    monkeypatch.setattr(
        Loader, "__init__", lambda self, dataset, batch_size, nworkers=0, first_op="snow": pytest.fail("built")
    )
    load_config(GOOD, SCHEMA, registry)


def test_empty_slots(registry):
    config = load_config({"data": {"train": "snow"}}, SCHEMA, registry)
    assert "worker" not in config
    assert "data.train" in config
    assert "last" in config
    assert config.build("worker") is None
    assert config.build("rngs") is None


def test_one_for_many(registry):
    config = load_config({"data": {"train": "snow"}, "rngs": "gale"}, SCHEMA, registry)
    assert [rng.strength for rng in config.build("rngs", strength=1)] == [1]


def test_source_may_be_a_file_text_or_a_mapping(registry, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(GOOD)
    table, _ = read_toml(GOOD)
    plains = [load_config(source, SCHEMA, registry).plain for source in (path, str(path), GOOD, table)]
    assert plains[0] == plains[1] == plains[2] == plains[3]
    assert "seed" not in table, "the mapping that was passed in is not changed"
    assert load_config(table, SCHEMA, registry, file="a.toml").where("rate") == "a.toml"


def test_plain_is_what_is_in_force_and_can_be_written(registry, tmp_path):
    config = load_config(GOOD, SCHEMA, registry, ["loader.nworkers=2", "worker.image_rng.strength=9.5"])
    assert config.plain["loader"] == {"batch_size": 4, "first_op": {"use": "rain", "prob": 0.75}, "nworkers": 2}
    assert config.plain["last"] == {"use": "rain", "prob": 0.25}
    assert config.plain["seed"] == 0
    path = tmp_path / "resolved.toml"
    path.write_text(to_toml(config.plain))
    again = load_config(path, SCHEMA, registry)
    assert again.plain == config.plain
    assert again.build("worker").image_rng.strength == 9.5


def test_where_values_came_from(registry, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(GOOD)
    overrides = ["worker.image_rng.strength=1", "worker.image_rng.strength=2", "seed=3"]
    config = load_config(path, SCHEMA, registry, overrides)
    assert config.where("loader.batch_size") == str(path)
    assert config.where("worker.ops.1.size") == str(path)
    assert config.where("worker.image_rng.strength") == "--set worker.image_rng.strength=2"
    assert config.where("worker.image_rng") == str(path)
    assert config.where("seed") == "--set seed=3"
    assert config.where("last.prob") == config.where("last") == "default"
    assert config.where("loader.nworkers") == "default"
    assert load_config(GOOD, SCHEMA, registry).where("rate") == "text"


# ---- mistakes


def test_all_mistakes_at_once_with_their_paths(registry, tmp_path):
    path = tmp_path / "digits.toml"
    path.write_text(
        """
        sed = 3
        rate = true
        [data.train]
        use = "snow"
        [data.test]
        use = "snow"
        [loader]
        nworkrs = 2
        first_op = "rian"
        dataset = "x"
        [worker]
        use = "worker:boxes"
        ops = ["rain", { use = "snow", sise = 2 }]
        main_op = { prob = 1 }
        [worker.image_rng]
        use = "gale"
        strenght = 1
        [[rngs]]
        use = "op:rain"
        [[rngs]]
        strength = 1
        """
    )
    with pytest.raises(ConfigError) as caught:
        load_config(path, SCHEMA, registry)
    assert caught.value.source == str(path)
    assert str(caught.value).startswith(f"{path}: {len(caught.value.problems)} problems\n  sed: ")
    assert list(caught.value.problems) == [
        "sed: unknown key, did you mean 'seed'?",
        "data.test: unknown table; there are: train, val",
        "rate: float or str is needed here, and not True",
        "loader.nworkrs: unknown parameter, did you mean 'nworkers'? it takes: batch_size, nworkers, first_op",
        "loader.dataset: is set by the program",
        "loader.batch_size: missing, and Loader needs it",
        "loader.first_op: no op 'rian', did you mean 'rain'? ops: rain, snow",
        "worker.image_rng.strenght: unknown parameter, did you mean 'strength'? it takes: strength, gusts",
        "worker.ops.1.sise: unknown parameter, did you mean 'size'? it takes: size",
        "worker.main_op: a table for a op needs the key 'use'",
        "rngs.0: 'op:rain' is of kind op, but one of kind rng is needed here",
        "rngs.1: a table for a rng needs the key 'use'",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("data = 3", "data: a table is needed here, with train, val, and not 3"),
        ("[data]\nval = 'snow'", "data.train: missing; a op is needed here"),
        ("[data]\ntrain = 3", "data.train: a op, by name or as a table with 'use', is needed here, and not 3"),
        ("seed = 'x'\n[data]\ntrain = 'snow'", "seed: int is needed here, and not 'x'"),
        ("seed = true\n[data]\ntrain = 'snow'", "seed: int is needed here, and not True"),
        ("loader = 'x'\n[data]\ntrain = 'snow'", "loader: a table is needed here, and not 'x'"),
        ("[data]\ntrain = 'op:weather/snwo'", "data.train: no op 'weather/snwo', did you mean 'snow'?"),
        ("zzz = 1", "zzz: unknown key; there are: data, last, leaven, loader, more, rate, rngs, seed, worker"),
        ("[leaven]\nplugin = []", "leaven.plugin: unknown key, did you mean 'plugins'?"),
        ("leaven = 1", "leaven: a table is needed here, with block, plugins"),
        ("[leaven]\nblock = 'x'", "leaven.block: a list of strings is needed here, and not 'x'"),
    ],
)
def test_single_mistakes(problems, text, problem):
    found = problems(text)
    assert any(line.startswith(problem) for line in found), found


def test_names_in_defaults_are_checked_too(fake):
    fake("good")
    registry = Registry(plugins=["no:op:snow"])
    with pytest.raises(ConfigError) as caught:
        load_config({"data": {"train": "rain"}, "loader": {"batch_size": 1}}, SCHEMA, registry)
    assert caught.value.problems == (
        "loader.first_op: op 'snow' is blocked: it was blocked by -p no:op:snow; leave that out to use it",
    )


def test_blocked_component_says_by_what(fake):
    fake("good")
    table = {"data": {"train": "rain"}, "worker": {"use": "worker:boxes"}}
    text = "worker: worker 'boxes' is blocked: plugin 'boxes' was blocked by -p no:boxes"
    with pytest.raises(ConfigError, match=text):
        load_config(table, SCHEMA, Registry(plugins=["no:boxes"]))


def test_refused_value_names_its_table(registry, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(GOOD.replace("prob = 0.75", "prob = 7"))
    config = load_config(path, SCHEMA, registry, ["worker.ops=[{use='rain', prob=-1}]"])
    with pytest.raises(ConfigError) as caught:
        config.build("loader", dataset=[])
    assert str(caught.value) == f"{path}: loader.first_op: op:rain: prob 7 is not within 0 and 1"
    with pytest.raises(ConfigError, match=re.escape(f"{path}: worker.ops.0: op:rain: prob -1 is not within 0 and 1")):
        config.build("worker")


def test_missing_package_is_no_mistake_of_the_configuration(fake):
    fake("good", "missing_package")
    table = {"data": {"train": "rain"}, "loss": "needy"}
    schema = SCHEMA | {"loss": Slot(kind="loss")}
    with pytest.raises(MissingPackageError, match=r"pip install 'acme-needy\[gpu\]'"):
        load_config(table, schema, Registry())
    with pytest.raises(ConfigError, match="sed: unknown key"):
        load_config(table | {"sed": 1}, schema, Registry())
    config = load_config(table | {"loss": "later"}, schema, Registry())
    with pytest.raises(MissingPackageError, match=r"^the component loss:later needs acme_gpu"):
        config.build("loss")


# ---- overrides


def test_overrides(registry):
    overrides = ["loader.batch_size=8", "rngs.0.gusts=false", "data.train.size = 5", "last=snow", "rate=fast"]
    config = load_config(GOOD, SCHEMA, registry, [*overrides, "worker.ops.1.size=4"])
    assert config.plain["loader"]["batch_size"] == 8
    assert config.plain["rngs"] == [{"use": "gale", "gusts": False}]
    assert config.build("data.train").size == 5
    assert type(config.build("last")).__name__ == "Snow"
    assert config.build("rate") == "fast"
    assert config.build("worker").ops[1].size == 4


def test_override_makes_missing_tables(registry):
    config = load_config({}, SCHEMA, registry, ["data.train.use=snow", "data.train.size=2"])
    assert config.build("data.train").size == 2


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        (
            "loader.nworkrs=2",
            (
                "loader.nworkrs: unknown parameter, did you mean 'nworkers'? "
                "it takes: batch_size, nworkers, first_op (from --set loader.nworkrs=2)"
            ),
        ),
        ("lodaer.nworkers=2", "lodaer: unknown table, did you mean 'loader'?"),
        (
            "worker.image_rng.strenght=2",
            (
                "worker.image_rng.strenght: unknown parameter, did you mean 'strength'? "
                "it takes: strength, gusts (from --set worker.image_rng.strenght=2)"
            ),
        ),
        (
            "worker.image_rng=gael",
            "worker.image_rng: no rng 'gael', did you mean 'gale'? rngs: gale (from --set worker.image_rng=gael)",
        ),
        ("seed", "--set seed: expected KEY=VALUE, as in loader.nworkers=2"),
        ("a..b=1", "--set a..b=1: expected KEY=VALUE, as in loader.nworkers=2"),
        ("=1", "--set =1: expected KEY=VALUE, as in loader.nworkers=2"),
        ("rngs.3.gusts=true", "--set rngs.3.gusts=true: rngs is a list of 1, counted from 0: no entry '3'"),
        ("rngs.x.gusts=true", "--set rngs.x.gusts=true: rngs is a list of 1, counted from 0: no entry 'x'"),
        ("rate.x=1", "--set rate.x=1: rate is 2, which has nothing within it to be set"),
        ("rate.x.y=1", "--set rate.x.y=1: rate is 2, which has nothing within it to be set"),
    ],
)
def test_wrong_overrides(problems, override, problem):
    assert problem in problems(GOOD, override)


# ---- the [leaven] table


HAIL = """
class Hail:
    pass

@hookimpl
def leaven_ops():
    yield Component("hail", Hail)
"""


def test_plugins_and_blocks_of_a_configuration(fake, plugin_file, tmp_path, monkeypatch):
    fake("good")
    plugin_file(HAIL, "hail_plugin.py")
    path = tmp_path / "config.toml"
    path.write_text("[leaven]\nplugins = ['./hail_plugin.py']\nblock = ['op:rain', 'boxes']\n[data]\ntrain = 'hail'\n")
    monkeypatch.chdir("/")
    base = Registry()
    config = load_config(path, {"data.train": SCHEMA["data.train"]}, base)
    assert type(config.build("data.train")).__name__ == "Hail"
    assert [offer.spec for offer in config.registry.offers()] == ["op:hail", "op:snow", "rng:gale"]
    assert [offer.spec for offer in base.offers()] == ["op:rain", "op:snow", "rng:gale", "worker:boxes"]
    blocked = {plugin.name: plugin.blocked_by for plugin in config.registry.plugins()}
    assert blocked["boxes"] == f"[leaven] block in {path}"
    assert config.plain["leaven"]["plugins"] == [f"{tmp_path}/./hail_plugin.py"], "works from any other folder too"


def test_registry_without_a_table_is_the_same(registry):
    assert registry_for({}, "x.toml", registry) is registry


def test_extended_registry_keeps_what_it_was_made_with(fake):
    fake("good")
    registry = Registry(plugins=["no:boxes"], builtin_only=True).extended(block=["op:rain"], plugins=["weather"])
    assert [offer.spec for offer in registry.offers()] == ["op:snow", "rng:gale"]
    assert registry.plugins()[0].blocked_by == "-p no:boxes"


@pytest.mark.parametrize(
    ("table", "error", "text"),
    [
        ({"block": ["weathr"]}, UnknownName, "[leaven] block in the configuration: no plugin 'weathr', did you mean"),
        ({"plugins": ["./nope.py"]}, UnknownName, "nope.py'"),
        ({"plugins": ["broken"]}, BrokenPluginError, "plugin 'broken' (acme-broken 0.3) is broken"),
    ],
)
def test_wrong_plugins_of_a_configuration(fake, table, error, text):
    fake("good", "broken_import")
    with pytest.raises(error, match=re.escape(text)):
        load_config({"leaven": table, "data": {"train": "rain"}}, SCHEMA, Registry())
