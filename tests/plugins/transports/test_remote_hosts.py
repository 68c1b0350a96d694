"""Workers of other hosts, in network namespaces: two hosts with a cable between them that can be cut."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from leaven_plugins.transports.tcp.keys import make_keys

PATIENCE = 60.0
LOADER_HOST, WORKER_HOST = "10.77.0.1", "10.77.0.2"

LOADER = """
import hashlib, json, sys, time
from leaven import TurboDataLoader, WorkerPool, create

keys, nworkers, pause, first = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
draws = create("rng:mixture", rotation_sigma=5)
worker = create("worker:classification", image=((1, 24, 24), "uint8"), image_rng=draws)
transport = create("transport:tcp", listen="tcp://10.77.0.1:0", keys=keys, patience=1.0) if keys else "zeromq"
with WorkerPool(nworkers, transport) as pool:
    print(json.dumps(transport.endpoint if keys else ""), flush=True)
    if first:
        sys.stdin.readline()
    digest = hashlib.sha256()
    with TurboDataLoader("dataset:digits", 20, worker, pool, seed=3, shuffle=True, shared_memory=8) as loader:
        for number, (_, mini_batches) in enumerate(loader):  # few slots: it cannot be far ahead of what is taken
            for sample in mini_batches:
                digest.update(sample["image"].tobytes() + repr(sample["augmentation"]).encode())
            print(json.dumps(number), flush=True)
            time.sleep(pause)
print(json.dumps(digest.hexdigest()), flush=True)
"""


def ip(*arguments, check=True):
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, check=check).returncode == 0


@pytest.fixture
def hosts():
    """The names of two namespaces with a cable between them; of the loader's host and of the worker's."""
    here, there = f"lt-a-{os.getpid()}", f"lt-b-{os.getpid()}"
    if shutil.which("ip") is None or not ip("netns", "add", here, check=False):
        pytest.skip("no network namespaces here: ip netns add is not possible")
    try:
        ip("netns", "add", there)
        ip("link", "add", "cable", "netns", here, "type", "veth", "peer", "name", "cable", "netns", there)
        for host, address in ((here, LOADER_HOST), (there, WORKER_HOST)):
            ip("-n", host, "address", "add", f"{address}/24", "dev", "cable")
            ip("-n", host, "link", "set", "cable", "up")
            ip("-n", host, "link", "set", "lo", "up")
        yield here, there
    finally:
        ip("netns", "delete", here, check=False)
        ip("netns", "delete", there, check=False)


class Process:
    """A Python program on a host, whose output is read line by line."""

    def __init__(self, host, *arguments):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUNBUFFERED": "1"}
        where = ["ip", "netns", "exec", host] if host else []
        self.popen = subprocess.Popen(
            [*where, sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def line(self):
        return self.popen.stdout.readline().strip()

    def until(self, text):
        while (line := self.line()) and text not in line:
            pass
        assert text in line
        return line

    def go(self):
        self.popen.stdin.write("go\n")
        self.popen.stdin.flush()

    def last(self):
        lines = [json.loads(line) for line in self.popen.stdout]
        assert self.popen.wait(PATIENCE) == 0
        return lines[-1]

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        self.popen.kill()
        self.popen.communicate()


@pytest.fixture(scope="module")
def expected():
    with Process("", "-c", LOADER, "", "1", "0", "0") as local:
        return local.last()


@pytest.fixture
def keys(tmp_path):
    return make_keys(tmp_path, "elsewhere")


def loader(host, keys, nworkers=0, pause=0.0):
    return Process(host, "-c", LOADER, str(keys), str(nworkers), str(pause), "1")


def worker(host, endpoint, keys, *options):
    command = ["-m", "leaven", "worker", "--connect", endpoint, "--keys", str(keys), "--workers", "1", *options]
    return Process(host, *command)


def test_the_stream_is_that_of_local_workers(hosts, keys, expected):
    with loader(hosts[0], keys[0]) as here:
        endpoint = json.loads(here.line())
        with worker(hosts[1], endpoint, keys[1]) as there:
            here.go()
            assert here.last() == expected
            assert there.popen.wait(PATIENCE) == 0


@pytest.mark.slow
def test_a_cut_cable_is_noticed_and_local_workers_go_on(hosts, keys, expected):
    with loader(hosts[0], keys[0], nworkers=1, pause=0.05) as here:
        endpoint = json.loads(here.line())
        with worker(hosts[1], endpoint, keys[1]) as there:
            there.until("joined")
            here.go()
            here.until("5")
            ip("-n", hosts[0], "link", "set", "cable", "down")
            began = time.monotonic()
            assert here.last() == expected
            assert time.monotonic() - began < PATIENCE
            assert there.popen.wait(PATIENCE) == 0  # the loader has gone, as far as can be known here


@pytest.mark.slow
def test_the_run_goes_on_once_the_cable_is_mended(hosts, keys, expected):
    with loader(hosts[0], keys[0], pause=0.05) as here:
        endpoint = json.loads(here.line())
        with worker(hosts[1], endpoint, keys[1], "--stay", "--patience", "1") as there:
            here.go()
            here.until("5")
            ip("-n", hosts[0], "link", "set", "cable", "down")
            there.until("gone")
            ip("-n", hosts[0], "link", "set", "cable", "up")
            there.until("working")
            assert here.last() == expected


def test_a_killed_worker_loses_nothing(hosts, keys, expected):
    with loader(hosts[0], keys[0], pause=0.02) as here:
        endpoint = json.loads(here.line())
        with worker(hosts[1], endpoint, keys[1]) as first:
            here.go()
            here.until("5")
            first.popen.kill()
            with worker(hosts[1], endpoint, keys[1]):
                assert here.last() == expected
