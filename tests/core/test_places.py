from __future__ import annotations

import pytest

from leaven import places
from leaven.errors import ConfigError


@pytest.fixture(autouse=True)
def config(tmp_path, monkeypatch):
    """The user's file, which does not exist, nor any other place."""
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LEAVEN_HOME", raising=False)
    file = tmp_path / "config" / "leaven" / "config.toml"
    assert places.config_file() == file
    return file


def write(config, text):
    config.parent.mkdir(parents=True)
    config.write_text(text)


def test_asked_then_environment_then_file_then_system(config, tmp_path, monkeypatch):
    assert places.data_dir() == tmp_path / "data" / "leaven"
    assert places.cache_dir() == tmp_path / "cache" / "leaven"
    write(config, '[paths]\ndata = "/big/data"\n')
    assert str(places.data_dir()) == "/big/data"
    assert places.cache_dir() == tmp_path / "cache" / "leaven"
    monkeypatch.setenv("LEAVEN_HOME", "~/here")
    assert places.data_dir() == tmp_path / "home" / "here" / "data"
    assert places.cache_dir() == tmp_path / "home" / "here" / "cache"
    assert places.data_dir("~/there") == tmp_path / "home" / "there"
    assert not (tmp_path / "home").exists()


def test_paths_in_the_file_are_below_its_folder(config, tmp_path):
    write(config, '[paths]\ndata = "sets"\ncache = "~/copies"\n')
    assert places.data_dir() == config.parent / "sets"
    assert places.cache_dir() == tmp_path / "home" / "copies"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[paths\n", "is not TOML"),
        ("paths = 'x'\n", "paths: expected a table, not 'x'"),
        ("[paths]\ndata = 3\n", "paths.data: expected a path as a string, not 3"),
        ("[paths]\ndata = ''\n", "paths.data: expected a path as a string"),
        ("[paths]\ndat = '/x'\n", "paths.dat: no such place, did you mean 'data'"),
        ("\xff", "is not text in UTF-8"),
    ],
)
def test_a_broken_file_is_named(config, text, problem):
    config.parent.mkdir(parents=True)
    config.write_bytes(text.encode("latin1"))
    with pytest.raises(ConfigError, match=problem) as error:
        places.data_dir()
    assert str(config) in str(error.value)


def test_a_broken_file_does_not_matter_where_it_is_not_asked(config, tmp_path, monkeypatch):
    write(config, "[paths")
    assert places.data_dir(tmp_path) == tmp_path
    monkeypatch.setenv("LEAVEN_HOME", str(tmp_path))
    assert places.data_dir() == tmp_path / "data"


def test_a_file_is_no_folder(config, tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ConfigError, match=f"asked for: '{file}' has to be a folder, but {file} is a file"):
        places.data_dir(file)
    with pytest.raises(ConfigError, match=f"but {file} is a file"):
        places.cache_dir(file / "below")
    write(config, f'[paths]\ndata = "{file}"\n')
    with pytest.raises(ConfigError, match=r"config.toml: paths.data: .* has to be a folder"):
        places.data_dir()
    monkeypatch.setenv("LEAVEN_HOME", str(file))
    with pytest.raises(ConfigError, match=r"LEAVEN_HOME: .* has to be a folder"):
        places.data_dir()


def test_what_can_be_no_path_is_told(monkeypatch):
    monkeypatch.setenv("LEAVEN_HOME", "~nobody-of-this-name/x")
    with pytest.raises(ConfigError, match=r"LEAVEN_HOME: .* cannot be a folder"):
        places.data_dir()


def test_copies_of_different_addresses_are_apart_and_keep_their_names(tmp_path):
    first = places.remote_copy("https://one/train.msgpack?token=1#x", tmp_path)
    second = places.remote_copy("https://two/train.msgpack", tmp_path)
    assert first.name == second.name == "train.msgpack"
    assert first != second
    assert first.parent.parent == second.parent.parent == tmp_path / "remote"
    assert first == places.remote_copy("https://one/train.msgpack?token=1#x", tmp_path)


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("https://h/x.msgpack?sig=1#part", "x.msgpack"),
        ("https://h/a/..", "_"),
        ("https://h/..?x=.msgpack", "_"),
        ("https://h/a\0b.msgpack", "a_b.msgpack"),
        ("https://h/\ud800.msgpack", "?.msgpack"),
        ("file:///x\udcff.msgpack", "x?.msgpack"),
        ("https://h/" + "ü" * 300 + ".msgpack", "ü" * 71 + ".msgpack"),
    ],
    ids=range(7),
)
def test_a_copy_has_a_name_that_a_file_can_have(tmp_path, uri, name):
    copy = places.remote_copy(uri, tmp_path)
    assert copy.name == name
    assert copy.parent.parent == tmp_path / "remote"
    copy.parent.mkdir(parents=True)
    copy.with_name(f".{name}.key_hashes.part.json").touch()
