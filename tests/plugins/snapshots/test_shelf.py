from __future__ import annotations

import math
import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from leaven.errors import ParameterError
from leaven_plugins.snapshots.files import Snapshot, SnapshotError, save_snapshot
from leaven_plugins.snapshots.manifest import read_about
from leaven_plugins.snapshots.shelf import Shelf, find_snapshot, name_of


def empty(**about):
    return Snapshot({"model": {}}, about)


def names(shelf):
    return [path.name for path in shelf.all()]


def test_names_say_after_which_epoch_or_iteration():
    assert name_of(3) == name_of(3, 120) == "epoch_0003"
    assert name_of(3, 120, complete=False) == "epoch_0003_step_00000120"


def test_order_is_that_of_training_and_not_of_names_or_times(tmp_path):
    shelf = Shelf(tmp_path)
    in_order = [
        name_of(2),
        name_of(3, 200, False),
        name_of(3, 10**8, False),
        name_of(3),
        name_of(9999),
        name_of(10000, 1, False),
        name_of(10000),
    ]
    for name in sorted(in_order):
        shelf.save(name, empty())
    (tmp_path / "epoch_20000.tmp-00ff").mkdir()
    (tmp_path / "epoch_best").mkdir()
    assert names(shelf) == in_order
    assert shelf.last().name == "epoch_10000"


def test_last_passes_over_what_is_torn_with_the_reason(tmp_path):
    shelf = Shelf(tmp_path)
    paths = [shelf.save(name_of(epoch), empty()) for epoch in (1, 2, 3)]
    (paths[2] / "manifest.json").unlink()
    (paths[1] / "model.pt").write_bytes(b"")
    told = []
    assert shelf.last(told.append) == paths[0]
    assert [line.partition(": ")[0] for line in told] == ["passed over"] * 2
    assert "epoch_0003: no snapshot" in told[0]
    assert "model.pt: 0 bytes" in told[1]
    (paths[0] / "about.json").unlink()
    with pytest.raises(SnapshotError, match=r"no complete snapshot.*epoch_0003.*epoch_0002.*about\.json"):
        shelf.last()


# ---- the best


def test_best_is_by_the_monitored_value(tmp_path):
    values = {1: 0.5, 2: 0.25, 3: math.nan, 4: 0.25, 5: 0.75}
    for monitor, mode, best in (("val_loss", "min", 2), ("val_loss", "max", 5), ("train_loss", "min", 5)):
        shelf = Shelf(tmp_path / f"{monitor}-{mode}", monitor=monitor, mode=mode)
        for epoch, value in values.items():
            shelf.save(name_of(epoch), empty(), {"val": {"loss": value}, "train_loss": -epoch})
        assert shelf.best().name == name_of(best)
        assert find_snapshot("best", shelf.folder) == shelf.best(), "which value it was is in the snapshots"


def test_best_without_such_a_value_says_which_there_are(tmp_path):
    shelf = Shelf(tmp_path, monitor="val_los")
    with pytest.raises(SnapshotError, match=r"no complete snapshot with a value 'val_los'"):
        shelf.best()
    shelf.save(name_of(1), empty(), {"val": {"loss": 1.0}})
    with pytest.raises(
        SnapshotError, match=r"no snapshot has a value 'val_los', did you mean 'val_loss'\?; have: val_l"
    ):
        shelf.best()


def test_a_monitor_that_is_misspelt_is_said_at_once_and_after_saving(tmp_path):
    shelf = Shelf(tmp_path, keep_last=1, keep_best=1, monitor="val_los")
    shelf.save(name_of(1), empty(), {"train": {"loss": 1.0}})  # there was no validation yet
    with pytest.raises(
        ParameterError, match=r"monitor='val_los', did you mean 'val_loss'\?; the values are: train_loss"
    ):
        shelf.save(name_of(2), empty(), {"train": {"loss": 1.0}, "val": {"loss": math.nan}})
    assert names(shelf) == ["epoch_0001", "epoch_0002"]


# ---- which are kept


