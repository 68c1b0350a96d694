"""Remedies: what can be changed where a stage limits, and how much that should give."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from leaven_plugins.commands.bench.findings import Findings

# How many times as fast a stage becomes. Those of decoding are of one core, for a random crop of photographs of 486x413
# pixels: what is needed of an ordinary file beside decoding all of it with OpenCV, and the same of a file with restart
# markers at every group of blocks, or an index. Of 12 megapixels they are larger. Where all of an image is shown, there
# is less to save.
TURBO = 2.6
OPTIMIZED = 3.2
WHOLE = 1.8
PLAIN_WARP = 11.0  # a resize beside a supersampled warp: 60 and 671 us
FEWER_BYTES = 4.0  # rows of uint8 beside float32
HALF = 2.0
GONE = 100.0  # a stage that is left out; not infinite, for something always remains

SCALING = 0.9  # of a core is what one worker more gives, as measured with two on two cores

_WALKED = ("turbo: plainly", "turbo: by walking")
_DIRECT = ("turbo: indexed", "turbo: by restart markers")
_FALLBACK = "turbo: left to the fallback"


class Remedy(NamedTuple):
    """What to change; how many times as fast the loader should be then, whether that is a bound, and if what holds."""

    advice: str
    gain: float
    at_most: bool = False
    condition: str = ""


def amdahl(share: float, speedup: float) -> float:
    """Return how many times as fast everything is when a share of its time, 0 to 1, takes ``speedup`` times less."""
    return 1 / (1 - min(max(share, 0.0), 1.0) * (1 - 1 / speedup))


def capacity(workers: int) -> float:
    """Return how many times as fast so many workers are as one, where each has a core."""
    return 1 + SCALING * (workers - 1)


def remedies_of(limit: str, found: Findings) -> list[Remedy]:
    """Return what helps where ``limit`` is: a group of stages, or ``loader``. There is always something."""
    if limit == "loader":
        advice = "use a larger batch_size, which spreads the cost of each request over more images"
        return [Remedy(advice, amdahl(found.idle, HALF), True, "if it were twice as large")]
    special = {
        "read": _reading,
        "decode": _decoding,
        "geometry": _geometry,
        "photometric": _photometric,
        "copy": _copying,
    }
    remedies = list(special[limit](found)) if limit in special else []
    return [*remedies, *_elsewhere(found)] or [_cheaper(limit, found)]


def _reading(found: Findings) -> Iterator[Remedy]:
    if found.setup.stored == "folder":
        gain = amdahl(found.shares["read"], GONE)
        yield Remedy("pack the files into one with `leaven data pack`", gain, True)


def _decoding(found: Findings) -> Iterator[Remedy]:
    setup, share = found.setup, found.shares["decode"]
    if setup.jpegs and setup.decoder and setup.decoder != "turbo":
        use = 'set decoder = "turbo" in [worker]' if setup.turbo else "`pip install leaven-turbo`"
        if setup.crops:
            yield Remedy(f"{use} and repack the images with `leaven data optimize`", amdahl(share, OPTIMIZED))
        else:
            yield Remedy(use, amdahl(share, WHOLE))
    if setup.jpegs and setup.crops and setup.decoder == "turbo":
        improvable = share * _unoptimized(found)
        if improvable > 0.05:
            gain = amdahl(improvable, OPTIMIZED / TURBO)
            yield Remedy("repack the images with `leaven data optimize`, to read from them only what is shown", gain)


def _unoptimized(found: Findings) -> float:
    """Return the share of the decoder's time that goes to images that are not repacked."""
    counts = found.counts
    direct = sum(counts.get(name, 0) for name in _DIRECT)
    others = sum(count for name, count in counts.items() if name in _WALKED or name.startswith(_FALLBACK))
    slowly = others * OPTIMIZED / TURBO
    return slowly / (slowly + direct) if slowly else 0.0


def _geometry(found: Findings) -> Iterator[Remedy]:
    if found.setup.exact:
        gain = amdahl(found.shares["geometry"], PLAIN_WARP)
        yield Remedy("set exact = false in [worker], by which crops and scales are resized", gain, True)


def _photometric(found: Findings) -> Iterator[Remedy]:
    if found.setup.gpu_augmentation is False:
        gain = amdahl(found.shares["photometric"], GONE)
        yield Remedy("set gpu_augmentation = true in [worker], by which ops are left to the device", gain, True)


def _copying(found: Findings) -> Iterator[Remedy]:
    if found.setup.wide:
        gain = amdahl(found.shares["copy"], FEWER_BYTES)
        yield Remedy("use rows of uint8, which the network's device may convert", gain, True)


def _elsewhere(found: Findings) -> Iterator[Remedy]:
    """Yield what helps whatever the workers do: more of them."""
    if found.cores > max([found.workers, *found.rates]):
        advice = f"set nworkers = {found.cores}, for there are {found.cores} cores"
        yield Remedy(advice, capacity(found.cores) / capacity(max(found.workers, 1)))


def _cheaper(limit: str, found: Findings) -> Remedy:
    """Return the remedy where there is no setting for it: to spend half of the time on it."""
    from_files = "use a faster disk, or smaller images, as `leaven data pack --resize` makes them"
    advice = {
        "read": from_files if found.setup.stored else "store the samples so that they are read as they are",
        "decode": "use smaller images, as `leaven data pack --resize` makes them",
        "geometry": "draw fewer rotations and shears, which cost three times what a crop does",
        "photometric": "draw cheaper ops; `leaven bench ops` tells what each costs",
        "work": "profile it with nworkers = 0, and leave what takes long to NumPy or OpenCV",
        "collate": "do what they do on the network's device",
        "copy": "use smaller rows",
        "other": "draw fewer random parameters",
    }[limit]
    return Remedy(advice, amdahl(found.shares[limit], HALF), condition="if that took half of the time")
