"""Starting several processes on this machine: for a function, or for a command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import leaven
from leaven.errors import ParameterError
from leaven.registry.references import reference_to
from leaven.stream import wire
from leaven.tasks import values
from leaven_plugins.distributed.failures import DistributedError
from leaven_plugins.distributed.job import run_job

_FOLDERS = [str(Path(leaven.__file__).parents[1]), str(Path(__file__).parents[2])]


def launch(function: Callable[..., Any] | str, nproc: int, /, *arguments: Any, **keywords: Any) -> Any:
    """Call a function in ``nproc`` new processes at the same time, and return what it returned in rank 0.

    They find each other with ``joined()`` or ``init()``, as they do under torchrun. With one process, the function is
    simply called. When one fails, the others are ended: SIGTERM, and SIGKILL after 5 seconds; they do not outlive this
    process either.

    Args:
        function: a function of a module, or of the user's script (whose own calls belong under
            ``if __name__ == "__main__"``), or ``"module:name"``.
        nproc: how many processes, at least 1.
        arguments: plain data, numpy arrays, paths, functions and components. Nothing is pickled.
        keywords: the same.

    Returns:
        The result of rank 0; with several processes, plain data.

    Raises:
        ParameterError: ``nproc`` is out of range, or a call of :func:`launch` within its own processes.
        RecipeError: the function or an argument cannot be handed to another process.
        DistributedError: a rank has failed; the text names it and how it ended, and has the end of what it wrote. Or
            rank 0 has exited before the function returned.
    """
    _check(nproc)
    if nproc == 1:
        return called(function, arguments, keywords)
    call = values.pack({"function": function, "arguments": list(arguments), "keywords": keywords})
    with _memory() as question, _memory() as answer:
        question.write(wire.pack({"path": sys.path, "call": call}))
        fds = (question.fileno(), answer.fileno())
        argv = [sys.executable, "-P", "-m", "leaven_plugins.distributed.child", *map(str, fds)]
        run_job(argv, nproc, _environment(), fds)
        return _result_in(answer.read())


def run_command(argv: Sequence[str], nproc: int) -> None:
    """Run a command line in ``nproc`` processes, and return when all have ended well.

    Args:
        argv: the program and its arguments, such as ``[sys.executable, "-m", "leaven", *sys.argv[1:]]``.
        nproc: how many processes, at least 1.

    Raises:
        ParameterError: ``nproc`` is out of range, or this process is itself one of several.
        DistributedError: a rank has failed; ``exit_code`` is its exit status, or 1.
    """
    _check(nproc)
    run_job(argv, nproc, os.environ)


def within_job() -> bool:
    """Return whether this process was started as one of several, by torchrun or from here."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def called(function: Callable[..., Any] | str, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
    """Return what a function, or ``"module:name"``, returns."""
    target = reference_to(function).resolve() if isinstance(function, str) else function
    return target(*arguments, **keywords)


def _check(nproc: int) -> None:
    if type(nproc) is not int or nproc < 1:
        raise ParameterError(f"nproc={nproc!r}: expected a whole number, at least 1")
    if nproc > 1 and within_job():
        raise ParameterError(
            f"nproc={nproc}: this is already rank {os.environ['RANK']} of {os.environ['WORLD_SIZE']}; "
            "start several processes once, by torchrun or by nproc"
        )


def _result_in(answer: bytes) -> Any:
    if not answer:
        raise DistributedError("rank 0 has ended before its function returned: let it return instead of exiting")
    return values.unpack(answer, answer=True)["result"]


def _memory() -> IO[bytes]:
    return os.fdopen(os.memfd_create("leaven"), "w+b", buffering=0)


def _environment() -> dict[str, str]:
    # the call carries sys.path; until it is read, only leaven itself has to be found
    folders = [*_FOLDERS, os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))}
