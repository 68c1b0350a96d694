"""GPUs of this machine: which there are, what they do, which have memory left. Asked of NVIDIA's driver (NVML)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.devices.visible import visible

_MIB = 1 << 20


class NoGpuError(LeavenError):
    """NVIDIA's driver cannot be asked, or knows no GPU; the text says which, and what can be done."""


@dataclass(frozen=True)
class Gpu:
    """One GPU at one moment; what the driver does not tell of it is ``None``.

    Attributes:
        index: CUDA's number of it in this process (``"cuda:INDEX"``), as ``CUDA_VISIBLE_DEVICES`` says.
        number: the driver's number of it, as ``nvidia-smi`` shows it.
        name: the model.
        total_mib: its memory, in MiB (2**20 bytes).
        free_mib: how much of that nobody uses.
        temperature: in degrees Celsius.
        utilisation: percent of the last moments in which something ran on it.
        power: watts that it draws.
    """

    index: int
    number: int
    name: str
    total_mib: int
    free_mib: int
    temperature: int | None = None
    utilisation: int | None = None
    power: float | None = None

    @property
    def used_mib(self) -> int:
        """Memory that is in use, in MiB."""
        return self.total_mib - self.free_mib

    def to_plain(self) -> dict[str, Any]:
        """Return the fields as a dict, ``used_mib`` among them."""
        return {**asdict(self), "used_mib": self.used_mib}


def available(n: int | None = 1, least_mem: float = 1024, nvml: Any = None) -> list[Gpu]:
    """Return GPUs that have room, the one with the most free memory first; fewer or none where there are not as many.

    Args:
        n: how many at most; ``None`` for all.
        least_mem: they have more than so many MiB of free memory.
        nvml: the functions of ``pynvml``, if not that.

    Raises:
        ParameterError: ``n`` is negative.
    """
    if n is not None and n < 0:
        raise ParameterError(f"available: n={n}: expected 0 or more")
    try:
        with readings(nvml) as read:
            found = read()
    except NoGpuError:
        return []
    roomy = [gpu for gpu in found if gpu.free_mib > least_mem]
    return sorted(roomy, key=lambda gpu: (-gpu.free_mib, gpu.index))[:n]


@contextmanager
def readings(nvml: Any = None, environment: Mapping[str, str] = os.environ) -> Iterator[Callable[[], list[Gpu]]]:
    """Context of a function that returns the GPUs that this process sees, by index, as they are at the moment.

    Args:
        nvml: the functions of ``pynvml``, if not that.
        environment: where ``CUDA_VISIBLE_DEVICES`` is looked for.

    Raises:
        NoGpuError: there is none, or NVML does not work; also later, from the function.
    """
    library = nvml or _pynvml()
    with _told(library):
        library.nvmlInit()
    try:
        with _told(library):
            handles = [library.nvmlDeviceGetHandleByIndex(i) for i in range(library.nvmlDeviceGetCount())]
            uuids = [_text(library.nvmlDeviceGetUUID(handle)) for handle in handles]
        shown = [(number, handles[number]) for number in visible(uuids, environment.get("CUDA_VISIBLE_DEVICES"))]
        if not shown:
            hidden = f"CUDA_VISIBLE_DEVICES shows none of {len(handles)}" if handles else "the driver knows none"
            raise NoGpuError(f"no GPU: {hidden}")

        def read() -> list[Gpu]:
            with _told(library):
                return [_gpu(library, index, number, handle) for index, (number, handle) in enumerate(shown)]

        yield read
    finally:
        library.nvmlShutdown()


def _pynvml() -> Any:
    try:
        import pynvml
    except ImportError as error:
        raise NoGpuError("no GPU: the package nvidia-ml-py is not installed; pip install 'leaven[gpu]'") from error
    return pynvml


@contextmanager
def _told(nvml: Any) -> Iterator[None]:
    """Context in which an error of NVML becomes one of ours."""
    try:
        yield
    except nvml.NVMLError as error:
        raise NoGpuError(f"no GPU: NVIDIA's driver says: {error}") from error


def _gpu(nvml: Any, index: int, number: int, handle: Any) -> Gpu:
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    power = _known(nvml, lambda: nvml.nvmlDeviceGetPowerUsage(handle))
    return Gpu(
        index,
        number,
        _text(nvml.nvmlDeviceGetName(handle)),
        int(memory.total) // _MIB,
        int(memory.free) // _MIB,
        _known(nvml, lambda: nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)),
        _known(nvml, lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu),
        None if power is None else power / 1000,
    )


def _known(nvml: Any, ask: Callable[[], Any]) -> Any:
    """Return what a GPU tells, or ``None`` where it does not: one that is divided (MIG) tells no utilisation."""
    try:
        return ask()
    except nvml.NVMLError:
        return None


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
