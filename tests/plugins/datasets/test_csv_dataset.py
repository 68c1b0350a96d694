from __future__ import annotations

import copy
import csv
import io
import os
import pickle
from contextlib import closing, suppress

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leaven.data import getters
from leaven.errors import DatasetError, FormatError, LeavenError, ParameterError
from leaven.testing import DatasetContract
from leaven.testing.tools import samples
from leaven_plugins.datasets.csv import CsvDataset


class TestCsvContract(DatasetContract):
    spec = "dataset:csv"


@pytest.fixture
def table(tmp_path):
    """Write a table beside some files and return what reads it."""
    opened = []

    def make(text, **params):
        for name in ("a.jpg", "b.jpg"):
            (tmp_path / name).write_bytes(f"content of {name}".encode())
        (tmp_path / "table.csv").write_bytes(text.encode() if isinstance(text, str) else text)
        opened.append(CsvDataset(tmp_path / "table.csv", **params))
        return opened[-1]

    yield make
    for dataset in opened:
        dataset.close()


def test_rows_are_samples(table):
    dataset = table('image,label,tags,score,title\na.jpg,3,2,0.5,"one, two"\nb.jpg,0,"6,0",1,x\n')
    assert len(dataset) == 2
    first = dataset.sample(0)
    assert first.pop("tags").tolist() == [2]
    assert first == {"key": "a.jpg", "image": b"content of a.jpg", "label": 3, "score": 0.5, "title": "one, two"}
    assert dataset.sample(-1)["tags"].tolist() == [6, 0]
    assert (dataset.key(1), type(first["label"])) == ("b.jpg", int)


def test_types_are_as_told(table):
    dataset = table(
        'image,label,tags,score,title,on\na.jpg,3,2,0.1,05,true\nb.jpg,0,"6,0",1,"1,2",0\n',
        dtype=["vuint8", "int8", "vint16", "float32", "str", "bool"],
    )
    one, two = dataset.sample(0), dataset.sample(1)
    assert isinstance(one["label"], np.int8)
    assert one["score"] == np.float32(0.1)
    assert (one["tags"].dtype, one["tags"].tolist(), two["tags"].tolist()) == (np.int16, [2], [6, 0])
    assert (one["title"], two["title"], one["on"], two["on"]) == ("05", "1,2", True, False)
    assert getters.labels(dataset).tolist() == [3, 0]
    assert dataset.getall_score().dtype == np.float32


def test_a_plain_cell_with_commas_is_an_array(table):
    dataset = table('a,b\n"1,2","x,y"\n3,z\n', dtype={"a": "uint8", "b": "vstr"})
    assert dataset.sample(0)["a"].tolist() == [1, 2]
    assert dataset.sample(1)["a"] == 3
    assert (dataset.sample(0)["b"], dataset.sample(1)["b"]) == (["x", "y"], ["z"])
    assert [np.asarray(value).tolist() for value in dataset.getall_a()] == [[1, 2], 3]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "-2"], [1, -2]),
        (["1", "2.5"], [1.0, 2.5]),
        (["1e3", "nan"], [1000.0, None]),
        (["007", "8"], ["007", "8"]),
        (["1", ""], ["1", ""]),
        (["9" * 19], ["9" * 19]),
        (["-9223372036854775808", "9223372036854775807"], [-(1 << 63), (1 << 63) - 1]),
        (["9007199254740993", "0.5"], ["9007199254740993", "0.5"]),
        (["true", "false"], [True, False]),
        (["true", "False"], ["true", "False"]),
        (["1,234 people"], ["1,234 people"]),
    ],
)
def test_types_are_found(table, cells, expected):
    dataset = table("a\n" + "".join(f'"{cell}"\n' for cell in cells))
    found = [dataset.sample(n)["a"] for n in range(len(cells))]
    for one, other in zip(found, expected, strict=True):
        assert one == other or (one != one and other is None)
        assert other is None or type(one) is type(other)


