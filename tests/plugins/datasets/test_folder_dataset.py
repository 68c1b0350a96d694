from __future__ import annotations

import os
import pickle
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import DatasetError, ParameterError
from leaven.registry.patterns import natural
from leaven_plugins.datasets.folder import FolderDataset
from leaven_plugins.datasets.folder.pattern import compile_pattern


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "images"
    for name in ("class10/b.png", "class2/img10.jpg", "class2/img2.JPG", "class2/deep/er/x.png", "class1/a.jpeg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    (root / "class2" / "notes.txt").write_bytes(b"")
    (root / "class2" / "._img2.jpg").write_bytes(b"")
    (root / ".cache").mkdir()
    (root / ".cache" / "a.png").write_bytes(b"")
    (root / "top.png").write_bytes(b"")
    return root


def keys(dataset):
    return [dataset.key(n) for n in range(len(dataset))]


def test_classes_and_samples_are_in_natural_order(root):
    dataset = FolderDataset(root)
    assert dataset.classes == ("class1", "class2", "class10")
    assert keys(dataset) == [
        "class1/a.jpeg",
        "class2/deep/er/x.png",
        "class2/img2.JPG",
        "class2/img10.jpg",
        "class10/b.png",
    ]
    assert dataset.sample(3) == {
        "key": "class2/img10.jpg",
        "image": b"class2/img10.jpg",
        "label": 1,
        "_label": "class2",
        "path": str(root / "class2" / "img10.jpg"),
    }
    assert dataset.sample(-1)["label"] == 2
    with pytest.raises(IndexError, match="no sample 5, there are 5"):
        dataset.sample(5)


def test_the_order_does_not_depend_on_that_of_the_file_system(root, monkeypatch):
    expected = keys(FolderDataset(root))
    walk = os.walk

    def shuffled(*args, **kwargs):
        for folder, subfolders, names in walk(*args, **kwargs):
            random.shuffle(subfolders)
            random.shuffle(names)
            yield folder, subfolders, names

    monkeypatch.setattr("os.walk", shuffled)
    for seed in range(5):
        random.seed(seed)
        assert keys(FolderDataset(root)) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("{LABEL}/*", ["class1/a.jpeg", "class2/img2.JPG", "class2/img10.jpg", "class10/b.png"]),
        ("**/{LABEL}/x.png", ["class2/deep/er/x.png"]),
        ("{LABEL}/**/x.*", ["class2/deep/er/x.png"]),
        ("{LABEL}.png", ["top.png"]),
        ("class?/{LABEL}.*", ["class1/a.jpeg", "class2/img2.JPG", "class2/img10.jpg"]),
    ],
)
def test_patterns_say_which_files_and_what_their_class_is(root, pattern, expected):
    assert keys(FolderDataset(root, pattern)) == expected


def test_extensions_choose(root):
    assert keys(FolderDataset(root, extensions=[".PNG"])) == ["class2/deep/er/x.png", "class10/b.png"]


@pytest.mark.parametrize("pattern", ["**", "{LABEL}/{LABEL}", "{label}/*"])
def test_a_pattern_has_one_label(root, pattern):
    with pytest.raises(ParameterError, match=r"must contain \{LABEL\} once"):
        FolderDataset(root, pattern)


@pytest.mark.parametrize("extensions", [".png", ["png"]])
def test_extensions_are_a_list_with_dots(root, extensions):
    with pytest.raises(ParameterError, match="extensions must be a list such as"):
        FolderDataset(root, extensions=extensions)


def test_no_images_says_what_was_looked_for_and_what_is_there(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"no images: nothing matches '\{LABEL\}/\*\*' .*\.jpg, .*a\.jpg, photos/"):
        len(FolderDataset(tmp_path))


def test_a_folder_that_is_none(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DatasetError, match="no such folder"):
        len(FolderDataset(tmp_path / "x"))
    with pytest.raises(DatasetError, match="is not a folder"):
        len(FolderDataset(tmp_path / "file"))


@pytest.mark.parametrize("target", ["outside.png", "outside"])
def test_links_out_of_the_folder_are_refused(root, target):
    outside = root.parent / target
    if outside.suffix:
        outside.write_bytes(b"secret")
    else:
        outside.mkdir()
    (root / "class1" / f"link{outside.suffix}").symlink_to(outside)
    with pytest.raises(DatasetError, match=r"class1/link.*a symbolic link out of"):
        len(FolderDataset(root))


def test_links_within_the_folder_are_followed_to_files_but_not_to_folders(root):
    (root / "class1" / "link.png").symlink_to("../class10/b.png")
    (root / "class1" / "loop").symlink_to("..")
    dataset = FolderDataset(root)
    assert len(dataset) == 6
    assert dataset.sample(1)["image"] == b"class10/b.png"


def test_a_folder_that_is_itself_a_link_is_fine(root):
    link = root.parent / "link"
    link.symlink_to(root)
    assert keys(FolderDataset(link)) == keys(FolderDataset(root))


def test_a_file_that_vanished_is_named(root):
    dataset = FolderDataset(root)
    assert len(dataset) == 5
    (root / "class10" / "b.png").unlink()
    with pytest.raises(DatasetError, match=r"class10/b\.png: cannot be read: No such file"):
        dataset.sample(4)
    dataset.close()
    assert len(dataset) == 4


def test_copies_look_for_themselves(root):
    dataset = FolderDataset(root)
    before = keys(dataset)
    (root / "class1" / "new.png").write_bytes(b"")
    assert len(pickle.loads(pickle.dumps(dataset))) == 6
    assert keys(dataset) == before


@given(st.lists(st.text(max_size=8), max_size=8))
def test_natural_order_is_total(texts):
    backwards = texts[::-1]
    assert sorted(texts, key=natural) == sorted(backwards, key=natural)


def test_numbers_in_names_count_as_numbers():
    names = ["img10", "Img2", "img1", "img02", "img²", "9", "10a", "a"]
    assert sorted(names, key=natural) == ["9", "10a", "a", "img1", "Img2", "img02", "img10", "img²"]


def test_what_looks_like_a_regular_expression_is_text():
    assert compile_pattern("a+(b)/{LABEL}/[x].png").fullmatch("a+(b)/cat/[x].png")["LABEL"] == "cat"
    assert not compile_pattern("{LABEL}/a.png").fullmatch("cat/aXpng")
