from __future__ import annotations

import copy
import hashlib
import os
import pickle
import shutil
import threading
from pathlib import Path

import msgpack
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaven.errors import DatasetError, FormatError, ParameterError
from leaven.stream.wire import pack_sample, unpack_sample
from leaven.testing.tools import samples
from leaven_plugins.datasets.msgpack import MsgpackDataset

FAMILY = ["", ".offsets", ".keys", ".key_hashes", ".filter", ".md5"]

samples_by_key = st.dictionaries(
    st.text(max_size=12), st.dictionaries(st.text(min_size=4, max_size=8), st.binary(max_size=40)), max_size=150
)


def make(path, count=200):
    samples = [{"key": f"class/{n}.jpg", "image": bytes([n % 256]) * (n % 7), "label": n} for n in range(count)]
    assert MsgpackDataset.write(path, samples) == count
    return samples


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(samples_by_key)
def test_what_was_written_is_read(tmp_path, content):
    samples = [{"key": key, **fields} for key, fields in content.items()]
    path = tmp_path / "x.msgpack"
    assert MsgpackDataset.write(path, iter(samples), overwrite=True) == len(samples)
    dataset = MsgpackDataset(path)
    assert len(dataset) == len(samples)
    for position, sample in enumerate(samples):
        assert unpack_sample(dataset.sample(position)) == sample
        assert dataset.key(position) == sample["key"]
        assert dataset.find(sample["key"]) == position
        assert sample["key"] in dataset
    dataset.close()


def test_the_family_of_files_is_as_documented(tmp_path):
    path = tmp_path / "new" / "folder" / "x.msgpack"
    samples = make(path, 10)
    assert sorted(p.name for p in path.parent.iterdir()) == sorted(path.name + suffix for suffix in FAMILY)
    messages = [pack_sample(sample) for sample in samples]
    assert path.read_bytes() == b"".join(messages)
    offsets = np.fromfile(path.with_name("x.msgpack.offsets"), ">u8")
    assert offsets.tolist() == [0, *np.cumsum([len(message) for message in messages])]
    hashes = path.with_name("x.msgpack.key_hashes").read_bytes()
    assert hashes[:8].hex() == "652e530edee5893b"
    expected = hashlib.blake2s(b"class/3.jpg", salt=hashes[:8]).digest()[:8]
    assert hashes[8 + 3 * 8 :][:8] == expected
    for line in path.with_name("x.msgpack.md5").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.md5(path.with_name(name).read_bytes()).hexdigest() == digest


def test_packed_messages_are_stored_as_they_are(tmp_path):
    path = tmp_path / "x.msgpack"
    messages = [pack_sample({"label": n, "key": f"k{n}"}) for n in range(3)]
    assert MsgpackDataset.write(path, messages) == 3
    assert path.read_bytes() == b"".join(messages)
    assert MsgpackDataset(path).key(2) == "k2"


def test_offsets_are_where_samples_begin(tmp_path):
    make(tmp_path / "x.msgpack", 20)
    dataset = MsgpackDataset(tmp_path / "x.msgpack")
    content = (tmp_path / "x.msgpack").read_bytes()
    assert dataset.offset(0) == 0
    for index in (0, 7, 19, -1):
        assert content[dataset.offset(index) :].startswith(dataset.sample(index))
    with pytest.raises(IndexError):
        dataset.offset(20)


def test_positions_follow_the_rules_of_sequences(tmp_path):
    samples = make(tmp_path / "x.msgpack", 5)
    dataset = MsgpackDataset(tmp_path / "x.msgpack")
    assert unpack_sample(dataset.sample(-1)) == samples[-1]
    assert dataset.key(np.int64(-5)) == samples[0]["key"]
    for wrong in (5, -6, 2**70):
        with pytest.raises(IndexError, match="there are 5"):
            dataset.sample(wrong)
        with pytest.raises(IndexError, match="there are 5"):
            dataset.key(wrong)
    with pytest.raises(TypeError):
        dataset.sample(1.0)


