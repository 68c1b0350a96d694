from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import ParameterError, ProtocolError, WorkerError
from leaven.stream import sets, wire
from leaven.stream.buffer_pool import REFERENCE, BufferPool

SPECS = {"image": ((3, 5), "uint8", 9), "label": ((), "int64", -1)}
SECONDS = 30  # that anything may take


@pytest.fixture
def pool():
    with BufferPool(2, 4, SPECS) as pool:
        yield pool


def passed_on(pool):
    """Take a set and return a message with its arrays."""
    return pool.pack(pool.next())


def all_free(pool, sets):
    """Return whether all sets can be taken, one after the other, without waiting."""
    with Waiting(lambda: [pool.next() for _ in range(sets)]) as waiting:
        return waiting.result() is not None


class Waiting:
    """A function in a thread of its own."""

    def __init__(self, function):
        self._results = []
        self._thread = threading.Thread(target=lambda: self._results.append(function()), daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._thread.join(SECONDS)

    def waits(self):
        self._thread.join(0.05)
        return self._thread.is_alive()

    def result(self):
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()
        return self._results.pop()


# ---- one process


def test_a_set_has_the_arrays_of_the_specs_filled(pool):
    arrays = pool.next()
    assert {key: (array.shape, array.dtype.name) for key, array in arrays.items()} == {
        "image": ((4, 3, 5), "uint8"),
        "label": ((4,), "int64"),
    }
    assert (arrays["image"] == 9).all()
    assert (arrays["label"] == -1).all()
    assert all(array.ctypes.data % 64 == 0 for array in arrays.values())


def test_arrays_of_a_set_travel_by_reference_and_others_by_value(pool):
    arrays = pool.next()
    arrays["image"][2] = 77
    other = np.arange(3.0)
    message = pool.pack({"key": ["a", "b"], "nested": [arrays["image"], {"label": arrays["label"]}], "other": other})
    assert len(message) < 200
    arrays["label"][1] = 5  # the memory is the same
    found = pool.unpack(message)
    assert found["key"] == ["a", "b"]
    image, label = found["nested"][0], found["nested"][1]["label"]
    assert (image[2] == 77).all()
    assert label.tolist() == [-1, 5, -1, -1]
    assert np.shares_memory(image, arrays["image"])
    assert found["other"].tolist() == [0, 1, 2]
    assert not np.shares_memory(found["other"], other)


def test_the_first_rows_of_an_array_are_a_reference_other_parts_a_copy(pool):
    arrays = pool.next()
    arrays["label"][:] = [10, 11, 12, 13]
    label, image = arrays["label"], arrays["image"]
    found = pool.unpack(pool.pack([label[:3], label[1:], label[::2], image[:1]]))
    assert [value.tolist() for value in found[:3]] == [[10, 11, 12], [11, 12, 13], [10, 12]]
    shared = [np.shares_memory(value, array) for value in found for array in arrays.values()]
    assert shared == [False, True, False, False, False, False, True, False]
    assert found[3].shape == (1, 3, 5)


def test_a_set_is_free_again_when_all_that_was_unpacked_has_died(pool):
    messages = [passed_on(pool), passed_on(pool)]
    first = pool.unpack(messages[0])
    with Waiting(pool.next) as waiting:
        assert waiting.waits()
        image, row = first["image"], first["label"][1:2]
        del first
        assert waiting.waits()
        del image
        gc.collect()
        assert waiting.waits()
        row[0] = 42
        del row
        again = waiting.result()
    assert again["label"].tolist() == [-1] * 4  # filled anew


def test_sets_are_not_lost_however_often_they_go_round(pool):
    for number in range(200):
        arrays = pool.next()
        arrays["label"][:] = number
        found = pool.unpack(pool.pack(arrays))
        del arrays
        assert found["label"].tolist() == [number] * 4
        del found
    assert all_free(pool, 2)


def test_a_set_that_is_not_packed_is_free_again(pool):
    for _ in range(5):
        pool.next()
    arrays = pool.next()
    with pytest.raises(ProtocolError, match="cannot pack x"):
        pool.pack({"image": arrays["image"], "x": object()})
    assert pool.unpack(pool.pack(arrays))["image"].shape == (4, 3, 5)


def test_a_set_belongs_into_one_message(pool):
    arrays = pool.next()
    message = pool.pack(arrays["image"])
    with pytest.raises(ProtocolError, match="set 0 was packed before: its arrays belong into one message"):
        pool.pack(arrays["label"])
    found = pool.unpack(message)
    assert not np.shares_memory(pool.unpack(pool.pack([arrays["image"]]))[0], arrays["image"])  # by value, at most
    del found


def test_what_was_unpacked_can_be_passed_on(pool):
    found = pool.unpack(passed_on(pool))
    found["label"][:] = 3
    further = pool.unpack(pool.pack({"label": found["label"]}))
    assert np.shares_memory(further["label"], found["label"])
    del found
    with Waiting(lambda: [pool.next(), pool.next()]) as waiting:
        assert waiting.waits()
        del further
        assert len(waiting.result()) == 2


def test_a_message_is_unpacked_once(pool):
    message = passed_on(pool)
    kept = pool.unpack(message)
    with pytest.raises(ProtocolError, match="set 0 is in no message: it was unpacked before"):
        pool.unpack(message)
    del kept
    with pytest.raises(ProtocolError, match="unpacked before"):
        pool.unpack(message)
    second, third = passed_on(pool), passed_on(pool)
    with pytest.raises(ProtocolError, match="unpacked before"):
        pool.unpack(message)  # though its set is in a message again
    assert pool.unpack(second)["label"].shape == pool.unpack(third)["label"].shape


@pytest.mark.parametrize(
    "parts",
    [[5, 1, "image", 4], [-1, 0, "image", 4], [0, 1, "mask", 4], [0, 1, "image", 5], [0, 1, "image", 0], [0, 1], ""],
    ids=str,
)
def test_references_to_what_is_not_there(pool, parts):
    passed_on(pool)
    with pytest.raises(ProtocolError):
        pool.unpack(wire.pack({"x": msgpack.ExtType(REFERENCE, wire.pack(parts))}))


def test_unknown_ext_codes(pool):
    with pytest.raises(ProtocolError, match="at x: unknown ext type 99"):
        pool.unpack(wire.pack({"x": msgpack.ExtType(99, b"")}))


def test_a_malformed_message_gives_back_what_it_referred_to(pool):
    good = wire.unpack(passed_on(pool), ext_hook=msgpack.ExtType)["image"]
    bad = msgpack.ExtType(REFERENCE, wire.pack([7, 7, "image", 1]))
    with pytest.raises(ProtocolError, match="set 7"):
        pool.unpack(wire.pack([good, bad]))
    assert all_free(pool, 2)


def test_data_that_is_nested_too_deeply(pool):
    deep = []
    deep.append(deep)
    with pytest.raises(ProtocolError, match="nested"):
        pool.pack(deep)
    with pytest.raises(ProtocolError, match="nested"):
        pool.unpack(b"\x91" * 1000 + b"\xc0")


@given(st.data())
def test_mutated_messages_are_refused_or_plain_data(data):
    with BufferPool(2, 2, {"x": ((2,), "uint8")}) as pool:
        arrays = pool.next()
        message = bytearray(pool.pack({"a": arrays["x"], "b": [1, "two", None]}))
        for _ in range(data.draw(st.integers(1, 4))):
            message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
        try:
            pool.unpack(bytes(message))
        except ProtocolError:
            pass


def test_close_ends_the_waiting(pool):
    kept = [pool.next(), pool.next()]
    with Waiting(pool.next) as one, Waiting(pool.next) as other:
        assert one.waits()
        assert other.waits()
        pool.close()
        assert (one.result(), other.result()) == (None, None)
    pool.close()
    del kept
    assert pool.next() is None  # though both sets are free


def test_what_is_on_its_way_when_it_is_closed_arrives(pool):
    message = passed_on(pool)
    pool.close()
    assert pool.unpack(message)["label"].tolist() == [-1] * 4


def test_arrays_outlive_the_pool():
    before = len(os.listdir("/proc/self/fd"))
    pool = BufferPool(2, 4, SPECS)
    found = pool.unpack(passed_on(pool))
    del pool
    gc.collect()
    found["label"][:] = 8
    assert found["label"].sum() == 32
    del found
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before


def test_sets_of_lost_messages_are_reclaimed(pool):
    lost = [passed_on(pool), passed_on(pool)]
    assert pool.reclaim(older_than=1000) == 0
    assert pool.reclaim(older_than=0) == 2
    assert pool.reclaim(older_than=0) == 0
    with pytest.raises(ProtocolError, match="set 0 is in no message"):
        pool.unpack(lost[0])
    again = passed_on(pool)
    with pytest.raises(ProtocolError, match="is in no message"):
        pool.unpack(lost[0])
    assert pool.reclaim(1000) == 0
    assert pool.unpack(again)["label"].tolist() == [-1] * 4
    assert all_free(pool, 2)


def test_sets_that_somebody_has_are_not_reclaimed(pool):
    taken, unpacked = pool.next(), pool.unpack(passed_on(pool))
    assert pool.reclaim(older_than=0) == 0
    assert (len(taken), len(unpacked)) == (2, 2)


@pytest.mark.parametrize("age", [-1, float("nan"), "1", None, True])
def test_ages_that_are_none(pool, age):
    with pytest.raises(ParameterError, match="older_than="):
        pool.reclaim(age)


def test_who_waits_is_told_that_all_sets_are_in_messages(pool, monkeypatch, caplog):
    monkeypatch.setattr(sets, "_PATIENCE", 0.01)
    messages = [passed_on(pool)]
    kept = pool.next()
    with Waiting(pool.next) as waiting:
        time.sleep(0.5)
        assert caplog.messages == []  # one is not in a message
        messages.append(pool.pack(kept))
        deadline = time.monotonic() + SECONDS
        while not caplog.messages:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.5)
        assert pool.reclaim(older_than=0) == 2
        assert waiting.result() is not None
    (warning,) = caplog.messages
    assert warning.startswith("all 2 sets of a buffer pool are in messages that nobody unpacks")


