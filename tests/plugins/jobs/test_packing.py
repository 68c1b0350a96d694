"""Packing as a whole: blocks, shards, kills, and what is left behind."""

from __future__ import annotations

import importlib.util
import json
from contextlib import closing

import numpy as np
import pytest

import leaven
from leaven.data.pack import pack
from leaven.errors import DatasetError, FormatError, ParameterError, SampleError, UnknownName
from leaven.stream.wire import unpack_sample
from leaven.testing import tools
from leaven_plugins.datasets.msgpack import MsgpackDataset
from leaven_plugins.jobs.pack import Packing
from leaven_plugins.jobs.pack.folder import folder_of
from leaven_plugins.jobs.pack.parts import manifest_of, read_part, write_part

COUNT = 40
RESTARTS = 4 if importlib.util.find_spec("leaven_turbo") else 0  # what the command line does by default


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A packed dataset of 40 small pictures."""
    path = tmp_path_factory.mktemp("source") / "source.msgpack"
    MsgpackDataset.write(path, tools.samples(COUNT, 30, 40))
    return path


def content(path):
    with closing(MsgpackDataset(path)) as dataset:
        return [unpack_sample(dataset.sample(n)) for n in range(len(dataset))]


def files(folder, name):
    return {path.name[len(name) :]: path.read_bytes() for path in folder.iterdir() if path.name.startswith(name)}


@pytest.fixture(scope="module")
def expected(source, tmp_path_factory):
    """What comes out without blocks."""
    folder = tmp_path_factory.mktemp("expected")
    report = pack(source, folder / "x.msgpack", resize=15, encode="jpeg")
    assert (report.samples, report.blocks) == (COUNT, 0)
    return files(folder, "x.msgpack")


def test_blocks_give_the_same_bytes_and_leave_nothing(source, expected, tmp_path):
    done = []
    report = pack(
        source,
        tmp_path / "x.msgpack",
        resize=15,
        encode="jpeg",
        block=7,
        engine="local",
        workers=2,
        advance=done.append,
    )
    assert files(tmp_path, "x.msgpack") == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"x.msgpack{end}" for end in expected)
    assert (report.samples, report.blocks, report.resumed, sum(done)) == (COUNT, 6, 0, COUNT)
    assert report.bytes == len(expected[""])


def test_what_is_only_copied_is_written_at_once_and_byte_for_byte(source, tmp_path):
    assert pack(source, tmp_path / "copy.msgpack", block=4).blocks == 0
    assert files(tmp_path, "copy.msgpack")[""] == source.read_bytes()
    assert pack(source, tmp_path / "blocks.msgpack", block=4, workers=1).blocks == 10
    assert files(tmp_path, "blocks.msgpack")[""] == source.read_bytes()


def test_fields_are_chosen_in_their_order(source, tmp_path):
    pack(source, tmp_path / "x.msgpack", fields=["label"])
    assert content(tmp_path / "x.msgpack") == [{"key": f"s{n}", "label": n} for n in range(COUNT)]
    with pytest.raises(SampleError, match=r"sample 0 \(s0\): .*no field 'labl', did you mean 'label'\?; it has: image"):
        pack(source, tmp_path / "y.msgpack", fields=["labl"])


def test_names_of_classes_go_along(tmp_path):
    images = {"image.bytes": np.frombuffer(b"".join(tools.png(tools.picture(8, 8)) for _ in range(3)), "uint8")}
    length = len(images["image.bytes"]) // 3
    images["image.offsets"] = np.arange(4) * length
    np.savez(tmp_path / "a.npz", **images, label=np.array([2, 0, 2]), class_names=np.array(["ant", "bee", "cat"]))
    pack(tmp_path / "a.npz", tmp_path / "a")
    assert sorted(path.name for path in (tmp_path / "a").iterdir() if path.is_dir()) == ["ant", "cat"]
    with closing(leaven.open(tmp_path / "a")) as folder:
        assert sorted(folder.sample(n)["label"] for n in range(3)) == [0, 2, 2]


def test_views_are_taken_of_paths_and_of_open_datasets(source, tmp_path):
    for number, what in enumerate((source, MsgpackDataset(source))):
        path = tmp_path / f"{number}.msgpack"
        pack(what, path, views=["subset(start=10, stop=30)", "subset(start=0, stop=2)"], fields=["label"])
        assert [sample["label"] for sample in content(path)] == [10, 11]


def test_samples_that_come_twice_have_the_keys_of_the_view(source, tmp_path):
    with closing(leaven.open(source, views=["subset(indices=[3])", "repeat(times=2)"])) as twice:
        pack(twice, tmp_path / "x.msgpack")
        assert [sample["key"] for sample in content(tmp_path / "x.msgpack")] == [twice.key(0), twice.key(1)]
        assert {sample["label"] for sample in content(tmp_path / "x.msgpack")} == {3}


@pytest.mark.parametrize("suffix", ["hdf5", "npz"])
def test_a_table_with_films_goes_through_other_formats(tmp_path, suffix):
    if suffix == "hdf5":
        pytest.importorskip("h5py")
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(tools.png(tools.picture(20, 30, seed=number)))
    (tmp_path / "films.csv").write_text('film,label\n"0.png,1.png",4\n2.png,5\n')
    table = {"use": "csv", "path": str(tmp_path / "films.csv"), "sequence": True}
    pack(table, tmp_path / f"x.{suffix}", resize=[10, 12])
    pack(tmp_path / f"x.{suffix}", tmp_path / "y.msgpack")
    found = content(tmp_path / "y.msgpack")
    assert [(len(film["image"]), film["label"]) for film in found] == [(2, 4), (1, 5)]
    assert {frame[16:24] for film in found for frame in film["image"]} == {np.array([12, 10], ">u4").tobytes()}


# ---- shards


@pytest.mark.parametrize("blocks", [{}, {"block": 4, "workers": 1}])
def test_shards_are_balanced_files_with_manifests(source, tmp_path, blocks):
    report = pack(source, tmp_path / "x.msgpack", shards=3, **blocks)
    parts = [content(tmp_path / f"x_{n}.msgpack") for n in range(3)]
    assert [len(part) for part in parts] == [14, 13, 13]
    assert sum(parts, []) == content(source)
    assert report.paths == [tmp_path / f"x_{n}.msgpack" for n in range(3)]
    manifest = json.loads((tmp_path / "x_1.msgpack.manifest.json").read_text())
    assert (manifest["shard"], manifest["shards"], manifest["samples"]) == (1, 3, 13)
    with closing(leaven.open(tmp_path / "x_{0..2}.msgpack")) as together:
        assert len(together) == COUNT


def test_a_shard_alone_is_the_same_and_twice_is_harmless(source, tmp_path):
    pack(source, tmp_path / "x.msgpack", shards=3, resize=15)
    (tmp_path / "alone").mkdir()
    report = pack(source, tmp_path / "alone" / "x.msgpack", shards=3, shard=1, resize=15, block=4)
    assert files(tmp_path / "alone", "x_1") == files(tmp_path, "x_1")
    assert (report.samples, report.kept) == (13, 0)
    before = (tmp_path / "alone" / "x_1.msgpack").stat().st_mtime_ns
    report = pack(source, tmp_path / "alone" / "x.msgpack", shards=3, resize=15, block=4)
    assert (report.samples, report.kept) == (COUNT, 1)
    assert (tmp_path / "alone" / "x_1.msgpack").stat().st_mtime_ns == before
    assert len(content(tmp_path / "alone" / "x_2.msgpack")) == 13
    with pytest.raises(DatasetError, match=r"x_0\.msgpack: exists already"):  # of other settings
        pack(source, tmp_path / "alone" / "x.msgpack", shards=3, resize=10)


def test_a_shard_that_was_killed_while_it_was_put_in_place_is_written_again(source, tmp_path):
    pack(source, tmp_path / "x.msgpack", shards=2)
    expected = files(tmp_path, "x_0")
    manifest = tmp_path / "x_0.msgpack.manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "bytes": None}))
    assert pack(source, tmp_path / "x.msgpack", shards=2).kept == 1
    assert files(tmp_path, "x_0") == expected


# ---- parts


def test_parts_are_read_as_they_were_written_or_not_at_all(tmp_path):
    messages = [b"one", b"", b"three" * 1000]
    manifest = write_part(tmp_path, 12, iter(messages), lambda: {"more": 1})
    assert manifest == manifest_of(tmp_path, 12)
    assert (manifest["samples"], manifest["more"]) == (3, 1)
    assert list(read_part(tmp_path, manifest)) == messages
    data = next(tmp_path.glob("*.samples"))
    whole = data.read_bytes()
    for damaged in (whole[:-1] + b"x", whole[:5]):
        data.write_bytes(damaged)
        with pytest.raises(FormatError, match="is not what was written; delete"):
            list(read_part(tmp_path, manifest))
    assert manifest_of(tmp_path, 12) is None
    data.unlink()
    with pytest.raises(DatasetError, match="do all machines that are at work on it see the same folder"):
        list(read_part(tmp_path, manifest))
    assert manifest_of(tmp_path, 12) is None


def test_a_part_that_fails_leaves_nothing(tmp_path):
    def messages():
        yield b"one"
        raise SampleError("no", index=1)

    with pytest.raises(SampleError):
        write_part(tmp_path, 0, messages(), dict)
    assert list(tmp_path.iterdir()) == []


# ---- the object


def test_a_packing_is_modified_and_written(source, tmp_path):
    packing = leaven.create("job:pack", dataset=MsgpackDataset(source), resize=20)
    assert isinstance(packing, Packing)
    other = packing.modify({"resize": [9, 12]}, encode="png")
    assert (packing.resize, other.resize, other.encode) == (20, [9, 12], "png")
    other.write(tmp_path / "x.msgpack")
    first = content(tmp_path / "x.msgpack")[0]["image"]
    assert first[16:24] == np.array([12, 9], ">u4").tobytes()
    with pytest.raises(ParameterError, match="no parameter 'rezise', did you mean 'resize'"):
        packing.modify(rezise=3)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"shards": 41}, "shards=41: there are 40 samples"),
        ({"shards": 2, "shard": 2}, "shard=2: there are 2, from 0 to 1"),
        ({"options": {"levle": 3}}, r"msgpack is written without an option 'levle'; there is: none"),
        ({"engine": "locla"}, "no engine 'locla', did you mean 'local'"),
        ({"engine": "local", "workers": 0}, "workers=0: expected a whole number"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_written(source, tmp_path, arguments, text):
    with pytest.raises((ParameterError, UnknownName), match=text):
        pack(source, tmp_path / "x.msgpack", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_dataset_is_not_packed_into_itself(tmp_path):
    path = tmp_path / "x.msgpack"
    MsgpackDataset.write(path, tools.samples(3))
    with pytest.raises(DatasetError, match=r"x\.msgpack: is what is read, too; name another file"):
        pack(path, path, views=["subset(start=1)"], overwrite=True)
    assert len(content(path)) == 3


def test_what_exists_stays(source, tmp_path):
    target = tmp_path / "x.msgpack"
    MsgpackDataset.write(target, [{"key": "old"}])
    for blocks in ({}, {"block": 4, "workers": 1}):
        with pytest.raises(DatasetError, match=r"x\.msgpack: exists already; --overwrite replaces it"):
            pack(source, target, resize=10, **blocks)
        assert content(target) == [{"key": "old"}]
        assert not folder_of(target).exists()
    pack(source, target, overwrite=True)
    assert len(content(target)) == COUNT
