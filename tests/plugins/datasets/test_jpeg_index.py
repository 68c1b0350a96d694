"""Sidecars with indices of JPEGs: what was written comes back, with samples too; what does not fit is refused."""

from __future__ import annotations

import os
import pickle
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaven.errors import DatasetError, FormatError
from leaven.stream.wire import key_of, pack_sample, unpack_sample
from leaven_plugins.datasets.folder import FolderDataset
from leaven_plugins.datasets.jpeg_index import (
    FolderIndex,
    PackedIndex,
    Stamped,
    folder_sidecar,
    in_order,
    packed_sidecar,
    sidecar_problem,
    with_index,
    write_folder_index,
    write_packed_index,
)
from leaven_plugins.datasets.jpeg_sidecar import Sidecar
from leaven_plugins.datasets.msgpack import MsgpackDataset


@pytest.fixture
def packed(tmp_path):
    path = tmp_path / "x.msgpack"
    MsgpackDataset.write(path, ({"key": str(n), "image": bytes([n]) * 5000, "label": n} for n in range(40)))
    return path


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "photos"
    for name in ("a/1.jpg", "a/2.jpg", "b/\u00e4.jpg", "b/10.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


def stamped(root, *names):
    statuses = [(name, (root / name).stat()) for name in names]
    return in_order(Stamped(name, status.st_size, status.st_mtime_ns) for name, status in statuses)


# ---- packed samples


def test_samples_of_a_packed_dataset_come_with_their_index(packed):
    plain = [MsgpackDataset(packed).sample(n) for n in range(40)]
    indices = [b"" if n % 3 == 0 else bytes([n]) * (n * n) for n in range(40)]
    assert write_packed_index(packed, 40, indices) == packed_sidecar(packed)
    dataset = MsgpackDataset(packed)
    for n in range(40):
        sample = unpack_sample(dataset.sample(n))
        assert list(sample) == ["key", "image", "label"] + ["image_index"] * (n % 3 != 0)
        assert sample.get("image_index", b"") == indices[n]
        assert dataset.sample(n).startswith(plain[n]) or n % 3
    assert dataset.sample(-1) == dataset.sample(39)
    dataset.close()
    packed_sidecar(packed).unlink()
    assert [dataset.sample(n) for n in range(40)] == plain


def test_a_copy_of_an_open_dataset_has_nothing_open(packed):
    write_packed_index(packed, 40, [b"index"] * 40)
    dataset = MsgpackDataset(packed)
    dataset.sample(0)
    copy = pickle.loads(pickle.dumps(dataset))
    assert copy._opened is None
    assert copy.sample(3) == dataset.sample(3)


def test_threads_share_a_dataset(packed):
    write_packed_index(packed, 40, (bytes([n]) * 700 for n in range(40)))
    dataset = MsgpackDataset(packed)

    def check(n):
        sample = unpack_sample(dataset.sample(n % 40))
        return sample["image"][:1] == sample["image_index"][:1] == bytes([n % 40])

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(check, range(2000)))


def test_no_descriptor_stays_open(packed):
    write_packed_index(packed, 40, [b"index"] * 40)
    before = sorted(os.listdir("/proc/self/fd"))
    dataset = MsgpackDataset(packed)
    dataset.sample(0)
    dataset.close()
    packed_sidecar(packed).write_bytes(b"no sidecar")
    for _ in range(3):
        dataset.sample(0)
        dataset.close()
    assert sorted(os.listdir("/proc/self/fd")) == before


@settings(deadline=None)
@given(
    st.dictionaries(st.text(max_size=5), st.integers(0, 9), max_size=40),
    st.sampled_from([0, 1, 255, 256, 65535, 65536]),
)
def test_a_field_is_added_to_a_packed_map(fields, size):
    sample = {**fields, "key": "k"}
    index = bytes(size)
    message = with_index(pack_sample(sample), index)
    assert unpack_sample(message) == {**sample, "image_index": index}
    assert list(unpack_sample(message))[-1] == "image_index"
    assert message == pack_sample({**sample, "image_index": index})
    assert key_of(message) == "k"


