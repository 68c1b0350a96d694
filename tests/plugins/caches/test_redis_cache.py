from __future__ import annotations

import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid

import pytest

from leaven import create
from leaven.errors import DatasetError, MissingPackageError, ParameterError
from leaven_plugins.caches.redis import cache as room
from leaven_plugins.caches.redis import connection, server

needs_server = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")


@pytest.fixture
def namespace():
    return uuid.uuid4().hex


@pytest.fixture
def port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@pytest.fixture
def make(redis_socket, namespace):
    made = []

    def make(**options):
        made.append(create("cache:redis", **{"unix_socket": redis_socket, "namespace": namespace, **options}))
        return made[-1]

    yield make
    for cache in made:
        cache.close()


@pytest.fixture
def client(redis_socket):
    import redis

    with redis.Redis(unix_socket_path=redis_socket) as client:
        yield client


# ---- a server that is there


def test_only_its_own_keys_are_removed(make, client, namespace):
    client.set("theirs", b"1")
    client.set(f"leaven:{namespace}x:a", b"1")
    cache = make()
    for n in range(2500):
        cache.put(f"{n}", b"1")
    cache.clear()
    assert client.get("theirs") == b"1"
    assert list(client.scan_iter(f"leaven:{namespace}*")) == [f"leaven:{namespace}x:a".encode()]


def test_values_may_be_encoded(make, client, namespace):
    cache = make(encode="zlib:compress", decode="zlib:decompress")
    cache.put("a", bytes(10_000))
    assert client.strlen(f"leaven:{namespace}:a") < 100
    assert cache.get("a") == bytes(10_000)


def test_what_cannot_be_decoded_is_a_miss(make, client, namespace, caplog):
    client.set(f"leaven:{namespace}:a", b"not compressed")
    cache = make(encode="zlib:compress", decode="zlib:decompress")
    assert cache.get("a") is None
    assert cache.get("a") is None
    assert len(caplog.records) == 1


def test_entries_end(make, client, namespace):
    make(ttl=100).put("a", b"1")
    assert 90 < client.ttl(f"leaven:{namespace}:a") <= 100


def test_databases_are_apart(make):
    one, other = make(db=1), make(db=2)
    one.put("a", b"1")
    assert other.get("a") is None
    one.clear()


def test_an_address_as_a_whole(make, redis_socket):
    make().put("a", b"1")
    assert make(unix_socket=None, url=f"unix://{redis_socket}").get("a") == b"1"


def test_a_server_without_memory(make, client, caplog):
    cache = make()
    cache.put("a", b"1")
    client.config_set("maxmemory", "1")
    try:
        assert cache.put("b", b"1") is False
        assert cache.put("c", b"1") is False
    finally:
        client.config_set("maxmemory", "0")
    assert len(caplog.records) == 1
    assert cache.put("b", b"1")


def test_a_copy_connects_itself(make):
    cache = make()
    cache.put("a", b"1")
    other = pickle.loads(pickle.dumps(cache))
    assert other.get("a") == b"1"
    other.close()


# ---- one that is not


def test_nobody_there(port, monkeypatch):
    monkeypatch.setattr(connection, "_BETWEEN", 0)
    with pytest.raises(DatasetError, match=rf"no server at localhost:{port}: .*start redis-server, or say start_if"):
        create("cache:redis", port=port).get("a")


@pytest.mark.parametrize("url", ["redis://me:secret@127.0.0.1:{}/0", "redis://127.0.0.1:{}/0?password=secret"])
def test_the_password_is_not_told(port, monkeypatch, url):
    monkeypatch.setattr(connection, "_BETWEEN", 0)
    with pytest.raises(DatasetError, match=f"127.0.0.1:{port}/0: ") as caught:
        create("cache:redis", url=url.format(port)).get("a")
    assert "secret" not in str(caught.value)


@needs_server
def test_started_and_ended(port):
    cache = create("cache:redis", port=port, start_if_not_running=True)
    assert cache.put("a", b"1")
    other = create("cache:redis", port=port, start_if_not_running=True)
    assert other.get("a") == b"1"
    other.close()  # which has not started it
    assert cache.get("a") == b"1"
    cache.close()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), 1)


@needs_server
def test_several_start_one_at_the_same_time(port):
    caches = [create("cache:redis", port=port, start_if_not_running=True) for _ in range(3)]
    threads = [threading.Thread(target=cache.put, args=(f"{n}", b"1")) for n, cache in enumerate(caches)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [cache.get(f"{n}") for cache in caches for n in range(3)] == [b"1"] * 9
    for cache in caches:
        cache.close()


@needs_server
def test_it_goes_when_its_owner_is_killed(tmp_path):
    path = tmp_path / "s"
    code = (
        "import sys, time; from leaven_plugins.caches.redis.cache import RedisCache\n"
        "cache = RedisCache(unix_socket=sys.argv[1], start_if_not_running=True); cache.put('a', b'1')\n"
        "print('ready', flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen([sys.executable, "-c", code, str(path)], env=environment, stdout=subprocess.PIPE) as owner:
        assert owner.stdout.readline() == b"ready\n"
        owner.kill()
    assert owner.wait() == -signal.SIGKILL
    _until(lambda: not path.exists())  # which it removes as the last thing


@needs_server
def test_one_that_goes_in_the_middle(port, monkeypatch, caplog):
    monkeypatch.setattr(room, "_PAUSE", 0.2)
    cache = create("cache:redis", port=port, start_if_not_running=True)
    other = create("cache:redis", port=port)
    assert cache.put("a", b"1")
    assert other.get("a") == b"1"
    cache.close()
    assert other.get("a") is None
    assert other.put("b", b"1") is False
    assert len(caplog.records) == 1
    assert "samples are read from where they are" in caplog.text
    with pytest.raises(DatasetError, match="cannot be cleared"):
        other.clear()
    cache.put("back", b"1")
    _until(lambda: other.get("back") == b"1")
    assert len(caplog.records) == 1
    other.close()
    cache.close()


def test_no_program_to_be_started(port, monkeypatch):
    monkeypatch.setattr(connection, "_BETWEEN", 0)
    monkeypatch.setattr(server.shutil, "which", lambda name: None)
    with pytest.raises(MissingPackageError, match="needs the program redis-server"):
        create("cache:redis", port=port, start_if_not_running=True).get("a")


def test_no_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'leaven\[redis\]'"):
        create("cache:redis").get("a")


# ---- parameters


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"encode": "zlib:compress"}, "encode and decode go together"),
        ({"encode": "zlib", "decode": "zlib:decompress"}, "encode: 'zlib': expected a name such as"),
        ({"encode": "zlib:comprss", "decode": "zlib:decompress"}, "cannot be imported.*did you mean 'compress'"),
        ({"encode": 3, "decode": 4}, "encode: 3 is no function"),
        ({"ttl": 0}, "ttl=0"),
        ({"ttl": 1.5}, "ttl=1.5"),
        ({"port": 70_000}, "port=70000"),
        ({"port": "6379"}, "port='6379'"),
        ({"url": "redis://a", "unix_socket": "/b"}, "url and unix_socket"),
        ({"host": "elsewhere", "start_if_not_running": True}, "on this machine, and not at elsewhere:6379"),
    ],
)
def test_parameters_that_make_no_sense(params, text):
    with pytest.raises(ParameterError, match=text):
        create("cache:redis", **params)


def test_an_address_that_is_none():
    with pytest.raises(ParameterError, match="cache:redis: url='http://a'"):
        create("cache:redis", url="http://a").get("a")


def _until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
