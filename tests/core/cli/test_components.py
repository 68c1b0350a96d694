from __future__ import annotations

import json

import pytest

from leaven.kinds import KINDS

WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
sys.argv = ["leaven", *{arguments!r}]
from leaven.cli.main import main
main()
"""


def last_line(out):
    return json.loads(out.splitlines()[-1])


def test_all_kinds_with_provider_and_summary(cli):
    code, out, _ = cli("components")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    for kind in ("worker", "rng", "op", "decoder", "dataset", "transport", "feed", "model", "loss", "metric"):
        assert KINDS[kind].meaning in lines[kind]
    assert "leaven 0.1.0" in lines["zeromq"]
    assert "ZeroMQ" in lines["zeromq"]


def test_json(cli):
    code, out, _ = cli("components", "transport", "--json")
    assert code == 0
    rows = {row["name"]: row for row in last_line(out)["components"]}
    assert rows["zeromq"] == {
        "kind": "transport",
        "name": "zeromq",
        "spec": "transport:zeromq",
        "plugin": "zeromq",
        "distribution": "leaven",
        "version": "0.1.0",
        "summary": rows["zeromq"]["summary"],
        "state": "on",
    }
    assert last_line(out)["broken"] == []


@pytest.mark.parametrize("arguments", [["op", "invert"], ["op:invert"], ["op:single/invert"]])
def test_one_component_with_its_parameters(cli, single, arguments):
    code, out, _ = cli("-p", single, "components", *arguments)
    assert code == 0
    assert "A negative." in out
    assert "prob  = 0.1  (float)\n  probability of it." in out
    described = last_line(cli("-p", single, "components", *arguments, "--json")[1])["component"]
    assert described["parameters"] == [
        {"name": "prob", "required": False, "default": "0.1", "annotation": "float", "kinds": []}
    ]
    assert described["problem"] == ""


def test_parameters_that_are_components_are_said(cli):
    described = last_line(cli("components", "worker", "classification", "--json")[1])["component"]
    kinds = {parameter["name"]: parameter["kinds"] for parameter in described["parameters"]}
    assert kinds["image_rng"] == ["rng"]
    assert kinds["label"] == []


def test_a_command_is_described_as_well(cli, single):
    code, out, _ = cli("-p", single, "components", "command", "hello")
    assert code == 0
    assert "Say hello." in out


def test_states(cli, fake_distribution):
    door = "from leaven import Component, hookimpl\n@hookimpl\ndef leaven_{}():\n    yield Component({})\n"
    fake_distribution(
        "acme",
        {"one": "one_door", "two": "two_door", "mine": "mine_door"},
        {
            "one_door": door.format("ops", "'rain', 'room:Rain', 'rain'"),
            "two_door": door.format("ops", "'rain', 'room:Rain', 'other rain'"),
            "mine_door": door.format("transports", "'inline', 'room:Inline', 'better', replaces='inline'"),
        },
    )
    rows = last_line(cli("-p", "no:transport:zeromq", "components", "--json")[1])["components"]
    states = {(row["spec"], row["plugin"]): row["state"] for row in rows}
    assert states["op:rain", "one"] == "clash: say op:one/rain"
    assert states["op:rain", "two"] == "clash: say op:two/rain"
    assert states["transport:inline", "inline"] == "replaced by plugin mine"
    assert states["transport:inline", "mine"] == "on"
    assert states["transport:zeromq", "zeromq"] == "blocked by -p no:transport:zeromq"
    assert "[replaced by plugin mine]" in cli("components", "transport")[1]


def test_without_torch_all_are_listed(python):
    done = python(WITHOUT_TORCH.format(arguments=["components", "--json"]))
    assert done.returncode == 0, done.stderr
    assert {"classification", "cross_entropy", "tiny_cnn"} <= {c["name"] for c in last_line(done.stdout)["components"]}


def test_without_torch_a_description_says_what_to_install(python):
    done = python(WITHOUT_TORCH.format(arguments=["components", "metric", "accuracy"]))
    assert done.returncode == 0, done.stderr
    assert "needs torch: pip install 'leaven[torch]'" in done.stdout
    assert "highest outputs" in done.stdout  # the rest is still there


def test_tables_fit_the_terminal(shell):
    done = shell("components", COLUMNS="80")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "\x1b" not in done.stdout
