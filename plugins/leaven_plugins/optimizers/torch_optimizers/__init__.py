"""Plugin: torch's further optimizers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.optimizers.torch_optimizers.optimizers import ASGD as ASGD
    from leaven_plugins.optimizers.torch_optimizers.optimizers import Adadelta as Adadelta
    from leaven_plugins.optimizers.torch_optimizers.optimizers import Adafactor as Adafactor
    from leaven_plugins.optimizers.torch_optimizers.optimizers import Adagrad as Adagrad
    from leaven_plugins.optimizers.torch_optimizers.optimizers import Adam as Adam
    from leaven_plugins.optimizers.torch_optimizers.optimizers import Adamax as Adamax
    from leaven_plugins.optimizers.torch_optimizers.optimizers import NAdam as NAdam
    from leaven_plugins.optimizers.torch_optimizers.optimizers import RAdam as RAdam
    from leaven_plugins.optimizers.torch_optimizers.optimizers import RMSprop as RMSprop
    from leaven_plugins.optimizers.torch_optimizers.optimizers import Rprop as Rprop


@hookimpl
def leaven_optimizers() -> Iterable[Component]:
    """Declare the components of this plugin."""
    yield Component("adam", "leaven_plugins.optimizers.torch_optimizers.optimizers:Adam", "Adam", extra="leaven[torch]")
    yield Component(
        "nadam",
        "leaven_plugins.optimizers.torch_optimizers.optimizers:NAdam",
        "Adam with Nesterov momentum",
        extra="leaven[torch]",
    )
    yield Component(
        "radam", "leaven_plugins.optimizers.torch_optimizers.optimizers:RAdam", "rectified Adam", extra="leaven[torch]"
    )
    yield Component(
        "adamax",
        "leaven_plugins.optimizers.torch_optimizers.optimizers:Adamax",
        "Adam with the infinity norm",
        extra="leaven[torch]",
    )
    yield Component(
        "adagrad",
        "leaven_plugins.optimizers.torch_optimizers.optimizers:Adagrad",
        "rates by the sum of squared gradients",
        extra="leaven[torch]",
    )
    yield Component(
        "adadelta",
        "leaven_plugins.optimizers.torch_optimizers.optimizers:Adadelta",
        "rates by running means of squares",
        extra="leaven[torch]",
    )
    yield Component(
        "rmsprop",
        "leaven_plugins.optimizers.torch_optimizers.optimizers:RMSprop",
        "rates by a running mean of squared gradients",
        extra="leaven[torch]",
    )
    yield Component(
        "asgd",
        "leaven_plugins.optimizers.torch_optimizers.optimizers:ASGD",
        "averaged stochastic gradient descent",
        extra="leaven[torch]",
    )
    yield Component(
        "rprop",
        "leaven_plugins.optimizers.torch_optimizers.optimizers:Rprop",
        "steps by the sign of the gradient",
        extra="leaven[torch]",
    )
    yield Component(
        "adafactor",
        "leaven_plugins.optimizers.torch_optimizers.optimizers:Adafactor",
        "Adam with factored second moments",
        extra="leaven[torch]",
    )


_CLASSES = ("ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "Adamax", "NAdam", "RAdam", "RMSprop", "Rprop")


def __getattr__(name: str) -> Any:
    if name in _CLASSES:
        from leaven_plugins.optimizers.torch_optimizers import optimizers

        return getattr(optimizers, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
