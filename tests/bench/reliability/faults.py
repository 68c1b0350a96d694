"""What can be wrong with a machine, a worker or a dataset ends with the error that says so, and leaves nothing behind.

Each case is a program of its own, since some of them would take this one along.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from leftovers import Watched
from showing import HERE, Row, Shown, digest, present

from leaven import LeavenError, TurboDataLoader, create

GONE = 1.0  # seconds after the end of the program in which all that it started must be gone
COMPLETES = "completes"


class Case(NamedTuple):
    """What is tried, the error it has to end with, a text that must be in it, and the seconds that this may take."""

    what: str
    run: Callable[[], None]
    error: str
    text: str
    limit: float
    mounts: str = ""  # shell commands, run as root in a mount namespace of its own


def case(name: str) -> dict[str, Any]:
    """Run a case in this process; return its error, and how long it took without the imports."""
    began = time.monotonic()
    try:
        CASES[name].run()
        error, text = COMPLETES, ""
    except LeavenError as caught:
        error, text = type(caught).__name__, str(caught)
    return {"error": error, "text": text, "seconds": round(time.monotonic() - began, 2)}


def loader(worker: Any = None, dataset: Any = None, **options: Any) -> TurboDataLoader:
    import loader_parts as parts

    dataset = dataset or create(parts.Numbers, size=1000)
    return TurboDataLoader(dataset, 8, worker or parts.Echo(), options.pop("nworkers", 2), **options)


def epoch(made: TurboDataLoader) -> str:
    with made:
        return digest(sample for _, samples in made for sample in samples)


# ---- the machine


def small_shared_memory() -> None:
    assert epoch(loader()) == epoch(loader(nworkers=0))


def no_temporary_folder() -> None:
    epoch(loader())


def few_descriptors(count: int) -> None:
    with few_left(count):
        epoch(loader(nworkers=4))


@contextlib.contextmanager
def few_left(count: int) -> Iterator[None]:
    """Leave so many descriptors to this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) - 1 + count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# ---- workers and datasets


def hangs() -> None:
    import loader_parts as parts

    epoch(loader(parts.Echo(slow_at=37), worker_timeout=0.5, poison_after=2))


def exits() -> None:
    from mischief import Leaves

    epoch(loader(Leaves()))


def exits_at_start() -> None:
    from mischief import LeavesAtStart

    epoch(loader(LeavesAtStart()))


def import_fails() -> None:
    from unimportable import Worker

    epoch(loader(Worker()))


def sample_777() -> None:
    from mischief import Raises

    epoch(loader(dataset=create(Raises, size=1000)))


def class_in_a_function() -> None:
    import loader_parts as parts

    class Local(parts.Echo):
        pass

    epoch(loader(Local(ms=0)))


def holds_a_lambda() -> None:
    import loader_parts as parts

    epoch(loader(parts.Echo(ms=lambda: 0)))  # type: ignore[arg-type]


def crashes() -> None:
    from mischief import Crashes

    epoch(loader(Crashes()))


CASES = {
    "small_shm": Case(
        "/dev/shm of 1 MB", small_shared_memory, COMPLETES, "", 10, "mount -t tmpfs -o size=1m tmpfs /dev/shm"
    ),
    "readonly_tmp": Case(
        "temporary folder read-only",
        no_temporary_folder,
        "TransportError",
        "set TMPDIR",
        5,
        'mount -t tmpfs -o ro tmpfs "$TMPDIR"',
    ),
    "few_fds": Case("10 descriptors left, 4 workers", partial(few_descriptors, 10), "WorkerError", "descriptors", 5),
    "fewer_fds": Case(  # of which ZeroMQ has too few even to refuse: it ends the program that it is part of
        "8 descriptors left, 4 workers", partial(few_descriptors, 8), "WorkerError", "descriptors", 5
    ),
    "hangs": Case("a sample that never ends (worker_timeout 0.5 s)", hangs, "PoisonError", "without progress", 10),
    "exits": Case("a sample that calls exit(0)", exits, "PoisonError", "exit status 0", 10),
    "exits_at_start": Case("a worker that calls exit(0) in setup", exits_at_start, "WorkerError", "exit status 0", 10),
    "import_fails": Case("a worker that cannot be imported there", import_fails, "WorkerError", "libturbo.so.8", 5),
    "raises": Case("a dataset that raises at sample 777", sample_777, "SampleError", "sample 777 (n777): read", 5),
    "local_class": Case("a worker's class within a function", class_in_a_function, "RecipeError", "Local", 5),
    "lambda": Case("a worker that holds a lambda", holds_a_lambda, "RecipeError", "lambda", 5),
    "poison": Case("a sample that segfaults", crashes, "PoisonError", "SIGSEGV", 10),
}


def tried(name: str) -> tuple[dict[str, Any], list[str]]:
    """Run a case in a program of its own; return what came of it, and what it left behind."""
    chosen = CASES[name]
    command = [sys.executable, str(HERE / "faults.py"), "--case", name]
    if chosen.mounts:
        command = ["unshare", "-m", "sh", "-c", f'{chosen.mounts} && exec "$@"', "sh", *command]
    with Watched() as watched:
        with subprocess.Popen(
            command, env=watched.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                out, err = process.communicate(timeout=chosen.limit + 10)
            except subprocess.TimeoutExpired:
                process.kill()
                return {"error": "hangs", "text": "", "seconds": chosen.limit + 10}, watched.left()
        left = watched.left_at(time.monotonic() + GONE)
    if process.returncode:
        return {"error": f"exit status {process.returncode}", "text": err[-500:], "seconds": 0.0}, left
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found, left


def mountable() -> bool:
    """Return whether this user may mount in a namespace of its own."""
    with contextlib.suppress(OSError):
        return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0
    return False


def row(name: str) -> tuple[Row, dict[str, Any]]:
    """Try one case."""
    chosen = CASES[name]
    promise = f"{chosen.error} within {chosen.limit:.0f} s"
    if chosen.mounts and not mountable():
        return Row(chosen.what, promise, "not tried: it needs root and mount namespaces", None), {}
    found, left = tried(name)
    kept = found["error"] == chosen.error and chosen.text in found["text"] and found["seconds"] <= chosen.limit
    text = f"{found['error']}, {found['seconds']:.2f} s, {len(left)} left behind"
    return Row(chosen.what, promise, text, kept and not left), {**found, "left": left}


def measure(names: list[str] | None = None) -> Shown:
    found = {name: row(name) for name in names or CASES}
    return Shown("faults", [line for line, _ in found.values()], {name: what for name, (_, what) in found.items()})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CASES)}; by default all")
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(case(options.case)))
    else:
        present(measure(options.names))
