from __future__ import annotations

import os
import pickle
import random

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.data.getters import class_names, getitem, labels
from leaven.errors import DatasetError, FormatError, ParameterError
from leaven.registry.patterns import natural
from leaven.testing.tools import picture, png
from leaven_plugins.datasets.class_table import CLASSES
from leaven_plugins.datasets.folder import FolderDataset
from leaven_plugins.datasets.label_pattern import compile_pattern

PNG = png(picture(4, 4))


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
    with pytest.raises(DatasetError, match=r"class10/b\.png: no such file"):
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


# ---- several patterns, globs, lists


def test_of_several_patterns_the_first_that_matches_counts(root):
    dataset = FolderDataset(root, ["{LABEL}/deep/**", "**/{LABEL}.png", "{LABEL}/*.jpeg"])
    assert [(dataset.key(n), dataset.sample(n)["_label"]) for n in range(len(dataset))] == [
        ("class10/b.png", "b"),
        ("class1/a.jpeg", "class1"),
        ("class2/deep/er/x.png", "class2"),
        ("top.png", "top"),
    ]


def test_globs_include_and_exclude(root):
    assert keys(FolderDataset(root, include=["class2/**", "**/b.*"], exclude=["**/x.png"])) == [
        "class2/img2.JPG",
        "class2/img10.jpg",
        "class10/b.png",
    ]
    with pytest.raises(ParameterError, match=r"include must be a list"):
        FolderDataset(root, include="class2/**")
    with pytest.raises(ParameterError, match=r"\{LABEL\} belongs into 'pattern'"):
        FolderDataset(root, exclude=["{LABEL}/x"])


def listed(root, text, **params):
    path = root.parent / "list.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return FolderDataset(root, list=path, **params)


def test_a_list_says_which_files_in_which_order_and_their_numbers(root):
    dataset = listed(root, "top.png\t-1\r\n\nclass10/b.png\t7\nclass2/notes.txt\t7\n")
    assert keys(dataset) == ["top.png", "class10/b.png", "class2/notes.txt"]
    assert dataset.getall_label().tolist() == [-1, 7, 7]
    assert dataset.classes == ("0", "1", "2", "3", "4", "5", "6", "7")
    assert keys(listed(root, "top.png\t1\nclass10/b.png\t7\n", exclude=["*"])) == ["class10/b.png"]


def test_labels_of_a_list_that_are_no_numbers_are_names(root):
    dataset = listed(root, "top.png\tdog\nclass10/b.png\t10\nclass2/img2.JPG\n")
    assert dataset.classes == ("10", "class2", "dog")
    assert [dataset.getitem_label(n) for n in range(3)] == [2, 0, 1]
    assert dataset.sample(0)["_label"] == "dog"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.png\t1\n../top.png\t1\n", r"line 2: '\.\./top\.png' leads out"),
        ("/etc/passwd\t1", "line 1: '/etc/passwd' leads out"),
        ("top.png\t1\n./top.png\t2", r"line 2: 'top\.png' is in line 1 already"),
        ("top.png", r"line 1: no label after a tab, and 'top\.png' does not match \{LABEL\}/\*\*"),
        ("class1/b.jpeg", r"class1/b\.jpeg: no such file, did you mean 'a\.jpeg'"),
        (b"top.png\t\xff", "byte 8 is not UTF-8"),
        ("\n \n", r"no images: no line of .*list\.txt"),
    ],
    ids=["up", "absolute", "twice", "no label", "missing", "not text", "empty"],
)
def test_faults_of_a_list_name_its_line(root, text, expected):
    with pytest.raises(DatasetError, match=expected):
        len(listed(root, text))


def test_links_of_a_list_stay_within_the_folder(root):
    (root.parent / "secret").mkdir()
    (root.parent / "secret" / "s.png").write_bytes(b"")
    (root / "file.png").symlink_to("../secret/s.png")
    (root / "folder").symlink_to("../secret")
    for line in ("file.png\t1", "folder/s.png\t1"):
        with pytest.raises(DatasetError, match="a symbolic link out of"):
            len(listed(root, line))


# ---- parts of samples


