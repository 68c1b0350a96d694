"""What a network's output says of images: classes, masks, maps, pictures or numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from leaven.errors import LeavenError, listing
from leaven_plugins.trainers.standard.batches import rows_of, samples_in
from leaven_plugins.trainers.standard.validity import valid_part

_LABEL, _PLANES = "label", ("target_image", "label_image")

Setting = Callable[[], AbstractContextManager[Any]]


class Predicted(NamedTuple):
    """What is predicted of some rows.

    ``kind`` is ``classes`` (``values`` are probabilities ``(rows, classes)``), ``mask`` (class numbers ``(rows, height,
    width)``), ``map`` (floats likewise), ``picture`` (``(rows, channels, height, width)``) or ``numbers`` (``(rows,
    n)``).
    """

    kind: str
    values: NDArray[Any]
    classes: int = 0

    def named(self, names: Sequence[str]) -> list[str]:
        """Return what to call the classes: their names, or their numbers where there is not one name for each."""
        return list(names) if len(names) == self.classes else [str(number) for number in range(self.classes)]


class Seen(NamedTuple):
    """Rows of data, on the host, with what the network says of them.

    ``positions`` are their places in the data; ``target`` is what was to be predicted, if samples have it.
    """

    positions: list[int]
    images: NDArray[Any]
    target: NDArray[Any] | None
    predicted: Predicted


def seen(
    network: nn.Module, data: Iterable[Any], independent: bool = False, setting: Setting = nullcontext
) -> Iterator[Seen]:
    """Yield what a network says of data, in evaluation mode and without gradients; rows without a sample are left out.

    Args:
        network: takes and returns sample dicts.
        data: what a loader yields.
        independent: the classes do not exclude each other.
        setting: what the network runs in.

    Raises:
        LeavenError: the network asks for what samples have not, or its output is nothing that is known here.
    """
    begin = 0
    for item in data:
        for sample in samples_in(item):
            rows = rows_of(sample)
            positions = torch.arange(begin, begin + rows)
            begin += rows
            part = valid_part({**sample, "position": positions})
            if part is None:
                continue
            found = part.pop("position").tolist()
            with evaluating(network), setting():
                output = output_of(network, part)
            target = _target(part, output)
            yield Seen(found, _host(part[input_key(network)]), target, predicted_by(output, target, independent))


def joined_rows(parts: Sequence[Seen]) -> Seen:
    """Return several parts, of one form, as one."""
    kind, classes = parts[0].predicted.kind, parts[0].predicted.classes
    targets = [part.target for part in parts if part.target is not None]
    return Seen(
        [position for part in parts for position in part.positions],
        np.concatenate([part.images for part in parts]),
        np.concatenate(targets) if targets else None,
        Predicted(kind, np.concatenate([part.predicted.values for part in parts]), classes),
    )


def first_rows(rows: Seen, count: int) -> Seen:
    """Return the first rows."""
    predicted = rows.predicted._replace(values=rows.predicted.values[:count])
    target = None if rows.target is None else rows.target[:count]
    return Seen(rows.positions[:count], rows.images[:count], target, predicted)


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Let a network be in evaluation mode, without gradients, for a time."""
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        network.train(training)


def output_of(network: nn.Module, sample: Mapping[str, Any]) -> Tensor:
    """Return the tensor that a network makes of a sample.

    Raises:
        LeavenError: the sample lacks what the network asks for, or what it returns is no tensor.
    """
    key = str(getattr(network, "output_key", "output"))
    try:
        output = network(dict(sample))[key]
    except KeyError as error:
        raise LeavenError(f"the network asks for or lacks a key {error}; the sample has: {listing(sample)}") from error
    if not isinstance(output, Tensor):
        raise LeavenError(f"the network's {key!r} is a {type(output).__name__}; expected a tensor")
    return output


def input_key(network: nn.Module) -> str:
    """Return the key of the images."""
    return str(getattr(network, "input_key", "image"))


def predicted_by(output: Tensor, target: NDArray[Any] | None = None, independent: bool = False) -> Predicted:
    """Return what an output means.

    Scores ``(rows, classes)`` become probabilities: by a softmax; by a sigmoid where there is one score, or where the
    classes do not exclude each other. One score whose target is no whole number is a number. Scores ``(rows, classes,
    height, width)`` become the mask of the highest ones; they are a picture where the target is one. One plane is a
    map, or where its targets are whole numbers, a mask of two classes.

    Args:
        output: on any device.
        target: of the same rows, if there is one.
        independent: the classes do not exclude each other.

    Raises:
        LeavenError: it has another form.
    """
    output = output.detach().float().cpu()
    planes = 0 if target is None else target.ndim
    if output.ndim == 4 and output.shape[2:] == (1, 1) and planes <= 2:
        output = output[:, :, 0, 0]
    if output.ndim == 2:
        return _of_scores(output, target, independent)
    if output.ndim == 4 and output.shape[1] > 1:
        if target is not None and target.ndim == 4 and target.shape[1] == output.shape[1]:
            return Predicted("picture", output.numpy())
        return Predicted("mask", output.argmax(1).numpy(), output.shape[1])
    if output.ndim == 3 or (output.ndim == 4 and output.shape[1] == 1):
        plane = output.reshape(len(output), *output.shape[-2:])
        if target is not None and planes > 2 and not _is_float(target):
            return Predicted("mask", (plane > 0).long().numpy(), 2)
        return Predicted("map", plane.numpy())
    raise LeavenError(
        f"an output of shape {tuple(output.shape)} is not understood here; expected scores (rows, classes), maps of "
        "scores (rows, classes, height, width), or maps (rows, height, width)"
    )


def _of_scores(scores: Tensor, target: NDArray[Any] | None, independent: bool) -> Predicted:
    classes = scores.shape[1]
    if classes == 1 and not independent and target is not None and _is_float(target):
        return Predicted("numbers", scores.numpy())
    if classes == 1:
        one = torch.sigmoid(scores.double())
        return Predicted("classes", torch.cat([1 - one, one], 1).numpy(), 2)
    shares = torch.sigmoid(scores.double()) if independent else torch.softmax(scores.double(), 1)
    return Predicted("classes", shares.numpy(), classes)


def _target(sample: Mapping[str, Any], output: Tensor) -> NDArray[Any] | None:
    keys = [key for key in ((_LABEL,) if output.ndim == 2 else (*_PLANES, _LABEL)) if key in sample]
    return _host(sample[keys[0]]) if keys else None


def _is_float(target: NDArray[Any]) -> bool:
    return target.dtype.kind == "f"


def _host(value: Any) -> NDArray[Any]:
    """Return a copy as an array, which does not lie in a slot of the loader."""
    return np.array(value.detach().cpu().numpy() if isinstance(value, Tensor) else value)