@pytest.mark.parametrize("count", [14, 15, 16, 65534, 65535, 65536])
def test_the_head_of_the_map_grows_where_it_has_to(count):
    sample = dict.fromkeys(range(count), 0)
    assert with_index(pack_sample(sample), b"i") == pack_sample({**sample, "image_index": b"i"})


def test_longer_heads_than_needed_are_read_too():
    for message in (b"\xde\0\1\xa1a\1", b"\xdf\0\0\0\1\xa1a\1"):
        assert unpack_sample(with_index(message, b"i")) == {"a": 1, "image_index": b"i"}


@pytest.mark.parametrize("value", [7, "text", None, b"bytes", b"LTX", {"image_index": 1}])
def test_a_field_of_that_name_stays_the_only_one(value):
    before = {"key": "k", "image": b"image_index", "image_index": value, "label": [1, {"a": 2}]}
    for message in (pack_sample(before), pack_sample(dict(reversed(before.items())))):
        assert with_index(message, b"index") == message
    for other in ({"key": "image_index"}, {"key": "k", "image": pack_sample(before), "nested": {"image_index": 3}}):
        assert unpack_sample(with_index(pack_sample(other), b"index")) == {**other, "image_index": b"index"}


def test_the_name_is_found_however_it_is_packed():
    for name in (b"\xab", b"\xd9\x0b", b"\xda\0\x0b", b"\xdb\0\0\0\x0b"):
        message = b"\x81" + name + b"image_index\1"
        assert with_index(message, b"index") == message


@pytest.mark.parametrize("message", [b"", b"\x82\xa1a\1", b"\x93\1\2\3", msgpack.packb("text"), b"\xc0"])
def test_what_is_no_whole_map_is_left_for_others_to_complain_about(message):
    assert with_index(message, b"index") == message


