"""dataset:remote: a dataset that has an address."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
import uuid

import pytest

import leaven
from leaven.data import getters
from leaven.errors import DatasetError, FormatError, MissingPackageError, ParameterError
from leaven.places import remote_copy
from leaven.registry.recipes import recipe_of
from leaven.testing import DatasetContract
from leaven_plugins.datasets.msgpack import MsgpackDataset
from leaven_plugins.datasets.remote import RemoteDataset

SAMPLES = [{"key": f"k{n}", "image": bytes([n]) * 100, "label": n % 3} for n in range(5)]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LEAVEN_HOME", str(tmp_path / "home"))


@pytest.fixture
def written(tmp_path):
    """Return the files of a dataset of these samples, by name."""

    def written(samples=SAMPLES):
        folder = tmp_path / uuid.uuid4().hex
        MsgpackDataset.write(folder / "x.msgpack", samples)
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    return written


@pytest.fixture
def uri(server, written):
    serve(server, written())
    return f"{server.address}/x.msgpack"


def serve(server, files):
    server.files.clear()
    server.files.update({f"/{name}": content for name, content in files.items()})


def remote(uri, **params):
    return RemoteDataset(uri, MsgpackDataset(remote_copy(uri)), retries=0, **params)


def names(uri):
    return {path.name for path in remote_copy(uri).parent.iterdir()}


class TestContract(DatasetContract):
    spec = "dataset:remote"
    samples = None

    @pytest.fixture
    def arguments(self, uri):
        return {"uri": uri, "dataset": {"use": "msgpack", "path": str(remote_copy(uri))}}


def test_an_address_is_opened_and_fetched_at_the_first_access(server, uri):
    dataset = leaven.open(f"{uri}?token=1")
    assert server.requests == []
    assert len(dataset) == 5
    assert [dataset.key(i) for i in range(5)] == [sample["key"] for sample in SAMPLES]
    assert getters.content(dataset, 2) == SAMPLES[2]
    assert dataset.offset(1) > 0
    assert getters.labels(dataset).tolist() == [0, 1, 2, 0, 1]
    asked = len(server.requests)
    dataset.close()
    assert len(leaven.open(f"{uri}?token=1")) == len(dataset) == 5
    dataset.close()
    assert len(server.requests) == asked
    fetched = {path.removeprefix("/") for path in server.files}
    assert names(f"{uri}?token=1") == fetched | {"x.msgpack.source.json"}


def test_views_are_over_it(uri):
    dataset = leaven.open(uri, views=["percent(0, 40)"])
    assert len(dataset) == 2
    dataset.close()


def test_it_says_what_it_does_not_have(uri):
    with pytest.raises(AttributeError, match="RemoteDataset has no attribute 'nothing'"):
        remote(uri).nothing
    assert not hasattr(remote(uri), "getitem_nothing")


def test_nothing_lies_there_until_all_is_there(server, uri):
    server.cut["/x.msgpack.keys"] = [3]
    dataset = remote(uri)
    with pytest.raises(DatasetError, match=r"x.msgpack.keys: cannot be fetched"):
        len(dataset)
    assert names(uri) == {".x.msgpack.coming"}
    assert len(dataset) == 5
    assert ".x.msgpack.coming" not in names(uri)
    dataset.close()


def test_what_has_arrived_is_not_fetched_again(server, uri):
    server.cut["/x.msgpack.keys"] = [3]
    with pytest.raises(DatasetError, match=r"x.msgpack.keys: cannot be fetched"):
        len(remote(uri))
    dataset = remote(uri)
    assert len(dataset) == 5
    dataset.close()
    assert server.sent["/x.msgpack"] == 1


def test_what_has_arrived_is_fetched_again_where_it_has_changed(server, uri, written):
    server.cut["/x.msgpack.keys"] = [3]
    with pytest.raises(DatasetError, match=r"x.msgpack.keys: cannot be fetched"):
        len(remote(uri))
    serve(server, written(SAMPLES[:2]))
    dataset = remote(uri)
    assert len(dataset) == 2
    dataset.close()


def test_sums_of_binary_files_are_believed_as_well(server, uri):
    server.files["/x.msgpack.md5"] = server.files["/x.msgpack.md5"].replace(b"  ", b" *")
    server.files["/x.msgpack"] = server.files["/x.msgpack"][:-1] + b"x"
    with pytest.raises(FormatError, match=r"x.msgpack is not what x.msgpack.md5 says; it was thrown away"):
        len(remote(uri))


def test_what_is_missing_is_told(server, uri):
    del server.files["/x.msgpack"]
    with pytest.raises(DatasetError, match=r"/x.msgpack: the server answers 404"):
        len(remote(uri))


@pytest.mark.parametrize("code", [404, 403])
def test_companions_may_be_missing(server, uri, code):
    server.codes["/x.msgpack.filter"] = [code]
    dataset = remote(uri)
    assert len(dataset) == 5
    assert "x.msgpack.filter" not in names(uri)
    dataset.close()


def test_a_companion_with_sums_is_believed(server, uri):
    server.files["/x.msgpack"] = server.files["/x.msgpack"][:-1] + b"x"
    with pytest.raises(FormatError, match=r"x.msgpack is not what x.msgpack.md5 says; it was thrown away"):
        len(remote(uri))
    assert names(uri) == set()


def test_a_digest_is_verified_when_fetched_and_when_the_file_has_changed(server, uri):
    content = server.files["/x.msgpack"]
    sha256 = hashlib.sha256(content).hexdigest()
    with pytest.raises(FormatError, match=f"its SHA-256 is {sha256}, not {'1' * 64}"):
        len(remote(uri, sha256="1" * 64))
    dataset = remote(uri, sha256=sha256)
    assert len(dataset) == 5
    dataset.close()
    with pytest.raises(
        FormatError, match=f"its SHA-256 is {sha256}, not {'1' * 64}; it was renamed to x.msgpack.wrong"
    ):
        len(remote(uri, sha256="1" * 64))
    assert len(dataset) == 5
    dataset.close()
    remote_copy(uri).write_bytes(content[::-1])
    with pytest.raises(FormatError, match="renamed"):
        len(remote(uri, sha256=sha256))


def test_refresh_replaces_what_has_changed(server, uri, written):
    dataset = remote(uri)
    assert len(dataset) == 5
    dataset.close()
    asked = len(server.requests)
    again = remote(uri, refresh=True)
    assert len(again) == 5
    again.close()
    assert server.requests[asked:] == [("/x.msgpack", "")]  # which was answered with: not modified
    files = written(SAMPLES[:2])
    del files["x.msgpack.filter"]
    serve(server, files)
    for params, count in (({}, 5), ({"refresh": True}, 2), ({}, 2)):
        changed = remote(uri, **params)
        assert len(changed) == count
        assert ("x.msgpack.filter" in names(uri)) == (count == 5)
        changed.close()


def test_refresh_of_a_server_that_is_gone(uri, server):
    dataset = remote(uri)
    len(dataset)
    dataset.close()
    server.codes["/x.msgpack"] = [503]
    with pytest.raises(DatasetError, match=r"cannot be reached: .* 503"):
        len(remote(uri, refresh=True))


def test_by_fsspec(written):
    fsspec = pytest.importorskip("fsspec")
    folder = uuid.uuid4().hex
    for name, content in written().items():
        fsspec.filesystem("memory").pipe_file(f"/{folder}/{name}", content)
    uri = f"memory://{folder}/x.msgpack"
    for refresh in (False, True):
        dataset = remote(uri, refresh=refresh)
        assert len(dataset) == 5
        dataset.close()


def test_fsspec_is_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'leaven\[remote\]'"):
        len(remote("s3://bucket/x.msgpack"))


def test_a_file_of_this_machine(tmp_path):
    MsgpackDataset.write(tmp_path / "y z.msgpack", SAMPLES)
    dataset = leaven.open((tmp_path / "y z.msgpack").as_uri())
    assert len(dataset) == 5
    dataset.close()


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"uri": "x.msgpack"}, "is no address such as"),
        ({"dataset": "digits"}, "the DigitsDataset has no path"),
        ({"retries": -1}, "retries=-1"),
        ({"timeout": 0}, "timeout=0"),
        ({"sha256": "12"}, "must have 64 hexadecimal digits"),
    ],
)
def test_parameters_are_checked(tmp_path, params, problem):
    table = {"use": "msgpack", "path": str(tmp_path / "x.msgpack")}
    with pytest.raises(ParameterError, match=problem):
        leaven.create("dataset:remote", **{"uri": "http://127.0.0.1/x.msgpack", "dataset": table, **params})


def test_it_can_be_copied_while_closed(uri):
    dataset = remote(uri)
    len(dataset)
    dataset.close()
    other = pickle.loads(pickle.dumps(dataset))
    assert not other._is_here
    assert len(other) == 5
    other.close()


READ = """
import json, sys
from leaven.registry.recipes import Recipe
dataset = Recipe.from_plain(json.loads(sys.argv[1])).build()
print(len(dataset), dataset.key(4))
dataset.close()
"""


def test_four_processes_fetch_once(server, uri):
    recipe = json.dumps(recipe_of(leaven.open(uri)).to_plain())
    command = [sys.executable, "-W", "error", "-c", READ, recipe]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(4)]
    assert [process.communicate(timeout=60)[0] for process in processes] == ["5 k4\n"] * 4
    assert [path for path, _ in server.requests].count("/x.msgpack") == 1
