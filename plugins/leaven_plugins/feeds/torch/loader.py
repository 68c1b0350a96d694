"""TorchTurboDataLoader: the loader with batches on a device, and with augmentation there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leaven import default_registry
from leaven.errors import ParameterError
from leaven.protocols import Augmenter
from leaven.registry.registry import Registry
from leaven.stream.loader import TurboDataLoader
from leaven_plugins.devices.choice import DeviceError
from leaven_plugins.devices.predicates import is_gpu_only
from leaven_plugins.feeds.torch.augmented import Transform, shared_work, then
from leaven_plugins.feeds.torch.feed import TorchFeed


class TorchTurboDataLoader(TurboDataLoader):
    """A :class:`~leaven.stream.loader.TurboDataLoader` whose batches are torch tensors on a device.

    ::

        with TorchTurboDataLoader(dataset, 256, worker, nworkers=8, device="cuda:0", gpu_augmentation=True) as loader:
            for iteration, mini_batches in loader:
                for sample in mini_batches:
                    loss(net(sample)).backward()

    Args:
        dataset: this and the next three are those of ``TurboDataLoader``.
        batch_size: samples in one iteration.
        worker: with ``gpu_augmentation``, one that has a parameter of this name.
        nworkers: number of workers.
        device: this and ``channels_last`` are those of :class:`~leaven_plugins.feeds.torch.feed.TorchFeed`. Of several
            devices, each mini-batch is a list of samples.
        gpu_augmentation: an augmenter (spec, table or instance; ``True`` is ``"torch"``), which does on the
            device those of the worker's ops that it can do. The worker is made again without them.
        channels_last: lay images out with the channels beside each other.
        transform: called with what the feed and the augmenter have made.
        registry: where names are looked up.
        **options: the other arguments of ``TurboDataLoader``, but for ``feed``.

    Raises:
        DeviceError: a device that is none, or that is not here; ``gpu_augmentation`` and another one than CUDA's.
        ParameterError: a value is out of range, or values do not go together.
        LookupFailed: a name does not lead to a component.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int,
        worker: Any,
        nworkers: Any,
        *,
        device: str | Sequence[str] = "cuda:0",
        gpu_augmentation: bool | Augmenter | str | Mapping[str, Any] = False,
        channels_last: bool = False,
        transform: Transform | None = None,
        registry: Registry | None = None,
        **options: Any,
    ) -> None:
        if "feed" in options:
            raise ParameterError("TorchTurboDataLoader feeds by feed:torch; for another feed, use TurboDataLoader")
        feed = TorchFeed(device, channels_last)
        if gpu_augmentation is not False:
            if not is_gpu_only(feed.devices):
                raise DeviceError(f"gpu_augmentation: device {device!r} is no CUDA device; leave it to the workers")
            named = "torch" if gpu_augmentation is True else gpu_augmentation
            worker, augmenter = shared_work(worker, named, registry or default_registry())
            transform = then(augmenter, transform)
        super().__init__(
            dataset, batch_size, worker, nworkers, feed=feed, transform=transform, registry=registry, **options
        )
