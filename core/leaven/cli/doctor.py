"""Doctor: what is wrong with plugins and with the environment that they run in."""

from __future__ import annotations

import json
import os
import platform
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distributions, version
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from leaven.registry.sources import GROUP

if TYPE_CHECKING:
    from leaven.registry.offers import Offer
    from leaven.registry.registry import Registry

Finding = dict[str, str]
"""``about``: the plugin, component or package; ``problem``: what is wrong, and what to do."""

_PACKAGES = ("leaven", "numpy", "opencv-python", "msgpack", "pyzmq", "torch")
_OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")


def findings(registry: Registry) -> list[Finding]:
    """Return everything that is wrong: broken plugins, clashing names, targets that do not exist, bad installations."""
    return [*_broken(registry), *_clashes(registry), *_lost_targets(registry), *_opencv_twice(), *_stale_metadata()]


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that matter, ``""`` for one that is not installed."""
    return {"python": platform.python_version()} | {name: _version(name) for name in _PACKAGES}


def environment() -> dict[str, str]:
    """Return the environment variables that leaven reads."""
    return {name: value for name, value in sorted(os.environ.items()) if name.startswith("LEAVEN_")}


def _broken(registry: Registry) -> Iterator[Finding]:
    for plugin in registry.broken:
        yield {"about": plugin.title, "problem": plugin.reason}


def _clashes(registry: Registry) -> Iterator[Finding]:
    usable = sorted(registry.offers(), key=lambda offer: offer.spec)
    for spec, group in groupby(usable, key=lambda offer: offer.spec):
        rivals = [offer.plugin.title for offer in group]
        if len(rivals) > 1:
            yield {
                "about": spec,
                "problem": f"offered by {' and '.join(rivals)}: block one of them, or let one replace the other",
            }


def _lost_targets(registry: Registry) -> Iterator[Finding]:
    for offer in registry.offers(hidden=True):
        problem = _target_problem(offer)
        if problem:
            yield {"about": f"{offer.spec} of {offer.plugin.title}", "problem": problem}


def _target_problem(offer: Offer) -> str:
    """Look whether the module is there, without importing it: that may need packages that nobody asked for."""
    target = offer.component.target
    if not isinstance(target, str):
        return ""
    module = target.partition(":")[0]
    try:
        found = module in sys.modules or find_spec(module) is not None
    except Exception as error:  # the packages that contain the module are imported on the way to it
        return f"{module} cannot be imported: {type(error).__name__}: {error}"
    return "" if found else f"there is no module {module}"


def _opencv_twice() -> Iterator[Finding]:
    installed = [name for name in _OPENCV if _version(name)]
    if len(installed) > 1:
        yield {
            "about": " and ".join(installed),
            "problem": "they overwrite each other's files, and the one that stays breaks when the other is removed: "
            f"pip uninstall {' '.join(installed)}, then install one of them",
        }


def _stale_metadata() -> Iterator[Finding]:
    """Find editable installs whose entry points are not those of their pyproject.toml any more."""
    for distribution in distributions():
        project = _editable_project(distribution)
        if project is None:
            continue
        installed = {point.name: point.value for point in distribution.entry_points if point.group == GROUP}
        declared = project.get("entry-points", {}).get(GROUP, {})
        changed = sorted(name for name in {*installed, *declared} if installed.get(name) != declared.get(name))
        if changed:
            yield {
                "about": f"{distribution.name} {distribution.version}",
                "problem": f"its entry points in pyproject.toml changed since it was installed ({', '.join(changed)}): "
                "run pip install -e again",
            }


def _editable_project(distribution: Distribution) -> dict[str, dict[str, dict[str, str]]] | None:
    """Return the table ``project`` of an editable install's pyproject.toml."""
    try:
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
        if not origin.get("dir_info", {}).get("editable"):
            return None
        file = Path(unquote(urlparse(origin["url"]).path)) / "pyproject.toml"
        project: dict[str, dict[str, dict[str, str]]] = tomllib.loads(file.read_text("utf-8"))["project"]
    except (OSError, ValueError, KeyError):  # moved, or not built from a pyproject.toml: nothing to compare with
        return None
    return project


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
