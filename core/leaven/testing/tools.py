"""Tools for tests of components: pictures, files without a codec, workers without a loader, fresh interpreters."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.stream.randomness import Streams
from leaven.stream.worker import Item, Request, single_batches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaven.errors import SampleError
    from leaven.protocols import Worker

HEAVY = ("numpy", "torch", "cv2", "zmq")
"""What a door must not import: together they take more than a second."""


def picture(height: int = 24, width: int = 32, channels: int = 3, seed: int = 0) -> NDArray[np.uint8]:
    """Return a ``(height, width, channels)`` uint8 image: two ramps and some noise."""
    down, right = np.linspace(0, 127, height)[:, None], np.linspace(0, 127, width)
    noise = np.random.default_rng(seed).integers(-20, 21, (height, width, channels))
    return np.clip((down + right)[..., None] + noise, 0, 255).astype(np.uint8)


def png(image: NDArray[np.uint8]) -> bytes:
    """Return a uint8 image ``(height, width)``, or with 1 or 3 channels behind, as a PNG file, which is exact."""
    height, width, *rest = image.shape
    color = 2 if rest == [3] else 0
    rows = image.reshape(height, -1)
    unfiltered = b"".join(b"\0" + row.tobytes() for row in rows)
    head = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(unfiltered)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def samples(count: int = 4, height: int = 24, width: int = 32) -> list[dict[str, Any]]:
    """Return samples ``{"key": ..., "image": PNG file, "label": position}`` with different pictures."""
    return [{"key": f"s{i}", "image": png(picture(height, width, seed=i)), "label": i} for i in range(count)]


def run_worker(
    worker: Worker,
    contents: Sequence[bytes | Mapping[str, Any]],
    positions: Sequence[int] = (),
    epoch: int = 0,
    seed: int = 0,
    rejected: dict[int, SampleError] | None = None,
) -> dict[str, Any]:
    """Let a worker that was set up make one batch, without loader and processes; return the batch.

    Args:
        worker: what makes one batch of one request.
        contents: the samples, packed or as mappings.
        positions: of the samples in the dataset; by default 0, 1, ...
        epoch: number of the pass over the dataset.
        seed: the loader's.
        rejected: gets the errors of rows that the worker gives up; by default these are raised.
    """
    positions = positions or range(len(contents))
    items = [Item(i, epoch, "", data) for i, data in zip(positions, contents, strict=True)]
    arrays = {key: spec.allocate(len(items)) for key, spec in worker.buffers.items()}
    request = Request(0, iter(items), len(items), arrays, Streams(seed))
    if rejected is not None:
        request = request._replace(reject=rejected.__setitem__)
    (batch,) = single_batches(worker.process(request))
    return dict(batch)


def run_python(code: str, *arguments: str) -> str:
    """Run code in a fresh interpreter with this one's search path and warnings as errors; return what it prints.

    Raises:
        AssertionError: it failed; the text has what it wrote to standard error.
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def heavy_imports(module: str) -> list[str]:
    """Return which of :data:`HEAVY` are imported together with a module, or with a single-file plugin by its path."""
    how = "load_file(name)" if module.endswith(".py") else "__import__(name)"
    code = f"import sys; from leaven.registry.files import load_file; name = sys.argv[1]; {how}; print(*sys.modules)"
    return sorted(set(HEAVY) & set(run_python(code, module).split()))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
