"""RayEngine: the blocks of a job by a Ray cluster."""

from __future__ import annotations

import os
import re
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from leaven.errors import MissingPackageError, ParameterError, WorkerError
from leaven.protocols import Job
from leaven.stream.wire import unpack
from leaven_plugins.engines.blocks import manifest_of, packed_job
from leaven_plugins.engines.ray.task import run_packed

_AHEAD = 2  # blocks for each processor: the one at work, and the one that follows it at once
_MOST = 1 << 30
_PATIENCE = 10  # seconds; Ray itself tries for minutes


class RayEngine:
    """Tasks of Ray that do the blocks of a job, each on one processor of the cluster.

    Ray carries the job's recipe to them, and the manifests back. Source and destination have to be paths that all
    nodes see, and leaven has to be installed there in the same version. A block whose process or node is lost is done
    again elsewhere.

    Args:
        address: of a cluster that runs, such as ``auto`` or ``ray://host:10001``. By default the one that this process
            is connected to, or else one of this machine alone, which is ended afterwards.
        workers: how many processors a cluster of this machine has; by default all.
        retries: how often a block that was lost is done again.

    Raises:
        ParameterError: a value is out of range.
    """

    def __init__(self, address: str | None = None, workers: int | None = None, retries: int = 10) -> None:
        if workers is not None and (type(workers) is not int or workers < 1):
            raise ParameterError(f"workers={workers!r}: expected a whole number, at least 1, or None")
        if type(retries) is not int or retries < 0:
            raise ParameterError(f"retries={retries!r}: expected a whole number, at least 0")
        self.address = address
        self.workers = workers
        self.retries = retries

    def run(self, job: Job, blocks: Sequence[int], folder: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Yield block and manifest as they are done.

        Raises:
            MissingPackageError: Ray is not installed.
            RecipeError: the job cannot be handed to another process.
            SampleError: a sample failed; a note of the error has the block.
            TaskError: a block failed otherwise.
            WorkerError: the cluster cannot be reached, or a block was lost again and again.
        """
        ray, packed = _ray(), packed_job(job)
        with self._connected(ray):
            task = ray.remote(num_cpus=1, max_retries=self.retries)(run_packed)
            shared = ray.put(packed)
            remaining, pending = iter(blocks), dict[Any, int]()
            most = _AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
            try:
                while True:
                    for block in remaining:
                        pending[task.remote(shared, block, os.fspath(folder), os.getcwd())] = block
                        if len(pending) >= most:
                            break
                    if not pending:
                        return
                    (done, *_), _ = ray.wait(list(pending), num_returns=1)
                    block = pending.pop(done)
                    yield block, manifest_of(block, self._answer(ray, done, block))
            finally:
                for reference in pending:
                    ray.cancel(reference, force=True)

    def _answer(self, ray: Any, reference: Any, block: int) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = unpack(ray.get(reference), _MOST)
            return answer
        except ray.exceptions.RayError as error:
            lost = f"its process was lost {self.retries + 1} times" if self.retries else "its process was lost"
            raise WorkerError(f"block {block}: {lost}, or Ray failed: {type(error).__name__}: {error}") from error

    @contextmanager
    def _connected(self, ray: Any) -> Iterator[None]:
        """Context in which this process is connected to the cluster."""
        if ray.is_initialized() and self.address is None:
            yield
            return
        if self.address is not None:
            _check_reachable(self.address)
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        quiet = {"log_to_driver": False, "logging_level": "ERROR"}
        # Ray leaves the sockets and logs of a cluster where they are.
        with tempfile.TemporaryDirectory(prefix="leaven-ray-", ignore_cleanup_errors=True) as folder:
            own = {"num_cpus": self.workers, "include_dashboard": False, "_temp_dir": folder}
            try:
                ray.init(address=self.address or "local", **quiet, **({} if self.address else own))
            except (OSError, RuntimeError, ValueError) as error:
                raise WorkerError(f"engine:ray: {self.address or 'a cluster of this machine'}: {error}") from error
            try:
                yield
            finally:
                ray.shutdown()


def _check_reachable(address: str) -> None:
    """Raise a WorkerError where nobody listens at ``HOST:PORT`` or ``ray://HOST:PORT``; other addresses are Ray's."""
    place = re.fullmatch(r"(?:ray://)?\[?([^/\[\]]+?)\]?:(\d{1,5})", address)
    if place is None:
        return
    try:
        socket.create_connection((place[1], int(place[2])), _PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise WorkerError(f"engine:ray: no cluster answers at {address}: {error}") from error


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise MissingPackageError("engine:ray needs ray: pip install 'leaven[ray]'", name="ray") from error
    return ray
