"""convert, merge, split, sample, shuffle: the same samples in other files."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from leaven import Registry
from leaven.errors import DatasetError, ParameterError
from leaven.stream.wire import unpack_sample
from leaven.testing import tools
from leaven_plugins.commands.data.group import data
from leaven_plugins.datasets.msgpack import MsgpackDataset


@pytest.fixture(scope="module")
def registry():
    return Registry(builtin_only=True)


@pytest.fixture
def run(registry):
    def run(*arguments):
        result = CliRunner().invoke(data, list(map(str, arguments)), obj=registry, standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result

    return run


def write(path, labels):
    MsgpackDataset.write(path, ({"key": f"k{n}", "image": tools.png(tools.picture(6, 8)), "label": n} for n in labels))
    return path


def labels(path):
    dataset = MsgpackDataset(path)
    return [unpack_sample(dataset.sample(n))["label"] for n in range(len(dataset))]


@pytest.fixture
def ten(tmp_path):
    return write(tmp_path / "ten.msgpack", range(10))


def test_convert_keeps_every_byte(run, ten, tmp_path):
    result = run("convert", ten, tmp_path / "b.msgpack", "--json")
    assert (tmp_path / "b.msgpack").read_bytes() == ten.read_bytes()
    (file,) = json.loads(result.stdout)["files"]
    assert file.pop("seconds") >= 0
    size = ten.stat().st_size
    assert file == {"path": str(tmp_path / "b.msgpack"), "format": "msgpack", "samples": 10, "bytes": size}
    with pytest.raises(DatasetError, match="exists already; --overwrite"):
        run("convert", ten, tmp_path / "b.msgpack")
    run("convert", ten, tmp_path / "b.msgpack", "--overwrite", "--view", "percent(0, 30)")
    assert labels(tmp_path / "b.msgpack") == [0, 1, 2]


def test_merge_one_after_the_other_or_shuffled(run, ten, tmp_path):
    more = write(tmp_path / "more.msgpack", range(10, 25))
    run("merge", ten, more, tmp_path / "all.msgpack", "--order", "concat")
    assert labels(tmp_path / "all.msgpack") == list(range(25))
    orders = []
    for number, seed in enumerate((0, 0, 1)):
        run("merge", ten, more, tmp_path / f"{number}.msgpack", "--seed", seed)
        orders.append(labels(tmp_path / f"{number}.msgpack"))
        assert sorted(orders[-1]) == list(range(25))
    assert orders[0] == orders[1] != orders[2]


def test_split_at_indices_and_by_percent(run, ten, tmp_path):
    result = run("split", ten, 3, 4)
    assert [labels(tmp_path / f"ten-{n}.msgpack") for n in range(3)] == [[0, 1, 2], [3], [4, 5, 6, 7, 8, 9]]
    assert result.stdout.count("wrote") == 3
    outs = [tmp_path / "a.msgpack", tmp_path / "b.msgpack"]
    run("split", ten, "--percent", "70,20", "-o", outs[0], "-o", outs[1])
    assert [labels(path) for path in outs] == [list(range(7)), [7, 8]]
    run("split", tmp_path / "ten-2.msgpack", "2", "--view", "percent(0, 50)")
    assert labels(tmp_path / "ten-2-1.msgpack") == [6]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["0"], "cannot cut at 0: expected numbers that rise, from 1 to 9"),
        (["10"], "cannot cut at 10"),
        (["5", "3"], "cannot cut at 5, 3"),
        (["--percent", "80,30"], "of 100 in all at most"),
        (["--percent", "50,a"], "expected numbers such as 80,20"),
        (["--percent", "99,0.5"], "a part would have none of the 10 samples"),
        (["5", "-o", "a.msgpack"], "there are 2 parts, and 1 files"),
    ],
)
def test_cuts_that_make_no_sense_are_told(run, ten, arguments, text):
    with pytest.raises(ParameterError, match=text):
        run("split", ten, *arguments)
    assert not list(ten.parent.glob("ten-*"))


def test_split_writes_nothing_where_a_part_exists(run, ten, tmp_path):
    write(tmp_path / "ten-1.msgpack", [99])
    with pytest.raises(DatasetError, match=r"ten-1\.msgpack: exists already"):
        run("split", ten, 5)
    assert not (tmp_path / "ten-0.msgpack").exists()
    run("split", ten, 5, "--overwrite")
    assert labels(tmp_path / "ten-1.msgpack") == [5, 6, 7, 8, 9]
    with pytest.raises(ParameterError, match="no file that parts could be named after"):
        run("split", "dataset:digits", 5)


def test_sample_takes_each_once_at_most(run, ten, tmp_path):
    run("sample", ten, tmp_path / "first.msgpack", 4, "--order", "sequential")
    assert labels(tmp_path / "first.msgpack") == [0, 1, 2, 3]
    run("sample", ten, tmp_path / "some.msgpack", 9, "--seed", 3)
    found = labels(tmp_path / "some.msgpack")
    assert len(set(found)) == 9
    assert found != sorted(found)
    with pytest.raises(ParameterError, match="has 10 samples, not 11"):
        run("sample", ten, tmp_path / "more.msgpack", 11)


@pytest.mark.parametrize("option", [[], ["--true-shuffle"]])
def test_shuffle_is_a_permutation_of_the_seed(run, tmp_path, option):
    source = write(tmp_path / "many.msgpack", range(300))
    orders = []
    for number, seed in enumerate((1, 1, 2)):
        run("shuffle", source, tmp_path / f"{number}.msgpack", "--seed", seed, *option)
        orders.append(labels(tmp_path / f"{number}.msgpack"))
        assert sorted(orders[-1]) == list(range(300))
        assert orders[-1] != list(range(300))
    assert orders[0] == orders[1] != orders[2]


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one_are_rearranged(run, tmp_path, count):
    source = write(tmp_path / "few.msgpack", range(count))
    for command in (["shuffle", source], ["shuffle", source, "--true-shuffle"], ["merge", source], ["convert", source]):
        result = run(*command, tmp_path / "out.msgpack", "--overwrite")
        assert labels(tmp_path / "out.msgpack") == list(range(count))
        assert f"wrote {count} sample{'s' * (count == 0)} (" in result.stdout


def test_parts_are_files_of_their_own(run, ten, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ParameterError, match="there are 2 parts, and 1 files"):
        run("split", ten, 5, "-o", tmp_path / "a.msgpack", "-o", "a.msgpack", "--overwrite")
