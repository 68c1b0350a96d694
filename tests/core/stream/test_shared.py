from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from leaven.errors import ParameterError, ProtocolError, WorkerError
from leaven.stream.shared import attach_array, descriptor_of, shared_array

ATTACH = """
import json, sys
from leaven.stream.shared import attach_array
array = attach_array(json.loads(sys.stdin.readline()))
print(array.dtype.str, list(array.shape), array.ravel().tolist(), flush=True)
array[..., -1] = 7
print("written", flush=True)
sys.stdin.read()
"""


def attaching(descriptor):
    """Run a process that attaches to an array, says what it is, and sets its last column to 7."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", ATTACH], text=True, **pipes)
    process.stdin.write(json.dumps(descriptor) + "\n")
    process.stdin.flush()
    return process


def open_files():
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int64", "bool", "complex64", ">u2", "S5", "U3", "M8[s]"])
def test_an_array_of_zeros(dtype):
    array = shared_array((2, 3), dtype)
    assert array.dtype == dtype
    np.testing.assert_array_equal(array, np.zeros((2, 3), dtype))
    array[:] = np.ones((2, 3), "i8").astype(dtype)
    np.testing.assert_array_equal(attach_array(descriptor_of(array)), array)


def test_float32_by_default():
    assert shared_array(4).dtype == np.float32
    assert shared_array(4).shape == (4,)
    assert shared_array(()).shape == ()


def test_another_process_sees_and_changes_the_same_memory():
    array = shared_array((2, 3), "int16")
    array[:] = [[1, 2, 3], [4, 5, 6]]
    with attaching(descriptor_of(array)) as process:
        assert process.stdout.readline() == "<i2 [2, 3] [1, 2, 3, 4, 5, 6]\n"
        assert process.stdout.readline() == "written\n"
    assert array.tolist() == [[1, 2, 7], [4, 5, 7]]


def test_the_memory_outlives_whoever_made_it_and_no_name_is_left():
    script = "import sys, json\nfrom leaven.stream.shared import descriptor_of, shared_array\n"
    script += "array = shared_array(5, 'uint8')\narray[:] = 9\nprint(json.dumps(descriptor_of(array)), flush=True)\n"
    script += "sys.stdin.read()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", script], text=True, **pipes) as process:
        descriptor = json.loads(process.stdout.readline())
        array = attach_array(descriptor)
        os.kill(process.pid, signal.SIGKILL)
    assert array.tolist() == [9] * 5
    with pytest.raises(WorkerError, match=rf"descriptor \d+ of process {process.pid}: it has been given back"):
        attach_array(descriptor)
    again = attach_array(descriptor_of(array))  # of the one that lives on
    array[0] = 1
    assert again.tolist() == [1, 9, 9, 9, 9]


@pytest.mark.parametrize(
    "view",
    [np.s_[1:], np.s_[::-1, ::2], np.s_[2, 3], np.s_[..., 1:1], np.s_[:, None, 4]],
    ids=["rows", "steps", "one value", "nothing", "new axis"],
)
def test_views(view):
    array = shared_array((4, 6), "int32")
    array[:] = np.arange(24).reshape(4, 6)
    attached = attach_array(descriptor_of(array[view] if array[view].ndim else array[2, 3, ...]))
    np.testing.assert_array_equal(attached, array[view])
    attached[...] = -1
    assert (array[view] == -1).all()


def test_empty_arrays_can_be_shared():
    array = shared_array((0, 3), "uint8")
    assert attach_array(descriptor_of(array)).shape == (0, 3)


def test_memory_and_descriptor_go_with_the_last_view():
    gc.collect()  # what earlier tests have left to it
    before = open_files()
    array = shared_array((100, 100))
    descriptor = descriptor_of(array)
    part = array[3:4, 5]
    del array
    gc.collect()
    assert attach_array(descriptor).shape == (100, 100)
    del part
    gc.collect()
    assert open_files() == before
    with pytest.raises(WorkerError, match="it has been given back"):
        attach_array(descriptor)


def test_a_descriptor_whose_number_means_another_file_by_now(tmp_path):
    array = shared_array(3)
    descriptor = descriptor_of(array)
    fd = descriptor["fd"]
    del array
    secret = os.open(tmp_path / "secret", os.O_RDWR | os.O_CREAT)
    if secret != fd:
        os.dup2(secret, fd)
        os.close(secret)
    try:
        with pytest.raises(WorkerError, match="no shared memory"):
            attach_array(descriptor)
    finally:
        os.close(fd)


def test_the_memory_cannot_be_shrunk_under_others():
    array = shared_array(3)
    fd = descriptor_of(array)["fd"]
    assert "leaven-array" in os.readlink(f"/proc/self/fd/{fd}")
    with pytest.raises(PermissionError):
        os.ftruncate(fd, 1)
    assert not [name for name in os.listdir("/dev/shm") if "leaven" in name]


def test_an_array_that_is_not_shared():
    shared = shared_array(3)
    for array in (np.zeros(3), shared.copy(), shared + 1):
        with pytest.raises(ParameterError, match="make it by shared_array"):
            descriptor_of(array)


@pytest.mark.parametrize("dtype", ["object", "V4", "i4,f8", "no dtype", "U"])
def test_what_cannot_lie_in_shared_memory(dtype):
    with pytest.raises(ParameterError, match="dtype"):
        shared_array(3, dtype)


def test_negative_sizes():
    with pytest.raises(ParameterError, match=r"shape \(2, -1\): negative size"):
        shared_array((2, -1))


def test_sizes_may_be_numpys():
    assert shared_array(np.int64(4)).shape == (4,)
    assert shared_array(np.array([2, 3])).shape == (2, 3)


@pytest.mark.parametrize("shape", [2.5, (2, "x"), "23", None, (2, 1.0)], ids=str)
def test_what_is_no_shape(shape):
    with pytest.raises(ParameterError, match="shared array: shape"):
        shared_array(shape)


def test_more_memory_than_there_is():
    with pytest.raises(WorkerError, match="not enough memory"):
        shared_array((1 << 50,), "uint8")


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": [1000]},
        {"offset": -4},
        {"offset": 4},
        {"strides": [400]},
        {"strides": [-4]},
        {"dtype": "O"},
        {"dtype": 5},
        {"shape": "many"},
        {"size": None},
        {"size": 1 << 80},
        {"size": 1 << 40},
        {"fd": "three"},
        {"pid": None},
    ],
    ids=str,
)
def test_malformed_descriptors(changes):
    array = shared_array(3)
    with pytest.raises((ProtocolError, WorkerError, ParameterError)):
        attach_array({**descriptor_of(array), **changes})


def test_a_descriptor_with_a_part_missing():
    descriptor = descriptor_of(shared_array(3))
    for name in descriptor:
        with pytest.raises(ProtocolError, match="not the descriptor of a shared array"):
            attach_array({key: value for key, value in descriptor.items() if key != name})


def test_it_is_found_in_the_processes_files():
    array = shared_array(3)
    handle = descriptor_of(array)
    assert Path(f"/proc/{handle['pid']}/fd/{handle['fd']}").stat().st_ino == handle["inode"]
