from __future__ import annotations

import errno
import hashlib
import itertools
import os
import resource
import shutil
import socket
import sys
import threading
import uuid
from base64 import b64encode
from contextlib import ExitStack, suppress

import pytest

from leaven.errors import DatasetError, FormatError, MissingPackageError
from leaven_plugins.fetching.addresses import Absent, Refused, ask, shown
from leaven_plugins.fetching.sources import CopyFile, ExistingFile
from leaven_plugins.fetching.transfer import Transfer

CONTENT = bytes(range(256)) * 200
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def fetch(server, tmp_path, pauses):
    """Fetch ``/x`` from the server, or from ``urls``, and return what has arrived."""

    def fetch(*urls, sha256=None, retries=3, timeout=10.0, **options):
        transfer = Transfer(timeout, retries, sleep=pauses.append, **options)
        target = tmp_path / "x"
        transfer.fetch(urls or [f"{server.address}/x"], target, sha256)
        assert [path.name for path in tmp_path.iterdir()] == ["x"]
        return target.read_bytes()

    server.files["/x"] = CONTENT
    return fetch


def test_a_file_arrives_and_is_told_of(server, tmp_path):
    server.files["/x"], told = CONTENT, []
    fetched = Transfer().fetch([f"{server.address}/x"], tmp_path / "x", SHA256, lambda *state: told.append(state))
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert fetched.sha256 == SHA256
    assert told[-1] == ("x", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_a_server_that_tells_no_length(server, fetch):
    server.lengths = False
    assert fetch() == CONTENT


def test_an_empty_file(server, fetch):
    server.files["/x"] = b""
    assert fetch() == b""


@pytest.mark.parametrize("cuts", [[1000], [1, 2, 3], [0, 50_000, 0], [51_199]], ids=str)
def test_what_was_cut_off_is_gone_on_with(server, fetch, pauses, cuts):
    server.cut["/x"] = list(cuts)
    assert fetch() == CONTENT
    starts = [f"bytes={done}-" if done else "" for done in itertools.accumulate(cuts, initial=0)]
    assert [asked for _, asked in server.requests] == starts
    assert pauses == [1.0, 2.0, 4.0][: len(cuts)]


def test_the_next_run_goes_on_where_one_gave_up(server, fetch, tmp_path):
    server.cut["/x"] = [1000]
    with pytest.raises(Refused, match=r"x: cannot be fetched, tried 1 times: it ended after 1000 of 51200 bytes"):
        fetch(retries=0)
    assert (tmp_path / "x.part").read_bytes() == CONTENT[:1000]
    assert fetch(retries=0) == CONTENT
    assert server.requests[1:] == [("/x", "bytes=1000-")]


@pytest.mark.parametrize("other", [CONTENT[::-1], CONTENT + b"more", CONTENT[:500]], ids=["same", "longer", "shorter"])
def test_another_content_is_fetched_from_its_start(server, fetch, other):
    server.cut["/x"] = [1000]
    with pytest.raises(Refused):
        fetch(retries=0)
    server.files["/x"] = other
    assert fetch(retries=0) == other


def test_a_server_that_sends_no_parts_is_asked_for_the_whole(server, fetch):
    server.ranges = False
    server.cut["/x"] = [1000]
    assert fetch() == CONTENT


@pytest.mark.parametrize(("sha256", "second"), [(None, ""), (SHA256, "bytes=1000-")], ids=["unchecked", "checked"])
def test_without_an_identity_only_what_is_verified_is_gone_on_with(server, fetch, sha256, second):
    server.identities = False
    server.cut["/x"] = [1000]
    assert fetch(sha256=sha256) == CONTENT
    assert [asked for _, asked in server.requests] == ["", second]


@pytest.mark.parametrize(
    "note", [b"", b"[]", b"{", b"\xff", b"[" * 100_000], ids=["empty", "list", "cut", "binary", "deep"]
)
def test_a_part_of_nobody_knows_what_is_not_used(fetch, tmp_path, note):
    (tmp_path / "x.part").write_bytes(b"something else")
    (tmp_path / "x.part.json").write_bytes(note)
    assert fetch() == CONTENT


def test_another_file_than_expected_is_thrown_away(server, fetch, tmp_path):
    with pytest.raises(FormatError, match=f"/x: is not the file .* its SHA-256 is {SHA256}, not {'0' * 64}"):
        fetch(sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_what_passes_is_tried_again(server, fetch, pauses):
    server.codes["/x"] = [503, 429, 500]
    assert fetch() == CONTENT
    assert pauses == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("code", [404, 410, 403, 400])
def test_what_does_not_pass_is_not(server, fetch, pauses, code):
    server.codes["/x"] = [code]
    with pytest.raises(Absent if code in (404, 410) else Refused, match=f"/x: the server answers {code}"):
        fetch()
    assert pauses == []


def test_mirrors_are_asked_in_turn(server, fetch):
    mirrors = [f"{server.address}/missing", f"{server.address}/x"]
    assert fetch(*mirrors) == CONTENT
    with pytest.raises(DatasetError, match=r"(?s)x: it cannot be had:\n.*/a: .* 404 .*\n.*/b: the server answers 404"):
        fetch(f"{server.address}/a", f"{server.address}/b")


def test_a_wrong_mirror_is_passed_over(server, fetch):
    server.files["/wrong"] = b"another file"
    assert fetch(f"{server.address}/wrong", f"{server.address}/x", sha256=SHA256) == CONTENT


def test_redirections_end(server, fetch, pauses):
    server.redirects = {"/there": "/x", "/round": "/and", "/and": "/round"}
    assert fetch(f"{server.address}/there") == CONTENT
    with pytest.raises(Refused, match=r"round: the server answers 302"):
        fetch(f"{server.address}/round")
    assert pauses == []


def test_a_silent_server_is_not_waited_for(server, fetch, pauses):
    server.hang = {"/x"}
    with pytest.raises(Refused, match=r"tried 2 times: .*timed out"):
        fetch(timeout=0.1, retries=1)


def test_a_server_that_sends_next_to_nothing_is_not_waited_for(fetch):
    hours = itertools.count(0, 3600)
    with pytest.raises(Refused, match=r"\d+ bytes in 3600 s are too slow"):
        fetch(retries=0, clock=lambda: float(next(hours)))


def test_nobody_there(fetch, pauses):
    with pytest.raises(Refused, match=r"127.0.0.1:9/x: cannot be fetched, tried 3 times: .*refused"):
        fetch("http://127.0.0.1:9/x", retries=2)
    assert pauses == [1.0, 2.0]


def test_no_room_is_told_before(fetch, monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 5, 5))
    with pytest.raises(DatasetError, match=r"x: cannot be written: no space left: 51,200 bytes are to come, .* for 5"):
        fetch()


def test_a_disk_that_takes_no_more_is_no_reason_to_try_again(fetch, pauses):
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, former[1]))
    try:
        with pytest.raises(DatasetError, match=r"x: cannot be written: File too large") as caught:
            fetch()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
    assert caught.value.__cause__.__cause__.errno == errno.EFBIG
    assert pauses == []


