"""Workers of other hosts, tried on this one: ``leaven worker`` joins a loader over a loopback address."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from leaven import Registry, TurboDataLoader, WorkerPool, create
from leaven.errors import TransportError
from leaven_plugins.transports.tcp.keys import OwnKeys, make_keys

PATIENCE = 30.0


def digits_loader(transport, nworkers=0, **options):
    draws = create("rng:mixture", rotation_sigma=5)
    worker = create("worker:classification", image=((1, 24, 24), "uint8"), image_rng=draws)
    return TurboDataLoader("dataset:digits", 20, worker, nworkers, seed=3, shuffle=True, transport=transport, **options)


def stream_hash(loader, at_batch=None):
    """Return a hash of one epoch; ``at_batch(number)`` is called before each batch is taken in."""
    digest = hashlib.sha256()
    for number, (_, mini_batches) in enumerate(loader):
        if at_batch is not None:
            at_batch(number)
        for sample in mini_batches:
            digest.update(sample["image"].tobytes() + repr(sample["augmentation"]).encode())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def expected():
    with digits_loader("inline") as loader:
        return stream_hash(loader)


@contextlib.contextmanager
def leaven_worker(endpoint, keys, *options, workers=1, before=()):
    """Run ``leaven worker``; kill it at the end."""
    command = [sys.executable, "-m", "leaven", *before, "worker", "--connect", endpoint, "--keys", str(keys)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [*command, "--workers", str(workers), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def pool():
    """A pool without workers of its own, which others may join."""
    transport = create("transport:tcp")
    with WorkerPool(0, transport) as opened:
        yield opened


def children_of(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_the_stream_is_the_same_wherever_it_is_made(pool, expected):
    transport = pool.transport
    with digits_loader(None, pool) as loader, leaven_worker(transport.endpoint, transport.run_keys, workers=2) as other:
        assert stream_hash(loader) == expected
        pool.close()
        out, err = other.communicate(timeout=PATIENCE)
    assert (other.returncode, err) == (0, "")
    assert "working for worker:classification" in out


def test_nothing_is_lost_when_remote_workers_are_killed_and_others_join(pool, expected):
    transport = pool.transport
    joined = []
    with contextlib.ExitStack() as stack, digits_loader(None, pool, shared_memory=8) as loader:

        def join():
            joined.append(stack.enter_context(leaven_worker(transport.endpoint, transport.run_keys)))

        def disturb(number):
            if number in (10, 40):
                joined[-1].kill()
                join()
            if number == 70:
                (child,) = children_of(joined[-1].pid)
                os.kill(child, signal.SIGKILL)

        join()
        assert stream_hash(loader, disturb) == expected


def test_local_workers_go_on_alone_when_the_remote_one_is_stopped(expected, caplog):
    transport = create("transport:tcp", patience=0.5)
    with WorkerPool(1, transport) as pool, digits_loader(None, pool, shared_memory=8) as loader:
        with leaven_worker(transport.endpoint, transport.run_keys) as other:
            assert "joined" in other.stdout.readline()

            def disturb(number):
                if number == 5:
                    assert "working" in other.stdout.readline()
                    other.send_signal(signal.SIGSTOP)  # as if the network was cut: no word, and no end
                if number == 20:
                    deadline = time.monotonic() + PATIENCE
                    while "has gone" not in caplog.text:
                        assert time.monotonic() < deadline
                        time.sleep(0.02)

            assert stream_hash(loader, disturb) == expected
            other.send_signal(signal.SIGCONT)
            assert other.wait(PATIENCE) == 0


def test_it_stays_for_the_next_loader(tmp_path, expected):
    loader_keys, host_keys = make_keys(tmp_path, "a")
    first = create("transport:tcp", keys=str(loader_keys))
    with WorkerPool(0, first) as pool, digits_loader(None, pool) as loader:
        endpoint = first.endpoint
        stack = contextlib.ExitStack()
        other = stack.enter_context(leaven_worker(endpoint, host_keys, "--stay"))
        assert stream_hash(loader) == expected
    with stack:
        second = create("transport:tcp", keys=str(loader_keys), listen=endpoint)
        with WorkerPool(0, second) as pool, digits_loader(None, pool) as loader:
            assert stream_hash(loader) == expected
        other.send_signal(signal.SIGINT)
        assert other.wait(PATIENCE) == 130


def test_a_wrong_key_is_told(pool, tmp_path):
    transport = pool.transport
    OwnKeys(tmp_path)
    (tmp_path / "loader.pub").write_bytes((transport.run_keys / "loader.pub").read_bytes())
    with leaven_worker(transport.endpoint, tmp_path) as other:
        _, err = other.communicate(timeout=PATIENCE)
    assert other.returncode == 1
    assert "does not know this host's key" in err


def test_a_component_that_is_not_there_is_told(pool):
    transport = pool.transport
    command = [sys.executable, "-m", "leaven", "-p", "no:classification"]
    with digits_loader(None, pool):
        process = subprocess.run(
            [*command, "worker", "--connect", transport.endpoint, "--keys", str(transport.run_keys), "--workers", "1"],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
    assert process.returncode == 1
    assert "cannot work for the loader" in process.stderr
    assert "classification" in process.stderr
    assert "blocked" in process.stderr


CRASHING = """
import os
from leaven import BufferWorker, Component, hookimpl

class Crash(BufferWorker):
    def __init__(self, value=((1,), "int64")):
        self.add_buffer("value", value)

    def prepare(self, sample, row, buffers):
        if row.index == 7:
            os._exit(9)

@hookimpl
def leaven_workers():
    yield Component("crash", Crash)
"""


def test_what_is_told_of_a_loader_that_closes(pool):
    transport = pool.transport
    with digits_loader(None, pool) as loader, leaven_worker(transport.endpoint, transport.run_keys) as other:
        next(iter(loader))
        pool.close()
        out, _ = other.communicate(timeout=PATIENCE)
    assert out.splitlines()[-1].endswith("the loader has gone")


@pytest.mark.slow
def test_a_sample_that_kills_workers_is_found_and_their_host_goes_on(tmp_path):
    plugin = tmp_path / "crashing.py"
    plugin.write_text(CRASHING)
    registry = Registry(plugins=[str(plugin)])
    transport = create("transport:tcp")
    with WorkerPool(0, transport) as pool:
        parts = TurboDataLoader(
            "dataset:digits", 20, "worker:crash", pool, registry=registry, poison_after=4, on_error="skip"
        )
        with (
            parts as loader,
            leaven_worker(transport.endpoint, transport.run_keys, before=["-p", str(plugin)]) as other,
        ):
            valid = [sample["valid"] for _, (sample,) in loader]
            assert [place for place, fine in enumerate(np.concatenate(valid)) if not fine] == [7]
            pool.close()
            _, err = other.communicate(timeout=PATIENCE)
    assert (other.returncode, err) == (0, "")


def test_ctrl_c_ends_it_with_its_workers(pool):
    transport = pool.transport
    with digits_loader(None, pool) as loader, leaven_worker(transport.endpoint, transport.run_keys) as other:
        next(iter(loader))
        (child,) = children_of(other.pid)
        other.send_signal(signal.SIGINT)
        assert other.wait(PATIENCE) == 130
        deadline = time.monotonic() + PATIENCE
        while os.path.exists(f"/proc/{child}"):
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_without_keys_it_does_not_listen_to_others():
    with pytest.raises(TransportError, match="keygen"):
        with digits_loader({"use": "tcp", "listen": "tcp://0.0.0.0:0"}) as loader:
            next(iter(loader))
