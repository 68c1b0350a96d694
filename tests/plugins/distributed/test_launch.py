from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from leaven.errors import ParameterError, RecipeError
from leaven_plugins.distributed.failures import DistributedError
from leaven_plugins.distributed.launch import launch, run_command, within_job

LIMIT = 10.0  # seconds from the end of one rank to the end of the job


def test_one_process_is_this_one():
    assert launch(os.getpid, 1) == os.getpid()
    assert launch("json:loads", 1, "[1]") == [1]
    assert launch(sorted, 1, [2, 1], reverse=True) == [2, 1]


def test_killed_rank_ends_the_job(parts, tmp_path):
    with pytest.raises(DistributedError, match=r"rank 1 of 2 was killed by signal 9 \(SIGKILL\)"):
        launch(parts.fail, 2, "kill", tmp_path / "end")


@pytest.mark.slow
def test_job_of_a_killed_rank_ends_in_time(parts, tmp_path):
    with pytest.raises(DistributedError, match="SIGKILL"):
        launch(parts.fail, 2, "kill", tmp_path / "end")
    assert time.time() - float((tmp_path / "end").read_text()) < LIMIT


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "message"),
    [("raise", r"(?s)rank 1 of 2 ended with exit status 1;.*ValueError: rank one is broken$"), ("exit", "status 5;")],
)
def test_failing_rank_ends_the_job(parts, tmp_path, capsys, kind, message):
    with pytest.raises(DistributedError, match=message):
        launch(parts.fail, 2, kind, tmp_path / "end")
    if kind == "exit":  # which takes its time; after an error, rank 0 may be ended before it says a word
        assert "PeerLost: rank 0 of 2: training together: another rank has gone" in capsys.readouterr().err


@pytest.mark.slow
def test_functions_by_name_and_of_a_script(parts, tmp_path):
    assert launch("distributed_parts:alone_or_not", 2, value=3) == [2, 6]
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from leaven_plugins.distributed.launch import launch\n"
        "from leaven_plugins.distributed.world import joined\n"
        "def work(values):\n"
        "    with joined() as world:\n"
        "        return world.gather([world.rank, *values])\n"
        "if __name__ == '__main__':\n"
        "    print(launch(work, int(sys.argv[1]), (1, 2)))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "error"}

    def printed(nproc):
        command = [sys.executable, str(script), nproc]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert printed("2") == "[[0, 1, 2], [1, 1, 2]]\n"
    assert printed("1") == "[[0, 1, 2]]\n"


@pytest.mark.slow
def test_results_that_cannot_be_handed_over_are_told(parts, capsys):
    with pytest.raises(DistributedError, match="rank 0 of 2 ended with exit status 2"):
        launch(parts.network, 2)
    assert "the function has come to its end, but what it returned cannot be handed over" in capsys.readouterr().err


def test_a_function_that_exits_is_told(monkeypatch):
    monkeypatch.setattr("leaven_plugins.distributed.launch.run_job", lambda *_: None)  # all have ended well
    with pytest.raises(DistributedError, match="rank 0 has ended before its function returned"):
        launch("sys:exit", 2, 0)


def test_what_cannot_be_handed_over_is_refused_before_anything_starts():
    with pytest.raises(RecipeError, match="a lambda cannot be handed to another process"):
        launch(lambda: 1, 2)
    with pytest.raises(RecipeError, match="arguments"):
        launch(sorted, 2, object())
    for nproc in (0, -1, 1.5, True):
        with pytest.raises(ParameterError, match="a whole number, at least 1"):
            launch(sorted, nproc)


def test_jobs_are_not_started_within_jobs(monkeypatch):
    assert not within_job()
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert within_job()
    with pytest.raises(ParameterError, match="this is already rank 1 of 4"):
        run_command(["true"], 2)


def test_command_lines_run_in_each_process(tmp_path):
    code = "import os, sys; open(os.path.join(sys.argv[1], os.environ['RANK']), 'w').write(os.environ['WORLD_SIZE'])"
    run_command([sys.executable, "-S", "-c", code, str(tmp_path)], 2)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"0": "2", "1": "2"}


# ---- torchrun

SCRIPT = """
import json, sys
import distributed_parts as parts
kind, path = sys.argv[1:]
if kind == "well":
    answer = parts.alone_or_not(3)
    if parts.os.environ["RANK"] == "0":
        open(path, "w").write(json.dumps(answer))
else:
    parts.fail(kind, path)
"""


def torchrun(tmp_path, kind):
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    arguments = [str(tmp_path / "script.py"), kind, str(tmp_path / "end")]
    return subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_under_torchrun_nothing_has_to_be_said(parts, tmp_path):
    done = torchrun(tmp_path, "well")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "end").read_text()) == [2, 6]


@pytest.mark.slow
def test_torchrun_ends_a_job_whose_rank_is_killed(parts, tmp_path):
    done = torchrun(tmp_path, "kill")
    assert time.time() - float((tmp_path / "end").read_text()) < LIMIT
    assert done.returncode != 0
    assert "SIGKILL" in done.stderr or "Signal 9" in done.stderr
