from __future__ import annotations

import numpy as np
import pytest

from leaven.data.column_types import ColumnType
from leaven.data.depot import Depot
from leaven.data.tank import Tank
from leaven.errors import DatasetError, ParameterError, SampleError
from leaven_plugins.datasets.hdf5 import Hdf5Dataset
from leaven_plugins.datasets.npz import NpzDataset

SPEC = {"x": "int64"}


def data(count):
    return {"x": np.arange(count)}


def seen(tank, batches):
    return [tank.next()["x"].tolist() for _ in range(batches)]


def test_batches_go_on_into_the_next_pass():
    tank = Tank(data(10), SPEC, 3, seed=5)
    assert (len(tank), tank.mpe, tank.epoch) == (10, 3, 0)
    first, second = seen(tank, 3), seen(tank, 3)
    assert tank.epoch == 2
    for batches in (first, second):
        flat = sum(batches, [])
        assert len(set(flat)) == 9
        assert set(flat) <= set(range(10))
    assert first != second
    assert seen(Tank(data(10), SPEC, 3, seed=5), 6) == first + second
    assert seen(Tank(data(10), SPEC, 3, seed=6), 3) != first


def test_without_shuffling_samples_come_as_they_are():
    tank = Tank(data(5), SPEC, 2, shuffle=False, in_same_size=False)
    assert tank.mpe == 3
    assert seen(tank, 4) == [[0, 1], [2, 3], [4], [0, 1]]


@pytest.mark.parametrize(
    ("last", "same", "expected"),
    [
        ("drop", True, [[0, 1, 2]]),
        ("complete", True, [[0, 1, 2], [3, 4, 0]]),
        ("keep", False, [[0, 1, 2], [3, 4]]),
        (None, True, [[0, 1, 2]]),
        (None, False, [[0, 1, 2], [3, 4]]),
    ],
)
def test_what_becomes_of_the_last_batch(last, same, expected):
    tank = Tank(data(5), SPEC, 3, shuffle=False, in_same_size=same, last=last)
    assert [batch["x"].tolist() for batch in tank] == expected
    assert tank.mpe == len(expected)


def test_iteration_is_one_pass_or_what_is_left_of_it():
    tank = Tank(data(8), SPEC, 2, shuffle=False)
    assert next(tank)["x"].tolist() == [0, 1]
    assert [batch["x"].tolist() for batch in tank] == [[2, 3], [4, 5], [6, 7]]
    assert len(list(tank)) == 4


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("last", ["drop", "complete", "keep"])
def test_processes_share_each_pass(shuffle, last):
    world = [
        Tank(data(23), SPEC, 3, shuffle, last != "keep", seed=2, rank=rank, world_size=3, last=last)
        for rank in range(3)
    ]
    assert {tank.mpe for tank in world} == {2 if last == "drop" else 3}
    for _ in range(2):
        batches = [seen(tank, world[0].mpe) for tank in world]
        assert len({tuple(map(len, own)) for own in batches}) == 1, "all of them take batches of the same sizes"
        flat = [x for own in batches for batch in own for x in batch]
        if last == "drop":
            assert len(set(flat)) == len(flat) == 18
        else:
            assert set(flat) == set(range(23))
            assert len(flat) == (27 if last == "complete" else 24)


def test_the_environment_says_who_this_is(monkeypatch):
    for name, value in {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "MASTER_ADDR": "x"}.items():
        monkeypatch.setenv(name, value)
    assert seen(Tank(data(4), SPEC, 2, shuffle=False), 1) == [[2, 3]]


@pytest.mark.parametrize(("dataset", "suffix"), [(Hdf5Dataset, "hdf5"), (NpzDataset, "npz")])
def test_files_are_opened(tmp_path, dataset, suffix):
    rows = [{"key": str(n), "image": bytes([n] * n), "label": n, "title": f"t{n}"} for n in range(4)]
    dataset.write(tmp_path / f"a.{suffix}", rows)
    spec = {"image": "vuint8", "label": "float32", "title": "str"}
    tank = Tank(tmp_path / f"a.{suffix}", spec, 4, shuffle=False)
    batch = tank.next()
    assert [image.tolist() for image in batch["image"]] == [[], [1], [2, 2], [3, 3, 3]]
    assert (batch["label"].dtype, batch["label"].tolist()) == (np.float32, [0, 1, 2, 3])
    assert batch["title"] == ["t0", "t1", "t2", "t3"]
    tank.close()


