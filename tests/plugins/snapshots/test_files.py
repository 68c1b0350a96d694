from __future__ import annotations

import enum
import hashlib
import json
import math
import os
import resource
import shutil
import subprocess
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from leaven_plugins.snapshots.files import Snapshot, SnapshotError, load_snapshot, save_snapshot
from leaven_plugins.snapshots.manifest import read_about, verify_snapshot
from leaven_plugins.snapshots.plain import place_of


def a_snapshot(value=1.0, **about):
    weight = torch.nn.Parameter(torch.full((3, 2), value))
    optimizer = torch.optim.AdamW([weight])
    weight.grad = torch.ones_like(weight)
    optimizer.step()
    return Snapshot({"model": {"weight": weight}, "optimizer": optimizer.state_dict()}, {"epoch": 3, **about})


def test_what_was_saved_is_loaded(tmp_path):
    saved = a_snapshot(values={"val": {"loss": np.float32(0.5)}}, path=Path("a/b"))
    path = save_snapshot(tmp_path / "snapshots" / "epoch_0003", saved)
    assert sorted(file.name for file in path.iterdir()) == ["about.json", "manifest.json", "model.pt", "optimizer.pt"]
    loaded = load_snapshot(path)
    torch.testing.assert_close(loaded.parts["model"]["weight"], saved.parts["model"]["weight"].detach(), rtol=0, atol=0)
    assert not loaded.parts["model"]["weight"].requires_grad
    torch.testing.assert_close(loaded.parts["optimizer"], saved.parts["optimizer"], rtol=0, atol=0)
    assert loaded.about == read_about(path) == {"epoch": 3, "values": {"val": {"loss": 0.5}}, "path": "a/b"}
    assert os.listdir(path.parent) == ["epoch_0003"]


def test_the_same_content_gives_the_same_bytes(tmp_path):
    manifests = [save_snapshot(tmp_path / name, a_snapshot()) / "manifest.json" for name in ("one", "two")]
    assert manifests[0].read_bytes() == manifests[1].read_bytes()


def test_only_some_parts(tmp_path):
    path = save_snapshot(tmp_path / "epoch_0001", a_snapshot())
    (path / "optimizer.pt").unlink()
    assert list(load_snapshot(path, only=["model"]).parts) == ["model"]
    assert load_snapshot(path, only=[]).about == {"epoch": 3}
    with pytest.raises(SnapshotError, match=r"no part 'modle', did you mean 'model'\?; the snapshot has: model, optim"):
        load_snapshot(path, only=["modle"])
    with pytest.raises(SnapshotError, match=r"optimizer\.pt: cannot be read"):
        read_about(path)


def test_a_snapshot_of_the_same_name_is_replaced(tmp_path, monkeypatch):
    save_snapshot(tmp_path / "epoch_0001", a_snapshot(1.0))
    for value in (5.0, 6.0):
        save_snapshot(tmp_path / "epoch_0001", a_snapshot(value))
        assert load_snapshot(tmp_path / "epoch_0001").parts["model"]["weight"].mean() > value - 1
        assert os.listdir(tmp_path) == ["epoch_0001"]
        monkeypatch.setattr("leaven_plugins.snapshots.placing._exchange", lambda *_: False)  # as some systems are


@pytest.mark.parametrize("name", ["of_mine", "manifest_of_mine", "a_file", "snapshots"])
def test_what_is_no_snapshot_is_not_replaced(tmp_path, name):
    (tmp_path / "of_mine").mkdir()
    (tmp_path / "of_mine" / "thesis.txt").write_text("")
    (tmp_path / "manifest_of_mine" / "pages").mkdir(parents=True)
    (tmp_path / "manifest_of_mine" / "manifest.json").write_text("{}")
    (tmp_path / "a_file").write_text("")
    save_snapshot(tmp_path / "snapshots" / "epoch_0001", a_snapshot())
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SnapshotError, match=f"{name}: there is something else than a snapshot .*, which would be lost"):
        save_snapshot(tmp_path / name, a_snapshot())
    assert sorted(tmp_path.rglob("*")) == before