def test_a_sidecar_of_other_data_is_refused_with_what_to_do(packed):
    write_packed_index(packed, 40, [b"index"] * 40)
    content = bytearray(packed.read_bytes())
    content[len(content) // 3] ^= 1
    for other in (bytes(content), packed.read_bytes() + b"\0"):
        packed.write_bytes(other)
        with pytest.raises(
            DatasetError, match=r"x\.msgpack\.turbo: was made for other data .* `leaven data index .*again"
        ) as caught:
            PackedIndex(packed)
        assert sidecar_problem(packed) == str(caught.value)


@pytest.mark.parametrize("kind", ["stale", "empty", "folder", "fifo", "random", "no map", "another map"])
def test_a_sidecar_of_no_use_is_ignored_and_told_of_once(packed, kind, caplog):
    plain = [MsgpackDataset(packed).sample(n) for n in range(40)]
    path = write_packed_index(packed, 40, [b"index"] * 40)
    about = {"no map": [1, 2], "another map": {"version": "x"}}.get(kind)
    if kind == "stale":
        path.rename(packed.parent / "kept")
        MsgpackDataset.write(packed, plain[::-1], overwrite=True)
        (packed.parent / "kept").rename(path)
        plain.reverse()
    elif kind in ("folder", "fifo"):
        path.unlink()
        path.mkdir() if kind == "folder" else os.mkfifo(path)
    else:
        head = msgpack.packb(about)
        content = struct.pack("<8sQII", b"leavenJI", 24 + len(head), len(head), zlib.crc32(head)) + head
        path.write_bytes(content if about else b"" if kind == "empty" else bytes(range(256)))
    for _ in range(2):
        dataset = MsgpackDataset(packed)
        assert [dataset.sample(n) for n in range(40)] == plain
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("leaven.datasets", "WARNING")
    assert f"run `leaven data index {packed}` again, or remove it" in record.getMessage()
    assert sidecar_problem(packed) in record.getMessage()


def test_a_sidecar_is_left_out_where_it_is_not_asked_for(packed):
    plain = MsgpackDataset(packed).sample(3)
    write_packed_index(packed, 40, [b"index"] * 40)
    assert MsgpackDataset(packed, sidecar=False).sample(3) == plain
    assert sidecar_problem(packed) is None
    assert sidecar_problem(packed.with_name("not there")) is None


def test_writing_through_a_link_writes_what_it_leads_to(packed, tmp_path):
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / packed.name
    for name in ("x.msgpack", "x.msgpack.turbo"):
        (tmp_path / "links" / name).symlink_to(tmp_path / name)
    write_packed_index(packed, 40, [b"former"] * 40)
    assert write_packed_index(link, 40, [b"index"] * 40) == packed_sidecar(packed)
    assert packed_sidecar(link).is_symlink()
    assert PackedIndex(packed).index(0) == b"index"


def test_writing_a_dataset_anew_removes_its_sidecar(packed):
    write_packed_index(packed, 40, [b"index"] * 40)
    MsgpackDataset.write(packed, [{"key": "a"}], overwrite=True)
    assert unpack_sample(MsgpackDataset(packed).sample(0)) == {"key": "a"}
    assert not packed_sidecar(packed).exists()


@settings(deadline=None)
@given(cut=st.integers(0, 3000), flip=st.none() | st.integers(0, 2000))
def test_damage_is_an_error_or_does_no_harm(tmp_path_factory, cut, flip):
    data = tmp_path_factory.getbasetemp() / "damaged.msgpack"
    data.write_bytes(b"data" * 1000)
    content = bytearray(write_packed_index(data, 20, [bytes(90)] * 20).read_bytes())
    if flip is not None:
        content[flip % len(content)] ^= 0x55
    packed_sidecar(data).write_bytes(content[:cut])
    try:
        index = PackedIndex(data)
        found = [index.index(n) for n in range(20)]
    except DatasetError as error:
        assert "leaven data index" in str(error)  # noqa: PT017 - one of two outcomes
    else:
        assert all(len(part or b"") <= len(content) for part in found)


def test_positions_that_are_not_there_are_refused(packed):
    write_packed_index(packed, 40, [None] * 40)
    sidecar = Sidecar(packed_sidecar(packed), packed)
    assert sidecar.read(39) is None
    for position in (-1, 40):
        with pytest.raises(FormatError, match="there are 40"):
            sidecar.read(position)


def test_an_entry_outside_of_the_file_is_not_used(packed, caplog):
    path = write_packed_index(packed, 40, [b"index"] * 40)
    content = bytearray(path.read_bytes())
    first = content.index(b"indexindex")
    assert struct.unpack_from("<Q", content, first - 41 * 8) == (first,)
    struct.pack_into("<Q", content, first - 8, 1 << 60)
    path.write_bytes(content)
    assert PackedIndex(packed).index(38) == b"index"
    dataset = MsgpackDataset(packed)
    assert unpack_sample(dataset.sample(38))["image_index"] == b"index"
    assert caplog.records == []
    assert unpack_sample(dataset.sample(39)) == {"key": "39", "image": bytes([39]) * 5000, "label": 39}
    assert "entry 39 would be bytes" in caplog.text


def test_an_empty_dataset_can_have_a_sidecar(tmp_path):
    path = tmp_path / "x.msgpack"
    MsgpackDataset.write(path, [])
    write_packed_index(path, 0, [])
    assert len(MsgpackDataset(path)) == 0


def test_a_sidecar_that_fails_leaves_the_former_one(packed):
    write_packed_index(packed, 40, [b"index"] * 40)

    def failing():
        yield b"new"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_packed_index(packed, 40, failing())
    with pytest.raises(ValueError, match="3 indices for 40 entries"):
        write_packed_index(packed, 40, [b"new"] * 3)
    assert PackedIndex(packed).index(0) == b"index"
    assert not [path for path in packed.parent.iterdir() if path.name.startswith(".")]


def test_two_cannot_write_the_same_sidecar_at_once(packed):
    def both():
        with pytest.raises(DatasetError, match="is being written by another process"):
            write_packed_index(packed, 40, [b"b"] * 40)
        yield from [b"a"] * 40

    write_packed_index(packed, 40, both())
    assert PackedIndex(packed).index(7) == b"a"


# ---- folders


def test_samples_of_a_folder_come_with_their_index(folder):
    files = stamped(folder, "a/1.jpg", "a/2.jpg", "b/\u00e4.jpg")
    write_folder_index(folder, files, [f"index of {file.key}".encode() * (file.key != "a/2.jpg") for file in files])
    dataset = FolderDataset(folder)
    found = {sample["key"]: sample.get("image_index") for sample in map(dataset.sample, range(len(dataset)))}
    assert found == {
        "a/1.jpg": b"index of a/1.jpg",
        "a/2.jpg": None,
        "b/10.png": None,
        "b/\u00e4.jpg": "index of b/\u00e4.jpg".encode(),
    }
    assert "image_index" not in dataset.sample(1)
    assert pickle.loads(pickle.dumps(dataset)).sample(0) == dataset.sample(0)
    dataset.close()
    folder_sidecar(folder).unlink()
    assert "image_index" not in dataset.sample(0)


def test_a_file_that_has_changed_has_no_index(folder):
    files = stamped(folder, "a/1.jpg", "a/2.jpg", "b/\u00e4.jpg")
    write_folder_index(folder, files, [b"index"] * 3)
    before = (folder / "a/1.jpg").stat()
    (folder / "a/1.jpg").write_bytes(b"longer than before")
    os.utime(folder / "a/1.jpg", ns=(before.st_atime_ns, before.st_mtime_ns))
    os.utime(folder / "a/2.jpg", ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    dataset = FolderDataset(folder)
    assert [sample["key"] for sample in map(dataset.sample, range(4)) if "image_index" in sample] == ["b/\u00e4.jpg"]


def test_a_damaged_sidecar_of_a_folder_is_not_used(folder, caplog):
    write_folder_index(folder, stamped(folder, "a/1.jpg"), [b"index"])
    content = folder_sidecar(folder).read_bytes()
    folder_sidecar(folder).write_bytes(content[:-1])
    with pytest.raises(FormatError, match=r"bytes instead of .* `leaven data index .*photos` again, or remove it"):
        FolderIndex(folder)
    for _ in range(2):
        assert "image_index" not in FolderDataset(folder).sample(0)
    assert [record.name for record in caplog.records] == ["leaven.datasets"]
    assert sidecar_problem(folder) in caplog.text
    folder_sidecar(folder).write_bytes(content)
    assert sidecar_problem(folder) is None


def test_a_damaged_stamp_is_not_used(folder, caplog):
    write_folder_index(folder, stamped(folder, "a/1.jpg"), [b"index"])
    index = FolderIndex(folder)
    os.truncate(folder_sidecar(folder), folder_sidecar(folder).stat().st_size - 25)
    assert index.index("a/1.jpg", (folder / "a/1.jpg").stat()) is None
    assert "too early" in caplog.text


@settings(deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=8), st.binary(min_size=1, max_size=9), max_size=30))
def test_every_file_is_found_again(tmp_path_factory, indices):
    root = tmp_path_factory.getbasetemp()
    status = root.stat()
    files = in_order(Stamped(key, status.st_size, status.st_mtime_ns) for key in indices)
    write_folder_index(root, files, [indices[file.key] for file in files])
    index = FolderIndex(root)
    assert {key: index.index(key, status) for key in indices} == indices
    assert index.index("not among them", status) is None
    index.close()
    folder_sidecar(root).unlink()
