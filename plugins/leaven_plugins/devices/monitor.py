"""monitor: what the GPUs do while a program runs, and the means over that time."""

from __future__ import annotations

import csv
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.devices.gpus import Gpu, readings

MEASURED = ("temperature", "utilisation", "used_mib")
"""Attributes of a GPU of which there are means: degrees Celsius, percent, MiB."""


class Means:
    """Means over time of what was measured at irregular moments: the area under the line through them (trapezoids)."""

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None
        self._last = (0.0, 0.0)
        self._area = 0.0

    def add(self, moment: float, value: float) -> None:
        """Take in a value; moments rise."""
        if self._first is None:
            self._first = (moment, value)
        else:
            self._area += (moment - self._last[0]) * (value + self._last[1]) / 2
        self._last = (moment, value)

    def mean(self) -> float | None:
        """Return the mean; of one moment its value, of none ``None``."""
        if self._first is None:
            return None
        lasted = self._last[0] - self._first[0]
        return self._area / lasted if lasted > 0 else self._last[1]


class Monitor:
    """Reads the GPUs from time to time, in a thread of its own, until it is closed. Make it by :func:`monitor`.

    ::

        with monitor(sec=5, path="gpus.csv") as watching:
            train()
        print(watching.status())

    Args:
        read: returns the GPUs as they are.
        sec: seconds from one reading to the next.
        file: where each reading is written, as CSV.
        end: called once at the end.
        clock: seconds, rising.

    Attributes:
        problem: why it has ended early, or ``""``.
    """

    def __init__(
        self,
        read: Callable[[], list[Gpu]],
        sec: float,
        file: TextIO | None = None,
        end: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.problem = ""
        self._read = read
        self._sec = sec
        self._end = end
        self._clock = clock
        self._began = clock()
        self._gpus: dict[int, Gpu] = {}
        self._means: dict[tuple[int, str], Means] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._file = file
        self._thread = threading.Thread(target=self._run, name="leaven-gpu-monitor", daemon=True)

    def start(self) -> None:
        """Read once, and go on in the thread.

        Raises:
            NoGpuError: the GPUs cannot be read.
        """
        self.look()
        self._thread.start()

    def look(self) -> None:
        """Read now, besides the readings of the thread.

        Raises:
            NoGpuError: the GPUs cannot be read.
        """
        with self._lock:
            if self._closing.is_set():
                return
            gpus, moment = self._read(), self._clock()
            self._gpus = {gpu.index: gpu for gpu in gpus}
            for gpu in gpus:
                for name in MEASURED:
                    value = getattr(gpu, name)
                    if value is not None:
                        self._means.setdefault((gpu.index, name), Means()).add(moment, value)
            if self._file is not None:
                _write(self._file, moment - self._began, gpus)

    def status(self) -> list[dict[str, Any]]:
        """Return for each GPU its ``index``, its ``name``, and the means of what is in ``MEASURED``.

        They are over the time from the start to the last reading; ``None`` is what the driver does not tell.
        """
        with self._lock:
            return [
                {"index": index, "name": gpu.name, **{name: self._mean(index, name) for name in MEASURED}}
                for index, gpu in sorted(self._gpus.items())
            ]

    def close(self) -> None:
        """Read a last time, and end the thread. Idempotent."""
        if self._closing.is_set():
            return
        self._try()
        with self._lock:
            self._closing.set()
        if self._thread.is_alive():
            self._thread.join()
        self._end()

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _run(self) -> None:
        while not self.problem and not self._closing.wait(self._sec):
            self._try()

    def _try(self) -> None:
        if not self.problem:
            try:
                self.look()
            except (LeavenError, OSError) as error:  # a GPU that was lost, a disk that is full
                self.problem = str(error)

    def _mean(self, index: int, name: str) -> float | None:
        means = self._means.get((index, name))
        return None if means is None else means.mean()


def monitor(sec: float = 5.0, path: str | os.PathLike[str] | None = None, nvml: Any = None) -> Monitor:
    """Start to watch the GPUs that this process sees; to be used in ``with``, or closed.

    Args:
        sec: seconds from one reading to the next, at least 0.1.
        path: of a CSV file to write each reading to: ``seconds, index, name, temperature, utilisation, used_mib,
            total_mib, power``. One that is there is replaced.
        nvml: the functions of ``pynvml``, if not that.

    Raises:
        NoGpuError: there is none, or NVML does not work.
        LeavenError: the file cannot be written.
        ParameterError: ``sec`` is out of range.
    """
    if not 0.1 <= sec <= threading.TIMEOUT_MAX:
        raise ParameterError(f"monitor: sec={sec!r}: expected at least 0.1 seconds, and a number that ends")
    held = ExitStack()
    try:
        read = held.enter_context(readings(nvml))
        file = None if path is None else held.enter_context(_opened(Path(path)))
        watching = Monitor(read, sec, file, held.close)
        watching.start()
    except BaseException:
        held.close()
        raise
    return watching


_COLUMNS = ("index", "name", "temperature", "utilisation", "used_mib", "total_mib", "power")


def _opened(path: Path) -> TextIO:
    try:
        file = path.open("w", newline="", encoding="utf-8")
    except OSError as error:
        raise LeavenError(f"monitor: {path} cannot be written: {error.strerror}") from error
    csv.writer(file).writerow(("seconds", *_COLUMNS))
    return file


def _write(file: TextIO, seconds: float, gpus: Sequence[Gpu]) -> None:
    csv.writer(file).writerows([f"{seconds:.3f}", *(getattr(gpu, name) for name in _COLUMNS)] for gpu in gpus)
    file.flush()
