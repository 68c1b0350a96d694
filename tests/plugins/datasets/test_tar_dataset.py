from __future__ import annotations

import io
import json
import pickle
import subprocess
import tarfile
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import leaven
from leaven.data.getters import getitem, labels
from leaven.errors import DatasetError, FormatError, SampleError
from leaven.stream.wire import pack_sample
from leaven.testing.tools import samples
from leaven_plugins.datasets.tar import TarDataset

JPEG = b"\xff\xd8\xffjpeg"


def tarball(path, members, **options):
    """Write members by Python's own module, as webdataset does."""
    with tarfile.open(path, "w", **options) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def read_all(path):
    dataset = TarDataset(path)
    try:
        return [dataset.sample(n) for n in range(len(dataset))]
    finally:
        dataset.close()


MEMBERS = [
    ("./000017.jpg", JPEG),
    ("./000017.cls", b"3\n"),
    ("./000018.seg.png", b"mask"),
    ("./000017.json", b'{"caption": "a cat", "key": "000017", "label": 9}'),
    ("./000018.JPEG", JPEG + b"2"),
    ("./000018.txt", "schön".encode()),
    ("./000018.png", b"second image"),
    ("./a/b.c/000019.depth.npy", npy(np.eye(2))),
    ("./a/b.c/000019.json", b"[1, 2]"),
    ("./a/b.c/000019.boxes.json", b'{"x": 1}'),
    ("./a/b.c/000019.foo.bar", b"bytes"),
    ("./README", b"no ending"),
    ("./.hidden.jpg", b""),
    ("./__index__.json", b"{"),
]


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_files_of_others_are_read(tmp_path, format):  # noqa: A002
    long = "d/" * 60 + "x" * 90 + ".cls"
    found = read_all(tarball(tmp_path / "x.tar", [*MEMBERS, (long, b"1")], format=format))
    assert found[0] == {"key": "000017", "image": JPEG, "label": 3, "caption": "a cat"}
    assert found[1] == {
        "key": "000018",
        "seg.png": b"mask",
        "image": JPEG + b"2",
        "txt": "schön",
        "png": b"second image",
    }
    assert found[2]["depth"].tolist() == [[1, 0], [0, 1]]
    assert {name: value for name, value in found[2].items() if name != "depth"} == {
        "key": "a/b.c/000019",
        "json": [1, 2],
        "boxes": {"x": 1},
        "foo.bar": b"bytes",
    }
    assert found[3] == {"key": long[:-4], "label": 1}
    assert len(found) == 4


