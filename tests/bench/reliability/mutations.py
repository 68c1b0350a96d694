"""Messages that are none: mutations of true ones, about nothing that exists."""

from __future__ import annotations

import random
from collections.abc import Iterator

from leaven.errors import ProtocolError
from leaven.stream.messages import Died, Done, Failed, Hello, Message, Open, Ready, Shut, Work, decode, encode

NO_LANE = 77

_ERROR = {"sample": True, "message": "m", "index": 3, "key": "k", "stage": "read", "cause_type": "E"}
_FIELDS = {**_ERROR, "remote_traceback": "t" * 40}

ANSWERS: list[Message] = [
    Hello({"leaven": "1"}),
    Ready(NO_LANE, 4711),
    Done(NO_LANE, 1 << 40, 0, 2, ["image"], [{"key": ["a", "b"]}], [[1, _FIELDS]], [[1, 2, 3]], {"drawn": 3}),
    Failed(NO_LANE, 1 << 40, 0, 1, [_FIELDS, _FIELDS]),
    Died(NO_LANE, 1 << 40, 5, "was killed", "Segmentation fault"),
]
ORDERS: list[Message] = [
    Open(NO_LANE, {"role": "loader", "worker": {"target": "os:system"}}),
    Shut(NO_LANE),
    Work(NO_LANE, 1 << 40, 0, 1, 64, 2, [0, 0], [5, 6], [b"data", b"more"], [[1, _FIELDS]], [[0, [[1, b"x"]]]]),
]


def mutated(originals: list[Message], count: int, draws: random.Random) -> Iterator[bytes]:
    """Yield ``count`` messages. What is well-formed after all, and not about a lane that nobody has, is left out.

    Such a message would be an order or an answer like any other, which only those can send who may.
    """
    whole = [encode(message) for message in originals]
    made = 0
    while made < count:
        message = _mutation(bytearray(draws.choice(whole)), whole, draws)
        if not _means_something(message):
            made += 1
            yield message


def _mutation(message: bytearray, whole: list[bytes], draws: random.Random) -> bytes:
    how = draws.randrange(6)
    if how == 0:
        return draws.randbytes(draws.randrange(1, 300))
    if how == 1:
        return bytes(message[: draws.randrange(1, len(message))])
    if how == 2:
        return bytes(message) + draws.randbytes(draws.randrange(1, 50))
    if how == 3:  # a length that promises more than there is
        place = draws.randrange(len(message))
        return bytes(message[:place] + bytes([draws.choice([0xC6, 0xDB, 0xDD, 0xDF, 0xC9])]) + b"\xff" * 4)
    if how == 4:
        other = draws.choice(whole)
        return bytes(message[: draws.randrange(len(message))]) + other[draws.randrange(len(other)) :]
    for _ in range(draws.randrange(1, 6)):
        message[draws.randrange(len(message))] = draws.randrange(256)
    return bytes(message)


def _means_something(message: bytes) -> bool:
    try:
        found = decode(message)
    except ProtocolError:
        return not message
    return isinstance(found, Hello) or getattr(found, "lane", NO_LANE) < NO_LANE


def streams(count: int, draws: random.Random) -> Iterator[bytes]:
    """Yield what a socket of ZeroMQ may be sent by something that does not speak its protocol, or nearly so."""
    greeting = b"\xff\0\0\0\0\0\0\0\1\x7f\3\1NULL" + bytes(16) + b"\0" + bytes(31)
    ready = b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\4PUSH"
    for _ in range(count):
        sent = bytearray(greeting + ready + b"\0\x08" + draws.randbytes(8))
        for _ in range(draws.randrange(1, 6)):
            sent[draws.randrange(len(sent))] = draws.randrange(256)
        yield bytes(sent)
