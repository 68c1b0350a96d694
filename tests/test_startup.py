"""What is imported when: seen in sys.modules, because times differ between machines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from leaven.kinds import KINDS

ROOT = Path(__file__).parents[1]
HEAVY = {"numpy", "torch", "cv2", "zmq", "msgpack", "rich", "matplotlib", "asyncio", "unittest"}
METADATA = {"importlib.metadata", "email.message", "zipfile"}

ENTRY_POINTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]["leaven"]


def loaded_by(code: str, *paths: Path) -> set[str]:
    """Return the modules that are loaded after ``code`` ran in a new process, and were not before."""
    program = (
        "import sys; before = set(sys.modules)\n"
        f"{code}\n"
        "import json; print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    folders = [*paths, ROOT / "core", ROOT / "plugins"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LEAVEN_")}
    environment["PYTHONPATH"] = os.pathsep.join(map(str, folders))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture
def installed(tmp_path):
    """A folder with leaven's metadata as an installation would have them."""
    folder = tmp_path / "leaven-0.1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.4\nName: leaven\nVersion: 0.1.0\nLicense-Expression: MIT\n")
    lines = [f"{name} = {module}" for name, module in ENTRY_POINTS.items()]
    (folder / "entry_points.txt").write_text("\n".join(["[leaven]", *lines, ""]))
    return tmp_path


def test_the_list_of_what_is_loaded_can_tell():
    assert "numpy" in loaded_by("import numpy")
    assert "leaven.stream.buffers" in loaded_by("from leaven import BufferSpec")


def test_import_leaven_loads_nothing_else():
    ours = {name for name in loaded_by("import leaven") if name.partition(".")[0] not in sys.stdlib_module_names}
    assert ours == {"leaven"}


def test_what_a_door_imports():
    loaded = loaded_by("from leaven import Component, hookimpl")
    assert not loaded & (HEAVY | METADATA | {"click", "hashlib", "tomllib", "difflib"})
    assert not [name for name in loaded if name.startswith(("leaven.stream", "leaven.cli", "leaven_plugins"))]


def test_what_a_worker_process_imports_to_read_its_recipe():
    loaded = loaded_by("import leaven.registry.recipes")
    assert not loaded & (HEAVY | METADATA | {"click", "pluggy", "hashlib", "tomllib", "difflib"})
    assert not [name for name in loaded if name.startswith(("leaven.stream", "leaven.hookspecs"))]


def test_building_a_recipe_needs_no_registry():
    loaded = loaded_by(
        "from leaven.registry.recipes import Recipe\n"
        "assert Recipe('fractions:Fraction', {'numerator': 1, 'denominator': 2}).build() * 2 == 1"
    )
    assert not loaded & (HEAVY | METADATA | {"pluggy", "leaven.registry.registry", "leaven.registry.discovery"})


@pytest.mark.parametrize("module", sorted(ENTRY_POINTS.values()))
def test_every_door_is_light(module):
    """What a door loads, it loads for everybody who looks up any name."""
    loaded = loaded_by(f"import {module}")
    assert not loaded & (HEAVY | METADATA | {"click"})
    assert not [name for name in loaded if name.startswith(f"{module}.")], "rooms of its own"


def test_discovery_of_all_doors_loads_no_room(installed):
    loaded = loaded_by(
        "from leaven.registry.registry import Registry\n"
        "registry = Registry(builtin_only=True)\n"
        "assert registry.offers()\n"
        "assert not registry.broken",
        installed,
    )
    assert not loaded & (HEAVY | {"click", "tomllib", "difflib", "leaven.registry.planning"})
    assert set(ENTRY_POINTS.values()) <= loaded
    ours = {name for name in loaded if name.startswith("leaven_plugins.")}
    kinds = {module.rpartition(".")[0] for module in ENTRY_POINTS.values()}
    assert ours == set(ENTRY_POINTS.values()) | kinds


def test_plugins_are_named_after_their_doors():
    """The name of a plugin is that of its folder, or with the kind behind it where another kind has the same name."""
    kinds = {kind.hook.removeprefix("leaven_"): kind.name for kind in KINDS.values()}
    for name, module in ENTRY_POINTS.items():
        _, folder, last = module.split(".")
        assert name in (last, f"{last}_{kinds[folder]}"), module
