"""Archives that somebody made to do harm, or that were damaged: each is read, or refused by a typed error.

Nothing is ever unpacked to disk, no pickle is loaded, and what is declared is checked before memory is taken.
"""

from __future__ import annotations

import io
import pickle
import random
import struct
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from leaven.errors import FormatError, LeavenError
from leaven.testing.tools import samples
from leaven_plugins.datasets.npy import decode_npy, encode_npy
from leaven_plugins.datasets.npz import NpzDataset
from leaven_plugins.datasets.parquet import ParquetDataset
from leaven_plugins.datasets.tar import TarDataset
from leaven_plugins.datasets.zip import ZipDataset
from leaven_plugins.datasets.zip.directory import FREE, LARGEST

OUTSIDE = ["../a/b.png", "a/../../b.png", "/etc/b.png", "a\\..\\b.png", "C:/a/b.png", "\\a\\b.png", ".."]


def refused(dataset, expected):
    with pytest.raises(FormatError, match=expected):
        dataset.sample(0)
    assert [path.name for path in dataset.path.parent.iterdir()] == [dataset.path.name]


# ---- tar


def tarball(path, *infos, data=b"x", **options):
    with tarfile.open(path, "w", **options) as archive:
        for info in infos:
            info.size = len(data) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(data))
    return TarDataset(path)


def member(name, kind=tarfile.REGTYPE, target="", **records):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.pax_headers = kind, target, records
    return info


@pytest.mark.parametrize("name", OUTSIDE)
def test_names_that_lead_out_of_a_tar(tmp_path, name):
    refused(tarball(tmp_path / "x.tar", member(name)), "which leads out of the archive")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (tarfile.SYMTYPE, "'a.png' is a symbolic link: only files are read"),
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "a pipe"),
        (tarfile.GNUTYPE_SPARSE, "a sparse file"),
        (b"Z", "of type 'Z'"),
    ],
)
def test_members_of_a_tar_that_are_no_files(tmp_path, kind, expected):
    refused(tarball(tmp_path / "x.tar", member("a.png", kind, "/etc/passwd")), expected)


def test_sparse_files_of_the_newer_kind(tmp_path):
    record = {"GNU.sparse.realsize": "1" + "0" * 15, "GNU.sparse.major": "1"}
    refused(tarball(tmp_path / "x.tar", member("a.png", **record)), "a sparse file")


def test_members_of_a_tar_that_are_there_twice(tmp_path):
    refused(
        tarball(tmp_path / "x.tar", member("a.png"), member("./a.png")), "two members are called './a.png', at 1536"
    )
    record = {"SCHILY.xattr.user.leaven.key": "same"}
    twins = member("a.png", **record), member("b.png", **record)
    refused(tarball(tmp_path / "x.tar", *twins, format=tarfile.PAX_FORMAT), "two samples have the key 'same'")


def changed_head(path, field, value):
    """Give the first head of a tar file another value, and the checksum that belongs to it."""
    content = bytearray(path.read_bytes())
    content[field : field + len(value)] = value
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    path.write_bytes(content)


@pytest.mark.parametrize(
    "size", [b"77777777777\0", b"\x80" + b"\x7f" * 11, b"\xff" * 12, b"-0000000001\0", b"9\0", b"00000030000\0"]
)
def test_sizes_that_a_tar_does_not_have(tmp_path, size):
    dataset = tarball(tmp_path / "x.tar", member("a.png"))
    changed_head(dataset.path, 124, size)
    refused(dataset, r"the member at byte 0 promises -?\d+ bytes in a file of 10240: cut off or damaged")


@pytest.mark.parametrize("kind", [b"x", b"g", b"L"])
def test_heads_of_heads_that_are_too_long(tmp_path, kind):
    content = tarfile.TarInfo("a.png")
    content.type, content.size = kind, 2 << 20
    (tmp_path / "x.tar").write_bytes(content.tobuf() + bytes(3 << 20))
    refused(TarDataset(tmp_path / "x.tar"), "has 2097152 bytes of attributes, 1048576 are allowed")


