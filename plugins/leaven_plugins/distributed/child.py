"""What a process of ``launch`` runs: ``python -m leaven_plugins.distributed.child CALL_FD ANSWER_FD``."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

from leaven.errors import LeavenError, RecipeError
from leaven_plugins.distributed.ending import end_now
from leaven_plugins.distributed.failures import PeerLost, lost_peer


def main(call_fd: int, answer_fd: int) -> None:
    """Read the call, make it, and in rank 0 write what it returned. All ranks share both files and their positions."""
    try:
        result = _result(os.pread(call_fd, os.fstat(call_fd).st_size, 0))
        if os.environ["RANK"] == "0":
            _write(answer_fd, _packed(result))
    except Exception as error:
        traceback.print_exc()
        end_now(_exit_code(error))
    end_now(0)


def _result(start: bytes) -> Any:
    from leaven.stream import wire
    from leaven.stream.messages import LIMIT
    from leaven.tasks import values
    from leaven_plugins.distributed.launch import called

    spec = wire.unpack(start, LIMIT)
    sys.path[:] = spec["path"]
    call = values.unpack(spec["call"])
    return called(call["function"], call["arguments"], call["keywords"])


def _packed(result: Any) -> bytes:
    from leaven.tasks import values

    try:
        return values.pack({"result": result})
    except RecipeError as error:
        raise RecipeError(
            f"the function has come to its end, but what it returned cannot be handed over: {error}; "
            "let it return plain data, and write the rest to files"
        ) from error


def _write(fd: int, data: bytes) -> None:
    written = 0
    while written < len(data):
        written += os.pwrite(fd, data[written:], written)


def _exit_code(error: Exception) -> int:
    if lost_peer(error):
        return PeerLost.exit_code
    return error.exit_code if isinstance(error, LeavenError) else 1


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