def test_lists_of_files(table):
    dataset = table('clip,label\n"a.jpg,b.jpg",1\nb.jpg,0\n', sequence=True)
    assert dataset.sample(0)["image"] == [b"content of a.jpg", b"content of b.jpg"]
    assert dataset.sample(1)["image"] == [b"content of b.jpg"]
    assert dataset.key(0) == "a.jpg,b.jpg"


def test_fields_are_read_without_images(table, tmp_path):
    dataset = table("file,label\na.jpg,1\nb.jpg,2\n")
    (tmp_path / "a.jpg").unlink()
    assert getters.labels(dataset).tolist() == [1, 2]
    assert getters.getitem(dataset, "label", 0) == 1
    assert getters.getitem(dataset, "image", 1) == b"content of b.jpg"
    with pytest.raises(DatasetError, match=r"table\.csv: line 2: column 'file': .*a\.jpg: no such file"):
        dataset.sample(0)


def test_which_column_names_files(table):
    text = "label,file,file2\n1,a.jpg,b.jpg\n"
    assert table(text).sample(0) == {"key": "0", "label": 1, "file": "a.jpg", "file2": "b.jpg"}
    assert table(text, image="file2").sample(0)["image"] == b"content of b.jpg"
    assert table("image,b\na.jpg,1\n", image=None).sample(0) == {"key": "0", "image": "a.jpg", "b": 1}
    with pytest.raises(ParameterError, match="no column 'fil', did you mean 'file'"):
        len(table(text, image="fil"))
    with pytest.raises(ParameterError, match="column 'file' is read as 'image', but there is such a column as well"):
        len(table("file,image\na.jpg,1\n"))


def test_a_file_that_comes_twice_leaves_numbers_for_keys(table):
    dataset = table("image,x\na.jpg,1\na.jpg,2\n")
    assert [dataset.key(n) for n in range(2)] == ["0", "1"]
    assert table("image,key\na.jpg,p\na.jpg,q\n").key(1) == "q"


@pytest.mark.parametrize("name", ["../out.jpg", "/etc/hostname", "link.jpg", "sub/../../out.jpg"])
def test_nothing_outside_is_read(tmp_path, name):
    folder = tmp_path / "inside"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "out.jpg").touch()
    (folder / "link.jpg").symlink_to("../out.jpg")
    (folder / "t.csv").write_text(f"image,label\n{name},1\n")
    with closing(CsvDataset(folder / "t.csv", image="image")) as dataset:
        with pytest.raises(
            DatasetError, match=r"t\.csv: line 2: column 'image': .* leads out of the folder .*files_dir"
        ):
            dataset.sample(0)
    if name.endswith("out.jpg") and not name.startswith("sub"):
        with closing(CsvDataset(folder / "t.csv", files_dir=tmp_path, image="image")) as dataset:
            with pytest.raises(DatasetError, match="leads out of"):
                dataset.sample(0)


def test_files_are_looked_for_in_their_folder(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").write_bytes(b"pixels")
    (tmp_path / "t.csv").write_text("image\na.jpg\n")
    with closing(CsvDataset(tmp_path / "t.csv", files_dir=str(tmp_path / "images"))) as dataset:
        assert dataset.sample(0)["image"] == b"pixels"


@pytest.mark.parametrize(
    ("text", "params", "said"),
    [
        ("", {}, "nothing in it; the first line has to name the columns"),
        ("a,a\n1,2\n", {}, "line 1: the name 'a' twice"),
        ("a,\n1,2\n", {}, "line 1: no name for column 2"),
        ("a,b\n1\n", {}, "line 2: 1 cells, where the header has 2"),
        ('a,b\n1,"x\ny"\n\n1,2,3\n', {}, "line 5: 3 cells, where the header has 2"),
        ('a,b\n1,5" disk with "\n', {}, "line 2: column 2: a double quote within a cell"),
        ('a,b\n1,"x\n', {}, "a double quote after byte 3 is never closed"),
        (b"a\n\xff\n", {}, "line 2: not UTF-8"),
        ("a\n300\n", {"dtype": ["uint8"]}, "line 2: column 'a': 300 cannot be held by uint8"),
        ("a\n70000\n", {"dtype": ["float16"]}, "line 2: column 'a': 70000.0 cannot be held by float16"),
        ("a\nx\n", {"dtype": ["int8"]}, "line 2: column 'a': 'x' is no whole number"),
        ('a\n"1,,2"\n', {"dtype": ["vint8"]}, "line 2: column 'a': '' is no whole number"),
        ("a\nx\n", {"dtype": ["bool"]}, "'x' is not true, false, 1 or 0"),
        ("a\n1\n", {"dtype": ["int7"]}, "no type 'int7', did you mean 'int"),
        ("a\n1\n", {"dtype": ["int8", "int8"]}, "expected one for each of the columns a"),
        ("a\n1\n", {"dtype": {"b": "int8"}}, "a dtype for 'b', which is no column"),
        ("a\n" + "1\n" * 1000 + "x\n", {}, "line 1002: column 'a': 'x' is no whole number; dtype="),
    ],
)
def test_mistakes_are_named(table, text, params, said):
    with pytest.raises((FormatError, ParameterError)) as error:
        dataset = table(text, **params)
        dataset.sample(len(dataset) - 1)
    assert said in str(error.value)


def test_getall_names_the_line_of_a_mistake(table):
    with pytest.raises(FormatError, match="line 3: column 'a': 'x' is no whole number"):
        table("a\n1\nx\n", dtype=["int8"]).getall_a()


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=6)
CHUNK = "leaven_plugins.datasets.csv.rows._CHUNK"


