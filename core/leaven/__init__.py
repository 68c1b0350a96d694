"""leaven: feeds and trains vision networks; a small kernel, and every part of it a plugin.

Names are imported when they are first used: what a plugin's door needs costs no numpy, and a worker process that is
handed its work as a recipe never sees the plugin system.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leaven.data.batches import batches
    from leaven.data.depot import Depot
    from leaven.data.mode import ModeView
    from leaven.data.pack import pack
    from leaven.data.tank import Tank
    from leaven.errors import (
        BlockedError,
        BrokenPluginError,
        ConfigError,
        DatasetError,
        DeclarationError,
        DecodeError,
        FormatError,
        LeavenError,
        LookupFailed,
        MissingPackageError,
        NameClash,
        NoMoreTasks,
        ParameterError,
        PoisonError,
        ProtocolError,
        RecipeError,
        SampleError,
        SampleErrors,
        StateError,
        TaskError,
        TimedOut,
        TooManyErrors,
        TransportError,
        UnknownName,
        WorkerError,
    )
    from leaven.hookspecs import hookimpl
    from leaven.protocols import Decoded, ImageInfo, Region
    from leaven.registry.components import Component
    from leaven.registry.opening import open_dataset as open  # noqa: A004, F401
    from leaven.registry.registry import Registry, create, default_registry
    from leaven.stream.buffer_pool import BufferPool
    from leaven.stream.buffers import BufferSpec, buffer_spec, make_fill_value
    from leaven.stream.loader import TurboDataLoader
    from leaven.stream.pool import WorkerPool
    from leaven.stream.shared import attach_array, descriptor_of, shared_array
    from leaven.stream.tracing import Trace
    from leaven.stream.worker import BufferWorker, Request, Row, Worker
    from leaven.tasks.background import BackgroundTask
    from leaven.tasks.pools import WorkerProcessPool, WorkerThreadPool
    from leaven.tasks.queue import TaskQueue

    __version__: str

__all__ = [
    "BackgroundTask",
    "BlockedError",
    "BrokenPluginError",
    "BufferPool",
    "BufferSpec",
    "BufferWorker",
    "Component",
    "ConfigError",
    "DatasetError",
    "DeclarationError",
    "DecodeError",
    "Decoded",
    "Depot",
    "FormatError",
    "ImageInfo",
    "LeavenError",
    "LookupFailed",
    "MissingPackageError",
    "ModeView",
    "NameClash",
    "NoMoreTasks",
    "ParameterError",
    "PoisonError",
    "ProtocolError",
    "RecipeError",
    "Region",
    "Registry",
    "Request",
    "Row",
    "SampleError",
    "SampleErrors",
    "StateError",
    "Tank",
    "TaskError",
    "TaskQueue",
    "TimedOut",
    "TooManyErrors",
    "Trace",
    "TransportError",
    "TurboDataLoader",
    "UnknownName",
    "Worker",
    "WorkerError",
    "WorkerPool",
    "WorkerProcessPool",
    "WorkerThreadPool",
    "__version__",
    "attach_array",
    "batches",
    "buffer_spec",
    "create",
    "default_registry",
    "descriptor_of",
    "hookimpl",
    "make_fill_value",
    "pack",
    "shared_array",
]

_ELSEWHERE = {
    "leaven.data.batches": ("batches",),
    "leaven.data.depot": ("Depot",),
    "leaven.data.tank": ("Tank",),
    "leaven.data.mode": ("ModeView",),
    "leaven.data.pack": ("pack",),
    "leaven.hookspecs": ("hookimpl",),
    "leaven.protocols": ("Decoded", "ImageInfo", "Region"),
    "leaven.registry.components": ("Component",),
    "leaven.registry.opening": ("open",),
    "leaven.registry.registry": ("Registry", "create", "default_registry"),
    "leaven.stream.buffer_pool": ("BufferPool",),
    "leaven.stream.buffers": ("BufferSpec", "buffer_spec", "make_fill_value"),
    "leaven.stream.loader": ("TurboDataLoader",),
    "leaven.stream.pool": ("WorkerPool",),
    "leaven.stream.shared": ("attach_array", "descriptor_of", "shared_array"),
    "leaven.stream.tracing": ("Trace",),
    "leaven.tasks.background": ("BackgroundTask",),
    "leaven.tasks.pools": ("WorkerProcessPool", "WorkerThreadPool"),
    "leaven.tasks.queue": ("TaskQueue",),
    "leaven.stream.worker": ("BufferWorker", "Request", "Row", "Worker"),
}
_MODULE_OF = {name: module for module, names in _ELSEWHERE.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = _version()
    elif name == "open":  # not in __all__: import * would hide Python's own
        value = import_module(_MODULE_OF[name]).open_dataset
    elif name in __all__:
        value = getattr(import_module(_MODULE_OF.get(name, "leaven.errors")), name)
    else:
        raise AttributeError(f"module 'leaven' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("leaven")
    except PackageNotFoundError:  # run from a source tree that was not installed
        return "0+unknown"
