"""Packing that is killed, interrupted, or done twice at once: nothing is lost, and nothing is left behind."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from leaven.data.pack import pack
from leaven.errors import DatasetError, SampleError
from leaven.testing import tools
from leaven_plugins.datasets.msgpack import MsgpackDataset
from leaven_plugins.jobs.pack import folder
from leaven_plugins.jobs.pack.folder import WorkFolder, folder_of, leftovers
from leaven_plugins.jobs.pack.parts import manifest_of, write_part

COUNT = 40
RESTARTS = 4 if importlib.util.find_spec("leaven_turbo") else 0  # what the command line does by default


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A packed dataset of 40 small pictures."""
    path = tmp_path_factory.mktemp("source") / "source.msgpack"
    MsgpackDataset.write(path, tools.samples(COUNT, 30, 40))
    return path


@pytest.fixture(scope="module")
def expected(source, tmp_path_factory):
    """What comes out of a run that nobody ends."""
    place = tmp_path_factory.mktemp("expected")
    pack(source, place / "x.msgpack", resize=15, encode="jpeg")
    return files(place, "x.msgpack")


def files(place, name):
    return {path.name[len(name) :]: path.read_bytes() for path in place.iterdir() if path.name.startswith(name)}


RUN = """
import sys
from leaven.data.pack import pack
if __name__ == "__main__":
    pack(sys.argv[1], sys.argv[2], resize=15, encode="jpeg", block=2, workers=1)
"""


def killed_when(source, target, moment):
    """Start a packing, and kill it once ``moment()`` is true; return whether it was still at work."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    child = subprocess.Popen([sys.executable, "-c", RUN, str(source), str(target)], env=environment)
    deadline = time.monotonic() + 60
    while child.poll() is None and not moment() and time.monotonic() < deadline:
        time.sleep(0.0005)
    child.send_signal(signal.SIGKILL)
    return child.wait() == -signal.SIGKILL


def resume(source, target, expected):
    """Pack again: it takes up what is there, and comes to the same."""
    if target.exists() and not folder_of(target).exists():  # it was complete
        assert files(target.parent, target.name) == expected
        return None
    report = pack(source, target, resize=15, encode="jpeg", block=2, workers=1)
    assert files(target.parent, target.name) == expected
    assert [path for path in target.parent.iterdir() if not path.name.startswith(target.name)] == []
    return report


@pytest.mark.parametrize("moment", ["first part", "half of them", "writing"])
def test_a_run_that_was_killed_is_taken_up(source, expected, tmp_path, moment):
    target = tmp_path / "x.msgpack"
    patterns = {"first part": ("*.json", 1), "half of them": ("*.json", 10), "writing": ("*.writing", 1)}
    pattern, least = patterns[moment]
    assert killed_when(source, target, lambda: len(list(folder_of(target).glob(pattern))) >= least)
    report = resume(source, target, expected)
    assert report is not None
    assert report.resumed >= least
    assert report.blocks == 20


def test_a_run_that_was_ended_while_it_cleared_up_is_taken_up(source, expected, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    target = tmp_path / "x.msgpack"
    with monkeypatch.context() as patch:
        patch.setattr(folder, "shutil", SimpleNamespace(rmtree=interrupted))
        with pytest.raises(KeyboardInterrupt):
            pack(source, target, resize=15, encode="jpeg", block=10, workers=1)
    assert folder_of(target).exists()
    assert target.read_bytes() == expected[""]
    report = pack(source, target, resize=15, encode="jpeg", block=10, workers=1)
    assert (report.blocks, report.resumed) == (4, 0)
    assert files(tmp_path, "x.msgpack") == expected
    assert not folder_of(target).exists()


@pytest.mark.slow
def test_ctrl_c_ends_all_processes_and_keeps_what_is_done(tmp_path):
    source, target = tmp_path / "a.msgpack", tmp_path / "x.msgpack"
    MsgpackDataset.write(source, tools.samples(2000, 30, 40))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    command = [sys.executable, "-m", "leaven", "data", "pack", source, target, "--resize", "15", "--workers", "1"]
    child = subprocess.Popen(command, env=environment, start_new_session=True, stderr=subprocess.PIPE)
    while child.poll() is None and not list(folder_of(target).glob("*.json")):
        time.sleep(0.001)
    os.killpg(child.pid, signal.SIGINT)
    words = child.communicate(timeout=30)[1]
    assert (child.returncode, words.strip()) == (130, b"")
    assert not target.exists()
    with pytest.raises(ProcessLookupError):
        os.killpg(child.pid, 0)
    assert pack(source, target, resize=15, jpeg_restart=RESTARTS).resumed >= 1


@pytest.mark.slow
@pytest.mark.parametrize("number", range(20))
def test_a_kill_at_any_moment_is_harmless(source, expected, tmp_path, number):
    target = tmp_path / "x.msgpack"
    begin = time.monotonic()
    killed_when(source, target, lambda: time.monotonic() > begin + 0.2 + 0.05 * number)
    if target.exists():
        assert target.read_bytes() == expected[""]
    resume(source, target, expected)


def test_what_was_done_with_other_settings_or_data_is_not_taken_over(source, tmp_path):
    target = tmp_path / "x.msgpack"
    with WorkFolder(target, "of another run") as kept:
        write_part(kept.path, 0, [b"\x81\xa3key\xa1a"], dict)
        (kept.path / ".half.part").write_bytes(b"half")
    report = pack(source, target, resize=15, block=10, workers=1)
    assert (report.samples, report.resumed) == (COUNT, 0)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_the_source_is_part_of_what_was_done(tmp_path):
    source, target = tmp_path / "a.msgpack", tmp_path / "b.msgpack"
    samples = tools.samples(20)
    samples[15]["image"] = b"no image"
    MsgpackDataset.write(source, samples)
    with pytest.raises(SampleError, match=r"sample 15 \(s15\): decode failed") as raised:
        pack(source, target, resize=10, block=5, workers=1)
    assert raised.value.__notes__ == ["in block 3"]
    assert not target.exists()
    kept = folder_of(target)
    assert manifest_of(kept, 0) is not None
    MsgpackDataset.write(source, tools.samples(20), overwrite=True)
    assert pack(source, target, resize=10, block=5, workers=1).resumed == 0
    assert not kept.exists()


def test_only_one_process_packs_into_a_file(source, tmp_path):
    target = tmp_path / "x.msgpack"
    with (
        WorkFolder(target, "one"),
        pytest.raises(DatasetError, match=r"x\.msgpack: another process is packing into it"),
    ):
        pack(source, target, block=5, workers=1)


def test_only_what_nobody_is_at_work_on_is_left_over(source, tmp_path):
    target = tmp_path / "x.msgpack"
    assert leftovers(target) is None
    with WorkFolder(target, "one") as kept:
        (kept.path / "00000000.json").touch()
        assert leftovers(target) is None
    assert leftovers(target) == folder_of(target)


def test_a_link_in_place_of_the_working_folder_is_not_followed(source, tmp_path):
    target, elsewhere = tmp_path / "x.msgpack", tmp_path / "mine"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("mine")
    folder_of(target).symlink_to(elsewhere)
    with pytest.raises(DatasetError, match=r"\.x\.msgpack\.packing: cannot be written: "):
        pack(source, target, resize=10, block=10, workers=1)
    assert leftovers(target) is None
    assert [path.read_text() for path in elsewhere.iterdir()] == ["mine"]
