"""Findings: what was measured of a loader, and what is known of its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_LOCKED = 1.3  # times as fast as threads: two runs differ by some 1.1, and two processes on two cores are 1.9


@dataclass(frozen=True)
class Setup:
    """What can be changed in a configuration, and how it is now.

    Attributes:
        transport: name of the component.
        decoder: name of the component; ``""`` where the worker has none.
        turbo: whether the decoder ``turbo`` is installed.
        jpegs: whether the samples hold JPEGs.
        crops: whether parts of images are shown, by chance.
        stored: as what the samples are stored: ``folder``, ``file``, or ``""`` where that is not known.
        gpu_augmentation: whether the ops are left to the device; ``None`` where the worker cannot.
        exact: whether all images are drawn by supersampled warps.
        wide: whether the rows of images are of more than one byte for each value.
    """

    transport: str = "zeromq"
    decoder: str = ""
    turbo: bool = False
    jpegs: bool = False
    crops: bool = False
    stored: str = ""
    gpu_augmentation: bool | None = None
    exact: bool = False
    wide: bool = False


@dataclass(frozen=True)
class Findings:
    """What a verdict is computed from.

    Attributes:
        shares: share of the workers' time, by group of stages; they sum to 1.
        images_per_second: of the fastest run.
        wait_share: share of the time, 0 to 1, in which the consumer waited for batches.
        workers: how many the run had; 0 worked in the consumer's process.
        cores: of the machine, that this process may use.
        processes: images per second of the same workers as processes, where they are threads; else ``None``.
        rates: images per second, by number of workers, of all runs.
        counts: what decoders counted.
        setup: the configuration.
    """

    shares: Mapping[str, float]
    images_per_second: float
    wait_share: float
    workers: int
    cores: int
    processes: float | None = None
    rates: Mapping[int, float] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    setup: Setup = field(default_factory=Setup)

    @property
    def idle(self) -> float:
        """Share of the workers' time in which they waited for work, or for the consumer."""
        return self.shares.get("wait", 0.0)

    @property
    def busy(self) -> float:
        """Share of the workers' time in which they worked."""
        return 1 - self.idle

    @property
    def consuming(self) -> float:
        """Share of the time in which the consumer did something else than to wait."""
        return 1 - self.wait_share

    @property
    def locked(self) -> bool:
        """Whether workers that are threads hold each other up: as processes they are much faster."""
        return self.processes is not None and self.processes > _LOCKED * self.images_per_second
