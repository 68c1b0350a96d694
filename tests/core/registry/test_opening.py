from __future__ import annotations

import pytest

from leaven import Registry
from leaven.errors import BlockedError, DatasetError, NameClash, ParameterError, UnknownName
from leaven.registry.opening import find_writer, locate, open_dataset
from leaven_plugins.datasets.digits import DigitsDataset
from leaven_plugins.datasets.folder import FolderDataset
from leaven_plugins.datasets.msgpack import MsgpackDataset


@pytest.fixture(scope="module")
def registry():
    return Registry(builtin_only=True)


@pytest.fixture
def packed(tmp_path):
    path = tmp_path / "x.msgpack"
    MsgpackDataset.write(path, [{"key": "a"}])
    return path


@pytest.fixture
def with_plugin(tmp_path):
    """Return a registry with one more plugin, whose dataset has this suffix and can only be read."""

    def with_plugin(name, suffix):
        code = f"""
from leaven import Component, hookimpl

class Lines:
    suffixes = ({suffix!r},)

    def __init__(self, path):
        self.path = path

@hookimpl
def leaven_datasets():
    yield Component({name!r}, Lines)
"""
        (tmp_path / f"{name}.py").write_text(code)
        return Registry(plugins=[str(tmp_path / f"{name}.py")], builtin_only=True)

    return with_plugin


def test_files_are_opened_by_suffix_folders_as_folders_names_as_names(registry, packed):
    assert isinstance(open_dataset(packed, registry), MsgpackDataset)
    assert isinstance(open_dataset(str(packed.parent), registry), FolderDataset)
    for name in ("digits", "dataset:digits", "dataset:digits/digits"):
        assert isinstance(open_dataset(name, registry), DigitsDataset)
    assert open_dataset("digits", registry, split="val").split == "val"
    assert locate(packed, registry).params == {"path": str(packed)}
    with pytest.raises(ParameterError, match="split"):
        open_dataset(packed, registry, split="val")


def test_suffixes_are_found_in_capitals_too(registry, packed):
    packed.rename(packed.with_name("X.MSGPACK"))
    assert isinstance(open_dataset(packed.with_name("X.MSGPACK"), registry), MsgpackDataset)


def test_a_folder_wins_over_a_name_unless_the_kind_is_said(registry, tmp_path, monkeypatch):
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    assert isinstance(open_dataset("digits", registry), FolderDataset)
    assert isinstance(open_dataset("dataset:digits", registry), DigitsDataset)


def test_what_does_not_exist_names_the_nearest(registry, packed):
    with pytest.raises(DatasetError, match=r"y\.msgpack: no such file or folder, did you mean 'x\.msgpack'"):
        open_dataset(packed.with_name("y.msgpack"), registry)
    with pytest.raises(DatasetError, match="no such file or folder, and no folder"):
        open_dataset(packed.parent / "nowhere" / "y", registry)
    with pytest.raises(UnknownName, match=r"did you mean 'digits'.*no file or folder 'digts' either"):
        open_dataset("digts", registry)


def test_a_suffix_of_no_format_names_those_there_are(registry, tmp_path):
    (tmp_path / "x.tfrecord").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"no format for the suffix '\.tfrecord'; there is: .*\.msgpack \(msgpack"):
        open_dataset(tmp_path / "x.tfrecord", registry)


def test_other_plugins_bring_their_suffixes(with_plugin, tmp_path):
    registry = with_plugin("acme_lines", ".jsonl")
    (tmp_path / "x.jsonl").write_bytes(b"")
    assert open_dataset(tmp_path / "x.jsonl", registry).path == str(tmp_path / "x.jsonl")
    with pytest.raises(DatasetError, match=r"dataset:acme_lines cannot be written; formats that can: .*msgpack"):
        find_writer(tmp_path / "y.jsonl", None, registry)


def test_two_formats_with_one_suffix_are_named(with_plugin, packed):
    registry = with_plugin("acme_pack", ".msgpack")
    with pytest.raises(NameClash, match="acme_pack/acme_pack, msgpack/msgpack; block all but one"):
        open_dataset(packed, registry)


def test_blocked_formats_are_not_used(packed):
    with pytest.raises(DatasetError, match="no format for the suffix"):
        open_dataset(packed, Registry(block=["msgpack"], builtin_only=True))
    with pytest.raises(BlockedError):
        open_dataset(packed.parent, Registry(block=["dataset:folder"], builtin_only=True))


def test_the_writer_is_found_by_suffix_or_name(registry, tmp_path):
    for path, name in ((tmp_path / "y.msgpack", None), (tmp_path / "y.bin", "msgpack")):
        writer = find_writer(path, name, registry)
        assert writer.format == "msgpack"
        assert writer.write(path, [{"key": "a"}]) == 1
    assert find_writer(tmp_path / "photos", None, registry).format == "folder"
    with pytest.raises(DatasetError, match="dataset:digits cannot be written"):
        find_writer(tmp_path / "y", "digits", registry)
    with pytest.raises(UnknownName, match="did you mean 'msgpack'"):
        find_writer(tmp_path / "y", "msgpak", registry)


def test_an_empty_path_is_none(registry):
    with pytest.raises(ParameterError, match="the path is empty"):
        open_dataset("", registry)


def test_several_files_follow_each_other(registry, tmp_path, monkeypatch):
    for number in (2, 10, 1):
        MsgpackDataset.write(tmp_path / f"part_{number}.msgpack", [{"key": f"{number}"}])
    monkeypatch.chdir(tmp_path)
    for what in ("part_*.msgpack", "part_{1,2,10}.msgpack", [f"part_{number}.msgpack" for number in (1, 2, 10)]):
        several = open_dataset(what, registry)
        assert [several.key(index) for index in range(len(several))] == ["1", "2", "10"]
        several.close()
    assert isinstance(open_dataset(["part_1.msgpack"], registry), MsgpackDataset)
    assert len(open_dataset("part_{1..2}.msgpack", registry)) == 2
    for pattern in ("part_{1..3}.msgpack", "parts_*.msgpack"):
        with pytest.raises(DatasetError, match="no such file"):
            open_dataset(pattern, registry)


def test_an_address_is_read_from_a_copy_on_this_machine(registry, tmp_path, monkeypatch):
    monkeypatch.setenv("LEAVEN_HOME", str(tmp_path))
    located = locate("https://acme.test/sets/train.msgpack?x=1", registry)
    assert located.offer.name == "remote"
    local = located.params["dataset"]["path"]
    assert local.startswith(str(tmp_path / "cache" / "remote"))
    assert local.endswith("/train.msgpack")
    with pytest.raises(DatasetError, match="no format for the suffix"):
        locate("https://acme.test/train.tfrecord", registry)