def test_keys_that_are_not_there_are_not_found(tmp_path):
    make(tmp_path / "x.msgpack")
    dataset = MsgpackDataset(tmp_path / "x.msgpack")
    assert "class/200.jpg" not in dataset
    assert 3 not in dataset
    with pytest.raises(KeyError, match=r"no sample 'class/200\.jpg'"):
        dataset.find("class/200.jpg")


@pytest.mark.parametrize("missing", [[".filter"], [".key_hashes"], [".filter", ".key_hashes", ".md5"]])
def test_files_that_only_help_may_be_missing(tmp_path, missing):
    samples = make(tmp_path / "x.msgpack")
    for suffix in missing:
        (tmp_path / f"x.msgpack{suffix}").unlink()
    dataset = MsgpackDataset(tmp_path / "x.msgpack")
    assert [dataset.find(sample["key"]) for sample in samples] == list(range(len(samples)))
    assert "no such key" not in dataset


def test_a_filter_of_others_keys_hides_what_is_there(tmp_path):
    """It shows that the filter is asked first."""
    make(tmp_path / "x.msgpack", 4)
    MsgpackDataset.write(tmp_path / "y.msgpack", [{"key": f"other{n}"} for n in range(4)])
    shutil.copy(tmp_path / "y.msgpack.filter", tmp_path / "x.msgpack.filter")
    dataset = MsgpackDataset(tmp_path / "x.msgpack")
    assert [f"class/{n}.jpg" in dataset for n in range(4)].count(True) < 4


def test_hashes_are_confirmed_with_the_key(tmp_path):
    make(tmp_path / "x.msgpack", 3)
    hashes = tmp_path / "x.msgpack.key_hashes"
    content = hashes.read_bytes()
    hashes.write_bytes(content[:16] + content[8:16] + content[24:])  # key 1 has the hash of key 0
    dataset = MsgpackDataset(tmp_path / "x.msgpack")
    assert dataset.find("class/0.jpg") == 0
    assert "class/1.jpg" not in dataset


def test_the_constructor_opens_nothing_and_copies_are_closed(tmp_path):
    path = tmp_path / "later.msgpack"
    dataset = MsgpackDataset(str(path))
    samples = make(path)
    assert unpack_sample(dataset.sample(7)) == samples[7]
    for twin in (pickle.loads(pickle.dumps(dataset)), copy.copy(dataset)):
        assert twin._opened is None
        assert twin.sample(7) == dataset.sample(7)
        twin.close()
    dataset.close()
    dataset.close()
    assert dataset.key(7) == "class/7.jpg"
    for wrong in ("", 5, None):
        with pytest.raises(ParameterError):
            MsgpackDataset(wrong)


def test_descriptors_are_given_back(tmp_path):
    make(tmp_path / "x.msgpack", 3)

    def opened():
        return len(list(Path("/proc/self/fd").iterdir()))

    before = opened()
    dataset = MsgpackDataset(tmp_path / "x.msgpack")
    assert dataset.find("class/1.jpg") == 1
    assert opened() == before + 3
    dataset.close()
    assert opened() == before
    dataset.sample(0)
    del dataset
    assert opened() == before


