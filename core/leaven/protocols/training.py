"""Training: networks, what they are measured by, and what follows a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    Sample = dict[str, Any]


class Model(Protocol):
    """A network that reads and extends the sample dict."""

    def __call__(self, sample: Sample) -> Sample:
        """Return the sample with the network's output added, by default under ``output``."""


class Loss(Protocol):
    """What training makes small."""

    def __call__(self, sample: Sample) -> Any:
        """Return a scalar tensor."""


@runtime_checkable
class Metric(Protocol):
    """What is measured of the network's output, weighted by samples."""

    def update(self, sample: Sample) -> None:
        """Take in one batch."""

    def compute(self) -> dict[str, float]:
        """Return the values over everything since :meth:`reset`."""

    def reset(self) -> None:
        """Forget everything."""

    def merge(self, other: Metric) -> None:
        """Take in what another metric of the same kind has seen."""

    # What is measured by several processes, or goes on after a snapshot, needs two more:
    # state_dict() -> dict[str, Any]: all that was seen, as tensors on the CPU, numbers, strings, and lists of these
    # load_state_dict(state: Mapping[str, Any]) -> None: go on from there


class OptimizerFactory(Protocol):
    """Makes an optimizer for a network's weights."""

    def __call__(self, parameters: Iterable[Any]) -> Any:
        """Return a ``torch.optim.Optimizer`` over ``parameters``: tensors, ``(name, tensor)``, or torch's groups."""


@runtime_checkable
class Policy(Protocol):
    """Sets a value, such as the learning rate, as a pure function of the progress.

    A policy with ``unit = "step"`` counts optimizer steps instead of epochs: ``epoch`` is the number of steps done, a
    whole number, and ``num_epochs`` how many there will be.

    One that depends on what is measured has ``observe(value, epoch)``, called with each validation's loss (or what it
    is told to watch), and ``state_dict()`` and ``load_state_dict(state)``, in plain data.
    """

    def value(self, base: float, epoch: float, num_epochs: float) -> float:
        """Return the value after ``epoch`` (fractional) of ``num_epochs`` epochs, from the ``base`` value."""


@runtime_checkable
class Logger(Protocol):
    """Writes down what happens during a run."""

    def log(self, **fields: Any) -> None:
        """Write one record of plain data."""

    def close(self) -> None:
        """Finish; further records are an error."""


@runtime_checkable
class Trainer(Protocol):
    """Runs the epochs."""

    def train(self, num_epochs: int, start_epoch: int = 0) -> Mapping[str, Any]:
        """Train epochs ``start_epoch + 1`` to ``num_epochs``; return the trainer's state."""


@runtime_checkable
class Hook(Protocol):
    """Follows a training run.

    One that remembers something has ``state_dict()`` and ``load_state_dict(state)``, in plain data and tensors: it goes
    into snapshots.
    """

    def attach(self, trainer: Any) -> None:
        """Add functions to the trainer's events by ``trainer.add_hook(event, function)``; called once."""
