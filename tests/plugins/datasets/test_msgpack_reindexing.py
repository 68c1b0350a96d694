"""Making what is missing of an index: of a data file alone, of a legacy index, of what only helps; and its columns."""

from __future__ import annotations

import hashlib
import json
import sys

import msgpack
import pytest
from click.testing import CliRunner

from leaven import Registry
from leaven.errors import DatasetError, FormatError, MissingPackageError
from leaven_plugins.commands.data.group import data
from leaven_plugins.datasets.msgpack import MsgpackDataset

FAMILY = ["", ".offsets", ".keys", ".key_hashes", ".filter", ".md5"]
MODERN = FAMILY[1:]


def write(path, count=40):
    MsgpackDataset.write(path, ({"key": f"k{n}", "image": bytes(n), "label": n % 5} for n in range(count)))
    return path


def beside(path, suffix):
    return path.with_name(path.name + suffix)


def contents(path, suffixes=FAMILY):
    return {suffix: beside(path, suffix).read_bytes() for suffix in suffixes}


def make_legacy(path):
    """Turn a dataset into one of datadings before version 3."""
    dataset = MsgpackDataset(path)
    index = msgpack.packb({dataset.key(n): dataset.offset(n) for n in range(len(dataset))})
    dataset.close()
    for suffix in MODERN:
        beside(path, suffix).unlink()
    beside(path, ".index").write_bytes(index)
    sums = (
        f"{hashlib.md5(content).hexdigest()}  {name}\n"
        for name, content in ((path.name, path.read_bytes()), (path.name + ".index", index))
    )
    beside(path, ".md5").write_text("".join(sums))


@pytest.mark.parametrize("missing", [MODERN, [".key_hashes"], [".filter", ".md5"], [".md5"]], ids=str)
def test_what_is_missing_becomes_what_it_was(tmp_path, missing):
    path = write(tmp_path / "x.msgpack")
    before = contents(path)
    for suffix in missing:
        beside(path, suffix).unlink()
    assert sorted(MsgpackDataset(path).complete_index()) == sorted(path.name + suffix for suffix in MODERN)
    assert contents(path) == before
    assert MsgpackDataset(path).complete_index() == []


def test_a_legacy_index_becomes_a_modern_one_and_stays(tmp_path):
    path = write(tmp_path / "x.msgpack")
    before = contents(path)
    make_legacy(path)
    legacy = contents(path, ["", ".index"])
    dataset = MsgpackDataset(path)
    assert (len(dataset), dataset.key(7), dataset.find("k9")) == (40, "k7", 9)
    dataset.complete_index()
    assert (len(dataset), dataset.key(7), dataset.find("k9")) == (40, "k7", 9)
    assert contents(path, FAMILY[:-1]) == {suffix: before[suffix] for suffix in FAMILY[:-1]}
    assert contents(path, ["", ".index"]) == legacy
    last = f"{hashlib.md5(legacy['.index']).hexdigest()}  x.msgpack.index\n"
    assert beside(path, ".md5").read_text() == before[".md5"].decode() + last
    assert list(dataset.problems()) == []


def test_keys_of_a_legacy_index_are_kept_where_samples_have_none(tmp_path):
    messages = [msgpack.packb({"label": n}) for n in range(3)]
    (tmp_path / "x.msgpack").write_bytes(b"".join(messages))
    (tmp_path / "x.msgpack.index").write_bytes(msgpack.packb({f"old{n}": n * len(messages[0]) for n in range(3)}))
    MsgpackDataset(tmp_path / "x.msgpack").complete_index()
    (tmp_path / "x.msgpack.index").unlink()
    dataset = MsgpackDataset(tmp_path / "x.msgpack")
    assert [dataset.key(n) for n in range(3)] == ["old0", "old1", "old2"]
    assert dataset.sample(2) == messages[2]


def test_columns_come_with_it(tmp_path):
    path = write(tmp_path / "x.msgpack", 1200)
    before = beside(path, ".columns").read_bytes()
    beside(path, ".columns").unlink()
    assert MsgpackDataset(path).complete_index() == ["x.msgpack.columns"]
    assert beside(path, ".columns").read_bytes() == before
    assert MsgpackDataset(path).complete_index() == []


@pytest.mark.parametrize("where", [0, -1])
def test_columns_that_are_damaged_or_of_other_data_are_made_anew(tmp_path, where):
    path = write(tmp_path / "x.msgpack", 1200)
    before = beside(path, ".columns").read_bytes()
    beside(path, ".columns").write_bytes(before[:where] + bytes([before[where] ^ 1]) + before[where:][1:])
    assert MsgpackDataset(path).complete_index() == ["x.msgpack.columns"]
    assert beside(path, ".columns").read_bytes() == before
    write(tmp_path / "few.msgpack")
    beside(tmp_path / "few.msgpack", ".columns").write_bytes(before)
    assert MsgpackDataset(tmp_path / "few.msgpack").complete_index() == []
    assert not beside(tmp_path / "few.msgpack", ".columns").exists()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\x81\xa3key\xa1a" + b"\x82\xa3key\xa1b\xc6\x00\xff", "no message at byte 7 of 17: cut off"),
        (b"\x81\xa3key\xa1a" + b"\x81\xa1x\x01", "sample 1, at byte 7: .* has no key 'key'"),
        (b"hello", "sample 0, at byte 0: malformed sample"),
        (b"\x81\xa3key\xa1a\x81\xa3key\xa1a", "samples 0 and 1 have the same key 'a'"),
    ],
)
def test_data_that_are_none_are_told_with_their_place(tmp_path, content, text):
    (tmp_path / "x.msgpack").write_bytes(content)
    with pytest.raises(DatasetError, match=text):
        MsgpackDataset(tmp_path / "x.msgpack").complete_index()
    assert [path.name for path in tmp_path.iterdir()] == ["x.msgpack"]


def test_data_that_are_not_what_they_were_get_no_index(tmp_path):
    path = write(tmp_path / "x.msgpack")
    make_legacy(path)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"label", b"lapel", 1))
    with pytest.raises(DatasetError, match=r"its MD5 is .*, but x\.msgpack\.md5 says"):
        MsgpackDataset(path).complete_index()
    assert not beside(path, ".offsets").exists()


def test_an_index_that_does_not_fit_is_no_help(tmp_path):
    path = write(tmp_path / "x.msgpack")
    beside(path, ".filter").unlink()
    beside(path, ".keys").write_bytes(msgpack.packb(["one"]))
    with pytest.raises(FormatError, match=r"40 samples by \.offsets, but 1 by \.keys"):
        MsgpackDataset(path).complete_index()


@pytest.fixture
def run(monkeypatch):
    for name in ("leaven_turbo", "leaven_turbo._native"):
        monkeypatch.setitem(sys.modules, name, None)

    def run(*arguments):
        registry = Registry(builtin_only=True)
        result = CliRunner().invoke(data, ["index", *map(str, arguments)], obj=registry, standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result

    return run


def test_the_command_does_it_without_the_library_for_jpegs(run, tmp_path):
    path = write(tmp_path / "x.msgpack")
    make_legacy(path)
    result = run(path, "--json")
    assert result.return_value == 0
    report = json.loads(result.stdout.splitlines()[-1])
    assert sorted(report["written"]) == sorted(path.name + suffix for suffix in MODERN)
    assert (report["path"], report["sidecar"]) == (str(path), None)
    assert "x.msgpack.offsets" in result.stderr
    with pytest.raises(MissingPackageError, match="leaven-turbo"):
        run(path)
