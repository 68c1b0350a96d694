"""Jobs of small programs: no torch in them, so that they start at once."""

from __future__ import annotations

import os
import re
import select
import signal
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from leaven_plugins.distributed import job
from leaven_plugins.distributed.failures import DistributedError
from leaven_plugins.distributed.member import Member

WAIT = """
import os, sys, time
from pathlib import Path
rank, folder = os.environ["RANK"], Path(sys.argv[1])
(folder / f"pid{rank}").write_text(str(os.getpid()))
def everybody(n=2):
    while len([p for p in folder.glob("pid*") if p.read_text()]) < n:
        time.sleep(0.005)
"""


def run(code, folder, nproc=2):
    job.run_job([sys.executable, "-S", "-c", WAIT + code, str(folder)], nproc, os.environ)


def assert_gone(*names):
    """Everybody whose number is in one of these files has ended."""
    for name in names:
        pid = int(name.read_text())
        for _ in range(200):
            status = Path(f"/proc/{pid}/stat")
            if not status.exists() or ") Z " in status.read_text():  # killed; its next of kin has not looked yet
                break
            time.sleep(0.01)
        else:
            pytest.fail(f"{name.name} {pid} still runs")


def test_ranks_get_torchruns_variables(tmp_path):
    run(
        "names = 'RANK LOCAL_RANK WORLD_SIZE LOCAL_WORLD_SIZE MASTER_ADDR'.split()\n"
        "(folder / f'seen{rank}').write_text(' '.join(os.environ[name] for name in names))\n"
        "assert int(os.environ['OMP_NUM_THREADS']) >= 1 and os.environ['MASTER_PORT'] != '0'\n",
        tmp_path,
        3,
    )
    assert [(tmp_path / f"seen{rank}").read_text() for rank in range(3)] == [f"{n} {n} 3 3 127.0.0.1" for n in range(3)]


def test_output_of_others_has_their_rank_before_it(tmp_path, capfd):
    run("print('out', rank); print('err\\nor', rank, file=sys.stderr)", tmp_path)
    out, err = capfd.readouterr()
    assert out == "out 0\n"
    assert sorted(err.splitlines()) == ["[rank 1] err", "[rank 1] or 1", "[rank 1] out 1", "err", "or 0"]


def test_first_failure_ends_all(tmp_path):
    with pytest.raises(DistributedError) as caught:
        run("everybody()\nif rank == '1': print('\\x1b oh no', file=sys.stderr); sys.exit(7)\ntime.sleep(60)", tmp_path)
    assert str(caught.value) == (
        "rank 1 of 2 ended with exit status 7; the others were ended. The end of what it wrote:\n\\x1b oh no"
    )
    assert caught.value.exit_code == 7
    assert_gone(tmp_path / "pid0", tmp_path / "pid1")


def test_signals_have_names(tmp_path):
    with pytest.raises(DistributedError, match=r"rank 0 of 2 was killed by signal 9 \(SIGKILL\)") as caught:
        run("everybody()\nif rank == '0': os.kill(os.getpid(), 9)\ntime.sleep(60)", tmp_path)
    assert caught.value.exit_code == 1


def test_a_rank_that_lost_another_is_not_to_blame(tmp_path):
    with pytest.raises(DistributedError, match="rank 0 of 2 ended with exit status 4"):
        run("everybody()\nif rank == '1': sys.exit(3)\ntime.sleep(0.3); sys.exit(4)", tmp_path)


def test_a_lost_rank_that_nobody_explains_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(job, "_OTHERS", 0.1)
    with pytest.raises(DistributedError, match="rank 1 of 2 ended with exit status 3"):
        run("everybody()\nif rank == '1': sys.exit(3)\ntime.sleep(60)", tmp_path)


def test_who_ignores_sigterm_is_killed_with_all_that_it_has_started(tmp_path, monkeypatch):
    monkeypatch.setattr(job, "_GRACE", 0.1)
    with pytest.raises(DistributedError, match="rank 1 of 2"):
        run(
            "import signal, subprocess\n"
            "if rank == '0':\n"
            "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "    helper = subprocess.Popen(['sleep', '60'])\n"
            "    (folder / 'pid_helper').write_text(str(helper.pid))\n"
            "    time.sleep(60)\n"
            "everybody(3); sys.exit(1)",
            tmp_path,
        )
    assert_gone(tmp_path / "pid0", tmp_path / "pid_helper")


STOPPING = """
import signal
def stop(number, frame):
    (folder / f"stopped{rank}").write_text(signal.Signals(number).name)
    sys.exit(0)
signal.signal(signal.SIGINT, stop)
signal.signal(signal.SIGTERM, stop)
(folder / f"ready{rank}").touch()
time.sleep(60)
"""


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_signals_are_passed_on_and_everybody_may_finish(tmp_path, number, error):
    def interrupt():
        while len(list(tmp_path.glob("ready*"))) < 2:
            time.sleep(0.005)
        os.kill(os.getpid(), number)

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(error):
        run(STOPPING, tmp_path)
    thread.join()
    assert [(tmp_path / f"stopped{rank}").read_text() for rank in (0, 1)] == [number.name] * 2
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_program_that_is_not_there_is_named(tmp_path, capfd):
    with pytest.raises(DistributedError, match=r"rank \d of 2 ended with exit status 1.*\n.*nowhere: No such file"):
        job.run_job([str(tmp_path / "nowhere")], 2, os.environ)


def test_ports_are_open_to_this_machine_only():
    with job._meeting_point() as port:
        listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
        assert re.findall(rf" (\w+):{port:04X} \w+:0000 0A ", listening) == ["0100007F"]


@pytest.mark.slow
def test_ranks_do_not_outlive_a_parent_that_is_killed(tmp_path):
    import subprocess

    script = tmp_path / "parent.py"
    script.write_text(
        "import os, sys\nfrom leaven_plugins.distributed.job import run_job\n"
        f"run_job([sys.executable, '-S', '-c', {WAIT + 'time.sleep(60)'!r}, {str(tmp_path)!r}], 2, os.environ)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, str(script)], env=environment) as parent:
        while len([pid for pid in tmp_path.glob("pid*") if pid.read_text()]) < 2:
            assert parent.poll() is None
            time.sleep(0.01)
        parent.kill()
    assert_gone(tmp_path / "pid0", tmp_path / "pid1")


# ---- one process


def a_member(code):
    return Member(1, [sys.executable, "-S", "-c", code], os.environ, ())


def wait_for(member):
    assert select.select([member.fd], [], [], 30)[0], "it hangs"


def test_a_signal_to_one_that_has_just_ended_does_not_hide_how(monkeypatch):
    member = a_member("raise SystemExit(5)")
    wait_for(member)
    with monkeypatch.context() as patch:
        patch.setattr(Member, "code", None)  # it was looked at a moment before
        member.signal(signal.SIGTERM)
    assert member.code == 5
    member.close()


class Closed:
    def write(self, text):
        raise BrokenPipeError

    def flush(self):
        raise BrokenPipeError


def test_output_that_nobody_reads_any_more_stops_nobody(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Closed())
    member = a_member("for _ in range(3000): print('x' * 1000)")
    wait_for(member)
    assert member.code == 0
    member.close()


def test_output_without_ends_of_lines_is_passed_on_in_parts(monkeypatch):
    written = []
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(write=written.append, flush=lambda: None))
    member = a_member("print('x' * 300_000)")
    wait_for(member)
    member.close()
    assert sum(part.count("x") for part in written) == 300_000
    assert max(map(len, written)) < 70_000