def test_threads_may_share_a_dataset(tmp_path):
    samples = make(tmp_path / "x.msgpack")
    dataset = MsgpackDataset(tmp_path / "x.msgpack")
    wrong = []

    def work(start):
        for n in range(len(samples)):
            position = (n + start) % len(samples)
            got = unpack_sample(dataset.sample(position)), dataset.key(position)
            if got != (samples[position], samples[position]["key"]):
                wrong.append(position)

    threads = [threading.Thread(target=work, args=(50 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_keys_of_more_than_one_block_of_all_lengths(tmp_path):
    keys = [f"{n}" * (n % 300 + 1) for n in range(1000)]
    MsgpackDataset.write(tmp_path / "x.msgpack", [{"key": key} for key in keys])
    dataset = MsgpackDataset(tmp_path / "x.msgpack")
    assert [dataset.key(n) for n in range(1000)] == keys


def test_an_empty_dataset_can_be_written(tmp_path):
    assert MsgpackDataset.write(tmp_path / "x.msgpack", []) == 0
    dataset = MsgpackDataset(tmp_path / "x.msgpack")
    assert len(dataset) == 0
    assert "a" not in dataset


@pytest.mark.parametrize(
    ("samples", "error", "text"),
    [
        ([{"key": "a"}, {"key": "b"}, {"key": "a"}], DatasetError, "samples 0 and 2 have the same key 'a'"),
        ([pack_sample({"key": "a"}), {"key": "a"}], DatasetError, "samples 0 and 1 have the same key 'a'"),
        ([{"key": "a"}, {"image": b""}], FormatError, "sample 1: its 'key' is NoneType"),
        ([{"key": 3}], FormatError, "sample 0: its 'key' is int 3"),
        ([b"\x80"], FormatError, "sample 0: .*no key 'key'"),
        ([{"key": "a", "x": object()}], FormatError, "sample 0: cannot pack sample: x: object"),
        ([{"key": "a", "x": np.array([{}])}], FormatError, "sample 0: .*x: array of dtype object"),
    ],
)
def test_bad_samples_leave_nothing_behind(tmp_path, samples, error, text):
    with pytest.raises(error, match=text):
        MsgpackDataset.write(tmp_path / "x.msgpack", samples)
    assert list(tmp_path.iterdir()) == []


def test_what_exists_is_kept_unless_it_is_to_be_replaced(tmp_path):
    path = tmp_path / "x.msgpack"
    make(path, 3)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    with pytest.raises(DatasetError, match="exists already; overwrite=True"):
        MsgpackDataset.write(path, [{"key": "new"}])
    with pytest.raises(DatasetError, match="same key"):
        MsgpackDataset.write(path, [{"key": "new"}, {"key": "new"}], overwrite=True)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    reader = MsgpackDataset(path)
    old = [reader.sample(n) for n in range(3)]
    assert MsgpackDataset.write(path, (reader.sample(n) for n in (2, 1)), overwrite=True) == 2
    reader.close()
    assert [reader.sample(n) for n in range(2)] == [old[2], old[1]]
    with pytest.raises(DatasetError, match="is a folder"):
        MsgpackDataset.write(tmp_path, [])


def test_errors_of_the_samples_are_not_blamed_on_the_disk(tmp_path):
    def samples():
        yield {"key": "a"}
        raise OSError("the camera is gone")

    with pytest.raises(OSError, match="the camera is gone"):
        MsgpackDataset.write(tmp_path / "x.msgpack", samples())
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DatasetError, match=r"x\.msgpack: cannot be written: No space left on device"):
        make(tmp_path / "x.msgpack", 3)
    assert list(tmp_path.iterdir()) == []


def test_an_index_never_lies_beside_data_that_it_is_not_of(tmp_path, monkeypatch):
    path = tmp_path / "x.msgpack"
    make(path, 3)
    rename = os.rename

    def interrupted(source, target):
        if Path(target) == path:
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr("os.rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        MsgpackDataset.write(path, [{"key": "new"}], overwrite=True)
    assert not path.exists()
    monkeypatch.undo()
    assert MsgpackDataset.write(path, [{"key": "newer"}]) == 1
    assert MsgpackDataset(path).key(0) == "newer"


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"x\.msgpack: cannot be written"):
        MsgpackDataset.write(tmp_path / "file" / "x.msgpack", [])


def test_an_index_of_former_data_is_gone_once_they_are_replaced(tmp_path):
    path = tmp_path / "x.msgpack"
    MsgpackDataset.write(path, samples(2))
    legacy = tmp_path / "x.msgpack.index"
    legacy.write_bytes(msgpack.packb({"s0": 0}))
    MsgpackDataset.write(path, samples(3), overwrite=True)
    assert not legacy.exists()
