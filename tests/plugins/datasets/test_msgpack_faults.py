from __future__ import annotations

import os
import random
import resource
import struct
import subprocess
import sys

import msgpack
import pytest

from leaven.errors import DatasetError, FormatError, LeavenError
from leaven.stream.wire import unpack_sample
from leaven_plugins.datasets.msgpack import MsgpackDataset

WRITER = """
import sys, time
from leaven_plugins.datasets.msgpack import MsgpackDataset

def samples():
    for n in range(1000):
        yield {"key": str(n), "image": bytes(100_000)}
        if n == 20:
            print("writing", flush=True)
            time.sleep(60)

MsgpackDataset.write(sys.argv[1], samples())
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "x.msgpack"
    MsgpackDataset.write(path, [{"key": f"key{n}", "image": bytes([n]) * 20, "label": n} for n in range(100)])
    return path


def side(path, suffix):
    return path.with_name(path.name + suffix)


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


def read_all(path):
    dataset = MsgpackDataset(path)
    try:
        for n in range(len(dataset)):
            unpack_sample(dataset.sample(n))
            dataset.key(n)
            dataset.find(f"key{n}")
    finally:
        dataset.close()


def test_a_missing_file_names_the_nearest(path):
    with pytest.raises(DatasetError, match=r"y\.msgpack: no such file, did you mean 'x\.msgpack'"):
        len(MsgpackDataset(path.with_name("y.msgpack")))
    with pytest.raises(DatasetError, match="no such file, and no folder"):
        len(MsgpackDataset(path.parent / "deeper" / "y.msgpack"))


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.msgpack")
    for name in ("pipe.msgpack", "."):
        with pytest.raises(DatasetError, match="is not a file"):
            len(MsgpackDataset(tmp_path / name))


def test_data_without_index(path):
    side(path, ".offsets").unlink()
    with pytest.raises(DatasetError, match=r"x\.msgpack\.offsets: no such file"):
        len(MsgpackDataset(path))
    side(path, ".keys").unlink()
    with pytest.raises(DatasetError, match=r"has no index, there is no x\.msgpack\.offsets beside it"):
        len(MsgpackDataset(path))


def test_keys_that_are_missing(path):
    side(path, ".keys").unlink()
    with pytest.raises(DatasetError, match=r"x\.msgpack\.keys: no such file"):
        MsgpackDataset(path).sample(0)


@pytest.mark.parametrize("part", [0, 0.5, 0.99])
@pytest.mark.parametrize("suffix", ["", ".offsets", ".keys", ".key_hashes", ".filter"])
def test_files_that_are_cut_off_are_named(path, suffix, part):
    file = side(path, suffix) if suffix else path
    cut(file, int(part * file.stat().st_size))
    with pytest.raises(FormatError, match=r"x\.msgpack" + suffix.replace(".", r"\.")):
        read_all(path)


def test_data_that_is_cut_in_half_tells_both_sizes(path):
    size = path.stat().st_size
    cut(path, size // 2)
    with pytest.raises(FormatError, match=f"has {size // 2} bytes, but its offsets end at {size}: cut off or changed"):
        len(MsgpackDataset(path))


def test_data_that_shrinks_while_it_is_open(path):
    dataset = MsgpackDataset(path)
    last = dataset.sample(99)
    size = path.stat().st_size
    os.truncate(path, size - len(last) // 2)
    text = rf"x\.msgpack: ends at {size - len(last) // 2} by now, where it had {size} bytes"
    with pytest.raises(FormatError, match=text):
        dataset.sample(99)
    assert dataset.sample(98)


def test_numbers_of_keys_and_offsets_that_differ(path):
    side(path, ".keys").write_bytes(msgpack.packb([f"key{n}" for n in range(99)]))
    with pytest.raises(FormatError, match=r"100 samples by \.offsets, but 99 by \.keys"):
        len(MsgpackDataset(path))


def test_offsets_that_are_out_of_order_name_sample_and_byte(path):
    offsets = side(path, ".offsets")
    content = bytearray(offsets.read_bytes())
    content[8 * 5 : 8 * 6] = struct.pack(">Q", 2**60)
    offsets.write_bytes(content)
    dataset = MsgpackDataset(path)
    assert dataset.sample(3)
    for index in (4, 5):
        with pytest.raises(FormatError, match=f"sample {index}, at byte {8 * index}"):
            dataset.sample(index)


def test_offsets_that_do_not_begin_with_zero(path):
    offsets = side(path, ".offsets")
    offsets.write_bytes(struct.pack(">Q", 1) + offsets.read_bytes()[8:])
    with pytest.raises(FormatError, match="first offset is 1"):
        len(MsgpackDataset(path))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xdd\xff",
        b"\xdd\xff\xff\xff\xff",
        b"\x80",
        b"\xdc\x00\x64" + b"\xdd\xff\xff\xff\xff" * 100,
        b"\xdc\x00\x64" + b"\x91" * 2000,
        b"\xdc\x00\x64" + b"\xa4key0" * 99,
        b"\xdc\x00\x64" + b"\xa4key0" * 99 + b"\xdb\xff\xff\xff\xff",
        b"\xdc\x00\x64" + b"\xa2\xff\xff" * 100,
        b"\xdc\x00\x64" + b"\x07" * 100,
        b"\xdc\x00\x64" + b"\xc1" * 100,
    ],
)
def test_keys_that_are_no_list_of_strings(path, content):
    side(path, ".keys").write_bytes(content)
    with pytest.raises(FormatError, match=r"x\.msgpack\.keys: "):
        MsgpackDataset(path).key(50)


@pytest.mark.parametrize(
    "head",
    [
        struct.pack(">8sQQd", b"SIMPBLOX", 32, 100, 0.01),
        struct.pack(">8sQQd", b"SIMPBLOO", 33, 0, 0.01),
        struct.pack(">8sQQd", b"SIMPBLOO", 33, 100, 0.0),
        struct.pack(">8sQQd", b"SIMPBLOO", 33, 100, float("nan")),
        struct.pack(">8sQQd", b"SIMPBLOO", 33, 2**63, 0.01),
        struct.pack(">8sQQd", b"SIMPBLOO", 2**63, 2**63, 1e-300),
    ],
)
def test_filters_that_are_none(path, head):
    side(path, ".filter").write_bytes(head + b"\0")
    with pytest.raises(FormatError, match=r"x\.msgpack\.filter: "):
        MsgpackDataset(path).find("key0")


@pytest.mark.parametrize(
    "index",
    [
        b"",
        b"\x90",
        b"\x81\xa1a",
        b"\xdf\xff\xff\xff\xff",
        msgpack.packb({"a": 0, "b": 10**9}),
        msgpack.packb({"a": 10, "b": 5}),
        msgpack.packb({"a": -1}),
        msgpack.packb({"a": "0"}),
        msgpack.packb({"a": 1.0}),
        msgpack.packb({b"a": 0}),
        msgpack.packb({3: 0}),
    ],
)
def test_legacy_indices_that_are_none(path, index):
    side(path, ".offsets").unlink()
    side(path, ".index").write_bytes(index)
    with pytest.raises(FormatError, match=r"x\.msgpack\.index: "):
        MsgpackDataset(path).sample(0)


def test_a_legacy_index_is_read_where_the_new_one_is_incomplete(path):
    whole = MsgpackDataset(path)
    starts, position = {}, 0
    for n in range(100):
        starts[whole.key(n)] = position
        position += len(whole.sample(n))
    side(path, ".index").write_bytes(msgpack.packb(starts))
    side(path, ".keys").unlink()
    dataset = MsgpackDataset(path)
    assert len(dataset) == 100
    assert [dataset.sample(n) for n in range(100)] == [whole.sample(n) for n in range(100)]
    assert dataset.find("key42") == 42
    assert dataset.key(-1) == "key99"
    assert "no" not in dataset


def test_flipped_bytes_anywhere_never_raise_anything_else(path):
    dice = random.Random(0)
    files = [path, *(side(path, suffix) for suffix in (".offsets", ".keys", ".key_hashes", ".filter"))]
    found = 0
    for _ in range(120):
        file = dice.choice(files)
        content = file.read_bytes()
        position = dice.randrange(len(content))
        flipped = bytearray(content)
        flipped[position] ^= dice.randrange(1, 256)
        file.write_bytes(flipped)
        try:
            read_all(path)
        except (LeavenError, KeyError):
            found += 1
        file.write_bytes(content)
    read_all(path)
    assert found > 30


def test_a_writer_that_is_killed_leaves_no_dataset_and_the_next_one_sweeps(tmp_path):
    path = tmp_path / "x.msgpack"
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"writing\n"
    live = list(tmp_path.iterdir())
    assert len(live) == 1
    assert live[0].name.startswith(".x.msgpack.")
    # Another writer leaves the folder of a living one alone, and readers see nothing of either.
    MsgpackDataset.write(tmp_path / "y.msgpack", [{"key": "a"}])
    MsgpackDataset.write(path, [{"key": "a"}])
    assert live[0].is_dir()
    path.unlink()
    process.kill()
    process.wait()
    process.stdout.close()
    assert live[0].is_dir()
    with pytest.raises(DatasetError, match="no such file"):
        len(MsgpackDataset(path))
    assert MsgpackDataset.write(path, [{"key": "a"}, {"key": "b"}]) == 2
    assert not live[0].exists()
    assert len(MsgpackDataset(path)) == 2


def test_a_file_of_keys_that_promises_four_billion_costs_nothing(path):
    side(path, ".keys").write_bytes(b"\xdd\xff\xff\xff\xff" + b"\xa0" * 100)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FormatError, match="promises 4294967295 keys in 105 bytes"):
        len(MsgpackDataset(path))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000