def test_one_set_warns():
    with pytest.warns(UserWarning, match="num_buffers=1"):
        pool = BufferPool(1, 4, SPECS)
    del pool


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0, 4, SPECS), "num_buffers=0: expected 1 to 2000"),
        ((5000, 4, SPECS), "num_buffers=5000"),
        ((2, 0, SPECS), "batch_size=0"),
        ((2.5, 4, SPECS), "num_buffers=2.5: expected a whole number"),
        (("2", 4, SPECS), "num_buffers='2'"),
        ((True, 4, SPECS), "num_buffers=True"),
        ((2, "4", SPECS), "batch_size='4'"),
        ((2, 4, {"x": ((2,), "object")}), "objects cannot lie in shared memory"),
        ((2, 4, {"x": "image"}), "buffer spec 'image'"),
    ],
)
def test_mistakes(arguments, words):
    with pytest.raises(ParameterError, match=words):
        BufferPool(*arguments)


def test_more_memory_than_there_is():
    with pytest.raises(WorkerError, match="not enough memory"):
        BufferPool(2, 1 << 40, SPECS)


# ---- several processes

PRODUCER = """
import json, os, sys
from leaven.stream.buffer_pool import BufferPool
pool = BufferPool.attach(json.loads(sys.argv[1]))
for number in range(int(sys.argv[2])):
    arrays = pool.next()
    if arrays is None:
        break
    assert (arrays["image"] == 9).all()
    arrays["image"][:] = number % 251
    arrays["label"][:] = number
    message = pool.pack({**arrays, "producer": sys.argv[3]})
    del arrays
    os.write(1, message.hex().encode() + b"\\n")
"""