def test_gnu_tar_and_this_one_understand_each_other(tmp_path):
    for n in range(3):
        (tmp_path / f"{n}.cls").write_text(str(n))
    subprocess.run(["tar", "-cf", "x.tar", "--sort=name", "0.cls", "1.cls", "2.cls"], cwd=tmp_path, check=True)
    assert [sample["label"] for sample in read_all(tmp_path / "x.tar")] == [0, 1, 2]
    TarDataset.write(tmp_path / "y.tar", samples(2))
    done = subprocess.run(["tar", "-tf", "y.tar"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["s0.png", "s0.cls", "s1.png", "s1.cls"]
    assert done.stderr == ""


def test_what_is_written_is_the_same_each_time_and_read_by_others(tmp_path):
    odd = {"key": "a.b/../%ü", "image": JPEG, "label": -4}
    for name in ("a.tar", "b.tar"):
        assert TarDataset.write(tmp_path / name, iter([*samples(3), pack_sample(odd)])) == 4
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
    assert (tmp_path / "a.tar").stat().st_size % 10240 == 0
    with tarfile.open(tmp_path / "a.tar") as archive:
        members = archive.getmembers()
        assert {(member.uid, member.mtime, member.uname, member.mode) for member in members} == {(0, 0, "", 0o644)}
        assert archive.extractfile(members[0]).read() == samples(1)[0]["image"]
    with_index = read_all(tmp_path / "a.tar")
    (tmp_path / "a.tar.index.json").unlink()
    assert read_all(tmp_path / "a.tar") == with_index == [*samples(3), odd]


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | st.floats(allow_nan=False) | NAMES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)
FIELDS = st.dictionaries(NAMES.filter(lambda name: name not in ("key", "path")), VALUES, max_size=3)
FILES = st.dictionaries(
    st.sampled_from(["image", "mask", "seg.png", "raw data", "ü.jpg", "a.b.c"]), st.binary(max_size=9)
)


@settings(deadline=None)  # files are synced, and other work may have the disk
@given(st.dictionaries(NAMES, st.tuples(FIELDS, FILES), max_size=4))
def test_what_is_held_is_read_as_it_was(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "round.tar"
    given = [{**fields, **files, "key": key} for key, (fields, files) in content.items()]
    TarDataset.write(path, given, overwrite=True)
    for index in (path.with_name("round.tar.index.json"), None):
        found = {sample["key"]: sample for sample in read_all(path)}
        assert found == {sample["key"]: sample for sample in given}
        if index:
            index.unlink()


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("cls", b"", "would be read as something else"),
        ("x.npy", b"", "would be read as something else"),
        ("x.pkl", b"", "is a pickle"),
        ("jpg", b"", "would be read as something else"),
        (".x", b"", "no ending of a file's name"),
        ("a/b", b"", "no ending of a file's name"),
        ("x", {1: 2}, "dict .* cannot be written as JSON"),
        ("x", [b""], "bytes .* cannot be written as JSON"),
        ("x", np.array([None]), "an array of objects"),
        (7, 1, "a name must be a string"),
    ],
)
def test_what_cannot_be_held_is_said(tmp_path, field, value, expected):
    with pytest.raises(FormatError, match=f"x.tar: sample 0: field .*{expected}.*--fields"):
        TarDataset.write(tmp_path / "x.tar", [{"key": "a", field: value}])
    assert list(tmp_path.iterdir()) == []


def test_keys_are_unique_and_texts(tmp_path):
    with pytest.raises(DatasetError, match="samples 0 and 1 have the same key 'a'"):
        TarDataset.write(tmp_path / "x.tar", [{"key": "a"}, {"key": "a"}])
    with pytest.raises(FormatError, match="'key' is int 1 instead of a string"):
        TarDataset.write(tmp_path / "x.tar", [{"key": 1}])


def test_labels_are_read_alone(tmp_path):
    members = [("0.png", b"x"), ("0.cls", b"5"), ("1.json", b'{"label": 7}'), ("2.cls", b"-1")]
    dataset = TarDataset(tarball(tmp_path / "x.tar", members))
    assert labels(dataset).tolist() == [5, 7, -1]
    assert getitem(dataset, "y", 1) == 7
    dataset.close()
    dataset = TarDataset(tarball(tmp_path / "y.tar", [("0.png", b"x")]))
    with pytest.raises(SampleError, match="no field 'label'"):
        getitem(dataset, "label", 0)
    dataset.close()


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.cls", b"three", r"sample 'a': cls: not a whole number: b'three'"),
        ("a.cls", b"1" * 30, "not a whole number"),
        ("a.json", b"{", "json: not JSON"),
        ("a.json", b"[" * 100_000, "json: not JSON"),
        ("a.txt", b"\xff", "txt: byte 0 is not UTF-8"),
        ("a.npy", b"\x93NUMPY", "npy: not an npy file"),
        ("a.npy", npy(np.eye(2))[:-1], "npy: an array .* has 32 bytes, but there are 31"),
        ("a.pkl", pickle.dumps(1), "pkl: is a pickle: reading it would run"),
        ("a.x.PYD", b"", "is a pickle"),
        ("a.key", b"", "key: the sample has a field of this name already"),
    ],
)
def test_a_member_that_is_not_what_its_ending_says(tmp_path, name, data, expected):
    with pytest.raises(FormatError, match=expected):
        read_all(tarball(tmp_path / "x.tar", [(name, data)]))


