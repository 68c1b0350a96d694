"""Which plugins there are: on, blocked, broken; each mistake of an author with its reason."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from importlib.metadata import Distribution

import pytest

from leaven.errors import BlockedError, BrokenPluginError, DeclarationError, UnknownName
from leaven.registry.blocks import Block
from leaven.registry.discovery import BrokenPluginWarning
from leaven.registry.registry import Registry


def test_records_of_good_plugins(fake):
    fake("good")
    plugins = Registry().plugins()
    assert [plugin.name for plugin in plugins] == ["boxes", "weather"]
    weather = plugins[1]
    assert weather.module == "acme_weather"
    assert (weather.distribution, weather.version, weather.licence) == ("acme-good", "1.2", "MIT")
    assert (weather.state, weather.reason) == ("on", "")
    assert weather.import_ms > 0


def test_offers_are_ordered_and_import_no_room(fake):
    fake("good")
    offers = Registry().offers()
    assert [offer.spec for offer in offers] == ["op:rain", "op:snow", "rng:gale", "worker:boxes"]
    assert "acme_weather.rooms" not in sys.modules
    assert "acme_boxes.worker" not in sys.modules


def test_nothing_is_imported_before_the_first_name_is_looked_up(fake):
    fake("good")
    registry = Registry()
    assert "acme_weather" not in sys.modules
    assert registry.offers("worker")[0].spec == "worker:boxes"
    assert "acme_weather" in sys.modules


@pytest.mark.parametrize(
    ("case", "plugin", "reason"),
    [
        ("broken_import", "broken", "ModuleNotFoundError: No module named 'acme_native_part_that_is_not_there'"),
        ("system_exit", "exit", "SystemExit: 3"),
        ("raising_hook", "raising", "RuntimeError: no more today"),
        ("misspelt_hook", "misspelt", "no hook 'leaven_worker', did you mean 'leaven_workers'?"),
        ("unmarked_hook", "unmarked", "leaven_workers is not marked with @hookimpl"),
        ("hook_with_arguments", "arguments", "hooks take no arguments: "),
        ("not_a_component", "strings", "leaven_ops() yielded 'acme_strings_rooms:Op', which is not a Component"),
        ("nothing_returned", "nothing", "leaven_ops() returned None: yield Component(...) declarations"),
        ("duplicate", "twice", "op:rain is declared twice"),
        ("bad_name", "shout", "component name 'Rain!'"),
        ("replaces_itself", "selfish", "op:rain replaces itself"),
        ("not_a_module", "object", "entry point object = 'acme_object:door' is not the name of a module"),
    ],
)
def test_broken_plugin_is_off_with_one_warning_and_the_others_work(fake, case, plugin, reason):
    fake("good", case)
    registry = Registry()
    with pytest.warns(BrokenPluginWarning, match=re.escape(reason)) as warned:
        offers = registry.offers()
    assert len(warned) == 1
    assert f"plugin {plugin!r} (acme-" in str(warned[0].message)
    assert [offer.spec for offer in offers] == ["op:rain", "op:snow", "rng:gale", "worker:boxes"]
    (broken,) = registry.broken
    assert broken.name == plugin
    assert broken.state == "broken"
    assert broken.cause is not None
    assert reason in broken.reason


def test_all_broken_plugins_at_once_are_each_kept_apart(fake):
    cases = ("broken_import", "system_exit", "raising_hook", "misspelt_hook", "not_a_component", "duplicate")
    fake(*cases, "good")
    registry = Registry()
    with pytest.warns(BrokenPluginWarning) as warned:
        assert len(registry.offers()) == 4
    assert len(warned) == len(registry.broken) == len(cases)


def test_a_broken_plugin_is_an_error_when_strict(fake, monkeypatch):
    fake("good", "broken_import")
    monkeypatch.setenv("LEAVEN_STRICT", "1")
    text = r"plugin 'broken' \(acme-broken 0.3\) is broken: ModuleNotFound"
    with pytest.raises(BrokenPluginError, match=text) as caught:
        Registry().offers()
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_keyboard_interrupt_in_a_door_is_not_swallowed(plugin_file):
    with pytest.raises(KeyboardInterrupt):
        Registry(plugins=[plugin_file("raise KeyboardInterrupt")]).plugins()


def test_two_distributions_with_one_plugin_name_break_both_in_any_order(fake):
    texts = []
    for cases in (("same_plugin_name", "good"), ("good", "same_plugin_name")):
        fake(*cases)
        registry = Registry()
        with pytest.warns(BrokenPluginWarning):
            assert len(registry.offers()) == 4
        assert [plugin.name for plugin in registry.broken] == ["same", "same"]
        texts.append([plugin.reason for plugin in registry.broken])
    assert texts[0] == texts[1]
    assert "plugin 'same' (acme-one 1.0) and plugin 'same' (acme-two 2.0) have the same name" in texts[0][0]


def test_order_of_the_search_path_changes_nothing(fake):
    seen = []
    for cases in (("good", "replaces"), ("replaces", "good")):
        fake(*cases)
        registry = Registry()
        seen.append([(offer.qualified, offer.replaced_by) for offer in registry.offers(hidden=True)])
    assert seen[0] == seen[1]


# ---- blocking


def test_blocked_plugin_is_not_imported_and_says_by_what(fake):
    fake("good", "broken_import")
    registry = Registry(block=["weather", Block("broken", "-p no:broken")])
    states = {plugin.name: (plugin.state, plugin.blocked_by) for plugin in registry.plugins()}
    assert states == {
        "boxes": ("on", ""),
        "broken": ("blocked", "-p no:broken"),
        "weather": ("blocked", "Registry(block=...)"),
    }
    assert "acme_weather" not in sys.modules
    assert [offer.spec for offer in registry.offers()] == ["worker:boxes"]


@pytest.mark.parametrize("text", ["weather", "no:weather", "boxes, weather", "weather op:nothing_like_it"])
def test_block_by_environment(fake, monkeypatch, text):
    fake("good")
    monkeypatch.setenv("LEAVEN_BLOCK", text)
    blocked = {plugin.name: plugin.reason for plugin in Registry().plugins() if plugin.state == "blocked"}
    assert blocked["weather"] == f"blocked by LEAVEN_BLOCK={'no:' * text.startswith('no:')}weather"


def test_block_by_option(fake):
    fake("good")
    registry = Registry(plugins=["no:weather"])
    assert registry.plugins()[1].reason == "blocked by -p no:weather"


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ("weathr", "Registry(block=...): no plugin 'weathr', did you mean 'weather'?"),
        ("zzz", "Registry(block=...): no plugin 'zzz'; plugins: boxes, weather"),
        ("op:rian", "Registry(block=...): no op 'rian', did you mean 'rain'?"),
        ("op:zzz", "Registry(block=...): no op 'zzz'; ops: rain, snow"),
        ("op:wether/rain", "no plugin 'wether', did you mean 'weather'?"),
        ("opp:rain", "Registry(block=...): no kind 'opp', did you mean 'op'?"),
    ],
)
def test_block_of_an_unknown_name_is_an_error(fake, block, text):
    fake("good")
    with pytest.raises(UnknownName, match=re.escape(text)):
        Registry(block=[block]).plugins()


@pytest.mark.parametrize("block", ["op:rain", "op:weather/rain", "no:op:rain"])
def test_block_of_a_single_component(fake, block):
    fake("good")
    registry = Registry(block=[block])
    assert [offer.spec for offer in registry.offers("op")] == ["op:snow"]
    hidden = {offer.spec: offer.blocked_by for offer in registry.offers("op", hidden=True)}
    assert hidden == {"op:rain": "Registry(block=...)", "op:snow": ""}
    text = r"op 'rain' is blocked: it was blocked by Registry\(block=...\); leave that out"
    with pytest.raises(BlockedError, match=text):
        registry.find("op:rain")


def test_component_of_a_blocked_plugin_may_be_blocked_too(fake):
    fake("good")
    assert len(Registry(block=["weather", "op:some_hail"]).offers()) == 1


def test_builtin_only_blocks_what_others_installed(fake):
    fake("good", "broken_import")
    registry = Registry(builtin_only=True)
    assert {plugin.reason for plugin in registry.plugins()} == {"blocked by --builtin-only"}
    with pytest.raises(BlockedError, match="plugin 'boxes' was blocked by --builtin-only"):
        registry.find("worker:boxes")


def test_builtin_only_leaves_what_was_asked_for(fake):
    fake("good")
    registry = Registry(builtin_only=True, plugins=["weather"])
    assert [offer.spec for offer in registry.offers()] == ["op:rain", "op:snow", "rng:gale"]


# ---- files and modules


def test_single_file_plugin(plugin_file):
    path = plugin_file(
        """
        class Hail:
            pass

        @hookimpl
        def leaven_ops():
            yield Component("hail", Hail)
            yield Component("sleet", __name__ + ":Hail")
        """
    )
    registry = Registry(plugins=[path])
    (plugin,) = registry.plugins()
    assert (plugin.name, plugin.file, plugin.distribution) == ("my_plugin", path, "")
    assert re.fullmatch(r"leaven_file_my_plugin_[0-9a-f]{8}", plugin.module)
    hail = registry.create("op:hail")
    assert type(hail).__module__ == plugin.module
    assert type(registry.create("op:sleet")) is type(hail)
    assert sys.modules[plugin.module].Hail is type(hail)


def test_single_file_plugin_is_the_same_by_any_path_and_is_loaded_once(plugin_file, monkeypatch, tmp_path):
    code = "class Hail: ...\n@hookimpl\ndef leaven_ops():\n    yield Component('hail', Hail)\n"
    path = plugin_file(code)
    monkeypatch.chdir(tmp_path)
    one = Registry(plugins=[path, "./my_plugin.py"])
    other = Registry(plugins="./my_plugin.py")
    monkeypatch.chdir("/")  # a relative path means what it meant when the registry was made
    assert len(one.plugins()) == 1
    assert one.find("op:hail").load() is other.find("op:hail").load()


@pytest.mark.parametrize("name", ["nope.py", "missing/nope.py"])
def test_missing_file_is_an_error(fake, tmp_path, name):
    with pytest.raises(UnknownName, match="no file"):
        Registry(plugins=[str(tmp_path / name)]).plugins()


def test_missing_file_names_the_nearest(plugin_file, tmp_path):
    plugin_file("", "my_worker.py")
    with pytest.raises(UnknownName, match=r"my_worke\.py', did you mean 'my_worker\.py'"):
        Registry(plugins=[str(tmp_path / "my_worke.py")]).plugins()


def test_file_that_is_no_python_file(fake, tmp_path):
    (tmp_path / "plugin.txt").touch()
    with pytest.raises(UnknownName, match=r"its name must end with \.py"):
        Registry(plugins=[str(tmp_path / "plugin.txt")]).plugins()


@pytest.mark.parametrize(("code", "cause"), [("def :", SyntaxError), ("import acme_nowhere", ModuleNotFoundError)])
def test_broken_plugin_that_was_asked_for_is_an_error(plugin_file, code, cause):
    path = plugin_file(code)
    with pytest.raises(BrokenPluginError, match=rf"plugin 'my_plugin' \({re.escape(path)}\) is broken: ") as caught:
        Registry(plugins=[path]).plugins()
    assert isinstance(caught.value.__cause__, cause)
    assert not [name for name in sys.modules if name.startswith("leaven_file_my_plugin")]


def test_broken_entry_point_that_was_asked_for_is_an_error(fake):
    fake("broken_import")
    with pytest.raises(BrokenPluginError, match="acme-broken"):
        Registry(plugins=["broken"]).plugins()


def test_module_without_entry_point_is_loaded_by_its_import_name(fake, monkeypatch, tmp_path):
    (tmp_path / "acme_loose.py").write_text(
        "from leaven import Component, hookimpl\n\n"
        "@hookimpl\ndef leaven_ops():\n    yield Component('mist', 'acme_loose_rooms:Mist')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    registry = Registry(plugins=["acme_loose"])
    assert [plugin.title for plugin in registry.plugins()] == ["plugin 'acme_loose' (module acme_loose)"]
    assert registry.find("op:acme_loose/mist").qualified == "op:acme_loose/mist"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("weathr", "no plugin and no module 'weathr', did you mean 'weather'?"),
        ("acme_nowhere.door", "no plugin and no module 'acme_nowhere.door'; plugins: boxes, weather"),
        ("", "no plugin and no module ''"),
    ],
)
def test_unknown_plugin_that_was_asked_for_is_an_error(fake, name, text):
    fake("good")
    with pytest.raises(UnknownName, match=re.escape(text)):
        Registry(plugins=[name]).plugins()


def test_file_named_as_an_installed_plugin_is_a_named_error(fake, plugin_file):
    fake("good")
    path = plugin_file("@hookimpl\ndef leaven_ops():\n    yield Component('fog', 'acme:Fog')\n", "weather.py")
    with pytest.raises(BrokenPluginError, match="have the same name: rename or uninstall one of them") as caught:
        Registry(plugins=[path]).plugins()
    assert isinstance(caught.value.__cause__, DeclarationError)


# ---- metadata of others


def test_damaged_metadata_of_other_distributions_is_passed_over(fake, tmp_path, monkeypatch):
    other = tmp_path / "damaged-1.0.dist-info"
    other.mkdir()
    (other / "entry_points.txt").write_bytes(b"\xff\xfe[leaven]")
    mine = tmp_path / "acme_mine-1.0.dist-info"
    mine.mkdir()
    (mine / "entry_points.txt").write_text("[leaven]\nmine = acme_mine\n")
    monkeypatch.setattr(importlib.metadata, "distributions", lambda: Distribution.discover(path=[str(tmp_path)]))
    with pytest.warns(BrokenPluginWarning, match=r"plugin 'mine' \(unnamed\)"):
        assert [plugin.name for plugin in Registry().plugins()] == ["mine"]


def test_malformed_entry_points_break_only_their_distribution(fake, tmp_path, monkeypatch):
    folder = tmp_path / "acme_torn-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Name: acme-torn\nVersion: 1.0\nLicense: BSD\n\nText\n")
    (folder / "entry_points.txt").write_text("[leaven]\nno equals sign here\n")
    monkeypatch.setattr(importlib.metadata, "distributions", lambda: Distribution.discover(path=[str(tmp_path)]))
    registry = Registry()
    with pytest.warns(BrokenPluginWarning, match=r"\(acme-torn 1\.0\) is off"):
        (plugin,) = registry.plugins()
    assert plugin.licence == "BSD"
