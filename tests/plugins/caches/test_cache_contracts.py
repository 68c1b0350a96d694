from __future__ import annotations

import uuid

import pytest

from leaven.testing import CacheContract
from leaven_plugins.caches.shared import places


class TestMemory(CacheContract):
    spec = "cache:memory"
    params = {"budget": "8MB"}


class TestShared(CacheContract):
    spec = "cache:shared"
    params = {"budget": "4MiB"}


class TestSharedByName(CacheContract):
    spec = "cache:shared"
    params = {"budget": "4MiB", "name": "ours"}

    @pytest.fixture(autouse=True)
    def _root(self, monkeypatch, tmp_path):
        monkeypatch.setattr(places, "ROOT", tmp_path)

    @pytest.fixture
    def stranger(self, registry):
        return registry.create(self.spec, budget="4MiB", name="theirs")


class TestDisk(CacheContract):
    spec = "cache:disk"
    keeps = True

    @pytest.fixture
    def arguments(self, tmp_path):
        return {"folder": str(tmp_path / "kept"), "budget": "8MB"}

    @pytest.fixture
    def stranger(self, tmp_path):
        return Files(tmp_path / "kept" / "0a")


class TestRedis(CacheContract):
    spec = "cache:redis"
    keeps = True

    @pytest.fixture
    def arguments(self, redis_socket):
        return {"unix_socket": redis_socket, "namespace": f"a*{uuid.uuid4().hex}"}

    @pytest.fixture
    def stranger(self, registry, arguments):
        return registry.create(self.spec, **{**arguments, "namespace": arguments["namespace"] + ":a"})


class TestRedisEncoded(TestRedis):
    @pytest.fixture
    def arguments(self, redis_socket):
        names = {"namespace": uuid.uuid4().hex, "ttl": 60}
        return {"unix_socket": redis_socket, "encode": "zlib:compress", "decode": "zlib:decompress", **names}


class Files:
    """Somebody's files among the cache's."""

    def __init__(self, folder):
        self.folder = folder

    def put(self, key, value):
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / key).write_bytes(value)

    def get(self, key):
        return (self.folder / key).read_bytes()

    def clear(self):
        pass

    def close(self):
        pass
