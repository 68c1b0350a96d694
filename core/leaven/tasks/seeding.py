"""Seeding: every run of a function draws random numbers of its own."""

from __future__ import annotations

import inspect
import random

import numpy as np

from leaven.stream.randomness import Streams
from leaven.tasks.calls import Call


def wants_random(call: Call) -> bool:
    """Return whether a function has a parameter ``random`` without a value, for which it is to get a generator."""
    try:
        signature = inspect.signature(call.function)
        given = signature.bind_partial(*call.args, **call.kwargs).arguments
    except (TypeError, ValueError):  # a builtin that does not tell, or a call that will fail
        return False
    parameter = signature.parameters.get("random")
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    if parameter is None or parameter.kind not in named or "random" in given:
        return False
    return parameter.default is None or parameter.default is inspect.Parameter.empty


def generator(streams: Streams, run: int) -> np.random.Generator:
    """Return the generator of a run; the next call sets the same object anew."""
    return streams.at("run", 0, run)


def seed_globals(streams: Streams, run: int) -> None:
    """Set the global state of ``random`` and of numpy for a run, which is for processes that do nothing else."""
    words = streams.at("globals", 0, run).integers(0, 1 << 32, 4, dtype=np.uint32)
    np.random.seed(words)
    random.seed(words.tobytes())
