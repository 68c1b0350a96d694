from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven import Registry
from leaven.errors import ConfigError, LeavenError
from leaven_plugins.commands.train.experiment import Experiment
from leaven_plugins.commands.train.folder import new_folder
from leaven_plugins.commands.train.overfitting import kept_samples
from leaven_plugins.commands.train.paths import anchor_datasets
from leaven_plugins.commands.train.result import result_of, value_lines, wilson_interval
from leaven_plugins.commands.train.resume import comparison, snapshot_meant
from leaven_plugins.snapshots.files import Snapshot, save_snapshot

# ---- what is gone on with, and what is kept


def test_the_newest_run_is_found_whatever_it_is_called(tmp_path):
    for name in ("some[1]", "some[1]-2", "some[1]-10", "some[1]-old", "some1-11"):
        save_snapshot(tmp_path / name / "snapshots" / "epoch_0001", Snapshot({}, {}))
    found = snapshot_meant("last", tmp_path / "some[1]")
    assert found == tmp_path / "some[1]-10" / "snapshots" / "epoch_0001"


def test_a_size_that_does_not_count_is_not_told_to(tmp_path):
    about = {"epoch": 1, "iteration": 9, "config": {"loader": {"batch_size": 16, "nworkers": 1}}}
    now = {"loader": {"batch_size": 32, "nworkers": 2}}
    _, *lines = comparison(Snapshot({}, about), now, ["model", "data"], {})
    assert lines == [
        "ignored     loader.batch_size: 32: batches stay as large as they were",
        "overridden  loader.nworkers: 1 -> 2",
    ]
    assert "overridden  loader.batch_size: 16 -> 32" in comparison(Snapshot({}, about), now, ["model"], {})


def test_rows_that_hold_no_sample_are_none_of_the_first():
    sample = {"image": np.arange(4), "valid": np.array([False, True, False, True])}
    nobody = {"image": np.arange(2), "valid": np.array([False, False])}
    kept = kept_samples([(0, [nobody]), (1, [sample, sample]), (2, [sample])], 3)
    assert [[part["image"].tolist() for part in parts] for parts in kept] == [[[1, 3], [1]]]


# ---- the interval


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_agrees_with_published_examples(hits, count, low, high):
    """The four examples of Newcombe, "Two-sided confidence intervals for the single proportion" (1998), method 3."""
    assert wilson_interval(hits / count, count) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_ends_of_the_interval_are_where_the_share_is_just_not_refuted(hits_and_count):
    hits, count = hits_and_count
    share = hits / count
    low, high = wilson_interval(share, count)
    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1
    for end in (low, high):
        if 1e-9 < end < 1 - 1e-9:
            assert abs(share - end) / np.sqrt(end * (1 - end) / count) == pytest.approx(1.959964, rel=1e-5)


def test_of_nothing_nothing_is_known():
    assert wilson_interval(0.5, 0) == (0.0, 1.0)


# ---- the result


def test_a_trainer_that_tells_little_gives_a_result():
    result = result_of({"epoch": 2}, 2, Path("run"), None, 1.5)
    assert (result.accuracy, result.interval, result.losses, result.snapshot) == (None, None, (), None)
    assert value_lines(result) == []
    assert result.to_plain()["snapshot"] is None


def test_the_lines_of_what_was_measured():
    values = {"loss": 0.5, "accuracy": 0.9, "mean_iou": 0.25}
    record = {"epoch": 1, "phase": "train", **values, "samples": 100}
    state = {"records": [record], "train_metric_values": [values], "stopped": "max_steps"}
    result = result_of(state, 1, Path("run"), Path("run/s"), 1.5)
    assert value_lines(result) == [
        ("accuracy", "90.00% (95 % interval 82.6% to 94.5%, 100 images)"),
        ("mean_iou", "0.25"),
        ("loss", "0.5"),
    ]
    assert result.to_plain() == {
        "accuracy": 0.9,
        "interval": wilson_interval(0.9, 100),
        "images": 100,
        "epochs": 1,
        "seconds": 1.5,
        "losses": (0.5,),
        "values": {"accuracy": 0.9, "mean_iou": 0.25, "loss": 0.5},
        "snapshot": "run/s",
        "log": "run/log.jsonl",
        "sheet": "run/sheet.png",
        "predictions": None,
        "stopped": "max_steps",
        "signal": 0,
    }


# ---- the folder


def test_a_new_folder_is_never_one_with_something_in_it(tmp_path):
    wanted = tmp_path / "runs" / "demo"
    assert new_folder(wanted) == wanted
    assert new_folder(wanted) == wanted  # it is still empty
    (wanted / "log.jsonl").write_text("kept")
    (tmp_path / "runs" / "demo-2").write_text("a file")
    assert new_folder(wanted) == tmp_path / "runs" / "demo-3"
    assert (wanted / "log.jsonl").read_text() == "kept"


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LeavenError, match="file/run: the folder cannot be made"):
        new_folder(tmp_path / "file" / "run")


# ---- the experiment


EXPERIMENT = """
[data.train]
use = "{dataset}"
path = "{path}"
[loader]
batch_size = 2
nworkers = 0
[worker]
use = "classification"
image = {{ shape = [1, 8, 8], dtype = "uint8" }}
"""


def an_experiment(tmp_path, dataset="msgpack", path="data/a.msgpack", overrides=()):
    file = tmp_path / "some.toml"
    file.write_text(EXPERIMENT.format(dataset=dataset, path=path))
    return Experiment(file, Registry(), overrides, training=False)


def test_paths_start_at_the_file_and_those_of_overrides_at_the_working_folder(tmp_path, monkeypatch):
    path = an_experiment(tmp_path).config.plain["data"]["train"]["path"]
    assert path == str(tmp_path / "data" / "a.msgpack")
    overridden = an_experiment(tmp_path, overrides=["data.train.path=b.msgpack"])
    assert overridden.config.plain["data"]["train"]["path"] == "b.msgpack"
    assert an_experiment(tmp_path, path="/abs/a.msgpack").config.plain["data"]["train"]["path"] == "/abs/a.msgpack"
    assert overridden.name == "some"
    monkeypatch.chdir(tmp_path.parent)
    assert overridden.resolved()["data"]["train"]["path"] == str(tmp_path.parent / "b.msgpack")


def test_paths_of_caches_and_of_the_users_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert an_experiment(tmp_path, path="~/a.msgpack").config.plain["data"]["train"]["path"] == "/home/ada/a.msgpack"
    view = {"use": "cached", "cache": {"use": "disk", "folder": "c"}}
    table = {"data": {"train": {"use": "msgpack", "views": [view]}}}
    anchor_datasets(table, "/runs", Registry())
    assert table["data"]["train"]["views"][0]["cache"]["folder"] == "/runs/c"


def test_an_unknown_dataset_is_a_problem_like_any_other(tmp_path):
    with pytest.raises(ConfigError, match=r"some\.toml: data\.train: .*'msgpak'"):
        an_experiment(tmp_path, dataset="msgpak")


def test_a_file_that_is_missing_or_broken_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"no\.toml"):
        Experiment(tmp_path / "no.toml", Registry())
    (tmp_path / "bad.toml").write_text("[data\n")
    with pytest.raises(ConfigError, match=r"bad\.toml.*line 1"):
        Experiment(tmp_path / "bad.toml", Registry())
