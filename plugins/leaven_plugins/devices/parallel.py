"""ParallelApply: one module on several devices of this process, each with a part of the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from leaven.errors import LeavenError
from leaven_plugins.devices.choice import Device, chosen_all
from leaven_plugins.devices.predicates import is_gpu_only
from leaven_plugins.devices.samples import Sample, joined, moved, split_sample


class ParallelApply(nn.Module):
    """Calls copies of a module on several devices at the same time, and puts the results together on the first one.

    Takes a whole sample, which is divided by rows, or a list of samples that lie on the devices already, as
    ``feed:torch`` with several devices makes them. Gradients come back to the module itself. On CUDA the module has to
    be on the first device. Elsewhere, and with one device, it is a plain call for each sample.

    One process for each device (torchrun) is faster: the module is copied in each call, and one interpreter drives all
    devices.

    Args:
        module: takes and returns sample dicts.
        devices: at least one, as :func:`~leaven_plugins.devices.choice.chosen_all` takes them.

    Raises:
        DeviceError: there is no such device.
    """

    def __init__(self, module: nn.Module, devices: Device | Sequence[Device] = "auto") -> None:
        super().__init__()
        self.module = module
        self.devices = chosen_all(devices)

    def forward(self, given: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Sample:
        """Return one sample of all rows, with what the module has added.

        Raises:
            LeavenError: no samples, more samples than devices, or what the parts return cannot be put together.
        """
        if isinstance(given, Mapping) and not self._copies:
            whole: Sample = self.module(given)
            return whole
        samples = self._parts(given) if isinstance(given, Mapping) else list(given)
        if not 0 < len(samples) <= len(self.devices):
            raise LeavenError(f"{len(samples)} samples for {len(self.devices)} devices: one for each is needed at most")
        outputs = self._applied(samples) if self._copies else [self.module(sample) for sample in samples]
        return outputs[0] if len(outputs) == 1 else joined(outputs, self.devices[0])

    @property
    def _copies(self) -> bool:
        return len(self.devices) > 1 and is_gpu_only(self.devices)

    def _parts(self, sample: Mapping[str, Any]) -> list[Sample]:
        parts = split_sample(sample, len(self.devices))
        return [moved(part, device) for part, device in zip(parts, self.devices, strict=False)]

    def _applied(self, samples: list[Any]) -> list[Sample]:
        devices = self.devices[: len(samples)]
        copies = nn.parallel.replicate(self.module, devices, detach=not torch.is_grad_enabled())
        outputs: list[Sample] = nn.parallel.parallel_apply(copies, [(sample,) for sample in samples], None, devices)
        return outputs
