"""Packing: samples of any dataset, changed as asked, in one file or several; also ``leaven.pack``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leaven.registry.opening import open_dataset

if TYPE_CHECKING:
    from leaven.protocols import Engine
    from leaven.registry.registry import Registry


def pack(
    source: Any,
    destination: str | Path,
    *,
    views: Sequence[Any] = (),
    format: str | None = None,  # noqa: A002 - as the option is called
    engine: Engine | str | Mapping[str, Any] | None = None,
    workers: int | None = None,
    shard: int | None = None,
    overwrite: bool = False,
    options: Mapping[str, Any] | None = None,
    advance: Callable[[int], object] | None = None,
    registry: Registry | None = None,
    **settings: Any,
) -> Any:
    """Pack the samples of a dataset into a file; also ``leaven.pack``.

    ::

        leaven.pack("photos", "photos.msgpack", resize=256, encode="jpeg", quality=90)

    Args:
        source: what :func:`leaven.open` takes, or a dataset.
        destination: the file; its suffix tells the format unless ``format`` does.
        views: datasets over the source, as for :func:`leaven.open`.
        format: name of a dataset component that can be written.
        engine: what does the blocks; see :meth:`leaven_plugins.jobs.pack.Packing.write`, as for all of the following.
        workers: how many blocks are done at a time.
        shard: the only shard to be written.
        overwrite: whether what exists is replaced.
        options: further parameters of the format's writer.
        advance: called with a number of samples that are done.
        registry: where names are looked up; by default :func:`leaven.default_registry`.
        **settings: of ``job:pack``: ``resize``, ``channels``, ``encode``, ``quality``, ``exif``, ``fields``,
            ``jpeg_restart``, ``shards``, ``block``.

    Returns:
        A report with ``paths``, ``format``, ``samples``, ``bytes`` and more.

    Raises:
        LeavenError: the source cannot be read, the destination cannot be written, a sample cannot be converted.
    """
    if registry is None:
        from leaven.registry.registry import default_registry

        registry = default_registry()
    is_open = not isinstance(source, (str, os.PathLike, Mapping, list, tuple))
    dataset = _viewed(source, views, registry) if is_open else open_dataset(source, registry, views=views)
    job = registry.create("job:pack", dataset=dataset, **settings)
    try:
        return job.write(
            destination,
            format=format,
            engine=engine,
            workers=workers,
            shard=shard,
            overwrite=overwrite,
            options=options,
            advance=advance,
            registry=registry,
        )
    finally:
        if not is_open:
            dataset.close()


def _viewed(dataset: Any, views: Sequence[Any], registry: Registry) -> Any:
    for view in [views] if isinstance(views, (str, Mapping)) else views:
        dataset = registry.create(view, kind="dataset", dataset=dataset)
    return dataset
