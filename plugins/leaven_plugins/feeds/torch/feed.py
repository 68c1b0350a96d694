"""TorchFeed: the arrays of a batch as tensors, on one device or divided among several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch

from leaven_plugins.devices.choice import chosen_all
from leaven_plugins.devices.samples import MASK, Sample, split_sample
from leaven_plugins.devices.tensors import is_numeric, tensor_of
from leaven_plugins.feeds.torch.cuda import CudaStreams
from leaven_plugins.feeds.torch.locking import Locks
from leaven_plugins.feeds.torch.routes import Direct, Route, SideStream


class TorchFeed:
    """Turns numeric arrays into tensors of the same shape and dtype; everything else passes as it is.

    On the CPU a tensor shares the array's memory and keeps it alive. To a CUDA device it is copied on a stream of its
    own, straight from the batch's slot, which is free once the copy is done; work that the consumer queues on its
    current stream waits for the copy, and the program for nothing. A loader begins the copies of the next iteration
    before it hands out this one, as far as batches are ready. The mask ``valid`` stays on the CPU.

    With a list of devices each mini-batch becomes a list of samples, one on each device, of as many rows each as comes
    out even; fewer where there are fewer rows than devices.

    Args:
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"auto"``: see :mod:`leaven_plugins.devices.choice`; or a list, or
            ``"auto:2"``, for several.
        channels_last: lay out what has 4 dimensions with the channels of a pixel beside each other
            (``torch.channels_last``): what convolutions of half precision like best. On the CPU it takes a copy.

    Raises:
        DeviceError: a device that is none, or that is not here.
    """

    def __init__(self, device: str | Sequence[str] = "cpu", channels_last: bool = False) -> None:
        self.devices = chosen_all(device)
        several = not isinstance(device, (str, torch.device)) or str(device).startswith("auto:")
        locks = Locks()
        self._routes = [_route(place, channels_last, locks) for place in self.devices]
        # no method: a feed that refers to itself would keep the last slots until the next garbage collection
        self._begun: Callable[[Sample], Callable[[], Any]] = partial(_begun, self._routes, several)
        if any(isinstance(route, SideStream) for route in self._routes):
            self.ahead = self._begun

    def __call__(self, sample: Sample) -> Any:
        """Return the sample with tensors in place of numeric arrays; of several devices, the list of their samples.

        Raises:
            LeavenError: a sample that is to be divided has entries with different numbers of rows.
        """
        return self._begun(sample)()


def _begun(routes: Sequence[Route], several: bool, sample: Sample) -> Callable[[], Any]:
    """Begin to copy; return what completes it, to be called where the tensors will be used."""
    if not several:
        return _started(sample, routes[0])
    parts = split_sample(sample, len(routes))
    begun = [_started(part, route) for part, route in zip(parts, routes, strict=False)]
    return lambda: [complete() for complete in begun]


def _started(sample: Sample, route: Route) -> Callable[[], Sample]:
    # a copy, which holds no slot
    masks = {key: tensor_of(sample[key]).clone() for key in (MASK,) if is_numeric(sample.get(key))}
    arrays = {key: value for key, value in sample.items() if is_numeric(value) and key not in masks}
    others = {key: None if key in arrays else masks.get(key, value) for key, value in sample.items()}
    complete = route(arrays)
    return lambda: {**others, **complete()}


def _route(device: torch.device, channels_last: bool, locks: Locks) -> Route:
    if device.type == "cuda":
        return SideStream(device, channels_last, CudaStreams(device, locks))
    return Direct(device, channels_last)
