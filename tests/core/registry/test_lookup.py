"""From a spec string to one offer, or to an error that says why not and what to do."""

from __future__ import annotations

import re

import pytest

from leaven.errors import (
    BlockedError,
    BrokenPluginError,
    LeavenError,
    LookupFailed,
    MissingPackageError,
    NameClash,
    UnknownName,
)
from leaven.registry.blocks import Block
from leaven.registry.discovery import BrokenPluginWarning
from leaven.registry.lookup import parse_spec
from leaven.registry.registry import Registry


@pytest.mark.parametrize(
    ("spec", "kind", "parts"),
    [
        ("op:rain", "", ("op", "", "rain")),
        ("rain", "", ("", "", "rain")),
        ("rain", "op", ("op", "", "rain")),
        ("op:rain", "op", ("op", "", "rain")),
        ("op:acme/rain", "", ("op", "acme", "rain")),
        ("acme-ops/weather.rain", "op", ("op", "acme-ops", "weather.rain")),
        ("  op:rain\n", "", ("op", "", "rain")),
    ],
)
def test_parse_spec(spec, kind, parts):
    assert parse_spec(spec, kind) == parts


@pytest.mark.parametrize("spec", ["", "op:", "a/b/c", "op:a:b", "/rain", "op:/rain", ":/"])
def test_malformed_spec(spec):
    with pytest.raises(LookupFailed, match="is not of the form"):
        parse_spec(spec)


def test_spec_of_another_kind():
    with pytest.raises(LookupFailed, match="'rng:gale' is of kind rng, but one of kind op is needed"):
        parse_spec("rng:gale", "op")
    with pytest.raises(UnknownName, match="no kind 'workre', did you mean 'worker'"):
        parse_spec("workre:boxes")


@pytest.mark.parametrize(
    ("spec", "kind"),
    [("op:rain", None), ("rain", "op"), ("rain", None), ("weather/rain", None), ("op:weather/rain", "op")],
)
def test_find(fake, spec, kind):
    fake("good")
    offer = Registry().find(spec, kind=kind)
    assert (offer.spec, offer.qualified, offer.plugin.name) == ("op:rain", "op:weather/rain", "weather")
    assert offer.load().__name__ == "Rain"


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("op:rian", "no op 'rian', did you mean 'rain'? ops: rain, snow"),
        ("worker:zzz", "no worker 'zzz'; workers: boxes"),
        ("logger:x", "no logger 'x'; loggers: none"),
        ("snwo", "no component 'snwo', did you mean 'snow'? components: op:rain, op:snow, rng:gale, worker:boxes"),
        ("op:weathr/rain", "no plugin 'weathr', did you mean 'weather'?"),
        ("op:zzz/rain", "no plugin 'zzz'; plugins: boxes, weather"),
        ("op:weather/fog", "no op 'weather/fog'; ops of plugin 'weather': rain, snow"),
        ("worker:weather/boxes", "no worker 'weather/boxes'; workers of plugin 'weather': none"),
    ],
)
def test_unknown_name(fake, spec, text):
    fake("good")
    with pytest.raises(UnknownName, match=re.escape(text)):
        Registry().find(spec)


def test_unknown_name_mentions_plugins_that_are_off(fake):
    fake("good", "broken_import")
    registry = Registry(block=[Block("weather", "-p no:weather")])
    with pytest.warns(BrokenPluginWarning):
        registry.plugins()
    with pytest.raises(UnknownName) as caught:
        registry.find("op:rain")
    assert str(caught.value) == (
        "no op 'rain'; ops: none; off, and might have it: broken (broken: ModuleNotFoundError: "
        "No module named 'acme_native_part_that_is_not_there'), weather (blocked by -p no:weather)"
    )


def test_component_named_as_its_blocked_plugin(fake):
    fake("good")
    registry = Registry(block=[Block("boxes", "-p no:boxes")])
    with pytest.raises(BlockedError) as caught:
        registry.find("worker:boxes")
    assert str(caught.value) == (
        "worker 'boxes' is blocked: plugin 'boxes' was blocked by -p no:boxes; leave that out to use it"
    )


def test_component_of_a_blocked_plugin_by_its_qualified_name(fake):
    fake("good")
    text = "op 'weather/rain' is blocked: plugin 'weather' was blocked by -p no:weather"
    with pytest.raises(BlockedError, match=text):
        Registry(plugins=["no:weather"]).find("op:weather/rain")


@pytest.mark.parametrize("spec", ["op:raising", "op:raising/first", "raising/first"])
def test_component_of_a_broken_plugin_has_the_cause_chained(fake, spec):
    fake("raising_hook")
    registry = Registry()
    with pytest.warns(BrokenPluginWarning):
        registry.plugins()
    text = r"plugin 'raising' \(acme-raising 1.0\) is broken: RuntimeError"
    with pytest.raises(BrokenPluginError, match=text) as caught:
        registry.find(spec)
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_plugin_named_after_its_component_and_kind(plugin_file):
    path = plugin_file("raise OSError('no')", "mse_loss.py")
    registry = Registry(plugins=["no:mse_loss", path])
    with pytest.raises(BlockedError, match="loss 'mse' is blocked"):
        registry.find("loss:mse")


# ---- clashes and replacement


def test_clash_names_both_and_the_ways_out(fake):
    fake("clash")
    with pytest.raises(NameClash) as caught:
        Registry().find("op:rain")
    assert str(caught.value) == (
        "op 'rain' is offered by plugin 'rain_a' (acme-a 1.0) and plugin 'rain_b' (acme-b 2.0): "
        "say which one is meant (op:rain_a/rain or op:rain_b/rain), block one of the plugins (-p no:rain_a), "
        "or let one declare that it replaces the other (replaces='rain_a')"
    )


