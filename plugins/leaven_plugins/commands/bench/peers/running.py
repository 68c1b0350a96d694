"""One run of one peer, in a process of its own, which is watched from outside."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from leaven.errors import LeavenError, printable
from leaven_plugins.commands.bench.memory import tree_pss
from leaven_plugins.commands.bench.peers.runners.request import Request

# The runners are found beside this file, under a name that needs no leaven. At the end of the path: a library that has
# a module of the same name as one of ours goes first.
_FOLDER = Path(__file__).parents[1]
_START = "import sys; sys.path.append(sys.argv[1]); from peers.runners.consuming import main; main(*sys.argv[2:])"
_WAIT = 0.02  # seconds between looks for the result
_LOOK = 0.5  # seconds between looks at the memory: one takes some ms of one of the cores
_START_UP = 180.0  # seconds that a peer may take besides what it is measured for
_END = 10.0  # seconds in which it should end when it is told to
_ERROR = re.compile(r"[\w.]*(Error|Exception|StopIteration|Interrupt)(:|$)")  # as the last line of a traceback


class PeerFailed(LeavenError):
    """A peer gave no result; the text has what it said last."""


class Started(NamedTuple):
    """How a runner is started: the interpreter, and the name of its module."""

    python: Path
    runner: str


@dataclass(frozen=True)
class Outcome:
    """What one run gave.

    Attributes:
        images_per_second: while they were counted.
        images: that were counted.
        batches: in which they came.
        first_batch_seconds: from the creation of the loader to its first batch; imports are done before.
        peak_pss_mb: most memory seen, of the process and all its children, in 10**6 bytes; ``None`` where the system
            does not tell.
        versions: package -> version.
        samples: the file of the pixels that were asked for.
    """

    images_per_second: float
    images: int
    batches: int
    first_batch_seconds: float
    peak_pss_mb: float | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    samples: bytes | None = None


def run_peer(started: Started, request: Request, patience: float = _START_UP) -> Outcome:
    """Run a peer once.

    Raises:
        PeerFailed: it ended without a result, or took longer than ``patience`` seconds beyond those that are measured.
    """
    with tempfile.TemporaryDirectory(prefix="leaven-peers-") as name:
        folder = Path(name)
        request.write(folder / "request.json")
        with open(folder / "log", "wb") as log:
            process = subprocess.Popen(
                [str(started.python), "-P", "-c", _START, str(_FOLDER), started.runner, name],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=name,
                env=_environment(started.python),
                start_new_session=True,
            )
        try:
            peak = _watched(process, folder, request.seconds + patience)
        finally:
            _end(process, (folder / "result.json").exists())
        return _outcome(folder, peak)


def _watched(process: subprocess.Popen[bytes], folder: Path, seconds: float) -> int | None:
    """Wait for the result, and return the most memory that was seen.

    Raises:
        PeerFailed: there is none.
    """
    deadline, looked, peak = time.monotonic() + seconds, 0.0, 0
    while not (folder / "result.json").exists():
        if process.poll() is not None:
            raise PeerFailed(_said(folder) or f"it ended with exit code {process.returncode}")
        now = time.monotonic()
        if now > deadline:
            raise PeerFailed(f"it gave no result within {seconds:.0f} s; {_said(folder) or 'it said nothing'}")
        if now - looked > _LOOK:
            peak, looked = max(peak, tree_pss(process.pid) or 0), now
        time.sleep(_WAIT)
    return max(peak, tree_pss(process.pid) or 0) or None


def _end(process: subprocess.Popen[bytes], done: bool) -> None:
    """Tell the process to end, and end whatever it has left behind."""
    if not done and process.poll() is None:
        process.send_signal(signal.SIGINT)  # it closes its loader
    with contextlib.suppress(subprocess.TimeoutExpired, OSError):
        process.communicate(b"\n", timeout=_END)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _outcome(folder: Path, peak: int | None) -> Outcome:
    result: dict[str, Any] = json.loads((folder / "result.json").read_text())
    samples = folder / "samples.npz"
    return Outcome(
        peak_pss_mb=None if peak is None else peak / 1e6,
        samples=samples.read_bytes() if samples.exists() else None,
        **result,
    )


def _said(folder: Path) -> str:
    """Return the last error that the process has written, or else its last line."""
    lines = [line.strip() for line in (folder / "log").read_text("utf-8", "replace").split("\n") if line.strip()]
    errors = [line for line in lines if _ERROR.match(line)]
    return printable((errors or lines or [""])[-1], 300)


def _environment(python: Path) -> dict[str, str]:
    """Return variables for an interpreter: another environment is not to find what belongs to this one."""
    own = python == Path(sys.executable)
    kept = {name: value for name, value in os.environ.items() if own or not name.startswith("PYTHON")}
    return {**kept, "NO_ALBUMENTATIONS_UPDATE": "1"}  # which asks the network for a newer version otherwise
