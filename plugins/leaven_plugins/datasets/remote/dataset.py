"""RemoteDataset: a dataset that has an address."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leaven.errors import ParameterError
from leaven.protocols import Dataset
from leaven_plugins.datasets.remote.copying import LocalCopy
from leaven_plugins.fetching.transfer import Transfer
from leaven_plugins.fetching.verifying import is_sha256

_PASSED_ON = ("getitem_", "getall_", "class_names", "classes", "offset", "find", "status")


class RemoteDataset:
    """Another dataset, whose file is fetched from an address when something is first read.

    The file, and those that belong to it (the ``companions`` of the dataset's class), are fetched once for this
    machine, whichever process comes first: the others wait. Until all have arrived nothing lies where ``dataset``
    looks. A copy that is there is used without asking the server. ``http``, ``https`` and ``file`` need nothing else,
    other addresses need fsspec, and what that needs for them.

    Args:
        uri: the address.
        dataset: reads the copy; its ``path`` is where the copy is kept.
        sha256: what the file has to be. Otherwise a companion ``.md5`` is believed, where there is one.
        retries: how often a transfer that failed is tried again, each time after a longer pause.
        timeout: seconds that the server may be silent.
        refresh: whether a copy is replaced at the first access, if there is something else at the address by now.

    Raises:
        ParameterError: ``dataset`` has no ``path``, or a number is out of range.
    """

    def __init__(
        self,
        uri: str,
        dataset: Dataset,
        sha256: str | None = None,
        retries: int = 3,
        timeout: float = 30.0,
        refresh: bool = False,
    ) -> None:
        path = getattr(dataset, "path", None)
        if not path:
            raise ParameterError(f"remote: the {type(dataset).__name__} has no path where a copy could be kept")
        if "://" not in uri:
            raise ParameterError(f"remote: uri={uri!r} is no address such as https://host/train.msgpack")
        if retries < 0 or not timeout > 0:
            raise ParameterError(f"remote: retries={retries}, timeout={timeout}: must not be negative, nor no time")
        if sha256 is not None and not is_sha256(sha256):
            raise ParameterError(f"remote: sha256={sha256!r}: must have 64 hexadecimal digits")
        self.uri = uri
        self.dataset = dataset
        self.sha256 = sha256
        self.retries = retries
        self.timeout = timeout
        self.refresh = refresh
        self._is_here = False

    def __len__(self) -> int:
        """Return the number of samples; fetches the file where it is not here yet, as all below do.

        Raises:
            DatasetError: the file cannot be had, or not be read.
            FormatError: it is not the file that was expected.
        """
        return len(self._fetched())

    def sample(self, index: int) -> bytes | Mapping[str, Any]:
        """Return the sample that ``dataset`` returns; raises as that does."""
        return self._fetched().sample(index)

    def key(self, index: int) -> str:
        """Return the key of a sample; raises as :meth:`sample` does."""
        return self._fetched().key(index)

    def close(self) -> None:
        """Close ``dataset``; the copy stays."""
        self._is_here = False
        self.dataset.close()

    def __getattr__(self, name: str) -> Any:
        """Return what only ``dataset`` has, such as ``getall_label``."""
        if name.startswith(_PASSED_ON):
            return getattr(self._fetched(), name)
        raise AttributeError(f"RemoteDataset has no attribute {name!r}")

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_is_here": False}

    def _fetched(self) -> Dataset:
        if not self._is_here:
            path: Any = self.dataset.path  # type: ignore[attr-defined]
            companions = tuple(getattr(self.dataset, "companions", ()))
            transfer = Transfer(self.timeout, self.retries)
            LocalCopy(self.uri, Path(path), companions, self.sha256, transfer).ensure(self.refresh)
            self._is_here = True
        return self.dataset
