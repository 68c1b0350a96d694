"""The contract of caches fails for one that breaks it, in the check that is about it."""

from __future__ import annotations

import threading

import pytest

from leaven import create
from leaven.testing import CacheContract


class Good:
    def __init__(self):
        self.kept = {}

    def get(self, key):
        return self.kept.get(key)

    def put(self, key, value):
        self.kept.setdefault(key, value)
        return True

    def clear(self):
        self.kept.clear()

    def close(self):
        self.clear()


class WithoutClosing(Good):
    close = None


class MadeUp(Good):
    def get(self, key):
        return self.kept.get(key, b"")


class Trimmed(Good):
    def put(self, key, value):
        return super().put(key, value[:500])


class NamesOfFiles(Good):
    """Keys as they would be under a folder."""

    def get(self, key):
        return super().get(key.replace("/", "").lower())

    def put(self, key, value):
        return super().put(key.replace("/", "").lower(), value)


class Newest(Good):
    def put(self, key, value):
        self.kept[key] = value
        return True


class Stubborn(Good):
    def clear(self):
        """Forget nothing."""


class OnceOnly(Good):
    def get(self, key):
        if self.kept is None:
            raise RuntimeError("closed")
        return super().get(key)

    def close(self):
        self.kept = None


class OfOneThread(Good):
    def __init__(self):
        super().__init__()
        self.thread = threading.get_ident()

    def put(self, key, value):
        return self.thread == threading.get_ident() and super().put(key, value)


class WithNeighbour(Good):
    """One that shares its dict with another."""

    def __init__(self):
        super().__init__()
        self.neighbour = Good()

    def clear(self):
        super().clear()
        self.neighbour.clear()


FAULTS = [
    (WithoutClosing, "it_has_what_a_cache_has"),
    (MadeUp, "nothing_is_found_where_nothing_was_put"),
    (Trimmed, "what_was_put_is_found"),
    (NamesOfFiles, "any_keys_and_values"),
    (Newest, "what_is_kept_stays"),
    (Stubborn, "clearing_forgets_everything"),
    (WithNeighbour, "clearing_leaves_what_is_not_its_own"),
    (OnceOnly, "it_opens_again"),
    (OfOneThread, "threads_use_it_at_the_same_time"),
]


def run(cache, check):
    suite = CacheContract()
    further = (getattr(cache, "neighbour", Good()),) if check == "clearing_leaves_what_is_not_its_own" else ()
    getattr(suite, f"test_{check}")(cache, *further)


@pytest.mark.parametrize(("kind", "check"), FAULTS)
def test_a_fault_is_found(kind, check):
    with pytest.raises((AssertionError, RuntimeError, TypeError)):
        run(kind(), check)


@pytest.mark.parametrize("check", [check for _, check in FAULTS])
def test_a_good_one_passes(check):
    run(Good(), check)


def test_one_that_opens_early_is_found():
    cache = create("cache:memory")
    CacheContract().test_it_opens_late(cache)
    with pytest.raises(Exception, match="by hand"):
        CacheContract().test_it_opens_late(Good())


def test_each_check_has_a_fault_that_it_finds():
    own = {name.removeprefix("test_") for name in vars(CacheContract) if name.startswith("test_")}
    assert own == {*(check for _, check in FAULTS), "what_was_put_is_found", "it_opens_late"}
