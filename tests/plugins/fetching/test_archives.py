from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from leaven.errors import DatasetError, FormatError
from leaven_plugins.fetching.archives import gzip_content, tar_members

MOST = 1 << 20


def archive(path, *members):
    """Write a tar.gz of (name, content); a content that is text is the target of a symbolic link."""
    with tarfile.open(path, "w:gz") as file:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                file.addfile(info)
            else:
                info.size = len(content)
                file.addfile(info, io.BytesIO(content))
    return path


def read(path, names, most=MOST):
    return {member.name: member.read(member.size, path) for member in tar_members(path, names, most)}


def test_only_what_is_asked_for_is_read(tmp_path):
    path = archive(tmp_path / "x", ("d/a", b"1"), ("../../etc/passwd", b"2"), ("d/b", b"33"), ("d/a", b"second"))
    assert read(path, ["d/b", "d/a"]) == {"d/a": b"1", "d/b": b"33"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


def test_links_are_never_meant(tmp_path):
    path = archive(tmp_path / "x", ("d/a", "/etc/passwd"), ("d/b", b"1"))
    with pytest.raises(FormatError, match="has no d/a"):
        read(path, ["d/a", "d/b"])


def test_a_bomb_is_not_unpacked(tmp_path):
    path = archive(tmp_path / "x", ("other", bytes(3 * MOST)), ("d/a", b"1"))
    assert path.stat().st_size < 10_000
    with pytest.raises(FormatError, match="has more than 1,048,576 bytes in it"):
        read(path, ["d/a"])
    with gzip.open(tmp_path / "y", "wb") as file:
        file.write(bytes(MOST + 1))
    with pytest.raises(FormatError, match="has more than 1,048,576 bytes in it"):
        gzip_content(tmp_path / "y", MOST)
    assert gzip_content(tmp_path / "y", MOST + 1) == bytes(MOST + 1)


@pytest.mark.parametrize("kept", [1, 5, 20, 60, 100])
def test_what_is_cut_off_is_an_error(tmp_path, kept):
    content = bytes(range(256)) * 4
    path = archive(tmp_path / "x", ("d/a", content))
    path.write_bytes(path.read_bytes()[:kept])
    for call in (lambda: read(path, ["d/a"]), lambda: gzip_content(path, MOST)):
        with pytest.raises(FormatError, match="x: "):
            call()


@pytest.mark.parametrize("kind", [b"x", b"g", b"L"], ids=["pax", "global", "long"])
def test_headers_without_end(tmp_path, kind):
    info = tarfile.TarInfo("x")
    info.type, record = kind, b"12 path=abc\n" if kind != b"L" else b"a" * 12
    info.size = len(record)
    with gzip.open(tmp_path / "x", "wb", 1) as file:
        file.write((info.tobuf(tarfile.USTAR_FORMAT) + record.ljust(512, b"\0")) * 3000)
    with pytest.raises(FormatError, match="is no archive that can be read"):
        read(tmp_path / "x", ["d/a"], 1 << 24)


def test_an_empty_file_is_no_archive(tmp_path):
    (tmp_path / "x").touch()
    assert gzip_content(tmp_path / "x", MOST) == b""  # as gzip itself has it
    with pytest.raises(FormatError, match="x: "):
        read(tmp_path / "x", ["a"])


def test_other_files_are_none(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"no archive at all" * 100)
    for call in (lambda: read(path, ["a"]), lambda: gzip_content(path, MOST)):
        with pytest.raises(FormatError, match="is no archive that can be read"):
            call()
    with gzip.open(path, "wb") as file:
        file.write(b"no tar at all" * 100)
    with pytest.raises(FormatError, match="x: "):
        read(path, ["a"])
    with pytest.raises(DatasetError, match="cannot be read: No such file"):
        gzip_content(tmp_path / "missing", MOST)
