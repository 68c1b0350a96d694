"""Run all programs of this folder but the soak, each in a process of its own, and print the table.

``python tests/bench/reliability/all.py`` takes about five minutes; names of programs run only these.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROGRAMS = ("kills", "parents", "hashes", "faults", "wire", "cost", "first_batch")
HEAD = "| what | promised | found | |\n|---|---|---|---|"


def rows(program: str) -> tuple[list[str], bool]:
    """Run a program; return its rows, and whether it kept its promises."""
    command = [sys.executable, str(Path(__file__).with_name(f"{program}.py"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    if not lines:
        print(done.stderr, file=sys.stderr)
        return [f"| {program} | | did not come to an end | **broken** |"], False
    return lines[1:], json.loads(lines[0])["kept"]


def main(programs: list[str]) -> bool:
    print(HEAD, flush=True)
    kept = True
    for program in programs or PROGRAMS:
        found, held = rows(program)
        print("\n".join(found), flush=True)
        kept &= held
    return kept


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