def test_an_empty_folder_a_torn_one_and_a_link_are_replaced(tmp_path):
    (tmp_path / "epoch_0001").mkdir()
    real = save_snapshot(tmp_path / "real", a_snapshot(1.0))
    (save_snapshot(tmp_path / "epoch_0002", a_snapshot()) / "manifest.json").unlink()
    (tmp_path / "epoch_0003").symlink_to(real)
    for name in ("epoch_0001", "epoch_0002", "epoch_0003"):
        verify_snapshot(save_snapshot(tmp_path / name, a_snapshot(5.0)))
    assert load_snapshot(real).parts["model"]["weight"].mean() < 2, "what a link leads to is somebody else's"
    assert sorted(os.listdir(tmp_path)) == ["epoch_0001", "epoch_0002", "epoch_0003", "real"]


# ---- what is refused


class Foreign:
    pass


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ({"state": {3: {"foo": Foreign()}}}, r"optimizer\.state\[3\]\.foo: a Foreign: a snapshot holds tensors and pl"),
        ({"a": [1, (2, np.zeros(3))]}, r"optimizer\.a\[1\]\[1\]: a ndarray: .*; make it a tensor or a list"),
        ({"a": b"bytes"}, r"optimizer\.a: a bytes: "),
        ({"a": 1 << 2040}, r"optimizer\.a: an int: "),
        ({Foreign: 1}, r"a key of optimizer: a type: "),
        ({"a": torch.zeros(3, device="meta")}, r"optimizer\.a: a tensor without data"),
        ({"a": np.datetime64("2020-01-01")}, r"optimizer\.a: a datetime64: "),
    ],
)
def test_what_is_not_plain_is_refused_with_its_path(tmp_path, part, text):
    with pytest.raises(SnapshotError, match=text):
        save_snapshot(tmp_path / "epoch_0001", Snapshot({"optimizer": part}, {}))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", [".", "", "/", "a/.."])
def test_a_folder_without_a_name_of_its_own_is_refused(name):
    with pytest.raises(SnapshotError, match="expected a name for the snapshot's folder"):
        save_snapshot(name, a_snapshot())


def test_what_contains_itself_is_refused(tmp_path):
    endless = {"a": []}
    endless["a"].append(endless)
    with pytest.raises(SnapshotError, match=r"model\.a\[0\]: it contains itself"):
        save_snapshot(tmp_path / "epoch_0001", Snapshot({"model": endless}, {}))


def test_about_is_what_json_has_words_for(tmp_path):
    for value, text in (
        ([{"b": Foreign()}], r"about\.a\[0\]\.b: a Foreign, which JSON"),
        ({(1, 2): 3}, "a tuple as a"),
    ):
        with pytest.raises(SnapshotError, match=text):
            save_snapshot(tmp_path / "epoch_0001", Snapshot({}, {"a": value}))
    with pytest.raises(SnapshotError, match=r"a part '\.\./model': its name becomes that of a file"):
        save_snapshot(tmp_path / "epoch_0001", Snapshot({"../model": {}}, {}))