@pytest.mark.parametrize("block", ["rain_a", "op:rain_a/rain"])
def test_ways_out_of_a_clash(fake, block):
    fake("clash")
    assert Registry().find("op:rain_b/rain").load().__doc__ == "The rain of b."
    assert Registry().find("rain_a/rain").load().__doc__ == "The rain of a."
    assert Registry(block=[block]).find("rain").load().__doc__ == "The rain of b."


def test_clash_counts_as_two_offers(fake):
    fake("clash")
    assert [offer.qualified for offer in Registry().offers("op")] == ["op:rain_a/rain", "op:rain_b/rain"]


def test_replaced_component_steps_back(fake):
    fake("replaces")
    registry = Registry()
    assert registry.find("op:rain").load().__doc__ == "The new one."
    assert [offer.qualified for offer in registry.offers()] == ["op:new_rain/rain"]
    assert [(o.plugin.name, o.replaced_by) for o in registry.offers(hidden=True)] == [
        ("new_rain", ""),
        ("old_rain", "new_rain"),
    ]


def test_replaced_component_is_still_there_by_its_qualified_name(fake):
    fake("replaces")
    assert Registry().find("op:old_rain/rain").load().__doc__ == "The old one."


@pytest.mark.parametrize("block", ["new_rain", "op:new_rain/rain"])
def test_blocked_replacement_replaces_nothing(fake, block):
    fake("replaces")
    assert Registry(block=[block]).find("op:rain").load().__doc__ == "The old one."


def test_two_that_replace_each_other_clash(plugin_file, tmp_path):
    code = "@hookimpl\ndef leaven_ops():\n    yield Component('rain', 'acme:Rain', replaces='{}')\n"
    paths = [plugin_file(code.format("two"), "one.py"), plugin_file(code.format("one"), "two.py")]
    with pytest.raises(NameClash, match=r"plugin 'one' .* and plugin 'two'"):
        Registry(plugins=paths).find("op:rain")


def test_name_in_several_kinds_needs_its_kind(plugin_file):
    path = plugin_file(
        """
        @hookimpl
        def leaven_datasets():
            yield Component("msgpack", "acme:Dataset")

        @hookimpl
        def leaven_feeds():
            yield Component("msgpack", "acme:Feed")
        """
    )
    registry = Registry(plugins=[path])
    with pytest.raises(LookupFailed, match="'msgpack' is the name of dataset:msgpack and feed:msgpack: say which"):
        registry.find("msgpack")
    assert registry.find("msgpack", kind="feed").spec == "feed:msgpack"


def test_offers_of_an_unknown_kind(fake):
    with pytest.raises(UnknownName, match="no kind 'opp', did you mean 'op'"):
        Registry().offers("opp")


# ---- loading


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        ("needy", MissingPackageError, "the component loss:needy needs acme_gpu: pip install 'acme-needy[gpu]'"),
        ("plain", MissingPackageError, "the component loss:plain needs acme_gpu: install acme_gpu"),
        (
            "wrong_module",
            BrokenPluginError,
            (
                "the component loss:wrong_module of plugin 'needy' (acme-needy 1.0) cannot be imported: "
                "ModuleNotFoundError: No module named 'acme_needy.nowhere'"
            ),
        ),
        ("wrong_name", BrokenPluginError, "AttributeError: acme_needy.later has no 'Latter', did you mean 'Later'?"),
        ("raising", BrokenPluginError, "OSError: libacme.so: cannot open shared object file"),
        ("part_of_installed", BrokenPluginError, "No module named 'json.no_such_part'"),
    ],
)
def test_failure_to_load(fake, name, kind, text):
    fake("missing_package")
    offer = Registry().find(name, kind="loss")
    with pytest.raises(kind, match=re.escape(text)) as caught:
        offer.load()
    assert caught.value.__cause__ is not None
    assert isinstance(caught.value, LeavenError)


def test_package_that_is_missing_when_the_component_is_made(fake):
    fake("missing_package")
    text = r"loss:later needs acme_gpu: pip install 'acme-needy\[gpu\]'"
    with pytest.raises(MissingPackageError, match=text) as caught:
        Registry().create("loss:later")
    assert caught.value.name == "acme_gpu"


PREFERRING = """
from leaven import Component, hookimpl


@hookimpl
def leaven_decoders():
    yield Component("best", prefers=("best_in_the_world", "opencv"))
    yield Component("none_of_these", prefers=("nothing", "never"))
    yield Component("itself", prefers=("itself",))
"""


def test_a_name_may_stand_for_the_first_of_others(tmp_path):
    (tmp_path / "preferring.py").write_text(PREFERRING)
    registry = Registry(plugins=[str(tmp_path / "preferring.py")])
    assert registry.find("decoder:best").spec == "decoder:opencv"
    with pytest.raises(UnknownName, match=r"'decoder:none_of_these' stands for nothing or never: no decoder 'never'"):
        registry.find("decoder:none_of_these")
    with pytest.raises(LookupFailed, match="prefers 'itself', which is no component itself"):
        registry.find("decoder:itself")
    assert Registry(block=["decoder:opencv"], plugins=[str(tmp_path / "preferring.py")]).find("decoder:simplejpeg")
    with pytest.raises(UnknownName, match="is blocked"):
        Registry(block=["decoder:opencv"], plugins=[str(tmp_path / "preferring.py")]).find("decoder:best")
