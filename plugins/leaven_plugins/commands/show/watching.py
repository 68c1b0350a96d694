"""Watching: stand-ins for the parts of a worker that tell what goes through them, and how long it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from leaven.registry.parameters import parameters_of


class Event(NamedTuple):
    """One stage that has ended: its name, what came out, and the seconds that it took without the stages within it."""

    stage: str
    result: Any
    seconds: float


class Watch:
    """Collects events in the order in which stages end. A stage within one of the same name is a part of it.

    Args:
        clock: what gives the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.events: list[Event] = []
        self._clock = clock
        self._open: list[tuple[str, list[float]]] = []  # each with the seconds of the stages within it

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[Any], Any]]:
        """Context of a stage; what came out is to be handed to the function that it gives, which returns it."""
        results: list[Any] = []

        def keep(result: Any) -> Any:
            results.append(result)
            return result

        if self._open and self._open[-1][0] == name:
            yield keep
            return
        inner: list[float] = []
        self._open.append((name, inner))
        began = self._clock()
        yield keep
        spent = self._clock() - began
        self._open.pop()
        if self._open:
            self._open[-1][1].append(spent)
        self.events.append(Event(name, results[-1] if results else None, spent - sum(inner)))

    def function(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that does the same as ``function``, each call of which is a stage."""

        def watched(*args: Any, **kwargs: Any) -> Any:
            with self.stage(stage) as keep:
                return keep(function(*args, **kwargs))

        return watched


class StandIn:
    """Does what a component does; methods in ``stages`` (name -> stage) are watched, those in ``hidden`` left out."""

    def __init__(
        self, component: Any, watch: Watch, stages: Mapping[str, str], hidden: Container[str] = frozenset()
    ) -> None:
        self.name = getattr(component, "name", type(component).__name__)  # which ops' randomness is keyed by
        self._component = component
        self._hidden = hidden
        self._watched = {name: watch.function(stage, getattr(component, name)) for name, stage in stages.items()}

    def __getattr__(self, name: str) -> Any:
        if name in self._hidden:
            raise AttributeError(f"{name} is hidden, so that other methods are called")
        return self._watched[name] if name in self._watched else getattr(self._component, name)


def watched_worker(worker: Any, watch: Watch) -> Any:
    """Return a worker that makes the same, with its components and the steps of image workers watched.

    The stages are ``info``, ``draw``, ``plan`` (what has to be decoded), ``decode``, ``geometry``, ``op NAME``, and
    ``write`` for the rest of what a worker with such steps does: colour space, labels, its row of the batch. All of
    what others do is ``process``.
    """
    arguments = getattr(worker, "arguments", None)
    if arguments is None:
        return StandIn(worker, watch, {"process": "process"})
    kinds = {name: parameter.kind for name, parameter in parameters_of(type(worker)).items()}
    made = type(worker)(**{name: _watched(value, kinds[name], watch) for name, value in arguments.items()})
    steps = {method: stage for method, stage in _STEPS.items() if hasattr(made, method)}
    for method, stage in {**steps, "process": "write" if steps else "process"}.items():
        setattr(made, method, watch.function(stage, getattr(made, method)))
    return made


_STEPS = {"draw": "draw", "shot": "plan", "render": "geometry"}
"""Methods of image workers, and what they do besides what their components do."""


def _watched(value: Any, kind: str, watch: Watch) -> Any:
    if isinstance(value, (list, tuple)):
        return [_watched(part, kind, watch) for part in value]
    if value is None or isinstance(value, (str, Mapping)):
        return value
    if kind == "decoder":  # image by image, since what a batch takes cannot be told apart
        return StandIn(value, watch, {"info": "info", "decode": "decode"}, {"decode_batch"})
    if kind == "op":
        name = getattr(value, "name", type(value).__name__)
        return StandIn(value, watch, {"draw": "draw", "apply": f"op {name}"})
    return StandIn(value, watch, {"draw": "draw"}) if kind == "rng" else value