def test_files_of_this_machine(fetch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("with space")
    (folder / "y").write_bytes(CONTENT)
    assert fetch((folder / "y").as_uri(), sha256=SHA256) == CONTENT
    with pytest.raises(Absent, match="no such file"):
        fetch((folder / "z").as_uri())


def test_other_addresses_by_fsspec(fetch, tmp_path):
    fsspec = pytest.importorskip("fsspec")
    name = uuid.uuid4().hex
    fsspec.filesystem("memory").pipe_file(f"/{name}", CONTENT)
    assert fetch(f"memory://{name}", sha256=SHA256) == CONTENT
    with pytest.raises(Absent, match=r"memory://.*none: no such file"):
        fetch(f"memory://{name}none")
    with pytest.raises(Refused, match="cannot be read: Protocol not known: nothing"):
        fetch("nothing://x")


def test_fsspec_is_asked_for_by_name(fetch, monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingPackageError, match=r"s3://bucket/x: .* pip install 'leaven\[remote\]'") as caught:
        fetch("s3://bucket/x")
    assert caught.value.name == "fsspec"


@pytest.mark.parametrize("uri", ["http://127.0.0.1:port/x", "http://[/x", "http://127.0.0.1:1/a b"])
def test_addresses_that_are_none(fetch, pauses, uri):
    with pytest.raises(Refused, match="cannot be read"):
        fetch(uri)
    assert pauses == []


def test_a_password_goes_to_its_server_alone(server, fetch):
    there = server.address.replace("http://", "http://me:a%20secret@")
    server.redirects = {"/there": f"{server.address}/x"}
    assert fetch(f"{there}/there") == CONTENT
    assert server.authorizations == [f"Basic {b64encode(b'me:a secret').decode()}", None]
    with pytest.raises(Refused) as caught:
        fetch("http://me:secret@127.0.0.1:port/x")
    assert "secret" not in str(caught.value)


def test_the_note_of_a_part_keeps_secrets(server, fetch, tmp_path):
    server.cut["/x"] = [1000]
    with pytest.raises(Refused):
        fetch(f"{server.address}/x?token=secret", retries=0)
    assert "secret" not in (tmp_path / "x.part.json").read_text()


def test_secrets_are_not_shown(server):
    assert shown("https://me:secret@host:8/x?token=secret#y") == "https://host:8/x"
    with pytest.raises(Absent) as caught:
        ask(f"{server.address}/none?token=secret")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("checked", [True, False])
def test_what_had_come_to_its_end_is_not_sent_again(server, fetch, tmp_path, checked):
    server.cut["/x"] = [1000]
    with pytest.raises(Refused):
        fetch(retries=0)
    (tmp_path / "x.part").write_bytes(CONTENT)  # as if it had been killed before the part got its name
    assert fetch(sha256=SHA256 if checked else None) == CONTENT
    assert [asked for _, asked in server.requests[1:]] == ["bytes=51200-", ""]  # the second is not read


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("file:///a%00b", "cannot be read: embedded null byte"),
        ("file:///a\ud800", "cannot be read: "),
        ("file:///dev/zero", "cannot be read: it is no regular file"),
        ("file://etc/hostname", "names the host 'etc'; a file of this machine is file:///path"),
    ],
    ids=range(4),
)
def test_addresses_of_no_file(fetch, pauses, text, problem):
    with pytest.raises(Refused) as caught:
        fetch(text)
    assert problem in str(caught.value)
    assert pauses == []


