"""WeightAverage: a network with the average of the weights that another one has had."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from leaven.errors import LeavenError, ParameterError, listing

KINDS = ("ema", "swa")
_STATE = ("calls", "count", "weights")


class WeightAverage:
    """The average of a network's weights over the course of training, on the network's device.

    ``"ema"`` is an exponential average, ``decay * average + (1 - decay) * weights``. ``"swa"`` is the plain mean, of
    P. Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", UAI 2018. Buffers, such as
    the statistics of batch norms, are averaged as weights are; those of whole numbers are copied.

    Args:
        module: the network. It is changed within :meth:`applied` only.
        kind: ``"ema"`` or ``"swa"``.
        decay: for ``"ema"``: 0 to 1, or a function of :attr:`count` that returns it, as in
            ``lambda count: min(0.999, (1 + count) / (10 + count))``, which forgets the first weights soon.
        start: so many calls of :meth:`update` are left out at first. With 0, an ``"ema"`` begins with the weights that
            the network has now; otherwise, the average begins with those of the first update that counts.
        every: of the others, the first counts, and every so manyth after it.

    Attributes:
        count: how many updates counted, that of the moment included.

    Raises:
        ParameterError: a value is out of range.
    """

    def __init__(
        self,
        module: nn.Module,
        kind: str = "ema",
        decay: float | Callable[[int], float] = 0.999,
        start: int = 0,
        every: int = 1,
    ) -> None:
        if kind not in KINDS:
            raise ParameterError(f"weight average: kind={kind!r}: must be one of {listing(KINDS)}")
        if start < 0 or every < 1:
            raise ParameterError(f"weight average: start={start}, every={every}: must be at least 0 and 1")
        self._decay = decay if callable(decay) else _constant(_checked(decay))
        self._module = module
        self._is_ema = kind == "ema"
        self._start = start
        self._every = every
        self._averaged = deepcopy(module).requires_grad_(False)
        self._calls = 0
        self.count = 0
        self._is_applied = False

    @property
    def module(self) -> nn.Module:
        """A network of the same class, whose weights are the average, and need no gradients."""
        return self._averaged

    def update(self) -> None:
        """Take in the weights as they are now, after a step of the optimizer.

        Raises:
            LeavenError: the average itself is in the network's place.
        """
        self._refuse_while_applied("update")
        self._calls += 1
        late = self._calls - 1 - self._start
        if late < 0 or late % self._every:
            return
        has_begun = self.count > 0 or (self._is_ema and self._start == 0)
        self.count += 1
        self._take_in(self._share() if has_begun else 1.0)

    @contextmanager
    def applied(self) -> Iterator[nn.Module]:
        """Give the network the average as its weights and buffers, in place, and its own back at the end.

        Raises:
            LeavenError: it has the average already.
        """
        self._refuse_while_applied("applied")
        self._swap()
        self._is_applied = True
        try:
            yield self._module
        finally:
            self._is_applied = False
            self._swap()

    def update_statistics(self, samples: Iterable[dict[str, Any]]) -> None:
        """Measure the statistics of the average's batch norms anew: those of averaged weights are no averages.

        Args:
            samples: training samples, on the network's device.
        """
        update_bn(samples, self.module)

    def state_dict(self) -> dict[str, Any]:
        """Return ``calls``, ``count`` and the state dict ``weights`` of :attr:`module`, whose tensors are not copied.

        Raises:
            LeavenError: the average is in the network's place.
        """
        self._refuse_while_applied("state_dict")
        return {"calls": self._calls, "count": self.count, "weights": dict(self.module.state_dict())}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Raises:
            LeavenError: it is not of such an average or network, or the average is in the network's place.
        """
        self._refuse_while_applied("load_state_dict")
        missing = [name for name in _STATE if name not in state]
        if missing:
            raise LeavenError(f"weight average: the state has no {missing[0]!r}; it has: {listing(map(str, state))}")
        try:
            self.module.load_state_dict(state["weights"])
        except RuntimeError as error:
            raise LeavenError(f"weight average: the state is of another network: {error}") from error
        self._calls, self.count = state["calls"], state["count"]

    def _share(self) -> float:
        """Return how far the average goes towards the weights."""
        return 1 - _checked(self._decay(self.count)) if self._is_ema else 1 / self.count

    @torch.no_grad()
    def _take_in(self, share: float) -> None:
        """Go by ``share`` towards the weights; torch's ``AveragedModel`` would wait for the device each time."""
        means: list[Tensor] = []
        weights: list[Tensor] = []
        for mean, own in zip(_tensors(self.module), _tensors(self._module), strict=True):
            if share == 1 or not (mean.is_floating_point() or mean.is_complex()):
                mean.copy_(own)
            else:
                means.append(mean)
                weights.append(own.to(mean.device))
        if means:
            torch._foreach_lerp_(means, weights, share)

    @torch.no_grad()
    def _swap(self) -> None:
        for own, mean in zip(_tensors(self._module), _tensors(self.module), strict=True):
            kept = own.clone()
            own.copy_(mean)
            mean.copy_(kept)

    def _refuse_while_applied(self, what: str) -> None:
        if self._is_applied:
            raise LeavenError(f"weight average: {what}() within applied(): the network has the average as its weights")


def _tensors(module: nn.Module) -> Iterator[Tensor]:
    return chain(module.parameters(), module.buffers())


def _constant(decay: float) -> Callable[[int], float]:
    return lambda count: decay


def _checked(decay: float) -> float:
    if not 0 <= decay <= 1:
        raise ParameterError(f"weight average: decay={decay}: must be within 0 and 1")
    return decay
