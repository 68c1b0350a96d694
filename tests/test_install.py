"""What people get: the wheel, and beside it a package of somebody else, in a fresh environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.install

ROOT = Path(__file__).resolve().parents[1]
ACME = ROOT / "examples" / "leaven-acme"
LOAD = """
import sys
import leaven
from leaven.testing.tools import samples
from leaven.stream.wire import pack_sample

spec, *params = sys.argv[1:]
worker = leaven.create(spec, **dict(zip(params[::2], map(eval, params[1::2]))))
with leaven.TurboDataLoader([pack_sample(s) for s in samples(4)], 4, worker, nworkers=1) as loader:
    ((_, (batch,)),) = loader
print({key: getattr(values, "shape", values) for key, values in batch.items()})
"""


def run(*command, check=True, cwd=None, **environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LEAVEN", "PIP"))}
    command = [str(part) for part in command]
    done = subprocess.run(
        command, cwd=cwd, env={**clean, **environment}, capture_output=True, text=True, timeout=100, check=False
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def built(project, folder):
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, project)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return built(ROOT, tmp_path_factory.mktemp("leaven"))


@pytest.fixture(scope="module")
def fresh(wheel, tmp_path_factory):
    """The bin folder of an environment with both wheels. It sees what else is installed here, but not this checkout."""
    folder = tmp_path_factory.mktemp("fresh")
    acme = built(ACME, tmp_path_factory.mktemp("acme"))
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel, acme)
    # A path file within these folders, such as that of an editable install, is not read.
    (own,) = folder.glob("lib/python*/site-packages")
    others = [entry for entry in sys.path if entry.endswith("-packages")]
    (own / "others.pth").write_text("\n".join(others))
    return folder / "bin"


@pytest.fixture
def leaven(fresh, tmp_path):
    return lambda *arguments, **options: run(fresh / "leaven", *arguments, cwd=tmp_path, **options)


def last_line(done):
    return json.loads(done.stdout.splitlines()[-1])


def test_the_wheel_has_both_packages_and_their_data(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    folders = {name.split("/")[0] for name in names}
    assert folders == {"leaven", "leaven_plugins", "leaven-0.1.0.dist-info"}
    for expected in (
        "leaven/py.typed",
        "leaven_plugins/py.typed",
        "leaven/_worker.py",
        "leaven/testing/worker.py",
        *(f"leaven_plugins/commands/demo/{name}.toml" for name in ("digits", "saliency", "segmentation")),
        "leaven_plugins/datasets/digits/digits.png",
        "leaven_plugins/datasets/digits/ATTRIBUTION",
        "leaven-0.1.0.dist-info/licenses/LICENSE",
    ):
        assert expected in names
    assert not [name for name in names if "__pycache__" in name or "test_" in name]


def test_every_declared_plugin_is_in_the_wheel(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["leaven"]
    for door in declared.values():
        assert f"{door.replace('.', '/')}/__init__.py" in names


def test_it_is_the_wheel_that_runs(fresh, tmp_path):
    code = "import leaven, leaven_plugins; print(leaven.__file__, *leaven_plugins.__path__)"
    for place in run(fresh / "python", "-c", code, cwd=tmp_path).stdout.split():
        assert Path(place).is_relative_to(fresh.parent)


def test_the_outside_package_is_listed(leaven):
    rows = last_line(leaven("components", "worker", "--json"))["components"]
    (row,) = [row for row in rows if row["name"] == "patches"]
    assert (row["plugin"], row["distribution"], row["version"]) == ("acme", "leaven-acme", "0.3.0")
    assert "acme, leaven-acme 0.3.0" in leaven("components", "op").stdout


def test_its_worker_runs_in_a_process_of_its_own(fresh, tmp_path):
    shown = run(fresh / "python", "-c", LOAD, "worker:patches", "grid", "3", "size", "4", cwd=tmp_path).stdout
    assert "'patches': (4, 9, 3, 4, 4)" in shown


def test_it_replaces_a_built_in(fresh, leaven, tmp_path):
    command = [fresh / "python", "-c", LOAD, "worker:classification", "image", "((3, 8, 8), 'uint8')"]
    assert "'acme': [True, True, True, True]" in run(*command, cwd=tmp_path).stdout
    rows = last_line(leaven("components", "worker", "--json"))["components"]
    states = {row["plugin"]: row["state"] for row in rows if row["name"] == "classification"}
    assert states == {"classification": "replaced by plugin acme_marked", "acme_marked": "on"}
    without = run(*command, cwd=tmp_path, LEAVEN_BLOCK="acme_marked").stdout
    assert "'label': (4, 1)" in without
    assert "acme" not in without


def test_it_can_be_blocked(leaven):
    done = leaven("-p", "no:acme", "components", "worker:patches", check=False)
    assert done.returncode == 2
    assert "no worker 'patches'" in done.stderr
    assert "acme (blocked by -p no:acme)" in done.stderr
    assert last_line(leaven("-p", "no:acme", "plugin", "info", "acme", "--json"))["plugins"][0]["state"] == "blocked"


def test_one_component_of_it_can_be_blocked(leaven):
    done = leaven("-p", "no:worker:patches", "components", "worker", "patches", check=False)
    assert done.returncode == 2
    assert "blocked by -p no:worker:patches" in done.stderr
    assert "its negative" in leaven("-p", "no:worker:patches", "components", "op", "invert").stdout


def test_builtin_only(leaven):
    rows = last_line(leaven("--builtin-only", "components", "--json"))["components"]
    assert {row["distribution"] for row in rows} == {"leaven"}


def test_its_own_tests_pass(fresh):
    done = run(fresh / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", ACME, cwd=ACME)
    assert " passed" in done.stdout
    assert "failed" not in done.stdout
