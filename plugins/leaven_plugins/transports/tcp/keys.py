"""Keys: who may join a loader, as folders of small files that ``leaven worker keygen`` makes.

``FOLDER/loader`` is for the loader's host: ``secret.key``, and ``workers/NAME.pub`` for each host that may join.
``FOLDER/NAME`` is for that host: its own ``secret.key``, and ``loader.pub``. Each file holds one CURVE key in Z85, 40
characters. Secret keys are never in arguments, in the environment or in a log.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import NamedTuple, Protocol

import zmq
from zmq.utils import z85

from leaven.errors import TransportError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LOADER = "loader"
_SECRET = "secret.key"
_LOADER_PUBLIC = "loader.pub"
_LENGTH = 40
_LOADER_NEEDS = "the loader's host needs the folder 'loader' of leaven worker keygen"
_WORKER_NEEDS = "a worker's host needs the folder with its name of leaven worker keygen"

log = logging.getLogger("leaven.transport")


class Pair(NamedTuple):
    """A CURVE key pair in Z85."""

    public: bytes
    secret: bytes

    def __repr__(self) -> str:
        return f"Pair(public={self.public.decode()})"  # a secret that nothing shows gets into no log


class Keyring(Protocol):
    """The loader's key pair, and who may join."""

    pair: Pair

    def name_of(self, public: bytes) -> str | None:
        """Return the name of the worker's host that has this public key; ``None`` where it may not join."""


class LoaderKeys:
    """A keyring in a folder, ``FOLDER/loader``. Who may join is looked up each time: a file that is removed is revoked.

    Raises:
        TransportError: the folder holds no keys, a secret that others can read, or those of a worker's host.
    """

    def __init__(self, folder: str | Path) -> None:
        self._workers = Path(folder) / "workers"
        self.pair = _pair(Path(folder) / _SECRET, _LOADER_NEEDS)
        if not self._workers.is_dir():
            raise TransportError(f"nobody could join: {self._workers} is no folder; {_LOADER_NEEDS}")
        if not any(self._workers.glob("*.pub")):
            log.warning("nobody can join: no .pub file in %s; make one with leaven worker keygen", self._workers)

    def name_of(self, public: bytes) -> str | None:
        """Return the name of the worker's host, or ``None``."""
        for path in self._workers.glob("*.pub"):
            try:
                if _key(path) == public:
                    return path.stem
            except TransportError:  # a file that is just being written, or none of ours
                continue
        return None


class OwnKeys:
    """A keyring of new keys for one run: only who can read ``folder``, a private one, may join.

    It is what keeps other users of this machine out, since a loopback address is open to all of them.
    """

    def __init__(self, folder: Path) -> None:
        self.pair = _new_pair()
        joining = _new_pair()
        self._joining = joining.public
        _write(folder / _SECRET, joining.secret, 0o600)
        _write(folder / _LOADER_PUBLIC, self.pair.public, 0o600)

    def name_of(self, public: bytes) -> str | None:
        """Return ``this machine`` for the one key there is."""
        return "this machine" if public == self._joining else None


class WorkerKeys:
    """What a worker's host has: its key pair, and the loader's public key.

    Raises:
        TransportError: the folder does not hold these, or a secret that others can read.
    """

    def __init__(self, folder: str | Path) -> None:
        self.pair = _pair(Path(folder) / _SECRET, _WORKER_NEEDS)
        if (Path(folder) / "workers").is_dir():
            raise TransportError(f"{folder} has the loader's keys; {_WORKER_NEEDS}")
        self.loader = _key(Path(folder) / _LOADER_PUBLIC)


def make_keys(folder: Path, worker: str) -> tuple[Path, Path]:
    """Write keys for a worker's host, and those of the loader where there are none; return both hosts' folders.

    Raises:
        TransportError: the name is not one, its folder exists, or one cannot be written.
    """
    if not _NAME.fullmatch(worker) or worker == _LOADER:
        raise TransportError(f"no name for a worker's host: {worker!r}; letters, digits, '.', '_', '-', not 'loader'")
    loader, host = folder / _LOADER, folder / worker
    listed = loader / "workers" / f"{worker}.pub"
    for path in (host, listed):
        if path.exists():
            raise TransportError(f"{path} exists already; choose another --worker name, or remove it to make new keys")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        public = _loader_public(loader)
        pair = _new_pair()
        host.mkdir(mode=0o700)
        _write(host / _SECRET, pair.secret, 0o600)
        _write(host / _LOADER_PUBLIC, public, 0o644)
        _write(listed, pair.public, 0o644)
    except OSError as error:
        raise TransportError(f"cannot write keys to {folder}: {error.strerror}: {error.filename}") from error
    return loader, host


def _loader_public(folder: Path) -> bytes:
    if folder.exists():
        return _pair(folder / _SECRET, _LOADER_NEEDS).public
    pair = _new_pair()
    (folder / "workers").mkdir(mode=0o700, parents=True)
    folder.chmod(0o700)
    _write(folder / _SECRET, pair.secret, 0o600)
    return pair.public


def _new_pair() -> Pair:
    return Pair(*zmq.curve_keypair())


def _pair(path: Path, need: str) -> Pair:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise TransportError(f"no secret key in {path}: {error.strerror}; {need}") from error
    if mode & 0o077:
        raise TransportError(f"{path} can be read by others than its owner: chmod 600 it, or better make new keys")
    secret = _key(path)
    return Pair(zmq.curve_public(secret), secret)


def _key(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            key = file.read(_LENGTH + 2).strip()
        if len(key) == _LENGTH and len(z85.decode(key)) == _LENGTH * 4 // 5:
            return key
    except OSError as error:
        raise TransportError(f"cannot read a key from {path}: {error.strerror}") from error
    except Exception:  # whatever the decoder makes of it
        pass
    raise TransportError(f"{path} does not hold a key of {_LENGTH} characters")


def _write(path: Path, key: bytes, mode: int) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(fd, "wb") as file:
        file.write(key + b"\n")
