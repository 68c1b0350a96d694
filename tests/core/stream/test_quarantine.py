"""The file that lists samples which could not be made."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import DatasetError, FormatError, SampleError
from leaven.stream.quarantine import Listed, Quarantine, read_quarantine


class Offsets:
    path = "data/train.msgpack"

    def offset(self, index):
        return [0, 100, 250][index]


def listed(index=1, epoch=0, key="k", **others):
    return Listed.of(SampleError("no", index=index, key=key, stage="decode", cause_type="OSError"), epoch, Offsets())


def test_a_line_says_which_sample_where_it_is_and_what_happened(tmp_path):
    Quarantine(tmp_path / "a" / "b.jsonl").add(listed())
    (line,) = (tmp_path / "a" / "b.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "key": "k",
        "index": 1,
        "offset": 100,
        "stage": "decode",
        "error": "no",
        "cause": "OSError",
        "epoch": 0,
        "dataset": "data/train.msgpack",
    }


@pytest.mark.parametrize(("index", "dataset"), [(None, Offsets()), (7, Offsets()), (1, object()), (1, None)])
def test_an_offset_that_is_not_known_is_none(index, dataset):
    assert Listed.of(SampleError("no", index=index), None, dataset).offset is None


text = st.text(st.characters(exclude_categories=()))  # also what no encoding can write


@given(text, st.none() | st.integers(), text, text, text, st.none() | st.integers(), text)
def test_whatever_is_listed_is_read_again_and_every_line_is_printable(
    tmp_path_factory, key, index, stage, error, cause, epoch, name
):
    path = tmp_path_factory.mktemp("q") / "q.jsonl"
    one = Listed(key, index, None, stage, error, cause, epoch, name)
    Quarantine(path).add(one)
    assert list(read_quarantine(path)) == [one]
    assert path.read_text(encoding="ascii").removesuffix("\n").isprintable()


def test_a_sample_is_listed_once_for_each_epoch_also_by_those_who_go_on(tmp_path):
    path = tmp_path / "q.jsonl"
    quarantine = Quarantine(path)
    assert [quarantine.add(listed(1, 0)), quarantine.add(listed(1, 0)), quarantine.add(listed(1, 1))] == [
        True,
        False,
        True,
    ]
    again = Quarantine(path)
    assert [again.add(listed(1, 1)), again.add(listed(2, 1))] == [False, True]
    assert [(one.index, one.epoch) for one in read_quarantine(path)] == [(1, 0), (1, 1), (2, 1)]


def test_samples_without_a_position_are_told_apart_by_their_keys(tmp_path):
    quarantine = Quarantine(tmp_path / "q.jsonl")
    assert [quarantine.add(listed(None, 0, key)) for key in "aba"] == [True, True, False]


def test_a_line_that_was_cut_off_costs_no_other(tmp_path):
    path = tmp_path / "q.jsonl"
    Quarantine(path).add(listed(1))
    os.truncate(path, path.stat().st_size - 20)
    Quarantine(path).add(listed(2))
    assert [one.index for one in read_quarantine(path)] == [2]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x93NUMPY\xff", "no quarantine file"),
        (b"hello\n", "line 1: not a line"),
        (b"[1]\n", "line 1: not a line.*list"),
        (b'{"name": "x"}\n', "line 1.*no key"),
        (b"[" * 100_000 + b"\n", "line 1"),
        (b'{"a": ' + b"1" * 10_000 + b"}\n", "line 1"),
    ],
)
def test_another_kind_of_file_is_refused_and_left_alone(tmp_path, content, words):
    path = tmp_path / "other"
    path.write_bytes(content)
    for act in (lambda: list(read_quarantine(path)), lambda: Quarantine(path)):
        with pytest.raises(FormatError, match=words):
            act()
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("field", "value"), [("index", True), ("index", "1"), ("key", None), ("epoch", 1.5), ("offset", [])]
)
def test_a_field_of_another_type_is_refused(tmp_path, field, value):
    path = tmp_path / "q.jsonl"
    Quarantine(path).add(listed())
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}) + "\n")
    with pytest.raises(FormatError, match=f"line 1.*no {field}"):
        list(read_quarantine(path))


def test_a_file_that_cannot_be_written_is_an_error_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match=r"quarantine file .*cannot be written"):
        Quarantine(tmp_path / "file" / "q.jsonl")
    with pytest.raises(DatasetError, match="is not a file"):
        Quarantine(tmp_path)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for act in (lambda: list(read_quarantine(tmp_path / "pipe")), lambda: Quarantine(tmp_path / "pipe")):
        with pytest.raises(DatasetError, match="is not a file"):
            act()


def test_a_file_that_does_not_exist_cannot_be_read(tmp_path):
    with pytest.raises(DatasetError, match="cannot be read: No such file"):
        list(read_quarantine(tmp_path / "no"))
