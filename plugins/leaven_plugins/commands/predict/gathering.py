"""The contact sheet of a network's predictions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import Any

from torch import nn

from leaven.errors import LeavenError
from leaven_plugins.commands.predict.drawing import drawn
from leaven_plugins.commands.predict.outputs import Seen, Setting, first_rows, joined_rows, seen
from leaven_plugins.commands.show.lettering import Pixels
from leaven_plugins.commands.show.sheet import arranged


def prediction_sheet(
    network: nn.Module,
    data: Iterable[Any],
    names: Sequence[str] = (),
    count: int = 24,
    title: str = "",
    independent: bool = False,
    setting: Setting = nullcontext,
) -> Pixels:
    """Return a picture of some images, of what a network says of them, and of what it should say.

    Of classification there is a caption for each image, and wrong ones have a frame. Where the output is a map or a
    mask, image, target and prediction stand side by side. The network keeps its mode.

    Args:
        network: takes and returns sample dicts.
        data: a loader of validation data, or what it yields; its first ``count`` samples are shown.
        names: of the classes; where there is not one for each, they are called by their numbers.
        count: at least 1.
        title: a line above everything.
        independent: the classes do not exclude each other.
        setting: what the network runs in, such as mixed precision.

    Returns:
        uint8 RGB ``(height, width, 3)``.

    Raises:
        LeavenError: there are no samples, or the output is nothing that can be shown.
    """
    found: list[Seen] = []
    for rows in seen(network, data, independent, setting):
        found.append(rows)
        if sum(len(part.positions) for part in found) >= count:
            break
    if not found:
        raise LeavenError("there are no samples to show predictions of")
    return sheet_of_predictions(joined_rows(found), names, count, title)


def sheet_of_predictions(
    rows: Seen, names: Sequence[str] = (), count: int = 24, title: str = "", captions: Sequence[str] = ()
) -> Pixels:
    """Return a picture of predictions.

    Args:
        rows: images, targets and predictions.
        names: of the classes; where there is not one for each, they are called by their numbers.
        count: how many are shown at most.
        title: a line above everything.
        captions: in front of the other ones; none for images whose names say nothing.
    """
    made = drawn(first_rows(rows, count), names)
    texts = [
        "\n".join(filter(None, pair))
        for pair in zip(captions[:count] or [""] * len(made.captions), made.captions, strict=True)
    ]
    return arranged(made.pictures, texts, None, title, made.legend)