TAKER = """
import json, sys
from leaven.stream.buffer_pool import BufferPool
pool = BufferPool.attach(json.loads(sys.argv[1]))
held = [pool.next()] if len(sys.argv) < 3 else [pool.unpack(bytes.fromhex(sys.argv[2]))]
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def child(script, pool, *arguments, stdout=subprocess.PIPE):
    words = [json.dumps(pool.descriptor()), *map(str, arguments)]
    command = [sys.executable, "-c", script, *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=stdout, text=True) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def test_batches_of_another_process(pool):
    with child(PRODUCER, pool, 50, "a") as producer:
        for number, line in enumerate(producer.stdout):
            found = pool.unpack(bytes.fromhex(line))
            assert found["label"].tolist() == [number] * 4
            assert (found["image"] == number % 251).all()
            del found
    assert number == 49
    assert producer.returncode == 0
    assert all_free(pool, 2)


@pytest.mark.parametrize(
    "spec",
    [
        ((), "complex64", 1 + 2j),
        ((2,), "S5", b"ab"),
        ((), "U3", "\u00e4"),
        ((), "M8[s]", "2020-01-01"),
        ((), "f4", float("nan")),
        ((3,), ">u2", [1, 2, 3]),
        ((2,), [("a", "i4"), ("b", "f8", (2,))]),
        ((2,), "u1", None),
        np.arange(6, dtype="i4").reshape(2, 3),
    ],
    ids=str,
)
def test_a_descriptor_is_json_for_any_dtype(spec):
    with BufferPool(np.int64(2), np.int32(3), {"x": spec}) as pool:
        other = BufferPool.attach(json.loads(json.dumps(pool.descriptor())))
        first, second = pool.next()["x"], other.next()["x"]
        assert (second.dtype, second.shape) == (first.dtype, first.shape)
        assert second.tobytes() == first.tobytes()
        del first, second


def forked(child, parent):
    """Run a script that forks while it holds two sets, one taken and one unpacked; return what it prints."""
    script = f"""
