from __future__ import annotations

import os
import pickle
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import FormatError
from leaven_plugins.datasets.cifar.pickled import load_pickled

DATA = np.arange(2 * 6, dtype=np.uint8).reshape(2, 6)
CONTENT = {"batch_label": "one", "labels": [3, 250, 70_000], "data": DATA, "filenames": ["a.png", "b.png"]}


def same(found, expected):
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert np.array_equal(found[key], value)
        assert type(found[key]) is type(value)


@pytest.mark.parametrize("protocol", range(2, 6))
def test_what_python_3_writes(protocol):
    content = CONTENT | {"wide": np.arange(5, dtype=">i4"), "columns": np.asfortranarray(DATA)}
    if protocol == 5:  # has arrays in a form of its own, and is younger than the files
        content = {key: value for key, value in content.items() if not isinstance(value, np.ndarray)}
    same(load_pickled(pickle.dumps(content, protocol), "x"), content)


def old(text):
    return b"U" + bytes([len(text)]) + text


def test_what_python_2_has_written():
    """As in the files: strings are of bytes, numpy has its former name, long strings have the code T."""
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nK\x00\x85" + old(b"b") + b"\x87Rq\x08"
        b"(K\x01K\x02K\x06\x86cnumpy\ndtype\n" + old(b"u1") + b"K\x00K\x01\x87R(K\x03" + old(b"|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T" + struct.pack("<I", 12) + DATA.tobytes() + b"tb"
    )  # fmt: skip
    head = b"\x80\x02}q\x01(" + old(b"batch_label") + old(b"one\xe9")
    content = head + old(b"labels") + b"]q\x05(K\x03K\xfaJ\x70\x11\x01\x00e" + old(b"data") + array + b"u."
    same(load_pickled(content, "x"), {"batch_label": "one\xe9", "labels": [3, 250, 70_000], "data": DATA})


class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/evil",)


def nested(depth):
    """A tuple of two of the same tuple, and so on: small in the file, without end when shown or compared."""
    return b"\x80\x02)q\x00" + b"".join(b"h%c\x86q%c" % (n, n + 1) for n in range(depth))


AGAIN = b"c_codecs\nencode\nh\x00R"
GIANT = b"\x8a\xff" + b"\xff" * 254 + b"\x7f"  # a number of 255 bytes


def array(shape, data):
    """A dict of an array whose shape is what these instructions give."""
    kind = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
    start = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    return b"\x80\x02}U\x01d" + start + b"(K\x01" + shape + kind + b"\x89" + old(data) + b"tbs."


def test_an_array_that_is_one():
    same(
        load_pickled(array(b"K\x02K\x03\x86", b"abcdef"), "x"), {"d": np.frombuffer(b"abcdef", np.uint8).reshape(2, 3)}
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (pickle.dumps({"data": Evil()}), "the pickle asks for posix.system"),
        (pickle.dumps({"data": len}), "the pickle asks for builtins.len"),
        (pickle.dumps({"data": np.array([None], object)}, 2), "an array that is none of numbers, but of 'O8'"),
        (pickle.dumps([1]), "holds a list, not a dict"),
        (pickle.dumps(CONTENT, 2)[:-40], "is no pickle"),
        (pickle.dumps(DATA, 5), "which no data of arrays needs"),
        (b"", "is no pickle"),
        (b"cnumpy\nndarray\n(tR.", "calls what is no function"),
        (b"}(K\x01u.", "is no pickle"),
        (b"](K\x01\x85.", "is no pickle"),
        (b"}K\x01K\x02\x86b.", "fills in a dict"),
        (b"]K\x01K\x02s.", "adds to a list as if it was a dict"),
        (b"\x80\x02Pid\n.", "the instruction PERSID at 2"),
        (b"}" + nested(60) + b"K\x01s.", "keys that are neither"),
        (nested(60) + b".", "holds a tuple"),
        (b"cnumpy\ndtype\n" + nested(60) + b"\x85R.", "but of a tuple"),
        (nested(60) + b"K\x01\x93.", "something that has no name"),
        (array(b"(" + b"K\x01" * 33 + b"t", b"1"), "an array that is none of numbers"),
        (array(b"(K\x00" + GIANT + b"t", b""), "an array that is none of numbers"),
        (array(b"(" + GIANT * 3000 + b"t", b""), "an array that is none of numbers"),
        (array(b"}K\x01K\x02s", b"1"), "an array that is none of numbers"),
        (b"c_codecs\nencode\n" + old(b"x" * 250) + old(b"latin1") + b"\x86q\x00R" + AGAIN * 30, "again and again"),
    ],
)
def test_anything_else_is_refused(content, problem):
    with pytest.raises(FormatError, match=problem) as caught:
        load_pickled(content, "the file")
    assert str(caught.value).startswith("the file: ")


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(content):
    read(content)


@given(st.data())
def test_any_damage_is_survived(data):
    content = bytearray(pickle.dumps(CONTENT, data.draw(st.sampled_from([2, 3, 4]))))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    read(bytes(content))


def read(content):
    try:
        assert isinstance(load_pickled(content, "x"), dict)
    except FormatError:
        pass