@pytest.mark.parametrize("records", [b"0 a=b\n", b"99 a=b\n", b"5 a=b", b"x", b"-6 a=b\n", b"6 a=bb", b"1" * 400])
def test_records_that_do_not_end_where_they_say(tmp_path, records):
    head = tarfile.TarInfo("x")
    head.type, head.size = tarfile.XHDTYPE, len(records)
    (tmp_path / "x.tar").write_bytes(head.tobuf() + records.ljust(512, b"\0") + bytes(1024))
    refused(TarDataset(tmp_path / "x.tar"), "the member at byte 0 has malformed attributes")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "ends at 0 without the mark of an end: cut off, or not a tar file"),
        (b"\x1f\x8b" + bytes(600), "is compressed by gzip, .* decompress it"),
        (b"BZh" + bytes(600), "is compressed by bzip2"),
        (b"\xfd7zXZ\0" + bytes(600), "is compressed by xz"),
        (b"\x28\xb5\x2f\xfd" + bytes(600), "is compressed by zstd"),
        (b"PK\3\4" + bytes(600), "the member at byte 0 is no head of a member: damaged, or not a tar file"),
        (bytes(512) + b"more".ljust(512, b"\0"), "the member at byte 0 comes after the mark of the end"),
    ],
    ids=["empty", "gzip", "bzip2", "xz", "zstd", "zip", "appended"],
)
def test_what_is_no_tar(tmp_path, content, expected):
    (tmp_path / "x.tar").write_bytes(content)
    dataset = TarDataset(tmp_path / "x.tar")
    with pytest.raises(FormatError, match=expected):
        len(dataset)


def test_a_tar_that_is_cut_off_anywhere_is_no_shorter_dataset(tmp_path):
    path = tmp_path / "x.tar"
    tarball(path, *(member(f"{n}.cls") for n in range(3)), data=b"1")
    content = path.read_bytes()
    for size in range(0, 6 * 512, 64):
        path.write_bytes(content[:size])
        with pytest.raises(FormatError, match="cut off"):
            len(TarDataset(path))


def test_a_pickle_in_a_tar_is_never_loaded(tmp_path):
    for ending in ("pkl", "pickle", "pyd", "x.PKL"):
        dataset = tarball(tmp_path / "x.tar", member(f"a.{ending}"), data=pickle.dumps(print))
        refused(dataset, "is a pickle: reading it would run whatever it says")


# ---- zip


def zipped(path, *infos, data=b"x", method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w") as archive:
        for info in infos:
            archive.writestr(info, data, method)
    return ZipDataset(path)


def entry(name, mode=0o100644):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def changed_directory(path, field, value):
    """Give the first entry of the directory another value."""
    content = bytearray(path.read_bytes())
    start = content.index(b"PK\1\2") + field
    content[start : start + len(value)] = value
    path.write_bytes(content)


@pytest.mark.parametrize("name", OUTSIDE)
def test_names_that_lead_out_of_a_zip(tmp_path, name):
    refused(zipped(tmp_path / "x.zip", entry("a/a.png"), entry(name)), "has a name that leads out of the archive")


def test_links_in_a_zip(tmp_path):
    dataset = zipped(tmp_path / "x.zip", entry("a/a.png", 0o120777), data=b"/etc/passwd")
    refused(dataset, "member 'a/a.png' is a symbolic link")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_of_a_zip_that_are_there_twice(tmp_path):
    refused(zipped(tmp_path / "x.zip", entry("a/a.png"), entry("a/a.png")), "two members are called 'a/a.png'")


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        (8, b"\1\0", "member 'a/a.png' is encrypted"),
        (10, b"\x0c\0", "is packed by method 12: only stored and deflated"),
        (24, b"\xff\xff\xff\x7f", "is stored as it is, but has 1 bytes instead of 2147483647"),
        (20, b"\xff\xff\xff\x7f", "would be bytes 0 to 2147483647 of"),
        (42, b"\xff\xff\xff\x7f", "would be bytes 2147483647 to 2147483648 of|not a zip file"),
        (16, b"\0\0\0\0", "is not what its checksum says"),
    ],
    ids=["encrypted", "method", "size", "packed size", "offset", "checksum"],
)
def test_entries_that_do_not_fit(tmp_path, field, value, expected):
    dataset = zipped(tmp_path / "x.zip", entry("a/a.png"))
    changed_directory(dataset.path, field, value)
    refused(dataset, expected)


