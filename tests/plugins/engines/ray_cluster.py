"""Run by test_ray_engine.py: packs by a cluster of two nodes, kills a process, and removes a node, in the middle."""

from __future__ import annotations

import inspect
import os
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

import ray
from ray.cluster_utils import Cluster

from leaven.data.pack import pack
from leaven.testing import EngineContract, tools
from leaven.testing.engine import Squares
from leaven_plugins.datasets.msgpack import MsgpackDataset
from leaven_plugins.engines.ray import RayEngine

SETTINGS = {"resize": 20, "encode": "jpeg", "block": 4}


def main(folder: Path) -> None:
    source = folder / "source.msgpack"
    MsgpackDataset.write(source, tools.samples(400, 120, 160))
    pack(source, folder / "local.msgpack", **SETTINGS)
    alone(folder / "alone")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    other = cluster.add_node(num_cpus=1)
    try:
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        contract(folder)
        packed(folder, cluster, other)
    finally:
        ray.shutdown()
        cluster.shutdown()


def alone(folder: Path) -> None:
    """A cluster of this machine, which is ended again."""
    folder.mkdir()
    assert len(dict(RayEngine(workers=2).run(Squares(), range(7), folder))) == 7
    assert not ray.is_initialized()
    assert not list(Path(tempfile.gettempdir()).glob("leaven-ray-*"))


def contract(folder: Path) -> None:
    """All of the contract, by one cluster."""
    tests = [name for name in dir(EngineContract) if name.startswith("test_")]
    for name in tests:
        test = getattr(EngineContract(), name)
        if list(inspect.signature(test).parameters) == ["engine", "tmp_path"]:
            (folder / name).mkdir()
            test(RayEngine(), folder / name)
            print(name, flush=True)


def packed(folder: Path, cluster: Cluster, other: object) -> None:
    done, killer = 0, Thread(target=kill_a_worker)

    def advance(count: int) -> None:
        nonlocal done
        before, done = done, done + count
        if before < 40 <= done:
            killer.start()
        if before < 120 <= done:
            killer.join()
            cluster.remove_node(other, allow_graceful=False)
            print("removed a node", flush=True)

    report = pack(folder / "source.msgpack", folder / "ray.msgpack", engine=RayEngine(), advance=advance, **SETTINGS)
    assert (report.samples, report.blocks, done) == (400, 100, 400), report


def kill_a_worker() -> None:
    """Kill a process of this cluster as soon as one is at a task of ours, which it is not at every moment."""
    home, end = f"HOME={os.environ['HOME']}\0".encode(), time.monotonic() + 60
    while time.monotonic() < end:
        for entry in Path("/proc").iterdir():
            with suppress(OSError):  # one that has ended meanwhile
                if b"ray::run_packed" in (entry / "cmdline").read_bytes() and home in (entry / "environ").read_bytes():
                    os.kill(int(entry.name), signal.SIGKILL)
                    print("killed a process", flush=True)
                    return


if __name__ == "__main__":
    main(Path(sys.argv[1]))
