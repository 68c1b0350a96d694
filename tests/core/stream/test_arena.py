from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from leaven.errors import LeavenError, WorkerError
from leaven.stream.arena import Arena, Layout, _container_memory
from leaven.stream.buffers import buffer_spec

SPECS = {"image": buffer_spec(((3, 5, 7), "uint8", 9)), "label": buffer_spec(((1,), "int64", -1))}


def test_layout_puts_each_array_on_a_cache_line_without_overlap():
    layout = Layout.of(SPECS, rows=3)
    (first, image), (second, _) = layout.fields["image"], layout.fields["label"]
    assert first % 64 == second % 64 == 0
    assert second >= first + 3 * image.row_bytes
    assert layout.size >= second + 3 * 8


def test_two_processes_see_the_same_bytes():
    layout = Layout.of(SPECS, rows=2)
    ours = Arena(3, layout.size)
    theirs = Arena(3, layout.size, fd=ours.fd)
    layout.filled(ours.slot(1), 2)["image"][1, 2] = 77
    seen = layout.arrays(theirs.slot(1), 2)
    assert (seen["image"][1, 2] == 77).all()
    assert (seen["image"][0] == 9).all()
    assert (seen["label"] == -1).all()
    assert not theirs.slot(0).any()
    ours.close()


def test_a_short_batch_has_fewer_rows():
    layout = Layout.of(SPECS, rows=4)
    arena = Arena(1, layout.size)
    assert layout.arrays(arena.slot(0), 3)["image"].shape == (3, 3, 5, 7)
    arena.close()


def test_a_slots_array_lives_as_long_as_any_view_of_it():
    layout = Layout.of(SPECS, rows=2)
    arena = Arena(1, layout.size)
    memory = arena.slot(0)
    gone = weakref.ref(memory)
    view = layout.arrays(memory, 2)["image"][1:, :, ::2]
    del memory
    gc.collect()
    assert gone() is not None
    del view
    gc.collect()
    assert gone() is None
    arena.close()


def test_views_outlive_the_arena():
    arena = Arena(1, 100)
    memory = arena.slot(0)
    arena.close()
    arena.close()
    memory[:] = 3
    assert memory.sum() == 3 * memory.size


def test_a_worker_cannot_shrink_the_memory_under_the_parent():
    import os

    arena = Arena(1, 100)
    with pytest.raises(PermissionError):
        os.ftruncate(arena.fd, 10)
    arena.close()


def test_too_much_memory_is_an_error_with_numbers(monkeypatch):
    def full(fd, offset, size):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(WorkerError, match=r"not enough memory for batches: 4\.1 MB wanted.*smaller batch_size"):
        Arena(1, 4_096_000)


def test_more_than_is_free_is_an_error_before_it_is_taken():
    with pytest.raises(WorkerError, match=r"100000000\.0 MB wanted \([\d.]+ MB are free\)"):
        Arena(100, 10**12)


def test_a_containers_limit_counts(tmp_path):
    group = tmp_path / "pod" / "job"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("1000000\n")
    (group / "memory.current").write_text("900000\n")
    (group / "memory.stat").write_text("anon 600000\ninactive_file 300000\n")
    assert _container_memory(tmp_path, "0::/pod/job\n") == 400_000
    (group / "memory.max").write_text("max\n")
    assert _container_memory(tmp_path, "0::/pod/job\n") == float("inf")


def test_rows_that_are_all_written_need_not_be_filled():
    layout = Layout.of({"image": buffer_spec(((2,), "uint8", None)), "label": buffer_spec(((), "int8", 3))}, rows=2)
    arena = Arena(1, layout.size)
    memory = arena.slot(0)
    memory[:] = 7
    filled = layout.filled(memory, 2)
    assert filled["image"].tolist() == [[7, 7], [7, 7]]
    assert filled["label"].tolist() == [3, 3]
    layout.fields["image"][1].clear(filled["image"][:1])
    assert filled["image"].tolist() == [[0, 0], [7, 7]]
    arena.close()


def test_unknown_slot():
    arena = Arena(2, 100)
    with pytest.raises(LeavenError, match="no slot 2"):
        arena.slot(2)
    arena.close()


def test_no_buffers_need_no_memory():
    layout = Layout.of({}, rows=3)
    assert layout.size == 0
    arena = Arena(2, layout.size)
    assert layout.arrays(arena.slot(1), 3) == {}
    assert arena.slot(1).dtype == np.uint8
    arena.close()