def test_a_pipe_is_not_waited_for(fetch, tmp_path_factory):
    path = tmp_path_factory.mktemp("pipe") / "y"
    os.mkfifo(path)
    with pytest.raises(Refused, match="it is no regular file"):
        fetch(path.as_uri())
    for source in (ExistingFile(path), CopyFile("z", path)):
        with pytest.raises(DatasetError, match=r"y: cannot be .*it is no regular file"):
            source.acquire(path.parent)
    assert [entry.name for entry in path.parent.iterdir()] == ["y"]


@pytest.mark.parametrize("head", ["204 No Content", "202 Accepted", "207 Many"])
def test_an_answer_without_the_file_is_none(answering, fetch, head):
    with pytest.raises(Refused, match=f"tried 2 times: the server answers {head[:3]}, without the file"):
        fetch(answering(f"{head}\r\n\r\nabc"), retries=1)


@pytest.mark.parametrize(
    "head", [f"200 OK\r\nContent-Length: {'9' * 5000}", f"206 OK\r\nContent-Range: bytes {'9' * 5000}-9/{'9' * 5000}"]
)
def test_lengths_that_are_no_numbers(answering, fetch, head):
    assert fetch(answering(f"{head}\r\n\r\nabc"), retries=0) == b"abc"


@pytest.fixture
def answering():
    """Serve one answer, whatever it is, twice."""
    with ExitStack() as stack:

        def answering(text):
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def answer():
                with suppress(OSError):
                    while True:
                        with listening.accept()[0] as connection:
                            connection.recv(1 << 16)
                            connection.sendall(f"HTTP/1.1 {text}".encode())

            thread = threading.Thread(target=answer)
            thread.start()
            stack.callback(thread.join)
            stack.callback(listening.shutdown, socket.SHUT_RDWR)
            return f"http://127.0.0.1:{listening.getsockname()[1]}/x"

        yield answering