# ---- what comes back

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.complex_numbers(allow_nan=False)
)
DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.int8, torch.uint8, torch.int64, torch.bool]
TENSORS = st.builds(
    lambda dtype, shape: torch.arange(math.prod(shape)).reshape(shape).to(dtype),
    st.sampled_from(DTYPES),
    st.lists(st.integers(0, 3), max_size=3),
)
NESTED = st.recursive(
    SCALARS | TENSORS | st.sets(st.integers()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None)
@given(content=NESTED)
def test_plain_data_comes_back_as_it_was(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("plain")
    loaded = load_snapshot(save_snapshot(folder / "epoch_0001", Snapshot({"part": content}, {}))).parts["part"]
    assert same(loaded, content)
    shutil.rmtree(folder)


def same(one, other):
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(map(same, one.values(), other.values()))
    return one == other


class Color(str, enum.Enum):  # noqa: UP042
    RED = "red"


def test_numbers_and_text_of_other_types_become_plain(tmp_path):
    part = {"a": np.float64(0.5), "b": np.int8(3), "c": np.bool_(True), "d": Color.RED, "e": enum.IntEnum("E", "x").x}
    loaded = load_snapshot(save_snapshot(tmp_path / "s", Snapshot({"part": part}, {}))).parts["part"]
    assert {key: (type(value), value) for key, value in loaded.items()} == {
        "a": (float, 0.5),
        "b": (int, 3),
        "c": (bool, True),
        "d": (str, "red"),
        "e": (int, 1),
    }


def test_views_are_saved_alone_and_what_is_shared_stays_so(tmp_path):
    base = torch.arange(100_000.0)
    net = torch.nn.Sequential(torch.nn.Linear(300, 300), torch.nn.BatchNorm1d(300))
    net.tied = net[0]
    parts = {"view": [base[5:8], base[::50_000]], "model": net.state_dict()}
    loaded = load_snapshot(save_snapshot(tmp_path / "epoch_0001", Snapshot(parts, {}))).parts
    assert [view.tolist() for view in loaded["view"]] == [[5, 6, 7], [0, 50_000]]
    assert verify_snapshot(tmp_path / "epoch_0001").files["view.pt"][0] < 4096
    assert verify_snapshot(tmp_path / "epoch_0001").files["model.pt"][0] < 300 * 300 * 4 * 1.1
    assert place_of(loaded["model"]["tied.weight"]) == place_of(loaded["model"]["0.weight"])
    assert isinstance(loaded["model"], OrderedDict)
    assert loaded["model"]._metadata == net.state_dict()._metadata  # versions of modules, for their migrations


def test_views_with_other_signs_are_not_taken_for_what_they_are_made_of(tmp_path):
    numbers = torch.tensor([1 + 2j, 3 - 4j])
    given = {"a": numbers, "b": numbers.conj(), "c": numbers.imag, "d": numbers.conj().imag}
    loaded = load_snapshot(save_snapshot(tmp_path / "epoch_0001", Snapshot({"model": given}, {}))).parts["model"]
    assert {name: tensor.tolist() for name, tensor in loaded.items()} == {
        name: tensor.tolist() for name, tensor in given.items()
    }


def test_sparse_tensors_come_back(tmp_path):
    part = torch.eye(3).to_sparse()
    loaded = load_snapshot(save_snapshot(tmp_path / "s", Snapshot({"part": part}, {}))).parts["part"]
    assert loaded.layout is torch.sparse_coo
    assert torch.equal(loaded.to_dense(), torch.eye(3))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_tensors_of_a_gpu_come_back_on_the_cpu(tmp_path):
    weight = torch.rand(1000, device="cuda", requires_grad=True)
    path = save_snapshot(tmp_path / "s", Snapshot({"model": {"a": weight, "tied": weight, "part": weight[5:8]}}, {}))
    loaded = load_snapshot(path).parts["model"]
    assert {tensor.device.type for tensor in loaded.values()} == {"cpu"}
    assert torch.equal(loaded["part"], weight[5:8].detach().cpu())
    assert place_of(loaded["tied"]) == place_of(loaded["a"])


# ---- what is damaged


def test_the_one_before_is_found_wherever_the_last_one_is_torn(tmp_path):
    from leaven_plugins.snapshots.shelf import Shelf

    shelf = Shelf(tmp_path)
    good, last = (shelf.save(f"epoch_000{epoch}", a_snapshot()) for epoch in (1, 2))
    for file in sorted(last.iterdir()):
        content = file.read_bytes()
        for percent in range(100):
            size = len(content) * percent // 100
            file.write_bytes(content[:size])
            told = []
            assert shelf.last(told.append) == good, f"{file.name}: {size} bytes"
            assert file.name in told[0]
        file.write_bytes(content)
        assert shelf.last() == last


@pytest.mark.parametrize("name", ["model.pt", "optimizer.pt", "about.json"])
def test_torn_changed_and_missing_files_are_named(tmp_path, name):
    file = save_snapshot(tmp_path / "epoch_0001", a_snapshot()) / name
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    with pytest.raises(
        SnapshotError, match=rf"{name}: {len(content) - 1} bytes where the manifest says {len(content)}"
    ):
        load_snapshot(file.parent)
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(SnapshotError, match=rf"{name}: the content is not what was written"):
        load_snapshot(file.parent)
    file.unlink()
    with pytest.raises(SnapshotError, match=rf"{name}: cannot be read"):
        load_snapshot(file.parent)


A_FILE = '{"bytes": 1, "sha256": ""}'
BAD_MANIFESTS = {
    "": "cannot be read",
    "{": "cannot be read",
    "[]": "cannot be read",
    "{}": "cannot be read",
    '{"files": {"model.pt": 3}}': "cannot be read",
    "[" * 100_000: "cannot be read",
    '{"files": {"model.pt": {"bytes": 1e999, "sha256": ""}}}': "cannot be read",
    '{"files": {}}': "model.pt is not listed",
    '{"format": 2, "files": {}}': "about.json is not listed",
    '{"format": 3, "files": {}}': "format 3; this version of leaven reads 1, 2",
    f'{{"format": 2, "files": {{"about.json": {A_FILE}, "../up.pt": {A_FILE}}}}}': r"'\.\./up\.pt' is not the name",
}


@pytest.mark.parametrize("text", BAD_MANIFESTS, ids=lambda text: text[:30])
def test_a_manifest_that_is_none_is_named(tmp_path, text):
    path = save_snapshot(tmp_path / "epoch_0001", a_snapshot())
    (path / "manifest.json").write_text(text)
    with pytest.raises(SnapshotError, match=rf"manifest\.json: .*{BAD_MANIFESTS[text]}"):
        load_snapshot(path)


def test_a_folder_without_manifest_is_no_snapshot(tmp_path):
    with pytest.raises(SnapshotError, match=r"no snapshot: there is no manifest\.json"):
        load_snapshot(tmp_path)


def list_in_manifest(folder, *names, format_=2):
    files = {
        name: {
            "bytes": (folder / name).stat().st_size,
            "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest(),
        }
        for name in names
    }
    (folder / "manifest.json").write_text(json.dumps({"format": format_, "files": files}))


def test_pickled_objects_are_refused_even_with_a_matching_manifest(tmp_path):
    path = save_snapshot(tmp_path / "epoch_0001", a_snapshot())
    torch.save({"weight": Foreign()}, path / "model.pt")
    list_in_manifest(path, "model.pt", "about.json")
    with pytest.raises(SnapshotError, match=r"more than tensors and plain data.*: Unsupported global") as caught:
        load_snapshot(path)
    assert "weights_only" not in str(caught.value)  # torch's advice to switch the protection off


@pytest.mark.parametrize("text", ["[1]", "garbage", "[" * 100_000], ids=["list", "garbage", "deep"])
def test_an_about_that_is_none_is_named(tmp_path, text):
    (tmp_path / "about.json").write_text(text)
    list_in_manifest(tmp_path, "about.json")
    for read in (load_snapshot, read_about):
        with pytest.raises(SnapshotError, match=r"about\.json: cannot be read: "):
            read(tmp_path)


def test_a_file_that_unpacks_to_more_than_it_has_is_refused(tmp_path):
    path = save_snapshot(tmp_path / "epoch_0001", Snapshot({"model": torch.zeros(1_000_000)}, {}))
    with zipfile.ZipFile(path / "model.pt") as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path / "model.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    list_in_manifest(path, "model.pt", "about.json")
    with pytest.raises(SnapshotError, match=r"model\.pt: .*: its content is larger than the file"):
        load_snapshot(path)


@pytest.mark.parametrize("name", ["manifest.json", "about.json", "model.pt"])
def test_pipes_and_devices_are_not_read(tmp_path, name):
    path = save_snapshot(tmp_path / "epoch_0001", a_snapshot())
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["files"].setdefault(name, {})["bytes"] = 0
    (path / "manifest.json").write_text(json.dumps(manifest))
    (path / name).unlink()
    os.mkfifo(path / name)
    with pytest.raises(SnapshotError, match=rf"{name}: not a regular file"):
        load_snapshot(path)


def test_folders_of_format_1_are_read(tmp_path):
    torch.save({"weight": torch.ones(2)}, tmp_path / "model.pt")
    torch.save({"state": {}, "param_groups": []}, tmp_path / "optimizer.pt")
    trainer = {"epoch": 3, "iteration": 60, "values": {"val": {"loss": 1.0}}, "about": {"config": {"seed": 0}}}
    (tmp_path / "trainer.json").write_text(json.dumps(trainer))
    list_in_manifest(tmp_path, "model.pt", "optimizer.pt", "trainer.json", format_=1)
    loaded = load_snapshot(tmp_path)
    assert loaded.parts["model"]["weight"].tolist() == [1, 1]
    assert loaded.parts["optimizer"] == {"state": {}, "param_groups": []}
    assert loaded.about == {"epoch": 3, "iteration": 60, "values": {"val": {"loss": 1.0}}, "config": {"seed": 0}}


# ---- what cannot be written


def test_a_failure_leaves_the_old_snapshot_and_nothing_else(tmp_path, monkeypatch):
    path = save_snapshot(tmp_path / "epoch_0001", a_snapshot())
    before = {file.name: file.read_bytes() for file in path.iterdir()}

    def fail(*_):
        raise OSError(5, "the disk is broken")

    for step in ("sync_folder", "put_in_place"):
        with monkeypatch.context() as patch, pytest.raises(SnapshotError, match=r"cannot be written: .*is broken"):
            patch.setattr(f"leaven_plugins.snapshots.files.{step}", fail)
            save_snapshot(path, a_snapshot(2.0))
        assert {file.name: file.read_bytes() for file in path.iterdir()} == before
        assert os.listdir(tmp_path) == ["epoch_0001"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SnapshotError, match=r"epoch_0001: the snapshot cannot be written"):
        save_snapshot(tmp_path / "file" / "epoch_0001", a_snapshot())


def test_space_is_looked_at_before_anything_is_written(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_500_000))
    with pytest.raises(
        SnapshotError, match=r"no space: the snapshot needs about 4\.1 MB, and the disk has 1\.5 MB; del"
    ):
        save_snapshot(tmp_path / "epoch_0001", Snapshot({"model": torch.zeros(1_000_000)}, {}))
    assert os.listdir(tmp_path) == []


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "leaven", folder]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_that_fills_up_while_it_is_written_to(small_disk, monkeypatch):
    good = save_snapshot(small_disk / "epoch_0001", a_snapshot())
    large = Snapshot({"model": {str(i): torch.rand(1000) for i in range(300)}}, {})
    with pytest.raises(SnapshotError, match=r"no space: the snapshot needs about 1\.\d MB, and the disk has 1\.0 MB"):
        save_snapshot(small_disk / "epoch_0002", large)
    usage = shutil.disk_usage(small_disk)
    answers = iter([usage._replace(free=1 << 40)])  # before it is written; somebody else fills it up meanwhile
    monkeypatch.setattr(shutil, "disk_usage", lambda _: next(answers, usage._replace(free=0)))
    with pytest.raises(
        SnapshotError, match=r"no space: the snapshot needs about 1\.\d MB, and the disk has [01]\.\d MB"
    ):
        save_snapshot(small_disk / "epoch_0001", large)
    assert os.listdir(small_disk) == ["epoch_0001"]
    assert load_snapshot(good).about == {"epoch": 3}


def test_a_limit_on_the_size_of_files(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    large = Snapshot({"model": [torch.rand(1000) for _ in range(300)]}, {})
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, before[1]))
    try:
        with pytest.raises(SnapshotError, match="epoch_0001: the snapshot cannot be written"):
            save_snapshot(tmp_path / "epoch_0001", large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert os.listdir(tmp_path) == []
