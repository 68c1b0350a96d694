"""EngineContract: what a job relies on in an engine."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from leaven.errors import LeavenError, SampleError
from leaven.protocols import Engine
from leaven.testing.component import ComponentContract


@dataclass(frozen=True)
class Squares:
    """A job that writes the square of each block's number to a file.

    Args:
        blocks: how many there are.
        kill: a block whose process is killed the first time; -1 for none.
        fail: a block of which a sample fails; -1 for none.
        wrong: a block that fails as a whole; -1 for none.
    """

    blocks: int = 7
    kill: int = -1
    fail: int = -1
    wrong: int = -1

    def run(self, block: int, folder: Path) -> Mapping[str, Any]:
        """Write the file, and return what is in it.

        Raises:
            SampleError: the block is ``fail``.
            OSError: the block is ``wrong``.
        """
        if block == self.kill and not (folder / "killed").exists():
            (folder / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if block == self.fail:
            raise SampleError("is not square", index=10 * block, key=f"k{block}", stage="decode")
        if block == self.wrong:
            raise OSError("the disk is gone")
        (folder / f"{block}.txt").write_text(str(block**2))
        return {"square": block**2, "samples": 1}


class EngineContract(ComponentContract):
    """The contract of engines."""

    @pytest.fixture
    def engine(self, component: Engine) -> Engine:
        """A new engine."""
        return component

    def test_each_block_is_done_once(self, engine: Engine, tmp_path: Path) -> None:
        """Those that were asked for, in any order, with their manifests and files."""
        blocks = [5, 0, 1, 3, 6]
        done = list(engine.run(Squares(), blocks, tmp_path))
        assert sorted(done, key=lambda one: one[0]) == [(n, {"square": n**2, "samples": 1}) for n in sorted(blocks)]
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {f"{n}.txt": str(n**2) for n in blocks}

    def test_no_blocks_are_no_work(self, engine: Engine, tmp_path: Path) -> None:
        """As where all of them were done before."""
        assert list(engine.run(Squares(), [], tmp_path)) == []

    def test_the_block_of_a_killed_process_is_run_again(self, engine: Engine, tmp_path: Path) -> None:
        """Whatever else it was to do, too."""
        done = dict(engine.run(Squares(kill=2), range(7), tmp_path))
        assert done == {n: {"square": n**2, "samples": 1} for n in range(7)}
        assert (tmp_path / "killed").exists()

    def test_the_error_of_a_sample_is_raised(self, engine: Engine, tmp_path: Path) -> None:
        """With all that is known of the sample, and the block in a note."""
        with pytest.raises(SampleError, match=r"sample 40 \(k4\): decode failed: .*is not square") as raised:
            list(engine.run(Squares(fail=4), range(7), tmp_path))
        assert (raised.value.index, raised.value.key, raised.value.stage) == (40, "k4", "decode")
        assert "block 4" in "".join(raised.value.__notes__)

    def test_the_error_of_a_block_is_raised(self, engine: Engine, tmp_path: Path) -> None:
        """With the block, and what it said."""
        with pytest.raises(LeavenError, match="block 4: OSError: the disk is gone"):
            list(engine.run(Squares(wrong=4), range(7), tmp_path))

    def test_it_can_be_left_early_and_used_again(self, engine: Engine, tmp_path: Path) -> None:
        """What is under way then is dropped."""
        results = iter(engine.run(Squares(blocks=50), range(50), tmp_path))
        next(results)
        close = getattr(results, "close", None)
        if close is not None:
            close()
        assert dict(engine.run(Squares(), [1], tmp_path)) == {1: {"square": 1, "samples": 1}}