@settings(max_examples=12, deadline=None)
@given(
    losses=st.lists(st.sampled_from([0.0, 1.0, 2.0, None]), min_size=1, max_size=7),
    last=st.integers(1, 3),
    best=st.integers(0, 2),
    every=st.integers(0, 3),
)
def test_what_is_kept(tmp_path_factory, losses, last, best, every):
    shelf = Shelf(tmp_path_factory.mktemp("shelf"), last, best, every)
    for epoch, loss in enumerate(losses, 1):
        shelf.save(name_of(epoch), empty(), {} if loss is None else {"val_loss": loss})
    epochs = range(1, len(losses) + 1)
    known = [epoch for epoch in epochs if losses[epoch - 1] is not None]
    expected = {epoch for epoch in epochs if epoch > len(losses) - last or (every and epoch % every == 0)}
    expected |= set(sorted(known, key=lambda epoch: losses[epoch - 1])[:best])  # sorting is stable: the oldest first
    assert names(shelf) == [name_of(epoch) for epoch in sorted(expected)]


def test_all_are_kept_unless_told_otherwise(tmp_path):
    shelf = Shelf(tmp_path)
    for epoch in range(1, 6):
        shelf.save(name_of(epoch), empty())
    assert len(names(shelf)) == 5


def test_torn_ones_do_not_count_and_what_was_just_saved_stays(tmp_path):
    shelf = Shelf(tmp_path, keep_last=2)
    for epoch in (1, 2, 3):
        path = shelf.save(name_of(epoch), empty())
    (path / "model.pt").write_bytes(b"")
    shelf.save(name_of(4), empty())
    assert names(shelf) == ["epoch_0002", "epoch_0003", "epoch_0004"]
    shelf.save(name_of(1), empty())  # gone on with from an older one
    assert names(shelf) == ["epoch_0001", "epoch_0002", "epoch_0003", "epoch_0004"]


def test_a_folder_with_something_else_in_it_is_not_deleted(tmp_path):
    shelf = Shelf(tmp_path, keep_last=1)
    (shelf.save(name_of(1), empty()) / "network.onnx").write_text("")
    for epoch in (2, 3):
        shelf.save(name_of(epoch), empty())
    assert names(shelf) == ["epoch_0001", "epoch_0003"]


def test_a_failure_deletes_nothing(tmp_path):
    shelf = Shelf(tmp_path, keep_last=1)
    shelf.save(name_of(1), empty())
    with pytest.raises(SnapshotError, match=r"model\.a: an object"):
        shelf.save(name_of(2), Snapshot({"model": {"a": object()}}, {}))
    assert names(shelf) == ["epoch_0001"]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"mode": "mix"}, "mode='mix', did you mean 'min'"),
        ({"keep_last": 0}, "keep_last=0: expected at least 1, or None"),
        ({"keep_best": -1}, "keep_best=-1, every=0: expected 0 or more"),
    ],
)
def test_parameters_out_of_range(tmp_path, given, text):
    with pytest.raises(ParameterError, match=text):
        Shelf(tmp_path, **given)


def test_a_name_that_is_none(tmp_path):
    with pytest.raises(ParameterError, match="'latest': snapshots are called epoch_0003 or epoch_0003_step_00000120"):
        Shelf(tmp_path).save("latest", empty())


# ---- finding one


def test_find_snapshot(tmp_path):
    shelf = Shelf(tmp_path / "run" / "snapshots", monitor="val_accuracy", mode="max")
    for epoch, accuracy in enumerate((0.2, 0.9, 0.5), 1):
        shelf.save(name_of(epoch), empty(), {"val_accuracy": accuracy})
    one, two, three = shelf.all()
    run = tmp_path / "run"
    assert find_snapshot(one) == find_snapshot(str(one)) == one
    assert find_snapshot(run) == find_snapshot(shelf.folder) == find_snapshot("last", run) == three
    assert find_snapshot("best", run) == find_snapshot("best", shelf.folder) == two
    with pytest.raises(SnapshotError, match="the best snapshot of what"):
        find_snapshot("best")
    with pytest.raises(SnapshotError, match="nowhere: there is no such folder"):
        find_snapshot(tmp_path / "nowhere")


def test_what_a_crash_between_two_renames_has_left_is_found_and_put_back(tmp_path):
    shelf = Shelf(tmp_path)
    path = shelf.save(name_of(1), Snapshot({"model": torch.ones(3)}, {"epoch": 1}))
    left = path.rename(tmp_path / "epoch_0001.old-00000000-1-1-00000000")
    assert shelf.last() == left
    os.utime(left, (1, 1))  # of another host, and long ago
    save_snapshot(tmp_path / name_of(2), empty())
    assert names(shelf) == ["epoch_0001", "epoch_0002"]
    assert read_about(path)["epoch"] == 1
