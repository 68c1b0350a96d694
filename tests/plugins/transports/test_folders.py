from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys

import pytest

from leaven.errors import TransportError
from leaven_plugins.transports.folders import PrivateFolder, remove_abandoned

HOLD = """
import sys
from leaven_plugins.transports.folders import PrivateFolder
folder = PrivateFolder(sys.argv[1])
(folder.path / "socket").touch()
print(folder.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that has a private folder in ``tmp_path``."""
    path = os.pathsep.join(filter(None, sys.path))
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_it_is_private_and_goes_with_everything_in_it(tmp_path):
    folder = PrivateFolder(str(tmp_path))
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    (folder.path / "something").touch()
    folder.remove()
    folder.remove()
    assert list(tmp_path.iterdir()) == []


def test_that_of_a_live_process_stays_and_that_of_a_killed_one_goes(tmp_path, other):
    (theirs,) = tmp_path.iterdir()
    for _ in range(3):
        remove_abandoned(str(tmp_path))
    assert (theirs / "socket").exists()
    other.send_signal(signal.SIGKILL)
    other.wait()
    mine = PrivateFolder(str(tmp_path))
    assert list(tmp_path.iterdir()) == [mine.path]
    mine.remove()


def test_what_is_not_known_to_be_abandoned_stays(tmp_path):
    unlocked = tmp_path / "leaven-being-made"
    unlocked.mkdir()
    (unlocked / "leaven.lock.new").touch()
    foreign = tmp_path / "leaven-with-more-in-it"
    (foreign / "folder").mkdir(parents=True)
    (foreign / "leaven.lock").touch()
    (tmp_path / "leaven-file").touch()
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "leaven.lock").touch()
    (tmp_path / "leaven-link").symlink_to(tmp_path / "link")
    remove_abandoned(str(tmp_path))
    assert unlocked.exists()
    assert (foreign / "folder").exists()
    assert (tmp_path / "leaven-file").exists()
    assert (tmp_path / "link" / "leaven.lock").exists()


def test_folders_made_at_once_by_many_processes_are_not_taken_for_abandoned(tmp_path):
    code = (
        "import sys; from leaven_plugins.transports.folders import PrivateFolder\n"
        "for _ in range(100):\n"
        "    folder = PrivateFolder(sys.argv[1])\n"
        "    assert (folder.path / 'leaven.lock').exists()\n"
        "    folder.remove()\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    run = [sys.executable, "-c", code, str(tmp_path)]
    processes = [subprocess.Popen(run, env=environment) for _ in range(3)]
    assert [process.wait(30) for process in processes] == [0, 0, 0]
    assert list(tmp_path.iterdir()) == []


def test_where_none_can_be_made(tmp_path):
    with pytest.raises(TransportError, match=r"missing.*TMPDIR"):
        PrivateFolder(str(tmp_path / "missing"))
