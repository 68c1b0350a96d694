"""Cached: a dataset whose samples are kept where they are read faster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from leaven.data.getters import getall
from leaven.data.view import View
from leaven.protocols import Cache, Dataset
from leaven.stream.wire import pack_sample, unpack_sample
from leaven_plugins.caches.functions import function_of
from leaven_plugins.datasets.cached.naming import name_of


@dataclass(frozen=True, eq=False)
class Cached(View):
    """The samples of a dataset, each read once and then taken from a cache.

    What is kept are the bytes of a packed sample, with its image encoded as it is: decoding is left to whoever uses it.
    Entries are found by the recipe of the dataset, by size and time of its files, and by position, so that several
    datasets may have the same cache, and a file that was changed is read anew. Samples come packed; with a
    ``transform``, as mappings.

    Parts of single samples come from the cache as well. Those of all samples at once, such as labels, come from the
    dataset below, and from neither where there is a ``transform``, which may change them.

    Args:
        dataset: what is read.
        cache: where its samples are kept. The memory of this process by default.
        transform: an importable function from a sample, as a dict, to a sample, or its name such as
            ``"package.module:name"``; applied at every access.

    Raises:
        ParameterError: ``transform`` is no function.
    """

    dataset: Dataset
    cache: Cache = "memory"  # type: ignore[assignment]  # built by leaven.create
    transform: Callable[[dict[Any, Any]], Mapping[Any, Any]] | str | None = None

    def __post_init__(self) -> None:
        self._transform  # noqa: B018 - what is wrong with it is told now

    def sample(self, index: int) -> bytes | Mapping[Any, Any]:
        """Return a sample, negative positions count from the end.

        Raises:
            IndexError: there is no such sample.
            FormatError: it cannot be packed.
            LeavenError: whatever dataset and cache raise.
        """
        message = self._message(self.position(index))
        return message if self._transform is None else self._transform(unpack_sample(message))

    def dispose(self) -> None:
        """Forget everything that the cache keeps, of other datasets as well."""
        self.cache.clear()

    def close(self) -> None:
        """Close dataset and cache; the next access opens them again."""
        super().close()
        self.cache.close()

    def __getattr__(self, name: str) -> Any:
        verb, _, part = name.partition("_")
        if verb in ("getitem", "getall") and part and self.transform is None:
            return self._part(part, name) if verb == "getitem" else self._whole(part, name)
        if name == "offset":
            return super().__getattr__(name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _message(self, position: int) -> bytes:
        key = f"{self._name}:{position}"
        found = self.cache.get(key)
        if found is not None:
            return found
        sample = self.dataset.sample(position)
        message = pack_sample(sample) if isinstance(sample, Mapping) else bytes(sample)
        self.cache.put(key, message)
        return message

    def _part(self, part: str, name: str) -> Callable[..., Any]:
        """Return what reads a part of a sample.

        What no field has is left to the dataset below, as is what is to be told how it came about.
        """
        inner = getattr(self.dataset, name)

        def get(index: int, ctx: dict[str, Any] | None = None) -> Any:
            position = self.position(index)
            if ctx is None:
                sample = unpack_sample(self._message(position))
                if part in sample:
                    return sample[part]
            return inner(position, ctx)

        return get

    def _whole(self, part: str, name: str) -> Callable[[], Any]:
        """Return what reads a part of all samples, which the dataset below can do without reading the rest of them."""
        if not hasattr(self.dataset, name) and not hasattr(self.dataset, f"getitem_{part}"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return lambda: getall(self.dataset, part)

    @cached_property
    def _transform(self) -> Callable[[dict[Any, Any]], Mapping[Any, Any]] | None:
        return None if self.transform is None else function_of(self.transform, "dataset:cached: transform")

    @cached_property
    def _name(self) -> str:
        return name_of(self.dataset)
