from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytest.importorskip("triton")

from leaven.errors import LeavenError
from leaven_plugins.augmenters.triton.program import places, reach, tile_for
from leaven_plugins.augmenters.triton.randomizer import TritonRandomizer


def test_the_kernel_does_what_torch_does():
    script = Path(__file__).with_name("interpreted.py")
    command = [sys.executable, "-W", "error", str(script)]
    done = subprocess.run(
        command, env={**os.environ, "TRITON_INTERPRET": "1"}, capture_output=True, text=True, timeout=110
    )
    assert done.stdout == "as torch does\n", done.stdout + done.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_device_it_says_what_to_use():
    with pytest.raises(LeavenError, match="no CUDA device here; use augmenter:torch"):
        TritonRandomizer()


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        ([], (0, 0, 0, 0)),
        (["blur"], (0, 0, 0, 0)),
        (["tone", "blur", "noise_rgb"], (1, 0, 2, 0)),
        (["blur", "noise_other", "tone"], (0, 0, 3, 1)),
        (["tone", "noise_rgb", "noise_other"], (1, 2, 3, 0)),
        (["tone", "noise_rgb", "noise_other", "blur"], None),
    ],
)
def test_places_of_ops(sequence, expected):
    assert places(sequence) == expected


def test_how_far_a_blur_reaches():
    assert reach([0, 1.0, 5]).tolist() == [0, 2, 15]
    assert reach([0, 40]) is None
    assert tile_for(0) == tile_for(16) == (32, 16)
    assert tile_for(17) == (32, 48)


@pytest.mark.slow
@pytest.mark.parametrize("out", ["*u8", "*bf16"])
def test_the_kernel_compiles(out, tmp_path, monkeypatch):
    """For compute capability 9.0, which takes no device."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from leaven_plugins.augmenters.triton.kernel import augment

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    kinds = ["*u8", out, "*u8", "*i32", "*fp32", "*i32", "*fp32", "*i32", "*i32", "*fp32", "*fp32", "i32", "i32", "i32"]
    signature = dict(zip(augment.arg_names, [*kinds, *["constexpr"] * 3], strict=True))
    source = ASTSource(augment, signature, {"tile": 32, "margin": 48, "unit": out != "*u8"})
    options = {"num_warps": 8, "enable_fp_fusion": True}
    made = triton.compile(source, target=GPUTarget("cuda", 90, 32), options=options)
    assert made.metadata.shared <= 96 * 1024  # what a program may have from compute capability 8.0 on
