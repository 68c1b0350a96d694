"""Work that is killed at each of the moments at which it does something to a file, in turn.

As a program: ``killing.py SCENARIO FOLDER STEP`` kills at every STEP-th moment, and prints how often that was.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np

from leaven_plugins.copying.local import copy_to_local
from leaven_plugins.datasets.msgpack import MsgpackDataset
from leaven_plugins.datasets.remote import RemoteDataset
from leaven_plugins.datasets.standard_store import Declaration, Store
from leaven_plugins.fetching.sources import Download

EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod", "shutil.rmtree"}
SMALL, LARGE = range(3), range(100, 140)


class Scenario(NamedTuple):
    """What is done before, what is killed, and what has to hold whenever that has happened."""

    prepare: Callable[[Path], None]
    work: Callable[[Path], object]
    check: Callable[[Path], None]


def killed(number: int, work: Callable[[], object], folder: Path) -> bool:
    """Return whether a process that did the work was killed before it did something to a file for the n-th time."""
    pid = os.fork()
    if pid:
        status = os.waitpid(pid, 0)[1]
        assert status in (0, signal.SIGKILL), status
        return status == signal.SIGKILL
    left = number

    def hook(event: str, args: tuple[object, ...]) -> None:
        nonlocal left
        if event in EVENTS and isinstance(args[0], (str, os.PathLike)) and str(folder) in str(args[0]):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def moments(scenario: Scenario, folder: Path, step: int) -> Iterator[int]:
    for number in count(step // 2, step):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        scenario.prepare(folder)
        if not killed(number, lambda: scenario.work(folder), folder):
            return
        scenario.check(folder)
        scenario.work(folder)
        scenario.check(folder)
        hidden = [path for path in folder.rglob("*") if path.name.startswith(".") or ".part" in path.name]
        assert not [path for path in hidden if path.is_file() and path.stat().st_size]  # locks and folders may stay
        yield number


# ---- a dataset that has an address


def served(folder: Path, numbers: range) -> None:
    made = folder.with_name(f"{folder.name}-{len(numbers)}")
    if not made.exists():
        MsgpackDataset.write(made / "x.msgpack", [{"key": f"k{n}", "label": n} for n in numbers])
    shutil.rmtree(folder / "served", ignore_errors=True)
    shutil.copytree(made, folder / "served")


def remote(folder: Path, refresh: bool = False) -> RemoteDataset:
    uri = (folder / "served/x.msgpack").as_uri()
    return RemoteDataset(uri, MsgpackDataset(folder / "copy/x.msgpack"), retries=0, refresh=refresh)


def labels(dataset: RemoteDataset | MsgpackDataset) -> list[int]:
    found = [int(label) for label in dataset.getall_label()]
    keys = [dataset.key(index) for index in range(len(dataset))]
    dataset.close()
    assert keys == [f"k{number}" for number in found]
    return found


def served_anew(folder: Path) -> None:
    served(folder, SMALL)
    labels(remote(folder))
    served(folder, LARGE)


def whole(folder: Path) -> None:
    """What lies where a dataset looks is all of it."""
    if (folder / "copy/x.msgpack").exists():
        assert labels(MsgpackDataset(folder / "copy/x.msgpack")) in (list(SMALL), list(LARGE))


# ---- a standard set


def declared(folder: Path) -> Store:
    def convert(files, arrays):
        data = np.frombuffer(files["pixels"].read_bytes(), np.uint8)
        arrays.save("train_X_u8", data.reshape(-1, 1, 2, 2))
        arrays.save("train_y", np.arange(len(data) // 4, dtype=np.int32))

    source = Download("pixels", [(folder / "served/pixels").as_uri()])
    return Store(Declaration("set", [source], ("train_X_u8", "train_y"), convert), folder / "set")


def pixels(folder: Path) -> None:
    (folder / "served").mkdir()
    (folder / "served/pixels").write_bytes(bytes(range(40)))


def same_arrays(folder: Path) -> None:
    arrays = declared(folder).arrays(download=True)
    assert arrays["train_X_u8"].tobytes() == bytes(range(40))
    assert arrays["train_y"].tolist() == list(range(10))


# ---- a folder


def photos(folder: Path) -> None:
    for name in ("net/a/1", "net/a/2", "net/b/3", "net/4"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    (folder / "local").mkdir()
    (folder / "local/autocopy_start.txt").touch()  # of a run before, that was killed as well
    (folder / "local/half").touch()


def same_photos(folder: Path) -> None:
    if (folder / "local/autocopy_end.txt").exists():
        found = {path.name for path in (folder / "local").rglob("*") if path.is_file()}
        assert found == {*"1234", "autocopy_start.txt", "autocopy_end.txt"}


SCENARIOS = {
    "fetch": Scenario(lambda folder: served(folder, LARGE), lambda folder: labels(remote(folder)), whole),
    "refresh": Scenario(served_anew, lambda folder: labels(remote(folder, refresh=True)), whole),
    "set": Scenario(pixels, lambda folder: declared(folder).arrays(download=True), same_arrays),
    "copy": Scenario(photos, lambda folder: copy_to_local(folder / "net", folder / "local"), same_photos),
}

if __name__ == "__main__":
    os.sync = lambda: None  # what was written is there whoever is killed
    os.fsync = lambda descriptor: None
    chosen, place = SCENARIOS[sys.argv[1]], Path(sys.argv[2])
    chosen.prepare(place)
    chosen.work(place)  # imports whatever it needs
    print(sum(1 for _ in moments(chosen, place, int(sys.argv[3]))))
