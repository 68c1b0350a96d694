from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from leaven.errors import DatasetError, DeclarationError, FormatError
from leaven_plugins.fetching.holding import held
from leaven_plugins.fetching.sources import CopyFile, Download, ExistingFile
from leaven_plugins.fetching.transfer import Transfer

CONTENT = b"content"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ONCE = Transfer(retries=0)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "own" / "x"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "folder" / "below"


@pytest.fixture(params=["download", "copy", "existing"])
def source(request, file):
    made = {
        "download": Download("x", [file.as_uri()], SHA256, ONCE),
        "copy": CopyFile("x", file, SHA256),
        "existing": ExistingFile(file, SHA256),
    }
    return made[request.param]


def test_a_source_gives_its_file_and_takes_only_that_back(source, file, folder):
    assert source.is_here(folder) == (not isinstance(source, Download))
    path = source.acquire(folder)
    assert path.read_bytes() == CONTENT
    assert source.is_here(folder)
    assert source.acquire(folder) == path
    gone = source.delete(folder)
    assert gone == ([] if path == file else [path])
    assert source.delete(folder) == []
    assert file.read_bytes() == CONTENT


def test_a_file_is_verified_each_time(source, folder):
    path = source.acquire(folder)
    path.write_bytes(b"damaged")
    damaged = hashlib.sha256(b"damaged").hexdigest()
    with pytest.raises(FormatError, match=f"its SHA-256 is {damaged}, not {SHA256}"):
        source.acquire(folder)
    if isinstance(source, ExistingFile):
        assert path.read_bytes() == b"damaged"
        return
    assert (folder / "x.wrong").read_bytes() == b"damaged"
    assert source.acquire(folder).read_bytes() == CONTENT


def test_a_digest_in_capitals_is_the_same(source, folder):
    assert replace(source, sha256=SHA256.upper()).acquire(folder).read_bytes() == CONTENT


def test_the_wrong_file_leaves_nothing(source, folder, file):
    file.write_bytes(b"another")
    with pytest.raises(FormatError, match=SHA256):
        source.acquire(folder)
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_without_a_digest_it_is_told(source, folder, caplog):
    assert replace(source, sha256=None).acquire(folder).read_bytes() == CONTENT
    assert SHA256 in caplog.text


def test_what_is_not_there(folder, tmp_path):
    missing = tmp_path / "missing"
    for source in (CopyFile("x", missing), ExistingFile(missing), Download("x", [missing.as_uri()], None, ONCE)):
        assert not source.is_here(folder)
        with pytest.raises(DatasetError, match="missing"):
            source.acquire(folder)


def test_declarations_are_checked():
    for name in ("a/b", "..", "", ".hidden", "a\0"):
        with pytest.raises(DeclarationError, match="plain name"):
            Download(name, ["https://host/x"])
    with pytest.raises(DeclarationError, match="64 hexadecimal digits: '12'"):
        CopyFile("x", "y", "12")
    for urls in ([], "https://host/x"):
        with pytest.raises(DeclarationError, match="a list of addresses"):
            Download("x", urls)


def test_many_at_a_time_download_once(server, folder):
    server.files["/x"] = CONTENT
    source = Download("x", [f"{server.address}/x"], SHA256)
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda _: source.acquire(folder), range(8)))
    assert set(paths) == {folder / "x"}
    assert len(server.requests) == 1
    assert [path.name for path in folder.iterdir()] == ["x"]


def test_who_comes_second_waits(tmp_path):
    order, waiting = [], threading.Event()

    def second():
        with held(tmp_path / "x", sleep=lambda seconds: waiting.set()):
            order.append("second")

    thread = threading.Thread(target=second)
    with held(tmp_path / "x"):
        thread.start()
        assert waiting.wait(10)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="cannot be written"), held(tmp_path / "file" / "x"):
        pass
