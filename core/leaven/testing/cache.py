"""CacheContract: what a dataset relies on in a cache."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaven.protocols import Cache
from leaven.registry.recipes import recipe_of
from leaven.registry.registry import Registry
from leaven.testing.component import ComponentContract

_KEYS = ("a", "A", "", " ", "a:b", "a/../b", "*", "\0\n", "ä", "\ud800", "x" * 2000, "{a}", "-1")
_SHARED = [HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]


class CacheContract(ComponentContract):
    """The contract of caches that have room for what the suite puts into them: about 1 MB.

    Attributes:
        keeps: whether what is kept is still there after :meth:`~leaven.protocols.Cache.close`.
    """

    keeps: ClassVar[bool] = False

    @pytest.fixture
    def component(self, registry: Registry, arguments: Mapping[str, Any]) -> Any:
        """A new cache, closed at the end."""
        with contextlib.closing(registry.create(self.spec, **arguments)) as made:
            yield made

    @pytest.fixture
    def cache(self, component: Cache) -> Cache:
        """The same."""
        return component

    @pytest.fixture
    def stranger(self, registry: Registry, arguments: Mapping[str, Any]) -> Any:
        """A cache whose entries lie in the same place and belong to somebody else; ``None`` if there can be none."""
        return None

    def test_it_has_what_a_cache_has(self, cache: Any) -> None:
        """It finds, keeps, forgets, gives back."""
        assert isinstance(cache, Cache)

    def test_nothing_is_found_where_nothing_was_put(self, cache: Cache) -> None:
        """That is no error."""
        assert cache.get("nothing") is None
        cache.put("something", b"1")
        assert cache.get("nothing") is None

    def test_what_was_put_is_found(self, cache: Cache) -> None:
        """Byte by byte, whatever the key is; values are bytes, of any length."""
        values = {key: bytes([n]) * (n * 1000) for n, key in enumerate(_KEYS)}
        for key, value in values.items():
            assert cache.put(key, value) is True
        for key, value in values.items():
            found = cache.get(key)
            assert type(found) is bytes
            assert found == value

    @settings(max_examples=20, deadline=None, suppress_health_check=_SHARED)
    @given(content=st.dictionaries(st.text("aA/.:*\0", max_size=3), st.binary(), max_size=9))
    def test_any_keys_and_values(self, cache: Cache, content: dict[str, bytes]) -> None:
        """No two keys get into each other's way."""
        cache.clear()
        for key, value in content.items():
            assert cache.put(key, value)
        assert {key: cache.get(key) for key in content} == content

    def test_what_is_kept_stays(self, cache: Cache) -> None:
        """To put something else under the same key changes nothing, and says that something is kept."""
        assert cache.put("key", b"first")
        assert cache.put("key", b"second")
        assert cache.get("key") == b"first"

    def test_clearing_forgets_everything(self, cache: Cache) -> None:
        """And makes room for other values under the same keys."""
        cache.clear()
        for key in _KEYS:
            cache.put(key, b"1")
        cache.clear()
        assert all(cache.get(key) is None for key in _KEYS)
        assert cache.put("a", b"2")
        assert cache.get("a") == b"2"

    def test_clearing_leaves_what_is_not_its_own(self, cache: Cache, stranger: Any) -> None:
        """Whatever else lies in the same place stays."""
        if stranger is None:
            pytest.skip("nothing else can lie in the same place")
        with contextlib.closing(stranger):
            stranger.put("a", b"theirs")
            cache.put("a", b"ours")
            cache.clear()
            assert cache.get("a") is None
            assert stranger.get("a") == b"theirs"
            stranger.clear()

    def test_it_opens_again(self, cache: Cache) -> None:
        """To close it gives back everything; the next access opens it; to close it twice is no error."""
        cache.put("key", b"value")
        cache.close()
        cache.close()
        assert cache.get("key") in ((b"value",) if self.keeps else (None, b"value"))
        assert cache.put("key", b"value")
        assert cache.get("key") == b"value"

    def test_it_opens_late(self, component: Cache) -> None:
        """A recipe of it can be built, and closed, without a single access."""
        recipe_of(component).build().close()
        component.close()

    def test_threads_use_it_at_the_same_time(self, cache: Cache) -> None:
        """All of them find what any of them has put."""
        values = {f"key{n}": bytes([n]) * 1000 for n in range(50)}

        def use(turn: int) -> None:
            for name in (*values, *values)[turn : turn + len(values)]:
                assert cache.get(name) in (None, values[name])
                assert cache.put(name, values[name])
            assert {name: cache.get(name) for name in values} == values

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(use, range(0, 40, 10)))
