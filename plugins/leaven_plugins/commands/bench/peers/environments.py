"""Environments: which Python has what a peer needs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from leaven.errors import LeavenError
from leaven_plugins.commands.bench.peers.roster import TORCH, Peer

# Looked for, and not imported: which takes seconds for some, and comes later anyway.
_MISSING = """
import json, sys
from importlib.util import find_spec
def there(name):
    try:
        return find_spec(name) is not None
    except ImportError:
        return False
print(json.dumps([name for name in json.loads(sys.argv[1]) if not there(name)]))
"""
_LAST = 300  # characters of what pip says


class NoEnvironment(LeavenError):
    """No Python has what a peer needs; the text says what is missing."""


def python_for(peer: Peer, venvs: Path) -> Path:
    """Return the interpreter of this environment, or of the peer's own one in ``venvs``.

    Raises:
        NoEnvironment: neither has all the modules.
    """
    here = Path(sys.executable)
    missing = _missing(here, peer.modules)
    if not missing:
        return here
    python = venvs / peer.environment / "bin" / "python"
    if peer.requirements and python.exists():
        missing = _missing(python, peer.modules)
        if not missing:
            return python
    hint = f"--install makes an environment in {venvs}" if peer.requirements else f"pip install {_package(missing[0])}"
    raise NoEnvironment(f"{', '.join(missing)} cannot be imported; {hint}")


def install(peer: Peer, venvs: Path) -> None:
    """Make the peer's own environment.

    Raises:
        NoEnvironment: there is nothing to be installed, or it cannot be; what was begun is removed.
    """
    folder = venvs / peer.environment
    if not peer.requirements or folder.exists():
        return
    constraints = venvs / "constraints.txt"
    command = ["bin/python", "-m", "pip", "install", "-q", "-c", str(constraints.resolve()), *peer.requirements]
    try:
        venvs.mkdir(parents=True, exist_ok=True)
        constraints.write_text(f"{TORCH}\n")
        venv.create(folder, with_pip=True)
        subprocess.run([str(folder / command[0]), *command[1:]], check=True, capture_output=True, text=True)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if not isinstance(error, (OSError, subprocess.CalledProcessError)):
            raise
        said = getattr(error, "stderr", None) or str(error)
        raise NoEnvironment(f"cannot be installed: {said.strip()[-_LAST:]}") from error


def _missing(python: Path, modules: Sequence[str]) -> list[str]:
    command = [str(python), "-P", "-c", _MISSING, json.dumps(modules)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return list(modules)
    missing: list[str] = json.loads(done.stdout)
    return missing


def _package(module: str) -> str:
    return module.replace("_", "-")
