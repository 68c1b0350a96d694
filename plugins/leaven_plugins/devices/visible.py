"""Visible devices: which of a machine's GPUs CUDA shows to this process, and under which numbers."""

from __future__ import annotations

from collections.abc import Sequence


def visible(uuids: Sequence[str], asked: str | None) -> list[int]:
    """Return the positions in ``uuids`` of the GPUs that CUDA numbers 0, 1, ... in this process.

    CUDA takes the entries of ``CUDA_VISIBLE_DEVICES`` up to the first that means no GPU, and none at all where one
    comes twice. Numbers count GPUs as the driver does, by their place on the bus: that is CUDA's way too where all are
    of one model, or where ``CUDA_DEVICE_ORDER=PCI_BUS_ID``.

    Args:
        uuids: of all GPUs, in the driver's order.
        asked: the value of ``CUDA_VISIBLE_DEVICES``: numbers or (beginnings of) UUIDs, separated by commas; ``None``
            where it is not set, which shows all.
    """
    if asked is None:
        return list(range(len(uuids)))
    found: list[int] = []
    for entry in asked.split(","):
        meant = _meant(entry.strip(), uuids)
        if meant is None:
            break
        found.append(meant)
    return found if len(set(found)) == len(found) else []


def _meant(entry: str, uuids: Sequence[str]) -> int | None:
    if entry.isascii() and entry.isdigit():
        return int(entry) if int(entry) < len(uuids) else None
    matching = [position for position, uuid in enumerate(uuids) if entry and uuid.startswith(entry)]
    return matching[0] if len(matching) == 1 else None