def test_a_local_head_that_is_none(tmp_path):
    dataset = zipped(tmp_path / "x.zip", entry("a/a.png"))
    dataset.path.write_bytes(b"XX" + dataset.path.read_bytes()[2:])
    refused(dataset, "member 'a/a.png' is not at byte 0, where it should begin")


def test_bombs_are_told_by_what_they_declare(tmp_path):
    path = tmp_path / "x.zip"
    dataset = zipped(path, entry("a/a.png"), data=bytes(FREE + 1), method=zipfile.ZIP_DEFLATED)
    refused(dataset, rf"would have {FREE + 1} bytes unpacked from \d+")
    dataset = zipped(path, entry("a/a.png"), data=bytes(1000), method=zipfile.ZIP_DEFLATED)
    changed_directory(path, 24, struct.pack("<I", LARGEST + 1))
    refused(dataset, f"would have {LARGEST + 1} bytes, {LARGEST} are allowed")


@pytest.mark.parametrize("size", [10, 999, 1001])
def test_bombs_that_declare_something_else(tmp_path, size):
    dataset = zipped(tmp_path / "x.zip", entry("a/a.png"), data=bytes(1000), method=zipfile.ZIP_DEFLATED)
    changed_directory(dataset.path, 24, struct.pack("<I", size))
    refused(dataset, f"has other than the {size} bytes that it should have")


def test_a_directory_that_says_it_has_any_number_of_entries(tmp_path):
    dataset = zipped(tmp_path / "x.zip", entry("a/a.png"))
    content = dataset.path.read_bytes()
    for start in range(content.index(b"PK\5\6") + 4, len(content), 2):
        dataset.path.write_bytes(content[:start] + b"\xff\xff" + content[start + 2 :])
        fuzzed(dataset)


# ---- npy


def npy(shape, descr="<f8", data=b"", fortran=False):
    head = repr({"descr": descr, "fortran_order": fortran, "shape": shape}).encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + data


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (npy((1 << 60,)), "has 9223372036854775808 bytes, but there are 0"),
        (npy((1 << 40, 0, 3)), None),
        (npy((-1, -1), data=bytes(8)), "but there are 8|not an npy file"),
        (npy((1,), "|O", pickle.dumps([1])), "an array of objects: reading it would run whatever its pickles say"),
        (npy((1,), [("a", "|O"), ("b", "<i4")], bytes(12)), "an array of objects"),
        (npy((1,), "|V0"), "has 0 bytes"),
        (npy((2,), data=bytes(17)), "has 16 bytes, but there are 17"),
        (b"\x93NUMPY\1\0" + struct.pack("<H", 20_000) + b"(" * 20_000, "not an npy file"),
        (b"\x93NUMPY\2\0" + b"\xff\xff\xff\x7f", "not an npy file"),
        (b"\x93NUMPY\7\0", "not an npy file"),
        (b"", "not an npy file"),
    ],
    ids=range(11),
)
def test_arrays_that_are_not_what_they_say(data, expected):
    if expected is None:
        assert decode_npy(data).shape == (1 << 40, 0, 3)
        return
    with pytest.raises(FormatError, match=expected):
        decode_npy(data)


