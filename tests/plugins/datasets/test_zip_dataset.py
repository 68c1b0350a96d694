from __future__ import annotations

import io
import threading
import zipfile

import pytest

from leaven.data.getters import class_names, getitem, labels
from leaven.errors import DatasetError, FormatError
from leaven.testing.tools import picture, png
from leaven_plugins.datasets.folder import FolderDataset
from leaven_plugins.datasets.zip import ZipDataset

IMAGES = {f"{name}/{n}.png": png(picture(4, 4, seed=n)) for name in ("class2", "class10") for n in range(3)}
OTHERS = {
    "class2/notes.txt": b"",
    "__MACOSX/class2/._0.png": b"",
    "class2/.hidden.png": b"",
    "top.png": b"",
    "empty/": b"",
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**OTHERS, **IMAGES}.items():
            archive.writestr(name, data, zipfile.ZIP_STORED if name.endswith("1.png") else None)
    return path


@pytest.fixture
def dataset(path):
    dataset = ZipDataset(path)
    yield dataset
    dataset.close()


def content(dataset):
    return [{name: value for name, value in dataset.sample(n).items() if name != "path"} for n in range(len(dataset))]


def test_samples_are_those_of_the_unpacked_folder(path, dataset):
    with zipfile.ZipFile(path) as archive:
        archive.extractall(path.parent / "x")
    assert content(dataset) == content(FolderDataset(path.parent / "x"))
    assert [dataset.key(n) for n in range(6)] == list(IMAGES)
    assert class_names(dataset) == ("class2", "class10")
    assert dataset.sample(-1) == {
        "key": "class10/2.png",
        "image": IMAGES["class10/2.png"],
        "label": 1,
        "_label": "class10",
    }


def test_parameters_are_those_of_a_folder(path):
    (path.parent / "list.txt").write_text("top.png\t4\nclass10/1.png\t2\n")
    for params in (
        {"pattern": "{LABEL}.png"},
        {"include": ["*/0.*"], "exclude": ["class2/**"]},
        {"list": path.parent / "list.txt"},
    ):
        dataset = ZipDataset(path, **params)
        with zipfile.ZipFile(path) as archive:
            archive.extractall(path.parent / "x")
        assert content(dataset) == content(FolderDataset(path.parent / "x", **params))
        dataset.close()
    (path.parent / "list.txt").write_text("class10/11.png\t2\n")
    with pytest.raises(DatasetError, match=r"list\.txt: no member 'class10/11\.png', did you mean 'class10/1\.png'"):
        len(ZipDataset(path, list=path.parent / "list.txt"))


def test_labels_are_had_without_reading_images(path, dataset):
    damage(path, IMAGES["class2/1.png"])
    assert labels(dataset).tolist() == [0, 0, 0, 1, 1, 1]
    assert getitem(dataset, "y", -1) == 1


def test_no_images_says_what_was_looked_for_and_what_is_there(path):
    with pytest.raises(DatasetError, match=r"no images: nothing matches '\{LABEL\}/x/\*'.*there is: __MACOSX"):
        len(ZipDataset(path, "{LABEL}/x/*"))


def damage(path, data):
    content = bytearray(path.read_bytes())
    content[content.index(data) + 30] ^= 1
    path.write_bytes(content)


def test_each_read_is_checked(path, dataset):
    damage(path, IMAGES["class2/1.png"])
    assert len(content_of := [dataset.sample(n) for n in (0, 2, 3)]) == 3, content_of
    with pytest.raises(
        FormatError, match=r"x\.zip: member 'class2/1\.png' is not what its checksum says: .{8} instead of"
    ):
        dataset.sample(1)


def test_threads_read_at_once(dataset):
    found = []

    def read():
        found.extend(dataset.sample(n % 6)["image"] == list(IMAGES.values())[n % 6] for n in range(200))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 800
    assert all(found)


def test_what_comes_before_the_archive_is_passed_over(path, dataset):
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    assert dataset.sample(0)["image"] == IMAGES["class2/0.png"]


@pytest.mark.parametrize("size", [0, 10, 100, -1, -40])
def test_what_is_cut_off_is_no_zip_file(path, size):
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(FormatError, match=r"x\.zip: not a zip file that can be read"):
        len(ZipDataset(path))


def samples():
    return [
        {"key": name, "image": data, "label": n // 3 * 7, "_label": name.split("/")[0]}
        for n, (name, data) in enumerate(IMAGES.items())
    ]


def test_what_is_written_is_the_same_each_time_and_read_by_others(tmp_path):
    contents = []
    for name in ("a.zip", "b.zip"):
        assert ZipDataset.write(tmp_path / name, iter(samples())) == 6
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
    with zipfile.ZipFile(io.BytesIO(contents[0])) as archive:
        assert archive.testzip() is None
        assert [archive.read(name) for name in IMAGES] == list(IMAGES.values())
    dataset = ZipDataset(tmp_path / "a.zip")
    assert content(dataset) == samples()
    dataset.close()


def test_nothing_changes_until_everything_is_written(tmp_path):
    path = tmp_path / "x.zip"
    ZipDataset.write(path, samples())
    before = path.read_bytes()
    with pytest.raises(DatasetError, match="exists already"):
        ZipDataset.write(path, samples())
    with pytest.raises(FormatError, match="sample 6: image files cannot hold mask"):
        ZipDataset.write(path, [*samples(), {**samples()[0], "key": "7", "mask": b""}], overwrite=True)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    assert ZipDataset.write(path, samples()[:2], overwrite=True) == 2
