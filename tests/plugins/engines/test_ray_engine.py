"""engine:ray, on a cluster of two nodes that are processes of this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from leaven import Registry
from leaven.errors import MissingPackageError, ParameterError, WorkerError
from leaven.testing.engine import Squares
from leaven_plugins.datasets.msgpack import MsgpackDataset
from leaven_plugins.engines.ray import RayEngine

CLUSTER = Path(__file__).with_name("ray_cluster.py")


@pytest.mark.parametrize("params", [{"workers": 0}, {"retries": -1}, {"workers": True}])
def test_values_out_of_range_are_told(params):
    with pytest.raises(ParameterError, match="expected a whole number, at least"):
        Registry(builtin_only=True).create("engine:ray", **params)


def test_a_missing_package_is_told(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingPackageError, match=r"engine:ray needs ray: pip install 'leaven\[ray\]'"):
        list(RayEngine().run(Squares(), [0], tmp_path))


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_an_address_where_nobody_listens_is_told_at_once(scheme, tmp_path):
    pytest.importorskip("ray")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(WorkerError, match=rf"no cluster answers at {scheme}127\.0\.0\.1:{port}: .*refused"):
        list(RayEngine(f"{scheme}127.0.0.1:{port}").run(Squares(), [0], tmp_path))


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_two_nodes_of_which_one_is_lost(tmp_path):
    """In a process of its own: Ray's daemons end with it, and its handlers of signals are not ours."""
    pytest.importorskip("ray")
    folder = tmp_path / "r"
    folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "HOME": str(tmp_path)}
    environment |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
    with open(tmp_path / "log", "w+") as log:
        command = [sys.executable, str(CLUSTER), str(folder)]
        done = subprocess.run(command, env=environment, stdout=log, stderr=log, timeout=150, check=False)
        log.seek(0)
        text = log.read()
    assert done.returncode == 0, text[-4000:]
    by_ray, here = folder / "ray.msgpack", folder / "local.msgpack"
    assert by_ray.read_bytes() == here.read_bytes()
    assert len(MsgpackDataset(by_ray)) == 400
    assert text.index("killed a process\n") < text.index("removed a node\n")
    assert text.count("test_") == 6  # of the contract
    assert not [name for name in _commands() if str(folder) in name]


def _commands():
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                yield (entry / "cmdline").read_bytes().decode("utf-8", "replace")
            except OSError:
                continue
