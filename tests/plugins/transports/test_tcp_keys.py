from __future__ import annotations

import stat

import pytest

from leaven.errors import TransportError
from leaven_plugins.transports.tcp.keys import LoaderKeys, OwnKeys, WorkerKeys, make_keys


def test_made_keys_fit_together_and_are_private(tmp_path):
    loader, host = make_keys(tmp_path / "keys", "node1")
    assert {path.relative_to(tmp_path / "keys").as_posix() for path in (tmp_path / "keys").rglob("*.*")} == {
        "loader/secret.key",
        "loader/workers/node1.pub",
        "node1/secret.key",
        "node1/loader.pub",
    }
    for folder in (tmp_path / "keys", loader, host):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for folder in (loader, host):
        assert stat.S_IMODE((folder / "secret.key").stat().st_mode) == 0o600
    assert WorkerKeys(host).loader == LoaderKeys(loader).pair.public
    assert LoaderKeys(loader).name_of(WorkerKeys(host).pair.public) == "node1"


def test_further_hosts_are_added_and_nothing_is_overwritten(tmp_path):
    loader, first = make_keys(tmp_path, "a")
    before = (loader / "secret.key").read_bytes(), (first / "secret.key").read_bytes()
    _, second = make_keys(tmp_path, "b")
    keys = LoaderKeys(loader)
    assert [keys.name_of(WorkerKeys(host).pair.public) for host in (first, second)] == ["a", "b"]
    with pytest.raises(TransportError, match="exists already"):
        make_keys(tmp_path, "a")
    (first / "secret.key").rename(tmp_path / "moved")
    (first / "loader.pub").unlink()
    first.rmdir()
    with pytest.raises(TransportError, match=r"a\.pub exists already"):
        make_keys(tmp_path, "a")
    assert before == ((loader / "secret.key").read_bytes(), (tmp_path / "moved").read_bytes())


@pytest.mark.parametrize("name", ["", "loader", "../x", "a/b", ".hidden", "a b", "x" * 65])
def test_names_that_are_none(tmp_path, name):
    with pytest.raises(TransportError, match="no name"):
        make_keys(tmp_path, name)


def test_who_is_removed_is_not_known_any_more(tmp_path):
    loader, host = make_keys(tmp_path, "a")
    keys, public = LoaderKeys(loader), WorkerKeys(host).pair.public
    (loader / "workers" / "broken.pub").write_text("no key")
    assert keys.name_of(public) == "a"
    (loader / "workers" / "a.pub").unlink()
    assert keys.name_of(public) is None
    assert keys.name_of(b"") is None


def test_secrets_that_others_can_read_are_refused(tmp_path):
    loader, host = make_keys(tmp_path, "a")
    for folder, keys in ((loader, LoaderKeys), (host, WorkerKeys)):
        (folder / "secret.key").chmod(0o640)
        with pytest.raises(TransportError, match="chmod 600"):
            keys(folder)


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 40, b"'" * 40, b"a" * 41, b"a" * 4000])
def test_what_is_no_key_is_named(tmp_path, content):
    _, host = make_keys(tmp_path, "a")
    (host / "loader.pub").write_bytes(content)
    with pytest.raises(TransportError, match=r"loader\.pub does not hold a key"):
        WorkerKeys(host)
    (host / "loader.pub").unlink()
    with pytest.raises(TransportError, match=r"cannot read a key from .*loader\.pub"):
        WorkerKeys(host)
    with pytest.raises(TransportError, match=r"goes|needs the folder"):
        WorkerKeys(tmp_path / "missing")


def test_a_folder_of_the_other_side_is_refused(tmp_path):
    loader, host = make_keys(tmp_path, "a")
    with pytest.raises(TransportError, match=r"nobody could join.*'loader' of leaven worker keygen"):
        LoaderKeys(host)
    with pytest.raises(TransportError, match=r"has the loader's keys.*with its name of leaven worker keygen"):
        WorkerKeys(loader)


def test_a_loader_that_nobody_can_join_says_so_and_can_be_given_a_host(tmp_path, caplog):
    loader, _ = make_keys(tmp_path, "a")
    LoaderKeys(loader)
    assert caplog.text == ""
    (loader / "workers" / "a.pub").unlink()
    make_keys(tmp_path, "b")
    assert caplog.text == ""
    (loader / "workers" / "b.pub").unlink()
    LoaderKeys(loader)
    assert "nobody can join: no .pub file" in caplog.text


def test_the_keys_of_one_run_let_nobody_else_in(tmp_path):
    keys, (_, host) = OwnKeys(tmp_path), make_keys(tmp_path / "others", "a")
    assert keys.name_of(WorkerKeys(tmp_path).pair.public) == "this machine"
    assert keys.name_of(WorkerKeys(host).pair.public) is None
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


def test_no_text_shows_a_secret(tmp_path):
    keys = OwnKeys(tmp_path)
    assert keys.pair.secret.decode() not in f"{keys.pair} {keys.pair!r}"