def test_arrays_are_read_as_they_were_written():
    for array in (
        np.eye(3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array([1], ">i2"),
        np.array(["ü", "b"]),
    ):
        read = decode_npy(encode_npy(array))
        assert (read.dtype, read.shape, read.tolist()) == (array.dtype, array.shape, array.tolist())
        assert read.flags.f_contiguous == array.flags.f_contiguous


# ---- anything


FORMATS = {"tar": TarDataset, "zip": ZipDataset, "parquet": ParquetDataset, "npz": NpzDataset}


def fuzzed(dataset):
    """Read all that there is; return whether there was an error, which is a typed one."""
    try:
        for n in range(min(len(dataset), 8)):
            dataset.sample(n)
            dataset.key(n)
        return False
    except LeavenError:
        return True
    finally:
        dataset.close()


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Return the content with some bytes changed, removed, added, or cut off."""
    data = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 5, 30])):
        at, chance = rng.randrange(len(data)), rng.random()
        if chance < 0.6:
            data[at] = rng.choice([0, 128, 255, ord("9"), rng.randrange(256)])
        elif chance < 0.75:
            del data[at : at + rng.choice([1, 4, 100, 512])]
        elif chance < 0.85:
            data[at:at] = rng.randbytes(rng.choice([1, 8]))
        elif chance < 0.95:
            data[at : at + 4] = rng.choice([b"\xff" * 4, bytes(4), b"\xff\xff\xff\x7f"])
        else:
            del data[at:]
        data = data or bytearray(1)
    return bytes(data)


def fuzz(kind: str, folder: Path, seed: int, count: int) -> None:
    path, target = folder / f"x.{kind}", FORMATS[kind]
    small = [{"key": f"a/{n}", "image": b"\x89PNG\r\n\x1a\n" + bytes(20), "label": n} for n in range(4)]
    target.write(path, small if kind == "zip" else [{**sample, "mask": np.eye(2)} for sample in small])
    (folder / "x.tar.index.json").unlink(missing_ok=True)
    content, rng, errors = path.read_bytes(), random.Random(seed), 0
    for _ in range(count):
        path.write_bytes(mutated(content, rng))
        errors += fuzzed(target(path))
    assert errors > count / 3


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_archives_are_read_or_refused(tmp_path, kind):
    fuzz(kind, tmp_path, random.randrange(1 << 30), 500)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS)
def test_many_damaged_archives(tmp_path, kind):
    """In a process with little memory to give, so that one that is promised is missed."""
    code = (
        "import resource, sys; from pathlib import Path; resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30));"
        "from tests.plugins.datasets.test_hostile_archives import fuzz; fuzz(sys.argv[1], Path(sys.argv[2]), 5, 20_000)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, kind, tmp_path],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_damaged_index_of_a_tar_is_read_or_refused(tmp_path):
    TarDataset.write(tmp_path / "x.tar", samples(3))
    index, rng = tmp_path / "x.tar.index.json", random.Random(random.randrange(1 << 30))
    content = index.read_bytes()
    errors = 0
    for _ in range(200):
        index.write_bytes(mutated(content, rng))
        errors += fuzzed(TarDataset(tmp_path / "x.tar"))
    assert errors > 80


def test_members_of_a_zip_never_take_more_than_they_declare(tmp_path):
    """A stream that goes on after its declared size is left there."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(64 << 20)) + packer.flush()
    dataset = zipped(tmp_path / "x.zip", entry("a/a.png"), data=bytes(1000), method=zipfile.ZIP_DEFLATED)
    path = dataset.path
    content = path.read_bytes()
    start, end = 30 + len("a/a.png"), content.index(b"PK\1\2")
    shift = len(bomb) - (end - start)
    content = bytearray(content[:start] + bomb + content[end:])
    directory, tail = content.index(b"PK\1\2"), content.index(b"PK\5\6")
    content[directory + 20 : directory + 24] = struct.pack("<I", len(bomb))
    content[tail + 16 : tail + 20] = struct.pack("<I", end + shift)
    path.write_bytes(content)
    tracemalloc.start()
    refused(dataset, "has other than the 1000 bytes that it should have")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20
