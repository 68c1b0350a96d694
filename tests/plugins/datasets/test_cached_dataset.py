from __future__ import annotations

import copy
import os
import pickle
from contextlib import closing
from pathlib import Path

import loader_parts
import numpy as np
import pytest
from counted_parts import Counted, Whole

import leaven
from leaven import TurboDataLoader, create
from leaven.data.getters import getall, getitem, labels
from leaven.errors import FormatError, ParameterError
from leaven.stream.wire import pack_sample, unpack_sample
from leaven.testing import DatasetContract
from leaven.testing.tools import samples
from leaven_plugins.datasets.cached.naming import name_of
from leaven_plugins.datasets.msgpack.dataset import MsgpackDataset


class TestCached(DatasetContract):
    spec = "dataset:cached"
    samples = None

    @pytest.fixture
    def arguments(self, tmp_path):
        MsgpackDataset.write(tmp_path / "a.msgpack", samples(5))
        return {"dataset": {"use": "msgpack", "path": str(tmp_path / "a.msgpack")}}


class TestCachedInSharedMemory(TestCached):
    @pytest.fixture
    def arguments(self, tmp_path):
        MsgpackDataset.write(tmp_path / "a.msgpack", samples(5))
        path = str(tmp_path / "a.msgpack")
        return {"dataset": {"use": "msgpack", "path": path}, "cache": {"use": "shared", "budget": "1MiB"}}


@pytest.fixture
def log(tmp_path):
    return tmp_path / "reads"


@pytest.fixture
def make(log):
    def make(kind=Counted, cache="memory", transform=None, **options):
        dataset = leaven.create(kind, log=str(log), **options)
        return create("dataset:cached", dataset=dataset, cache=cache, transform=transform)

    return make


def reads(log):
    return sorted(map(int, log.read_text().split())) if log.exists() else []


@pytest.mark.parametrize("packed", [False, True])
def test_each_sample_is_read_once(make, log, packed):
    dataset = make(packed=packed)
    first = [dataset.sample(index) for index in range(8)]
    assert [dataset.sample(index) for index in range(-8, 0)] == first
    assert [unpack_sample(message)["value"] for message in first] == list(range(8))
    assert reads(log) == list(range(8))


def test_what_does_not_fit_is_read_again(make, log):
    dataset = make(cache={"use": "memory", "budget": 5000}, nbytes=1000)
    for _ in range(3):
        for index in range(8):
            assert unpack_sample(dataset.sample(index))["blob"] == bytes([index]) * 1000
    assert reads(log) == [0, 1, 2, *[index for index in range(3, 8) for _ in range(3)]]


def test_the_transform_comes_after_the_cache(make, log):
    dataset = make(transform="counted_parts:doubled")
    assert [dataset.sample(3)["value"] for _ in range(3)] == [6, 6, 6]
    assert reads(log) == [3]
    assert getitem(dataset, "value", 3) == 6
    assert getall(dataset, "value") == list(range(0, 16, 2))


def test_parts_come_from_the_cache(make, log):
    dataset = make(kind=Whole)
    assert dataset.getall_value() == list(range(8))
    assert reads(log) == []
    assert [getitem(dataset, "value", -1) for _ in range(2)] == [7, 7]
    assert reads(log) == [7]
    assert dataset.getitem_double(3) == 6  # which is no field
    assert dataset.getitem_value(-2, {}) == 6  # may say in the context how it came about
    assert reads(log) == [3, 7]


def test_parts_of_all_samples_come_from_the_dataset(make, log):
    assert getall(make(), "value") == list(range(8))
    assert reads(log) == []
    assert not hasattr(make(), "getall_blob")
    assert not hasattr(make(), "getitem_blob")


def test_labels_cost_no_reading(tmp_path):
    dataset = create("dataset:cached", dataset={"use": "digits", "split": "val"})
    np.testing.assert_array_equal(labels(dataset), labels(dataset.dataset))


def test_several_datasets_have_one_cache(make, log):
    one = make()
    other = create("dataset:cached", dataset=leaven.create(Counted, log=str(log), size=9), cache=one.cache)
    assert unpack_sample(one.sample(0)) == unpack_sample(other.sample(0))
    assert reads(log) == [0, 0]
    one.dispose()
    other.sample(0)
    assert reads(log) == [0, 0, 0]


