from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

import leaven


def test_version(cli):
    assert cli("--version") == (0, f"leaven {leaven.__version__}\n", "")


def test_nothing_asked_shows_help(shell):
    done = shell()
    assert done.returncode == 2
    assert "Usage: leaven" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["componets"], "no command 'componets', did you mean 'components'?"),
        (["trian"], "no command 'trian', did you mean 'train'?"),
        (["plugin", "lst"], "no such command 'lst'. Did you mean 'list'?"),
        (["bench", "lodaer"], "no such command 'lodaer'. Did you mean 'loader'?"),
        (["components", "--jsn"], "no such option '--jsn'. Did you mean '--json'?"),
        (["--buildin-only", "components"], "Did you mean '--builtin-only'?"),
        (["components", "wroker"], "no kind 'wroker', did you mean 'worker'?"),
        (["components", "transport", "zermq"], "no transport 'zermq', did you mean 'zeromq'?"),
        (["plugin", "info", "zermq"], "no plugin 'zermq', did you mean 'zeromq'?"),
        (["-p", "no:zermq", "components"], "-p no:zermq: no plugin 'zermq', did you mean 'zeromq'?"),
        (["-p", "no:transport:zermq", "--help"], "no transport 'zermq', did you mean 'zeromq'?"),
        (["-p", "./nowhere.py", "components"], "no file './nowhere.py'"),
        (["components", "-p", "no:zeromq"], "-p is an option of leaven itself"),
        (["bench", "loader", "x.toml", "--workers", "1,b"], "'1,b': expected numbers of workers"),
        (["bench", "loader"], "missing argument 'CONFIG'"),
    ],
)
def test_mistakes_are_told_in_a_line(cli, arguments, expected):
    code, out, err = cli(*arguments)
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert expected in err
    assert "Traceback" not in err


def test_the_nearest_choice(cli, single):
    code, _, err = cli("-p", single, "hello", "--how", "quit")
    assert code == 2
    assert "did you mean 'quiet'?" in err


def test_a_single_file_plugin(cli, single):
    assert cli("-p", single, "hello")[:2] == (0, "hello from op:single/invert\n")
    assert "say hello" in cli("-p", single, "--help")[1]
    assert "say hello" not in cli("--help")[1]


@pytest.mark.parametrize(("how", "code"), [("seven", 7), ("text", 0), ("exit", 3)])
def test_a_command_may_return_an_exit_code(cli, single, how, code):
    assert cli("-p", single, "hello", "--how", how)[0] == code


def test_our_errors_are_a_line_and_with_v_a_traceback(cli, single):
    assert cli("-p", single, "hello", "--how", "fail") == (1, "", "error: the well is dry\n")
    code, _, err = cli("-v", "-p", single, "hello", "--how", "fail")
    assert code == 1
    assert "Traceback" in err
    assert err.endswith("error: the well is dry\n")


def failing(tmp_path, expression):
    (tmp_path / "failing.py").write_text(
        "import click\nfrom leaven import Component, LeavenError, SampleError, hookimpl\n"
        "from leaven.errors import SampleErrors\n"
        f"@click.command()\ndef fail():\n    raise {expression}\n"
        "@hookimpl\ndef leaven_commands():\n    yield Component('fail', fail, 'fail')\n"
    )
    return tmp_path / "failing.py"


def test_errors_of_several_samples_are_a_line_each(cli, tmp_path):
    samples = "[SampleError(f'no {n}', index=n, key=f'k{n}', stage='decode') for n in range(30)]"
    code, _, err = cli("-p", failing(tmp_path, f"SampleErrors({samples})"), "fail")
    assert code == 1
    lines = err.splitlines()
    assert lines[:2] == ["error: 30 samples failed", "  sample 0 (k0): decode failed: no 0"]
    assert lines[-1] == "  and 22 more"
    assert len(lines) == 10


def test_nothing_in_an_error_reaches_the_terminal_as_it_is(cli, tmp_path):
    err = cli("-p", failing(tmp_path, r"LeavenError('one\x1b[2J\rtwo\nthree\x07')"), "fail")[2]
    assert err == "error: one\\x1b[2J\\rtwo\nthree\\x07\n"


def test_a_fault_of_the_program_keeps_its_traceback(cli, single):
    with pytest.raises(ZeroDivisionError):
        cli("-p", single, "hello", "--how", "bug")


def test_an_interrupt_is_quiet(cli, single):
    code, out, err = cli("-p", single, "hello", "--how", "interrupt")
    assert (code, out, err.strip()) == (130, "", "")


def test_ctrl_c(python, tmp_path):
    (tmp_path / "slow.py").write_text(
        "import click, time\nfrom leaven import Component, hookimpl\n"
        "@click.command()\ndef slow():\n    print('started', flush=True)\n    time.sleep(60)\n"
        "@hookimpl\ndef leaven_commands():\n    yield Component('slow', slow, 'wait')\n"
    )
    # what was started in the background of a script ignores SIGINT, and so do its children
    code = "import signal; signal.signal(2, signal.default_int_handler); from leaven.cli.main import main; main()"
    command = [sys.executable, "-c", code, "-p", "./slow.py", "slow"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "started\n"
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.strip() == ""
    assert time.monotonic() - began < 30


def test_a_reader_that_goes_away_is_no_trouble():
    command = f"{sys.executable} -m leaven components --json | true; {sys.executable} -m leaven components | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_a_command_that_cannot_be_imported(cli, single):
    code, _, err = cli("-p", single, "shy")
    assert code == 2
    assert "command:shy needs no: install no" in err


def test_a_command_that_is_none(cli, single):
    code, _, err = cli("-p", single, "odd")
    assert code == 1
    assert "is a type, and not a click command" in err


def test_blocked_commands_are_gone(cli):
    assert "handwritten digits" not in cli("-p", "no:demo", "--help")[1]
    assert "handwritten digits" not in cli("--help", "-p", "no:demo")[1]  # whatever the order
    code, _, err = cli("-p", "no:demo", "demo")
    assert code == 2
    assert "blocked by -p no:demo" in err


def test_builtin_only(cli, fake_distribution):
    fake_distribution("acme", {"rain": "rain_door"}, {"rain_door": RAIN})
    assert '"rain"' in cli("components", "op", "--json")[1]
    assert '"rain"' not in cli("--builtin-only", "components", "op", "--json")[1]
    assert "blocked by --builtin-only" in cli("--builtin-only", "plugin", "info", "rain")[1]


def test_a_broken_plugin_is_a_line_on_standard_error(shell, fake_distribution):
    fake_distribution("acme", {"hail": "hail_door"}, {"hail_door": "import hail_native"})
    done = shell("--help")
    assert done.returncode == 0
    assert "ModuleNotFoundError: No module named 'hail_native'" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("warning: plugin 'hail' (acme 1.0) is off")
    assert shell("-q", "--help").stderr == ""
    strict = shell("components", LEAVEN_STRICT="1")
    assert strict.returncode == 2
    assert strict.stderr.startswith("error: plugin 'hail' (acme 1.0)")


RAIN = """
from leaven import Component, hookimpl

@hookimpl
def leaven_ops():
    yield Component("rain", "rain_room:Rain", "rain drops")
"""
