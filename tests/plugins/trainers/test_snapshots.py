from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch

from leaven_plugins.trainers.standard.snapshots import (
    Snapshot,
    SnapshotError,
    latest_snapshot,
    load_snapshot,
    save_snapshot,
)


def a_snapshot(value=1.0):
    weight = torch.nn.Parameter(torch.full((3, 2), value))
    optimizer = torch.optim.AdamW([weight])
    weight.grad = torch.ones_like(weight)
    optimizer.step()
    return Snapshot({"weight": weight.detach()}, optimizer.state_dict(), {"epoch": 3, "about": {"seed": 0}})


def test_what_was_saved_is_loaded(tmp_path):
    saved = a_snapshot()
    path = save_snapshot(tmp_path / "snapshots" / "epoch_0003", saved)
    assert sorted(file.name for file in path.iterdir()) == ["manifest.json", "model.pt", "optimizer.pt", "trainer.json"]
    loaded = load_snapshot(path)
    torch.testing.assert_close(loaded.model, saved.model, rtol=0, atol=0)
    torch.testing.assert_close(loaded.optimizer["state"], saved.optimizer["state"], rtol=0, atol=0)
    assert loaded.optimizer["param_groups"] == saved.optimizer["param_groups"]
    assert loaded.trainer == saved.trainer
    assert [entry.name for entry in path.parent.iterdir()] == ["epoch_0003"]


def test_a_snapshot_of_the_same_name_is_replaced(tmp_path):
    save_snapshot(tmp_path / "epoch_0001", a_snapshot(1.0))
    save_snapshot(tmp_path / "epoch_0001", a_snapshot(5.0))
    assert load_snapshot(tmp_path / "epoch_0001").model["weight"].mean() > 4
    assert [entry.name for entry in tmp_path.iterdir()] == ["epoch_0001"]


@pytest.mark.parametrize("name", ["model.pt", "optimizer.pt", "trainer.json"])
def test_torn_changed_and_missing_files_are_named(tmp_path, name):
    file = save_snapshot(tmp_path / "epoch_0001", a_snapshot()) / name
    content = file.read_bytes()
    for size in (0, len(content) // 2, len(content) - 1):
        file.write_bytes(content[:size])
        with pytest.raises(SnapshotError, match=rf"{name}: {size} bytes where the manifest says {len(content)}"):
            load_snapshot(file.parent)
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(SnapshotError, match=rf"{name}: the content is not what was written"):
        load_snapshot(file.parent)
    file.unlink()
    with pytest.raises(SnapshotError, match=rf"{name}: cannot be read"):
        load_snapshot(file.parent)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"files": {"model.pt": 3}}', '{"files": {}}'])
def test_a_manifest_that_is_none_is_named(tmp_path, text):
    path = save_snapshot(tmp_path / "epoch_0001", a_snapshot())
    (path / "manifest.json").write_text(text)
    with pytest.raises(SnapshotError, match=r"manifest\.json"):
        load_snapshot(path)


def test_a_folder_without_manifest_is_no_snapshot(tmp_path):
    with pytest.raises(SnapshotError, match=r"there is no manifest\.json"):
        load_snapshot(tmp_path)


class Foreign:
    pass


def test_pickled_objects_are_refused_even_with_a_matching_manifest(tmp_path):
    path = save_snapshot(tmp_path / "epoch_0001", Snapshot({"weight": Foreign()}, {}, {}))
    with pytest.raises(SnapshotError, match="more than tensors and plain data"):
        load_snapshot(path)


def test_a_failure_leaves_the_old_snapshot_and_nothing_else(tmp_path):
    path = save_snapshot(tmp_path / "epoch_0001", a_snapshot())
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    with pytest.raises(SnapshotError, match="cannot be written"):
        save_snapshot(path, Snapshot({}, {}, {"not plain": object()}))
    assert {file.name: file.read_bytes() for file in path.iterdir()} == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["epoch_0001"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SnapshotError, match=r"epoch_0001: the snapshot cannot be written"):
        save_snapshot(tmp_path / "file" / "epoch_0001", a_snapshot())


def test_latest_is_the_last_that_is_whole(tmp_path):
    for epoch in (2, 9999, 10000):
        save_snapshot(tmp_path / f"epoch_{epoch:04d}", a_snapshot())
    (tmp_path / "epoch_20000.tmp-00ff").mkdir()
    assert latest_snapshot(tmp_path).name == "epoch_10000"
    (tmp_path / "epoch_10000" / "manifest.json").unlink()
    (tmp_path / "epoch_9999" / "manifest.json").write_text(json.dumps({"files": {}}))
    assert latest_snapshot(tmp_path).name == "epoch_0002"
    (tmp_path / "epoch_0002" / "model.pt").unlink()
    with pytest.raises(SnapshotError, match=r"no complete snapshot.*epoch_10000.*epoch_9999.*model\.pt"):
        latest_snapshot(tmp_path)


INTERRUPTED = """
import signal, sys
from pathlib import Path
import torch
from leaven_plugins.trainers.standard.snapshots import Snapshot, save_snapshot

def interrupt(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
content = Snapshot({f"weight_{i}": torch.zeros(100, 100) for i in range(10)}, {}, {})
outcomes = set()
for i in range(300):
    try:
        signal.setitimer(signal.ITIMER_REAL, 1e-5 + i * 1e-5)
        save_snapshot(Path(sys.argv[1]) / "epoch_0001", content)
        signal.setitimer(signal.ITIMER_REAL, 0)
        outcomes.add("saved")
    except BaseException as error:
        outcomes.add(type(error).__name__)
print(*sorted(outcomes))
"""


def test_an_interrupt_while_saving_is_an_interrupt(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, tmp_path], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout.strip(), done.stderr, done.returncode) in (
        ("KeyboardInterrupt saved", "", 0),
        ("KeyboardInterrupt", "", 0),
    )