@given(st.lists(st.tuples(CELL, CELL), max_size=8), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.integers(1, 40))
@settings(deadline=None)
@example([('"', ","), ("\n\n", '""')], "\r\n", True, 1)
def test_any_table_is_read_as_the_standard_library_does(tmp_path_factory, rows, end, bom, chunk):
    text = io.StringIO()
    csv.writer(text, lineterminator=end).writerows([("one", "two"), *rows])
    path = tmp_path_factory.mktemp("any") / "t.csv"
    path.write_bytes(b"\xef\xbb\xbf" * bom + text.getvalue().encode())
    with pytest.MonkeyPatch.context() as patch, closing(CsvDataset(path, dtype=["str", "str"], image=None)) as dataset:
        patch.setattr(CHUNK, chunk)
        assert [(sample["one"], sample["two"]) for sample in map(dataset.sample, range(len(dataset)))] == rows
        assert list(zip(dataset.getall_one(), dataset.getall_two(), strict=True)) == rows


@given(st.binary(max_size=60) | st.text('ab",\n\r1', max_size=40).map(str.encode))
@settings(deadline=None)
def test_any_bytes_end_in_rows_or_errors_of_ours(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "t.csv"
    path.write_bytes(content)
    with closing(CsvDataset(path)) as dataset, suppress(LeavenError):
        [dataset.sample(n) for n in range(len(dataset))]


def test_what_is_written_comes_back(tmp_path):
    rows = [
        {"key": f"k,{n}", "label": n, "_label": "007", "t": 'a,"b"\n', "f": np.float32(0.1), "v": np.arange(n, n + 2)}
        for n in range(3)
    ]
    assert CsvDataset.write(tmp_path / "t.csv", rows) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]
    with closing(CsvDataset(tmp_path / "t.csv", dtype={"f": "float32"})) as dataset:
        for n, row in enumerate(rows):
            read = dict(dataset.sample(n))
            assert read.pop("v").tolist() == [n, n + 1]
            assert read == {name: value for name, value in row.items() if name != "v"}