def test_labels_are_had_without_reading_files(root, monkeypatch):
    dataset = FolderDataset(root)
    monkeypatch.setattr("leaven_plugins.datasets.folder.dataset._read", None)
    assert labels(dataset).tolist() == [0, 1, 1, 1, 2]
    assert getitem(dataset, "y", 4) == 2
    assert class_names(dataset) == ("class1", "class2", "class10")


def test_an_image_is_had_alone(root):
    assert getitem(FolderDataset(root), "x", 0) == b"class1/a.jpeg"


# ---- writing


def sample(key, label=None, name=None, image=PNG, **more):
    fields = {"key": key, "image": image, "label": label, "_label": name, **more}
    return {field: value for field, value in fields.items() if value is not None}


def written(path, samples, **params):
    FolderDataset.write(path, samples, **params)
    return FolderDataset(path)


def test_what_is_written_needs_no_table_where_names_are_in_order(tmp_path):
    dataset = written(
        tmp_path / "x", [sample("b", 1, "cat2"), sample("a.png", 2, "cat10"), sample("cat1/c.PNG", 0, "cat1")]
    )
    assert keys(dataset) == ["cat1/c.PNG", "cat2/b.png", "cat10/a.png"]
    assert not (tmp_path / "x" / CLASSES).exists()


def test_labels_with_gaps_and_names_that_no_folder_has_are_kept(tmp_path):
    samples = [sample("1", 5, "a/b"), sample("2", -1, "."), sample("3", 2), sample("4", 5, "a/b")]
    dataset = written(tmp_path / "x", samples)
    assert sorted((dataset.getitem_label(n), dataset.sample(n)["_label"]) for n in range(4)) == [
        (-1, "."),
        (2, "2"),
        (5, "a/b"),
        (5, "a/b"),
    ]
    assert dataset.classes == ("0", "1", "2", "3", "4", "a/b")
    assert keys(written(tmp_path / "y", map(dataset.sample, range(4)))) == keys(dataset)


def test_names_alone_are_counted_when_they_are_read(tmp_path):
    dataset = written(tmp_path / "x", [sample("1", name="b"), sample("2", name="a/")])
    assert [(dataset.sample(n)["_label"], dataset.getitem_label(n)) for n in range(2)] == [("a/", 0), ("b", 1)]


def test_a_class_that_is_not_in_the_table_is_an_error(tmp_path):
    dataset = written(tmp_path / "x", [sample("1", 5, "ant")])
    (tmp_path / "x" / "aunt").mkdir()
    (tmp_path / "x" / "aunt" / "1.png").write_bytes(PNG)
    with pytest.raises(DatasetError, match=r"class 'aunt' is not in .*, did you mean 'ant'\?; add it there, or remove"):
        len(dataset)
    for table in ("[]", "{", '{"ant": {"label": "5", "name": "x"}}', "[" * 100_000):
        (tmp_path / "x" / CLASSES).write_text(table)
        with pytest.raises(FormatError, match=r"\.leaven-classes\.json"):
            len(dataset)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("plain", "c/plain.png"),
        ("photo.jpg", "c/photo.jpg.png"),
        ("c/deep/er.png", "c/deep/er.png"),
        ("../../etc/passwd", "c/%2E./%2E./etc/passwd.png"),
        ("/abs//x", "c/abs/x.png"),
        (".hidden", "c/%2Ehidden.png"),
        ("", "c/_.png"),
        ("a\0b\nc", "c/a%00b%0Ac.png"),
        ("ünï/日本", "c/ünï/日本.png"),
        ("c", "c/c.png"),
        ("/".join("abcdefghij"), "c/a%2Fb%2Fc%2Fd%2Fe%2Ff%2Fg%2Fh%2Fi%2Fj.png"),
    ],
)
def test_keys_become_names_of_files(tmp_path, key, expected):
    assert keys(written(tmp_path / "x", [sample(key, 0, "c")])) == [expected]


def test_long_keys_stay_apart(tmp_path):
    names = keys(written(tmp_path / "x", [sample("ü" * 400 + str(n), 0, "ö" * 400) for n in range(3)]))
    assert len(set(names)) == 3
    assert max(len(part.encode()) for name in names for part in name.split("/")) < 255


