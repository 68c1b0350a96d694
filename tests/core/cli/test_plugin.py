from __future__ import annotations

import json

from leaven.cli import doctor
from leaven.registry.registry import Registry


def last_line(out):
    return json.loads(out.splitlines()[-1])


def plugins(out):
    return {plugin["name"]: plugin for plugin in last_line(out)["plugins"]}


DOOR = "from leaven import Component, hookimpl\n@hookimpl\ndef leaven_transports():\n    yield Component({})\n"


def test_list(cli):
    code, out, _ = cli("-p", "no:zeromq", "plugin", "list", "--json")
    assert code == 0
    found = plugins(out)
    assert found["inline"]["state"] == "on"
    assert found["inline"]["components"] == ["transport:inline"]
    assert (found["inline"]["distribution"], found["inline"]["version"]) == ("leaven", "0.1.0")
    assert found["zeromq"]["state"] == "blocked"
    assert found["zeromq"]["reason"] == "blocked by -p no:zeromq"


def test_broken_and_replaced_plugins_are_listed(shell, fake_distribution):
    fake_distribution(
        "acme",
        {"hail": "hail_door", "mine": "mine_door"},
        {"hail_door": "import nix", "mine_door": DOOR.format("'inline', 'room:Inline', 'better', replaces='inline'")},
    )
    done = shell("plugin", "list", "--json")
    assert done.stderr == ""  # said below, and once is enough
    found = plugins(done.stdout)
    assert found["hail"]["state"] == "broken"
    assert found["hail"]["reason"] == "broken: ModuleNotFoundError: No module named 'nix'"
    assert found["inline"]["state"] == "replaced"
    assert found["inline"]["reason"] == "replaced by mine"
    table = shell("plugin", "list", COLUMNS="140").stdout
    assert "No module named 'nix'" in table


def test_info(cli):
    code, out, _ = cli("plugin", "info", "inline", "--json")
    assert code == 0
    (found,) = last_line(out)["plugins"]
    assert found["licence"] == "MIT"
    assert found["module"] == "leaven_plugins.transports.inline"
    assert found["file"].endswith("leaven_plugins/transports/inline/__init__.py")
    assert found["import_ms"] >= 0
    table = cli("plugin", "info", "inline")[1]
    assert "leaven_plugins.transports.inline" in table


def test_info_of_a_file(cli, single):
    (found,) = last_line(cli("-p", single, "plugin", "info", "single", "--json")[1])["plugins"]
    assert found["file"] == str(single.resolve())


def test_doctor_is_content(cli):
    code, out, _ = cli("plugin", "doctor", "--json")
    diagnosis = last_line(out)
    assert diagnosis["findings"] == []
    assert code == 0
    assert {"python", "numpy", "opencv-python", "torch", "pyzmq"} <= set(diagnosis["versions"])
    assert "no findings" in cli("plugin", "doctor")[1]


def test_doctor_finds_what_is_wrong(shell, fake_distribution, tmp_path):
    project = '[project]\nname = "acme"\n[project.entry-points.leaven]\nhail = "hail_door"\nsnow = "snow_door"\n'
    (tmp_path / "pyproject.toml").write_text(project)
    url = json.dumps({"url": tmp_path.as_uri(), "dir_info": {"editable": True}})
    lost = DOOR.format("'tubes', 'nowhere.room:Tubes', 'lost'")
    fake_distribution(
        "acme",
        {"hail": "hail_door", "one": "one_door", "two": "two_door", "lost": "lost_door"},
        {
            "hail_door": "import nix",
            "one_door": DOOR.format("'pipes', 'one_door:Pipes', 'pipes'"),
            "two_door": DOOR.format("'pipes', 'two_door:Pipes', 'other pipes'"),
            "lost_door": lost,
        },
        files={"direct_url.json": url},
    )
    for name in ("opencv-python", "opencv-python-headless"):
        fake_distribution(name)
    done = shell("plugin", "doctor", "--json", LEAVEN_HOME="/nowhere")
    assert done.returncode == 1
    assert done.stderr == ""
    diagnosis = last_line(done.stdout)
    found = {finding["about"]: finding["problem"] for finding in diagnosis["findings"]}
    assert "No module named 'nix'" in found["plugin 'hail' (acme 1.0)"]
    assert "plugin 'one' (acme 1.0) and plugin 'two' (acme 1.0)" in found["transport:pipes"]
    assert "nowhere" in found["transport:tubes of plugin 'lost' (acme 1.0)"]
    assert "pip uninstall opencv-python opencv-python-headless" in found["opencv-python and opencv-python-headless"]
    assert "(lost, one, snow, two)" in found["acme 1.0"]
    assert diagnosis["environment"] == {"LEAVEN_HOME": "/nowhere"}
    people = shell("plugin", "doctor", COLUMNS="80")
    assert people.returncode == 1
    assert "5 findings" in people.stdout
    assert max(map(len, people.stdout.splitlines())) <= 80


def test_a_moved_editable_project_is_no_finding(fake_distribution, tmp_path):
    url = json.dumps({"url": (tmp_path / "gone").as_uri(), "dir_info": {"editable": True}})
    fake_distribution("acme", files={"direct_url.json": url})
    assert doctor.findings(Registry()) == []
