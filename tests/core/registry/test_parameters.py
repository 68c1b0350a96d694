"""What a constructor takes, and which of its parameters are components."""

from __future__ import annotations

import collections.abc
import logging
import typing
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple, Optional

import pytest

from leaven import protocols
from leaven.errors import DeclarationError
from leaven.protocols import Decoder, Op, Rng
from leaven.registry.annotations import components_taken
from leaven.registry.parameters import REQUIRED, parameters_of
from leaven.stream.worker import BufferWorker, Worker

SCOPE = {**globals(), "Dataset": collections.abc.Set, "Logger": logging.Logger}


@pytest.mark.parametrize(
    ("annotation", "taken"),
    [
        ("Rng", [("rng", False)]),
        ("Rng | None", [("rng", False)]),
        ("None | Rng", [("rng", False)]),
        ("'Rng | None'", [("rng", False)]),
        ("Optional[Rng]", [("rng", False)]),
        ("typing.Optional['Rng']", [("rng", False)]),
        ("protocols.Rng", [("rng", False)]),
        ("leaven.protocols.Rng", [("rng", False)]),
        ("Decoder | str", [("decoder", False)]),
        ("Sequence[Op]", [("op", True)]),
        ("collections.abc.Sequence[Op | str]", [("op", True)]),
        ("list[Op] | None", [("op", True)]),
        ("tuple[Op, ...]", [("op", True)]),
        ("Op | Sequence[Op]", [("op", False), ("op", True)]),
        ("Rng | Op", [("rng", False), ("op", False)]),
        ("Annotated[Rng, 'Op']", [("rng", False)]),
        ("Metric", [("metric", False)]),  # not imported at run time: taken for ours
        ("Worker", [("worker", False)]),  # the base class of leaven.stream.worker
        (Rng, [("rng", False)]),
        (Rng | None, [("rng", False)]),
        (Optional[Rng], [("rng", False)]),  # noqa: UP045
        (Optional["Rng"], [("rng", False)]),
        (list[Op], [("op", True)]),
        (typing.Sequence[Op], [("op", True)]),
        (Annotated[Decoder, "x"], [("decoder", False)]),
        ("int", []),
        ("", []),
        ("not an annotation", []),
        ("Literal['Rng']", []),
        ("Callable[[Rng], Op]", []),
        ("type[Rng]", []),
        ("dict[str, Rng]", []),
        ("Dataset", []),  # another class of that name
        ("Logger", []),
        ("logging.Logger", []),
        ("acme.Logger", []),
        ("torch.utils.data.Dataset", []),
        (Literal["Rng"], []),
        (collections.abc.Callable[[Rng], Op], []),
        (Any, []),
        (int, []),
    ],
)
def test_components_taken(annotation, taken):
    assert list(components_taken(annotation, SCOPE)) == taken


def test_every_protocol_is_recognised():
    from leaven.kinds import KINDS

    for kind in KINDS.values():
        assert components_taken(kind.protocol, vars(protocols)) == ((kind.name, False),), kind


class Plain:
    def __init__(self, a, b: int = 2, *, c: Rng | None = None):
        self.values = a, b, c


@dataclass(frozen=True)
class Data:
    size: int
    rng: Rng | None = None


class Pair(NamedTuple):
    first: int
    second: int = 0


class Empty:
    pass


class NoInit(BufferWorker):
    pass


class WithInit(Worker):
    def __init__(self, op: Op):
        self.op = op


class Bare:
    def __init__(self, *args, **kwargs):
        pass


class InheritsBare(Bare):
    pass


class InheritsInit(Plain):
    pass


def factory(size: int = 3):
    return size


@pytest.mark.parametrize(
    ("target", "names"),
    [
        (Plain, "a b c"),
        (InheritsInit, "a b c"),
        (Data, "size rng"),
        (Pair, "first second"),
        (Empty, ""),
        (NoInit, ""),
        (WithInit, "op"),
        (InheritsBare, ""),
        (factory, "size"),
    ],
)
def test_names_of_parameters(target, names):
    assert list(parameters_of(target)) == names.split()


def test_description_of_parameters():
    a, b, c = parameters_of(Plain).values()
    assert (a.required, a.default, a.annotation, a.kind) == (True, REQUIRED, "", "")
    assert (b.required, b.default, b.annotation, b.kind) == (False, 2, "int", "")
    assert (c.required, c.default, c.annotation, c.kind) == (False, None, "Rng | None", "rng")


def takes_args(*args):
    pass


def takes_kwargs(a, **kwargs):
    pass


def positional_only(a, /):
    pass


@pytest.mark.parametrize("target", [Bare, takes_args, takes_kwargs, positional_only])
def test_parameters_without_names_are_refused(target):
    with pytest.raises(DeclarationError, match="a component names each of its parameters"):
        parameters_of(target)


def test_no_signature():
    with pytest.raises(DeclarationError, match="has no signature that could be checked"):
        parameters_of(type("NoSignature", (), {"__init__": 3}))