def test_images_lie_beside_the_table(tmp_path):
    rows = [{"key": "../x", "image": [b"\xff\xd8\xff1", b"?"], "label": 0}]
    CsvDataset.write(tmp_path / "t.csv", rows, files="pictures")
    assert (tmp_path / "t.csv").read_text().splitlines()[0] == "image,key,label"
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*") if path.is_file())
    assert names == ["pictures/000000/000000000_0.jpg", "pictures/000000/000000000_1.bin", "t.csv"]
    with closing(CsvDataset(tmp_path / "t.csv", sequence=True)) as dataset:
        assert dataset.sample(0) == rows[0]


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ({"mask": b"1"}, "field 'mask': bytes, which only the field 'image' can be"),
        ({"a": np.zeros((2, 2))}, "field 'a': an array of 2 dimensions cannot be in a cell"),
        ({"a": ["x"]}, "field 'a': a list of texts"),
        ({"a": None}, "field 'a': NoneType"),
    ],
)
def test_what_a_cell_cannot_hold_is_named(tmp_path, field, said):
    with pytest.raises(FormatError) as error:
        CsvDataset.write(tmp_path / "t.csv", [{"key": "a"} | field])
    assert said in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_samples_have_the_same_fields_and_kinds(tmp_path):
    for second, said in (({"x": 1.5}, "float64, where samples before have int64"), ({}, "it has key, the samples")):
        with pytest.raises(FormatError, match=said):
            CsvDataset.write(tmp_path / "t.csv", [{"key": "a", "x": 1}, {"key": "b"} | second])
    with pytest.raises(DatasetError, match="samples 0 and 1 have the same key 'a'"):
        CsvDataset.write(tmp_path / "t.csv", [{"key": "a"}, {"key": "a"}])


def test_nothing_changes_until_all_is_there(tmp_path):
    CsvDataset.write(tmp_path / "t.csv", samples(2))

    def tree():
        return {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    before = tree()

    def failing():
        yield from samples(3)
        raise KeyError("gone")

    with pytest.raises(KeyError):
        CsvDataset.write(tmp_path / "t.csv", failing(), overwrite=True)
    with pytest.raises(DatasetError, match=r"t\.csv: exists already"):
        CsvDataset.write(tmp_path / "t.csv", samples(1))
    os.rename(tmp_path / "t.csv", tmp_path / "other.csv")
    with pytest.raises(DatasetError, match="t_files: exists already"):
        CsvDataset.write(tmp_path / "t.csv", samples(1))
    os.rename(tmp_path / "other.csv", tmp_path / "t.csv")
    assert tree() == before
    CsvDataset.write(tmp_path / "t.csv", samples(1), overwrite=True)
    assert len(tree()) == 2
    with pytest.raises(ParameterError, match="files='a/b': expected the name of a folder"):
        CsvDataset.write(tmp_path / "u.csv", samples(1), files="a/b")


def test_no_samples_make_a_table_without_rows(tmp_path):
    assert CsvDataset.write(tmp_path / "t.csv", []) == 0
    with closing(CsvDataset(tmp_path / "t.csv")) as dataset:
        assert len(dataset) == 0


def test_copies_get_no_open_file(table):
    dataset = table("image,label\na.jpg,1\n")
    first = dataset.sample(0)
    for other in (copy.copy(dataset), pickle.loads(pickle.dumps(dataset))):
        assert vars(dataset)["_opened"] is not None
        assert vars(other)["_opened"] is None
        with closing(other):
            assert other.sample(0) == first


def test_a_type_that_is_no_list_is_refused_at_once():
    with pytest.raises(ParameterError, match="dtype must be a list"):
        CsvDataset("t.csv", dtype="int8")


def test_codes_behind_the_rows_that_tell_types_lose_no_zero(table, tmp_path):
    dataset = table("a\n" + "123\n" * 1000 + "007\n")
    for read in (dataset.getall_a, lambda: dataset.sample(1000)):
        with pytest.raises(FormatError, match=r"line 1002: column 'a': '007' begins with a zero"):
            read()
    typed = table("a\n" + "123\n" * 1000 + "007\n", dtype=["int64"])
    assert typed.getall_a()[-1] == typed.sample(1000)["a"] == 7


def test_lines_that_end_in_a_carriage_return_alone_are_no_empty_table(table):
    with pytest.raises(FormatError, match="line 1: a carriage return within a cell"):
        len(table("a,b\r1,2\r"))


def test_folders_of_others_are_never_replaced(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "mine.png").write_bytes(b"only copy")
    with pytest.raises(DatasetError, match=r"mine\.png: was not written with a table, so .*photos is not replaced"):
        CsvDataset.write(tmp_path / "t.csv", samples(1), files="photos", overwrite=True)
    assert (tmp_path / "photos" / "mine.png").read_bytes() == b"only copy"
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]