def test_functions_of_ones_own():
    def fetch(data, index):
        return {"x": data["x"][index], "twice": 2 * data["x"][index]}

    def prep(item):
        return item | {"image": np.full((2, 2), item["x"])}

    tank = Tank(data(4), SPEC, 2, shuffle=False, fetch=fetch, prep=prep)
    batch = tank.next()
    assert batch["twice"].tolist() == [0, 2]
    assert batch["image"].shape == (2, 2, 2)
    tank = Tank(data(4), SPEC, 2, shuffle=False, collate=lambda items: [item["x"] for item in items])
    assert tank.next() == [0, 1]


def test_tensors_are_made_where_asked_for():
    torch = pytest.importorskip("torch")
    batch = Tank(data(4), SPEC, 2, shuffle=False, feed="torch").next()
    assert torch.equal(batch["x"], torch.tensor([0, 1]))


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"batch_size": 0}, "batch_size=0"),
        ({"batch_size": True}, "batch_size=True"),
        ({"spec": {}}, "spec must be a mapping"),
        ({"spec": {"x": "vunit8"}}, "no type 'vunit8', did you mean 'uint8'"),
        ({"spec": {"y": "int8"}}, "no array 'y'"),
        ({"source": {"x": [1], "y": [1, 2]}}, r"arrays of one length, there is: x \(1\), y \(2\)"),
        ({"last": "half"}, "last='half': expected one of 'drop', 'keep', 'complete'"),
        ({"last": "keep"}, "last='keep' and in_same_size=True exclude each other"),
        ({"last": "drop", "in_same_size": False}, "exclude each other"),
        ({"rank": 2, "world_size": 2}, "rank=2: expected a whole number from 0 to 1"),
        ({"batch_size": 9}, "4 samples do not fill one batch of 9: last='complete' repeats some"),
        ({"source": {"x": []}, "in_same_size": False}, "0 samples do not fill"),
    ],
)
def test_mistakes_are_told_at_once(params, said):
    with pytest.raises(ParameterError, match=said):
        Tank(**{"source": data(4), "spec": SPEC, "batch_size": 2} | params)


def test_a_file_that_is_missing(tmp_path):
    with pytest.raises(DatasetError, match=r"nothing\.hdf5"):
        Tank(tmp_path / "nothing.hdf5", SPEC, 2)


def test_values_that_are_not_of_their_type():
    with pytest.raises(SampleError, match="sample 1: fetch failed: field 'x' is no int8: int8 cannot hold it"):
        Tank({"x": [1, 300]}, {"x": "int8"}, 2, shuffle=False).next()
    with pytest.raises(ParameterError, match=r"field 'x': rows of different shapes, \(1,\), \(2,\): 'v' in front"):
        Tank({"x": [[1], [1, 2]]}, SPEC, 2).next()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("int8", np.int64(-128), np.int8(-128)),
        ("uint8", -1, None),
        ("int64", 2**63, None),
        ("int32", 1.5, None),
        ("int32", np.float64(2), np.int32(2)),
        ("int64", float("nan"), None),
        ("float16", 1e6, None),
        ("float32", 0.1, np.float32(0.1)),
        ("bool", 1, np.True_),
        ("bool", 2, None),
        ("uint64", 2**64 - 1, np.uint64(2**64 - 1)),
        ("uint8", "x", None),
        ("str", 5, "5"),
        ("vstr", ["a"], ["a"]),
        ("str", "né".encode(), "né"),
        ("str", b"\xff", None),
        ("str", None, None),
        ("vstr", np.array([b"a", b"bc"]), ["a", "bc"]),
        ("vstr", "abc", None),
    ],
)
def test_values_are_converted_or_refused(name, value, expected):
    if expected is None:
        with pytest.raises((ValueError, OverflowError)):
            ColumnType.of(name).converted(value)
    else:
        found = ColumnType.of(name).converted(value)
        assert found == expected
        assert type(found) is type(expected)


def test_tanks_side_by_side():
    depot = Depot()
    one, two = Tank(data(4), SPEC, 2, shuffle=False), Tank(data(9), SPEC, 3, shuffle=False)
    assert depot.mount(one, "one") == "one"
    name = depot.mount(two)
    assert depot.mpe == {"one": 2, name: 3}
    assert {known: batch["x"].tolist() for known, batch in depot.next().items()} == {"one": [0, 1], name: [0, 1, 2]}
    assert depot.next(name)["x"].tolist() == [3, 4, 5]
    with pytest.raises(ParameterError, match="this tank is mounted already, as 'one'"):
        depot.mount(one)
    with pytest.raises(ParameterError, match="there is a tank 'one'"):
        depot.mount(Tank(data(4), SPEC, 2), "one")
    assert depot.unmount(name) is two
    with pytest.raises(ParameterError, match="no tank 'on', did you mean 'one'"):
        depot.next("on")
    depot.unmount("one")
    with pytest.raises(ParameterError, match="no tank is mounted"):
        depot.next()