def test_an_array_of_objects_is_refused(tmp_path):
    stream = io.BytesIO()
    np.save(stream, np.array([{}]), allow_pickle=True)
    with pytest.raises(FormatError, match="an array of objects: reading it would run"):
        read_all(tarball(tmp_path / "x.tar", [("a.npy", stream.getvalue())]))


def test_shards_follow_each_other(tmp_path):
    for n in range(4):
        shard = [{**sample, "key": f"{n}/{sample['key']}", "label": n} for sample in samples(n + 1)]
        TarDataset.write(tmp_path / f"train-{n:06}.tar", shard)
    with closing(leaven.open(f"{tmp_path}/train-{{000000..000003}}.tar")) as dataset:
        assert labels(dataset).tolist() == [0, 1, 1, 2, 2, 2, 3, 3, 3, 3]
        assert dataset.sample(-1)["image"] == samples(4)[3]["image"]
    with pytest.raises(DatasetError, match=r"train-000004\.tar: no such file"):
        leaven.open(f"{tmp_path}/train-{{000000..000004}}.tar")


# ---- the index


@pytest.fixture
def path(tmp_path):
    TarDataset.write(tmp_path / "x.tar", samples(4))
    return tmp_path / "x.tar"


def test_the_index_saves_the_search(path, monkeypatch):
    monkeypatch.setattr("leaven_plugins.datasets.tar.index.read_members", None)
    assert read_all(path) == samples(4)


def test_a_member_that_changed_is_told_by_its_checksum(path):
    content = bytearray(path.read_bytes())
    content[600] ^= 1
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"member 's0\.png' at byte 512 is not what its checksum says: damaged, or"):
        read_all(path)
    dataset = TarDataset(path)
    (finding,) = dataset.problems()
    assert (finding.kind, finding.file) == ("checksum", str(path))


def test_the_index_of_another_file_is_an_error(path):
    path.write_bytes(path.read_bytes() + bytes(10240))
    with pytest.raises(DatasetError, match=r"is the index of a file of \d+ bytes, but x\.tar has"):
        read_all(path)
    (finding,) = TarDataset(path).problems()
    assert (finding.kind, finding.file) == ("index", f"{path}.index.json")
    assert "without the index" in finding.advice


def test_there_are_no_problems_where_there_are_none(path):
    assert list(TarDataset(path).problems()) == []
    path.with_name("x.tar.index.json").unlink()
    assert list(TarDataset(path).problems()) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda about: [],
        lambda about: {**about, "format": "other"},
        lambda about: {**about, "samples": {}},
        lambda about: {**about, "samples": [["a"]]},
        lambda about: {**about, "samples": [["a", [["png", -1, 5, 0]]]]},
        lambda about: {**about, "samples": [["a", [["png", 0, 1 << 60, 0]]]]},
        lambda about: {**about, "samples": [["a", [["png", 0, 1.5, 0]]]]},
        lambda about: {**about, "samples": [["a", [["png", 0, 1, 0], ["png", 0, 1, 0]]]]},
        lambda about: {**about, "samples": [[1, []]]},
        lambda about: {**about, "samples": about["samples"] * 2},
    ],
    ids=range(10),
)
def test_a_damaged_index_is_an_error(path, change):
    index = path.with_name("x.tar.index.json")
    index.write_text(json.dumps(change(json.loads(index.read_text()))))
    with pytest.raises(FormatError, match=r"x\.tar\.index\.json"):
        read_all(path)


def test_old_data_never_lie_beside_a_new_index(path):
    with pytest.raises(FormatError):
        TarDataset.write(path, [*samples(2), {}], overwrite=True)
    assert read_all(path) == samples(4)
    assert TarDataset.write(path, samples(2), overwrite=True) == 2
    assert read_all(path) == samples(2)
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["x.tar", "x.tar.index.json"]