import os, sys
from leaven.stream.buffer_pool import BufferPool
from leaven.stream.polling import readable
pool = BufferPool(3, 4, {{"x": ((2,), "uint8", 6)}})
taken, unpacked = pool.next(), pool.unpack(pool.pack(pool.next()))
ours, theirs = os.pipe()
if (child := os.fork()) == 0:
    {child}
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
{parent}
"""
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, timeout=SECONDS)
    assert done.returncode == 0
    return done.stdout


@pytest.mark.parametrize("end", ["del taken, unpacked", "sys.exit(0)", "taken = pool.unpack(pool.pack(taken))"])
def test_a_fork_does_not_give_back_its_parents_sets(end):
    parent = "third = pool.next(); print(readable([pool._sets._pipe.fd], 0))"
    assert forked(end, parent) == "[]\n"


def test_a_fork_can_go_on_with_the_pool():
    child = "os.write(theirs, pool.pack(pool.next() | {'old': taken['x']}))"
    parent = "found = pool.unpack(os.read(ours, 1000)); print(found['x'].sum(), found['old'].sum())"
    assert forked(child, parent) == "48 48\n"


def test_two_producers_never_share_a_set():
    with BufferPool(3, 4, SPECS) as pool:
        ours, theirs = os.pipe()  # a line is written at once, so that those of both do not mix
        with (
            child(PRODUCER, pool, 60, "a", stdout=theirs),
            child(PRODUCER, pool, 60, "b", stdout=theirs),
            open(ours) as lines,
        ):
            os.close(theirs)
            numbers = {"a": 0, "b": 0}
            for line in lines:
                found = pool.unpack(bytes.fromhex(line))
                assert found["label"].tolist() == [numbers[found["producer"]]] * 4
                numbers[found["producer"]] += 1
                del found
        assert numbers == {"a": 60, "b": 60}


def test_close_reaches_other_processes(pool):
    with child(PRODUCER, pool, 50, "a") as producer:
        message = producer.stdout.readline()  # it waits for a set when it has sent two
        producer.stdout.readline()
        pool.close()
        assert producer.wait(SECONDS) == 0
    assert pool.unpack(bytes.fromhex(message))["label"].tolist() == [0] * 4


@pytest.mark.parametrize("what", ["taken", "unpacked"])
def test_the_set_of_a_process_that_was_killed_is_free_again(pool, what):
    arguments = [] if what == "taken" else [passed_on(pool).hex()]
    with child(TAKER, pool, *arguments) as taker:
        assert taker.stdout.readline() == "held\n"
        kept = pool.next()
        with Waiting(pool.next) as waiting:
            assert waiting.waits()
            taker.send_signal(signal.SIGKILL)
            taker.wait(SECONDS)
            assert waiting.result()["label"].tolist() == [-1] * 4
    del kept


def test_a_lock_is_not_kept_by_a_process_that_was_killed(pool):
    script = "import json, sys, fcntl\nfrom leaven.stream.shared import opened\n"
    script += "fd = opened(json.loads(sys.argv[1])['sets']['memory'])\nfcntl.flock(fd, fcntl.LOCK_EX)\n"
    script += "print('locked', flush=True)\nsys.stdin.read()"
    with child(script, pool) as other:
        assert other.stdout.readline() == "locked\n"
        with Waiting(pool.next) as waiting:
            assert waiting.waits()
            other.kill()
            other.wait(SECONDS)
            assert waiting.result() is not None


def test_a_pool_whose_maker_has_gone():
    script = "import json, sys\nfrom leaven.stream.buffer_pool import BufferPool\n"
    script += "pool = BufferPool(2, 4, {'x': ((2,), 'uint8', 6)})\n"
    script += "print(json.dumps(pool.descriptor()), flush=True)\nsys.stdin.read()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", script], text=True, **pipes) as maker:
        descriptor = json.loads(maker.stdout.readline())
        pool = BufferPool.attach(descriptor)
        maker.kill()
    assert (pool.unpack(passed_on(pool))["x"] == 6).all()
    with pytest.raises(WorkerError, match="it has been given back"):
        BufferPool.attach(descriptor)


@pytest.mark.parametrize(
    "changes",
    [{"sets": None}, {"specs": 5}, {"specs": {"x": [1]}}, {"batch_size": "many"}, {"num_buffers": 1 << 40}],
    ids=str,
)
def test_malformed_descriptors(pool, changes):
    with pytest.raises((ProtocolError, WorkerError)):
        BufferPool.attach({**pool.descriptor(), **changes})


def test_two_pools_of_one_process_share_the_sets(pool):
    other = BufferPool.attach(pool.descriptor())
    kept = other.unpack(passed_on(pool))
    taken = other.next()
    with Waiting(pool.next) as waiting:
        assert waiting.waits()
        del taken
        assert waiting.result() is not None
    del kept, other
    deadline = time.monotonic() + SECONDS
    while not all_free(pool, 2):
        assert time.monotonic() < deadline
