"""The roster: who takes part, what each needs, and which works it does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from leaven.errors import UnknownName, listing, suggestion

TORCH = "torch==2.13.0"
_OPENCV = "opencv-python-headless>=4.10"  # the first that decodes to RGB


@dataclass(frozen=True, eq=False)
class Peer:
    """A loader.

    Attributes:
        name: in tables; ``--peers`` takes its first word for all that begin with it.
        runner: module in :mod:`runners`.
        modules: what it imports besides numpy.
        requirements: what ``--install`` installs; empty where the environment of leaven is the only one.
        packages: whose versions are told.
        options: for its runner.
        refuses: work -> why it does not do it.
        indexed: whether it reads the repacked dataset.
    """

    name: str
    runner: str
    modules: tuple[str, ...]
    requirements: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    refuses: Mapping[str, str] = field(default_factory=dict)
    indexed: bool = False

    @property
    def environment(self) -> str:
        """Name of the folder of its own environment."""
        return self.name.replace(" ", "-").replace("+", "-")


LIMIT = Peer("one thread, OpenCV", "limit", ("cv2",))
"""No loader: what one core can do."""

BASELINE = Peer(
    "torch+opencv",
    "torch_opencv",
    ("torch", "cv2"),
    (TORCH, _OPENCV, "numpy"),
    ("torch", "opencv-python", "opencv-python-headless"),
)
"""To which all others are compared."""


def _leaven(indexed: bool, transport: str) -> Peer:
    name = f"{'leaven-indexed' if indexed else 'leaven'} {transport}"
    modules = ("leaven", "leaven_turbo") if indexed else ("leaven",)
    packages = ("leaven", "leaven-turbo")
    return Peer(name, "leaven_loader", modules, (), packages, {"transport": transport}, {}, indexed)


PEERS = (
    BASELINE,
    _leaven(False, "threads"),
    _leaven(False, "zeromq"),
    _leaven(True, "threads"),
    _leaven(True, "zeromq"),
    Peer(
        "torch+albumentations",
        "torch_albumentations",
        ("torch", "cv2", "albumentations"),
        (TORCH, _OPENCV, "albumentations"),
        ("torch", "albumentations"),
    ),
    Peer("grain", "grain_threads", ("grain", "cv2"), ("grain", _OPENCV), ("grain",)),
    Peer("dali", "dali_cpu", ("nvidia.dali",), ("nvidia-dali-cuda120", "numpy"), ("nvidia-dali-cuda120",)),
    Peer("spdl", "spdl_threads", ("spdl.pipeline", "cv2"), ("spdl", _OPENCV), ("spdl",)),
    Peer(
        "turboloader",
        "turboloader_tar",
        ("turboloader",),
        ("turboloader", "numpy"),
        ("turboloader",),
        refuses={
            "full": "its fast path has no brightness, noise or blur",
            "val": "its fast path resizes to one size, and does not crop after that",
        },
    ),
    Peer("tensorpack", "tensorpack_zmq", ("tensorpack", "cv2"), ("tensorpack", _OPENCV, "pyzmq"), ("tensorpack",)),
)
"""All of them, the baseline first."""


def chosen(names: Iterable[str]) -> list[Peer]:
    """Return the peers of these names, or all where there is none; the baseline is always among them.

    Raises:
        UnknownName: there is no such peer.
    """
    wanted = [name.strip() for name in names if name.strip()]
    known = {name for peer in PEERS for name in (peer.name, peer.name.partition(" ")[0])}
    for name in wanted:
        if name not in known:
            raise UnknownName(f"no peer {name!r}{suggestion(name, known) or f'; there are: {listing(sorted(known))}'}")
    return [
        peer
        for peer in PEERS
        if not wanted or peer is BASELINE or peer.name in wanted or peer.name.partition(" ")[0] in wanted
    ]
