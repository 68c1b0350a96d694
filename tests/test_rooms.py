"""Who may import whom: the kernel, doors and rooms. Every module can be imported alone, without a warning."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = {"leaven": ROOT / "core", "leaven_plugins": ROOT / "plugins"}
PACKAGES = ("leaven", "leaven_plugins")  # other folders there are distributions of their own

# Which libraries a part of the kernel may import besides the standard library. The longest prefix counts.
KERNEL_LIBRARIES = {
    "leaven": set(),
    "leaven.hookspecs": {"pluggy"},
    "leaven.registry": {"pluggy"},
    "leaven.stream": {"numpy", "msgpack"},
    "leaven.tasks": {"numpy", "msgpack"},
    "leaven.data": {"numpy", "msgpack"},
    "leaven.places": {"platformdirs"},
    "leaven.cli": {"click", "rich", "platformdirs"},
    "leaven.testing": {"numpy", "msgpack", "pytest", "hypothesis", "click"},
}

# Where both wings meet, and who needs recipes because it works in another process.
IMPORT_REGISTRY = {"leaven.stream.loader", "leaven.stream.parts", "leaven.stream.pool"}
IMPORT_RECIPES = {"leaven._worker", "leaven.stream.lanes", "leaven.tasks.functions", *IMPORT_REGISTRY}

# Which modules of other plugins are public, and to whom. A module beside the plugins of a kind is shared by these.
NEIGHBOURS: dict[str, set[str]] = {
    "augmenters.steps": {"workers.image.chain"},
    "augmenters.torch": {
        "ops.blur.op",
        "ops.factors.op",
        "ops.flip.op",
        "ops.grayscale.op",
        "ops.hue.op",
        "ops.luma",
        "ops.noise.op",
        "ops.noise.reference",
        "ops.tone.curve",
        "ops.tone.op",
    },
    "augmenters.triton": {
        "augmenters.torch.blur",
        "augmenters.torch.op",
        "augmenters.torch.randomizer",
        "augmenters.torch.table",
        "augmenters.torch.tone",
    },
    "commands.bench": {
        "commands.show.examples",
        "commands.show.lettering",
        "commands.train.command",
        "commands.train.experiment",
        "decoders.alarms",
        "ops.geometry",
        "ops.rendering",
        "photos.shipped",
        "workers.image.pixels",
    },
    "commands.ckpt": {
        "commands.data.report",
        "snapshots.errors",
        "snapshots.files",
        "snapshots.manifest",
        "snapshots.plain",
        "snapshots.safetensors",
        "snapshots.shelf",
        "snapshots.weights",
    },
    "commands.data": {
        "commands.show.lettering",
        "commands.show.sheet",
        "copying.local",
        "datasets.findings",
        "datasets.jpeg_index",
        "datasets.locks",
        "datasets.reading",
        "datasets.replacing",
        "jobs.pack.folder",
        "repacking.native",
        "repacking.repacker",
        "repacking.restarts",
        "repacking.samples",
        "repacking.tally",
    },
    "commands.demo": {
        "commands.train.command",
        "commands.train.experiment",
        "commands.train.folder",
        "commands.train.run",
        "trainers.standard.batches",
    },
    "commands.eval": {
        "commands.train.data_choice",
        "commands.train.options",
        "commands.train.outfit",
        "commands.train.result",
        "commands.train.settings",
        "commands.train.snapshot_options",
        "commands.train.trained",
        "distributed.world",
        "trainers.standard.batches",
    },
    "commands.export": {
        "commands.train.experiment",
        "commands.train.trained",
        "snapshots.placing",
        "snapshots.safetensors",
        "snapshots.shelf",
    },
    "commands.gpu": {"devices.gpus"},
    "commands.lr": {
        "commands.train.command",
        "commands.train.experiment",
        "commands.train.outfit",
        "commands.train.settings",
        "distributed.world",
        "snapshots.capture",
        "trainers.standard.batches",
        "trainers.standard.trainer",
    },
    "commands.predict": {
        "commands.show.layers",
        "commands.show.lettering",
        "commands.show.overlays",
        "commands.show.sheet",
        "commands.train.data_choice",
        "commands.train.experiment",
        "commands.train.outfit",
        "commands.train.settings",
        "commands.train.snapshot_options",
        "commands.train.trained",
        "datasets.image_files",
        "snapshots.placing",
        "trainers.standard.batches",
        "trainers.standard.precision",
        "trainers.standard.validity",
    },
    "commands.show": {
        "commands.train.command",
        "commands.train.experiment",
        "datasets.reading",
        "ops.geometry",
        "photos.shipped",
        "workers.image.parameters",
        "workers.image.worker",
    },
    "commands.train": {
        "commands.predict.gathering",
        "commands.show.batches",
        "commands.show.sheet",
        "decoders.alarms",
        "devices.choice",
        "distributed.ending",
        "distributed.launch",
        "distributed.world",
        "distributed.wrapping",
        "feeds.torch.augmented",
        "snapshots.errors",
        "snapshots.files",
        "snapshots.manifest",
        "snapshots.shelf",
        "snapshots.weights",
        "trainers.standard.batches",
        "trainers.standard.progress",
    },
    "commands.worker": {
        "transports.addresses",
        "transports.rejects",
        "transports.tcp.keys",
        "transports.tcp.sockets",
        "transports.zeromq.transport",
    },
    "copying.archive": {"datasets.archives"},
    "copying.local": {"fetching.holding"},
    "datasets.cached": {"caches.functions"},
    "datasets.cifar": {"fetching.archives", "fetching.sources"},
    "datasets.mnist": {"fetching.archives", "fetching.sources"},
    "datasets.remote": {"fetching.addresses", "fetching.holding", "fetching.transfer", "fetching.verifying"},
    "datasets.standard": {"fetching.transfer"},
    "datasets.standard_store": {"fetching.holding", "fetching.sources", "fetching.transfer", "fetching.verifying"},
    "datasets.stl10": {"fetching.archives", "fetching.sources"},
    "datasets.svhn": {"fetching.sources"},
    "datasets.usps": {"fetching.sources"},
    "feeds.torch": {"devices.choice", "devices.predicates", "devices.samples", "devices.tensors"},
    "fetching.holding": {"datasets.locks"},
    "hooks.history": {"distributed.world", "trainers.standard.batches"},
    "jobs.pack": {
        "datasets.jpeg_index",
        "datasets.locks",
        "datasets.reading",
        "datasets.replacing",
        "datasets.targets",
        "decoders.opencv.decoder",
        "repacking.native",
        "repacking.repacker",
        "repacking.samples",
        "repacking.tally",
    },
    "jobs.statistics": {"datasets.reading", "decoders.opencv.decoder"},
    "losses.bce": {"losses.cross_entropy.labels"},
    "losses.dice": {"losses.cross_entropy.labels"},
    "losses.focal": {"losses.cross_entropy.labels"},
    "losses.label_smoothing": {"losses.cross_entropy.entropy"},
    "losses.nll": {"losses.cross_entropy.labels"},
    "metrics.counting": {"losses.cross_entropy.labels"},
    "metrics.images": {"losses.pairs"},
    "metrics.mse": {"losses.pairs"},
    "metrics.psnr": {"losses.pairs"},
    "metrics.torchmetrics": {"losses.cross_entropy.labels"},
    "models.normalize": {"rngs.presets.constants"},
    "ops.color_jitter": {"ops.factors.op", "ops.hue.op"},
    "ops.randomize": {"ops.blur.op", "ops.noise.reference", "ops.tone.gamma"},
    "ops.streams": {"ops.chance.op"},
    "policies.schedule": {"policies.schedules.policy"},
    "repacking.repacker": {"datasets.jpeg_index"},
    "repacking.samples": {"datasets.jpeg_index"},
    "rngs.augmentations": {"ops.geometry"},
    "rngs.mixture": {"ops.interpolation", "ops.ranges", "ops.tone.curve"},
    "rngs.placing": {"ops.geometry"},
    "rngs.presets": {"ops.interpolation", "ops.ranges", "rngs.mixture.rng", "rngs.random_resized_crop.rng"},
    "rngs.rand_augment": {"ops.ranges"},
    "rngs.random_resized_crop": {"ops.interpolation", "ops.ranges"},
    "rngs.scaled": {"ops.ranges"},
    "rngs.scheduled": {"ops.ranges", "rngs.scaled.rng"},
    "rngs.weakening": {"ops.geometry"},
    "trainers.recurrent": {
        "trainers.standard.batches",
        "trainers.standard.measures",
        "trainers.standard.precision",
        "trainers.standard.trainer",
        "trainers.standard.validity",
    },
    "trainers.standard": {
        "distributed.joining",
        "distributed.messages",
        "distributed.metrics",
        "distributed.world",
        "distributed.wrapping",
        "optimizers.averaging",
        "policies.schedule",
        "snapshots.capture",
        "snapshots.files",
        "snapshots.shelf",
    },
    "trainers.stream": {"distributed.world"},
    "trainers.tracing": {"trainers.standard.measures", "trainers.standard.precision", "trainers.standard.trainer"},
    "transports.tcp": {"transports.zeromq.transport"},
    "workers.classification": {"workers.image.worker"},
    "workers.fcn": {"workers.image.worker"},
    "workers.image": {
        "decoders.each",
        "ops.errors",
        "ops.geometry",
        "ops.interpolation",
        "ops.rendering",
        "rngs.epochs",
        "rngs.fitting",
    },
    "workers.saliency": {"ops.blur.op", "ops.geometry", "workers.image.alignment", "workers.image.worker"},
    "workers.segmentation": {"ops.geometry", "workers.image.alignment", "workers.image.worker"},
    "workers.sequence": {"workers.image.worker"},
}

# Of the plugins' folders, those whose rooms may use the command line's helpers.
COMMANDS = "leaven_plugins.commands."


class Import(NamedTuple):
    """One name that a module imports, and where: ``module``, ``function`` or ``typing`` (for type checkers only)."""

    name: str
    place: str
    line: int


def modules() -> dict[str, Path]:
    found = {}
    for folder in FOLDERS.values():
        for path in sorted(path for part in PACKAGES for path in (folder / part).rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports_of(path: Path) -> list[Import]:
    return list(_imports(ast.parse(path.read_text("utf-8")), "module"))


def _imports(node: ast.AST, place: str) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, place, child.lineno) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from (Import(_member(child.module or "", alias.name), place, child.lineno) for alias in child.names)
        elif isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            yield from _imports(ast.Module(child.body, []), "typing")
            yield from _imports(ast.Module(child.orelse, []), place)
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from _imports(child, "typing" if place == "typing" else "function")
        else:
            yield from _imports(child, place)


def _member(module: str, name: str) -> str:
    """``from a import b`` imports the module ``a.b`` where there is one, else ``a``."""
    return f"{module}.{name}" if f"{module}.{name}" in MODULES else module


IMPORTS = {name: imports_of(path) for name, path in MODULES.items()}


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


KERNEL = [name for name in MODULES if within(name, "leaven")]
PLUGINS = [name for name in MODULES if within(name, "leaven_plugins")]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
DOORS = sorted(set(PROJECT["entry-points"]["leaven"].values()) & set(PLUGINS))
ROOMS = sorted(set(PLUGINS) - set(DOORS))
SHARED = {name.partition(".")[2] for name in ROOMS if name.count(".") == 2 and MODULES[name].name != "__init__.py"}


def is_standard(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


def at_run_time(name: str) -> list[Import]:
    return [found for found in IMPORTS[name] if found.place != "typing"]


def plugin_of(name: str) -> str:
    """``kind.plugin`` of a door or room; ``""`` for the packages above them."""
    return ".".join(name.split(".")[1:3]) if name.count(".") >= 2 else ""


def offences(names: list[str], is_wrong) -> list[str]:
    found = [(name, entry) for name in names for entry in at_run_time(name)]
    return [f"{name}:{entry.line}: {entry.name}" for name, entry in found if is_wrong(name, entry)]


def test_the_scan_sees_every_form_of_import(tmp_path):
    path = tmp_path / "example.py"
    path.write_text(
        "import a.b, c\n"
        "from leaven.registry import files, nothing_like_it\n"
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import d\n    def f():\n        import e\n"
        "else:\n    import g\n"
        "class C:\n    import h\n    def m(self):\n        if self:\n            import i\n"
        "try:\n    import j\nexcept ImportError:\n    import k\n"
    )
    assert [(found.name, found.place) for found in imports_of(path)] == [
        ("a.b", "module"),
        ("c", "module"),
        ("leaven.registry.files", "module"),
        ("leaven.registry", "module"),
        ("typing", "module"),
        ("d", "typing"),
        ("e", "typing"),
        ("g", "module"),
        ("h", "module"),
        ("i", "function"),
        ("j", "module"),
        ("k", "module"),
    ]


def test_both_packages_are_scanned():
    assert {"leaven", "leaven.errors", "leaven.registry.registry", "leaven.stream.worker"} <= set(KERNEL)
    assert len(DOORS) > 10
    assert len(ROOMS) > len(DOORS)


# ---- the kernel


def allowed_libraries(name: str) -> set[str]:
    return KERNEL_LIBRARIES[max((part for part in KERNEL_LIBRARIES if within(name, part)), key=len)]


def test_kernel_imports_the_standard_library_and_what_is_marked():
    def is_wrong(name, found):
        package = found.name.partition(".")[0]
        return not (is_standard(package) or package == "leaven" or package in allowed_libraries(name))

    assert offences(KERNEL, is_wrong) == []


def test_registry_knows_no_stream():
    registry = [name for name in KERNEL if within(name, "leaven.registry")]
    assert offences(registry, lambda name, found: within(found.name, "leaven.stream")) == []


def test_stream_meets_the_registry_in_one_place():
    def is_wrong(name, found):
        if within(found.name, "leaven.registry.recipes"):
            return name not in IMPORT_RECIPES
        return within(found.name, "leaven.registry") and name not in IMPORT_REGISTRY

    stream = [name for name in KERNEL if within(name, "leaven.stream") or name == "leaven._worker"]
    assert offences(stream, is_wrong) == []


def test_nothing_below_imports_the_command_line_or_the_tools_for_tests():
    def is_wrong(name, found):
        if within(found.name, "leaven.cli"):
            return not (within(name, "leaven.cli") or name == "leaven.__main__" or name.startswith(COMMANDS))
        return within(found.name, "leaven.testing") and not within(name, "leaven.testing")

    assert offences([*KERNEL, *PLUGINS], is_wrong) == []


def test_command_line_imports_the_stream_within_functions():
    def is_wrong(name, found):
        return found.place == "module" and within(found.name, "leaven.stream")

    assert offences([name for name in KERNEL if within(name, "leaven.cli")], is_wrong) == []


def test_no_circles_of_imports():
    graph = {name: {found.name for found in IMPORTS[name] if found.place == "module"} for name in MODULES}
    while leaves := {name for name, imported in graph.items() if not (imported & set(graph)) - {name}}:
        assert all(name not in graph[name] for name in leaves)
        graph = {name: imported for name, imported in graph.items() if name not in leaves}
    assert graph == {}, "these import each other, or what does"


# ---- plugins


def test_doors_import_leaven_and_the_standard_library():
    def is_wrong(name, found):
        lazily_their_own = found.place == "function" and within(found.name, name)
        return not (found.name == "leaven" or is_standard(found.name) or lazily_their_own)

    assert offences(DOORS, is_wrong) == []


def test_packages_of_kinds_import_nothing():
    """They may hand out what is shared within their kind, once somebody asks for it."""

    def is_wrong(name, found):
        lazily_their_own = found.place == "function" and within(found.name, name)
        return not (is_standard(found.name) or lazily_their_own)

    assert offences([name for name in ROOMS if name.count(".") < 2], is_wrong) == []


def test_rooms_import_their_own_plugin_and_the_neighbours_in_the_table():
    def is_wrong(name, found):
        own, other = plugin_of(name), found.name.partition(".")[2]
        beside = other in SHARED and other.partition(".")[0] == own.partition(".")[0]
        listed = other in NEIGHBOURS.get(own, ())
        return within(found.name, "leaven_plugins") and not (plugin_of(found.name) == own or beside or listed)

    assert offences([name for name in ROOMS if name.count(".") > 1], is_wrong) == []


def test_the_table_of_neighbours_has_no_entry_that_nobody_uses():
    used = {(plugin_of(name), found.name.partition(".")[2]) for name in ROOMS for found in at_run_time(name)}
    assert sorted({(own, other) for own, others in NEIGHBOURS.items() for other in others} - used) == []


def test_every_module_belongs_to_a_plugin_or_is_shared_within_its_kind():
    plugins = {plugin_of(name) for name in DOORS}
    assert sorted({plugin_of(name) for name in ROOMS} - plugins - SHARED - {""}) == []


def test_no_plugin_for_pytest():
    assert "pytest11" not in PROJECT["entry-points"]


# ---- every module alone

IMPORT_EACH = """
import importlib, json, os, sys, warnings
for library in ("numpy", "msgpack", "click", "rich.console", "pluggy", "pytest", "hypothesis", "cv2", "zmq", "torch"):
    try:
        importlib.import_module(library)
    except ImportError:
        pass
warnings.simplefilter("error")
for name in json.loads(sys.argv[1]):
    if os.fork() == 0:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name.partition(".")[0] in ("leaven", "leaven_plugins"):
                print(f"{name}: {error}", flush=True)
        except BaseException as error:
            print(f"{name}: {type(error).__name__}: {error}", flush=True)
        os._exit(0)
    os.wait()
print("done")
"""


@pytest.mark.slow
def test_every_module_imports_alone_and_without_a_warning():
    """The libraries are imported once, then each of our modules in a fork in which no other of ours is loaded."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, FOLDERS.values()))}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IMPORT_EACH, json.dumps(sorted(MODULES))],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["done"]