def test_keys_with_one_name_are_numbered(tmp_path):
    samples = [sample(key, 0, "c") for key in ("a", "a.png", "c/a", "./a")]
    dataset = written(tmp_path / "x", samples)
    assert keys(dataset) == ["c/%2E/a.png", "c/a.png", "c/a~1.png", "c/a~2.png"]


def test_keys_are_unique(tmp_path):
    with pytest.raises(DatasetError, match="samples 0 and 1 have the same key 'a'"):
        written(tmp_path / "x", [sample("a", 0), sample("a", 1)])


def test_arrays_become_png_files(tmp_path):
    images = [picture(), picture(channels=1), picture(channels=1)[:, :, 0], picture(channels=4)]
    images.append((picture().astype(np.uint16) * 257).astype(">u2"))
    dataset = written(tmp_path / "x", [sample(str(n), 0, "c", image) for n, image in enumerate(images)])
    for n, image in enumerate(images):
        read = cv2.imdecode(np.frombuffer(dataset.sample(n)["image"], np.uint8), cv2.IMREAD_UNCHANGED)
        turned = read[:, :, [2, 1, 0, 3][: read.shape[2]]] if read.ndim == 3 else read
        assert np.array_equal(turned, image.squeeze())


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (
            [sample("a", 0), sample("b", 0, mask=b"", depth=1.5)],
            "sample 1: image files cannot hold depth, mask: fields=",
        ),
        ([sample("a")], "has neither 'label' nor '_label'"),
        ([sample("a", 0, image=b"what is it")], "'image' is no file of a type that is known"),
        ([sample("a", 0, image=np.zeros((2, 2), np.float32))], r"float32 array \(2, 2\): only uint8 or uint16"),
        ([sample("a", 0, image=np.zeros((0, 2, 3), np.uint8))], r"uint8 array \(0, 2, 3\)"),
        ([{"key": "a", "label": 0}], "has no 'image'"),
        ([sample("a", 1.0)], "'label' is no whole number of 64 bits, but 1.0"),
        ([sample("a", True)], "'label' is no whole number"),
        ([sample(7, 1)], "'key' is int 7 instead of a string"),
        (
            [sample("a", 1, "c"), sample("b", 2, "c")],
            "class 'c' with label 2: its folder is 'c' with label 1 in sample 0",
        ),
        ([b"\xc1"], "sample 0: malformed sample"),
        (
            [sample("a", 1, "c"), sample("b", name="d")],
            "sample 1: some samples have a 'label', and some have '_label' alone",
        ),
    ],
    ids=range(12),
)
def test_what_a_folder_cannot_hold_is_said_and_nothing_is_written(tmp_path, samples, expected):
    with pytest.raises(FormatError, match=expected):
        FolderDataset.write(tmp_path / "x", samples)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_replaced_as_a_whole_and_only_one_of_images(tmp_path):
    path = tmp_path / "x"
    path.mkdir()
    dataset = written(path, [sample("a", 0), sample("b", 0)])  # an empty one may be filled
    with pytest.raises(DatasetError, match="exists already; overwrite=True"):
        written(path, [sample("c", 0)])
    with pytest.raises(FormatError):
        written(path, [sample("c", 0), {}], overwrite=True)
    assert keys(dataset) == ["0/a.png", "0/b.png"]
    assert keys(written(path, [sample("c", 0)], overwrite=True)) == ["0/c.png"]
    (path / "thesis.tex").write_text("")
    with pytest.raises(DatasetError, match=r"thesis\.tex: is no image, so .* is not replaced"):
        written(path, [sample("d", 0)], overwrite=True)
    with pytest.raises(DatasetError, match="is a file, where a folder is to be written"):
        written(path / "0" / "c.png", [sample("d", 0)], overwrite=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


def test_an_index_of_jpegs_and_a_path_are_left_out(tmp_path):
    assert len(written(tmp_path / "x", [sample("a", 0, path="/x", image_index=b"LTX")])) == 1


def test_what_is_no_file_is_an_error_and_no_endless_wait(root):
    os.mkfifo(root / "class10" / "pipe.png")
    dataset = FolderDataset(root)
    position = keys(dataset).index("class10/pipe.png")
    with pytest.raises(DatasetError, match=r"pipe\.png: is not a file"):
        dataset.sample(position)
