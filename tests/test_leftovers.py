"""The fixture that watches all other tests sees what is left behind."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

LEAKS = """
import os, subprocess, sys, tempfile, threading

kept = []

def test_process():
    kept.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))

def test_thread():
    threading.Thread(target=kept[0].wait, name="leaven-supervisor", daemon=True).start()

def test_folder():
    tempfile.mkdtemp(prefix="leaven-")

def test_descriptors():
    kept.append([os.open(os.devnull, os.O_RDONLY) for _ in range(10)])

def test_working_folder():
    os.chdir(tempfile.gettempdir())

def test_nothing():
    kept[0].communicate()
"""


def test_all_sorts_of_leftovers_fail_their_test_and_no_other(tmp_path):
    fixture = Path(__file__).with_name("conftest.py").read_text()
    assert "_GRACE = 1.0" in fixture
    (tmp_path / "conftest.py").write_text(fixture.replace("_GRACE = 1.0", "_GRACE = 0.1"))
    (tmp_path / "test_leaks.py").write_text(LEAKS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=line", str(tmp_path)]
    report = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False).stdout
    assert "6 passed, 5 errors" in report
    for left in ("child process", "thread leaven-", "file .*/leaven-", "10 open descriptors", "working folder"):
        assert re.search(f"left behind: {left}", report), left
