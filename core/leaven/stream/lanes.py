"""Lanes: what a loader has in a pool of workers, written as plain data and made again in a worker's process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leaven.errors import ParameterError
from leaven.registry.recipes import Recipe
from leaven.stream.arena import Arena, Layout
from leaven.stream.buffers import BufferSpec, buffer_spec
from leaven.stream.making import MASK
from leaven.stream.serving import Policy, Server
from leaven.stream.shared import opened


def server(spec: Mapping[str, Any]) -> Server:
    """Return what works for the lane that ``spec`` describes."""
    worker = Recipe.from_plain(spec["worker"]).build()
    collators = [Recipe.from_plain(collator).build() for collator in spec["collators"]]
    dataset = Recipe.from_plain(spec["dataset"]).build() if spec["dataset"] else None
    policy = Policy(spec["tolerance"], spec["mask"], spec["trace"])
    layout = Layout.of(specs_of(worker.buffers, policy.mask), spec["rows"])
    arena = None
    if spec["shared"]:
        arena = Arena(spec["slots"], layout.size, fd=opened(spec["arena"]))
        arena.close()  # the memory stays mapped for as long as the lane is there
    return Server(worker, collators, dataset, layout, arena, spec["seed"], policy)


def specs_of(buffers: Mapping[str, BufferSpec], mask: bool) -> Mapping[str, BufferSpec]:
    """Return the arrays of a batch: the worker's, and the mask of valid rows where one is wanted.

    Raises:
        ParameterError: the worker has a buffer of the mask's name.
    """
    if MASK in buffers:
        raise ParameterError(f"the worker's buffer {MASK!r} needs another name: it is that of the batches' mask")
    return {**buffers, MASK: buffer_spec(((), "bool", True))} if mask else buffers
