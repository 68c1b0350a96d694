"""Loops that are not leaven's, around its loader: those of the examples learn the digits."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
import torch

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


@pytest.fixture(autouse=True)
def threads():
    """What the scripts set for their process."""
    before = torch.get_num_threads()
    with torch.random.fork_rng():
        yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("script", "package"), [("bare_loop", "torch"), ("lightning_loop", "lightning"), ("accelerate_loop", "accelerate")]
)
def test_the_digits_are_learnt(script, package, capsys):
    pytest.importorskip(package)
    runpy.run_path(str(EXAMPLES / f"{script}.py"))["main"]()
    found = re.search(r"accuracy (\d\.\d+)", capsys.readouterr().out)
    assert found is not None
    assert float(found[1]) > 0.9
