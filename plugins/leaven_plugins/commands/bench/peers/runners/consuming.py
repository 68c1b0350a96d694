"""The consumer: takes batches from one peer, and writes how fast they came."""

# ruff: noqa: TID252 - see the package

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .request import Request

Batch = tuple[NDArray[Any], NDArray[Any]]

_WARM_UP = 0.8  # seconds
_ROUNDS = 3  # batches of each worker at least: workers that make whole batches end together, and these come in bursts
_LINE = 64  # bytes of a line of the cache
_PASSES_FOR_SAMPLES = 4  # over the corpus, in which each image that is to be kept should have come


def main(runner: str, folder: str) -> None:
    """Run one peer as ``request.json`` in ``folder`` says; write ``result.json``, and wait until standard input ends.

    While it waits, the loader still has all its processes and memory, so that these can be looked at from outside.
    """
    request = Request.read(Path(folder) / "request.json")
    batches = import_module(f"{__package__}.{runner}").batches
    stream = batches(request)
    try:
        result = measured(stream, request)
        if request.keep:
            _write_samples(Path(folder) / "samples.npz", stream, request)
        result["versions"] = {name: _version(name) for name in request.packages}
        _write(Path(folder) / "result.json", json.dumps(result))
        sys.stdin.readline()
    finally:
        stream.close()


def measured(stream: Iterator[Batch], request: Request) -> dict[str, Any]:
    """Take batches, and return what was measured.

    Raises:
        ValueError: a batch is not what the work makes.
    """
    began = time.perf_counter()
    images, labels = next(stream)
    touch(images, labels)
    first = time.perf_counter() - began
    check(images, labels)
    warmed, taken = time.perf_counter(), 1
    while taken < request.least_batches or time.perf_counter() - warmed < _WARM_UP:
        touch(*next(stream))
        taken += 1
    start, rows, batches, spent = time.perf_counter(), 0, 0, 0.0
    while spent < request.seconds or batches < _ROUNDS * request.workers:
        images, labels = next(stream)
        touch(images, labels)
        rows += len(images)
        batches += 1
        spent = time.perf_counter() - start
    return {"images_per_second": rows / spent, "images": rows, "batches": batches, "first_batch_seconds": first}


def touch(images: NDArray[Any], labels: NDArray[Any]) -> int:
    """Read every line of the cache that a batch lies in, as whatever takes it further would."""
    return int(images.reshape(-1).view(np.uint8)[::_LINE].sum()) + int(labels.sum())


def check(images: NDArray[Any], labels: NDArray[Any]) -> None:
    """Check that images stand one after the other, channels first, each with its label.

    Raises:
        ValueError: they do not.
    """
    if images.ndim != 4 or images.shape[1] != 3 or labels.size != len(images):
        raise ValueError(f"{labels.size} labels of a batch {images.shape}, which has to be (rows, 3, height, width)")


def _write_samples(path: Path, stream: Iterator[Batch], request: Request) -> None:
    """Write the pixels of those images whose labels are below ``request.keep``."""
    found: dict[int, NDArray[Any]] = {}
    for _ in range(_PASSES_FOR_SAMPLES * (request.count // request.batch_size + 1)):
        images, labels = next(stream)
        for image, label in zip(images, labels.reshape(-1).tolist(), strict=True):
            if label < request.keep:
                found[int(label)] = image.copy()
        if len(found) == request.keep:
            break
    np.savez(path, labels=np.array(list(found)), images=np.array(list(found.values())))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _write(path: Path, text: str) -> None:
    """Write a file that is complete as soon as it is there."""
    part = path.with_suffix(".part")
    part.write_text(text)
    os.replace(part, path)