def test_a_file_that_has_changed_is_read_anew(tmp_path):
    path = tmp_path / "a.msgpack"
    table = {"use": "cached", "dataset": {"use": "msgpack", "path": str(path)}}
    cache = create("cache:disk", folder=str(tmp_path / "kept"))

    def first():
        with closing(create(table, kind="dataset", cache=cache)) as dataset:
            return unpack_sample(dataset.sample(0))["label"]

    MsgpackDataset.write(path, [{"key": "a", "label": 1}])
    assert first() == 1
    MsgpackDataset.write(path, [{"key": "a", "label": 2}], overwrite=True)
    assert first() == 2
    assert len(list((tmp_path / "kept").rglob("*.sample"))) == 2


def test_names_tell_datasets_apart(tmp_path, monkeypatch):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        MsgpackDataset.write(tmp_path / folder / "x.msgpack", [{"key": "a", "label": 1}])
        os.utime(tmp_path / folder / "x.msgpack", (0, 0))
    names = set()
    for folder in ("a", "b"):
        monkeypatch.chdir(tmp_path / folder)
        tables = ["x.msgpack", {"use": "msgpack", "path": "x.msgpack", "sidecar": False}]
        tables.append({"use": "cached", "dataset": {"use": "msgpack", "path": "x.msgpack"}})
        names |= {name_of(leaven.open(table)) for table in tables}
        assert name_of(leaven.open("x.msgpack")) in names
    assert len(names) == 6


def test_one_that_no_other_process_can_make(log):
    dataset = create("dataset:cached", dataset=Counted(str(log)))
    assert dataset.sample(0) == dataset.sample(-8)
    assert reads(log) == [0]


def test_what_cannot_be_packed(make):
    dataset = make()
    object.__setattr__(dataset, "dataset", Bad())
    with pytest.raises(FormatError, match="thing"):
        dataset.sample(0)


class Bad:
    def __len__(self):
        return 1

    def sample(self, index):
        return {"key": "a", "thing": object()}


def test_copies_and_pickles(make, log):
    dataset = make(cache={"use": "shared", "budget": "1MiB"})
    dataset.sample(0)
    others = [copy.copy(dataset), pickle.loads(pickle.dumps(dataset))]
    assert [other.sample(0) for other in others] == [dataset.sample(0)] * 2
    assert reads(log) == [0]
    for one in (*others, dataset):
        one.close()


@pytest.mark.parametrize("transform", [3, "nothing", "counted_parts:dobled"])
def test_transforms_that_are_none(make, transform):
    with pytest.raises(ParameterError, match="dataset:cached: transform"):
        make(transform=transform)


def test_other_attributes_do_not_exist(make):
    with pytest.raises(AttributeError, match="'Cached' object has no attribute 'find'"):
        make().find


def test_as_a_view_in_a_table(tmp_path):
    MsgpackDataset.write(tmp_path / "a.msgpack", samples(5))
    views = ["percent(0, 60)", {"use": "cached", "cache": {"use": "memory", "budget": "1MB"}}]
    with closing(leaven.open(tmp_path / "a.msgpack", views=views)) as dataset:
        assert [unpack_sample(dataset.sample(index))["key"] for index in range(len(dataset))] == ["s0", "s1", "s2"]


# ---- workers


def test_workers_have_one_copy(make, log):
    size, nbytes = 64, 1 << 20
    dataset = make(cache={"use": "shared", "budget": "80MiB"}, size=size, nbytes=nbytes)
    with TurboDataLoader(dataset, 4, loader_parts.Echo(), nworkers=2, shuffle=True) as loader:
        pids = {os.getpid()}
        while len(pids) < 3:  # on a busy machine the second one starts late
            batches = [batch for _, mini_batches in loader for batch in mini_batches]
            pids |= {pid for batch in batches for pid in batch["pid"]}
        values = sorted(int(value) for batch in batches for value in batch["value"][:, 0])
        mapped = [proportional(pid) for pid in pids]
    dataset.close()
    assert values == list(range(size))
    assert reads(log) == list(range(size)) or len(reads(log)) <= size + 4  # two may read the same at the same time
    assert sum(mapped) == pytest.approx(size * nbytes, rel=0.03)
    assert sorted(mapped)[1] >= 4 * nbytes / 2  # both have a batch at least, which may be the other one's as well


def proportional(pid):
    """Return how many bytes of caches' memory a process has, with shared pages divided among all that have them."""
    total, is_ours = 0, False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if "-" in line.split(" ", 1)[0]:
            is_ours = "leaven-cache" in line
        elif is_ours and line.startswith("Pss:"):
            total += int(line.split()[1]) * 1024
    return total


def test_a_packed_sample_is_what_is_kept(make):
    dataset = make(packed=True)
    assert dataset.sample(2) == pack_sample({"key": "n2", "value": 2, "blob": b"\2" * 10})
