"""Batch: what an augmenter reads of a sample dict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from leaven.errors import ParameterError, listing, suggestion

Values = Mapping[str, Any]
"""What a worker has drawn for one row: an entry of ``sample["augmentation"]``."""


def images_of(sample: Mapping[str, Any], key: str) -> torch.Tensor:
    """Return the images of a sample dict.

    Raises:
        ParameterError: there are none under this key, or they are no tensor ``(rows, channels, height, width)``.
    """
    if key not in sample:
        raise ParameterError(f"no key {key!r}{suggestion(key, sample)}; the sample has: {listing(sample)}")
    return checked_images(sample[key], key)


def checked_images(images: Any, name: str = "images") -> torch.Tensor:
    """Return what was handed in as images.

    Raises:
        ParameterError: it is no tensor ``(rows, channels, height, width)`` with pixels in it.
    """
    if not isinstance(images, torch.Tensor):
        raise ParameterError(f"{name!r} is of type {type(images).__name__}; it has to be a tensor, as of feed:torch")
    if images.ndim != 4 or 0 in images.shape[1:]:
        expected = "(rows, channels, height, width)"
        raise ParameterError(f"{name!r} has the shape {tuple(images.shape)}; it has to be {expected}")
    return images


def values_of(sample: Mapping[str, Any], rows: int) -> list[Values]:
    """Return the values of each row; rows that hold no sample have none.

    Raises:
        ParameterError: there is no list ``augmentation``, or it has not one dict for each row.
    """
    if "augmentation" not in sample:
        raise ParameterError(
            f"no key 'augmentation'{suggestion('augmentation', sample)}; it has each row's values, from an image worker"
        )
    return checked_values(sample["augmentation"], rows)


def checked_values(values: Any, rows: int) -> list[Values]:
    """Return what was handed in as values of each row, with an empty dict in place of ``None``.

    Raises:
        ParameterError: it is no list of one dict for each row.
    """
    if isinstance(values, (str, bytes, Mapping)) or not isinstance(values, Sequence):
        raise ParameterError(f"'augmentation' is of type {type(values).__name__}; it has to be a list of dicts")
    if len(values) != rows:
        raise ParameterError(f"'augmentation' has {len(values)} entries for {rows} rows; it has to have one for each")
    wrong = next((each for each in values if not (each is None or isinstance(each, Mapping))), None)
    if wrong is not None:
        raise ParameterError(f"'augmentation' has an entry of type {type(wrong).__name__}; it has to be a dict")
    return [{"gpu_augmentation": False} if each is None else each for each in values]


def left_out(values: Values, ops: Sequence[str]) -> Sequence[str]:
    """Return which of ``ops`` the worker has left out of a row; all of them where it does not say.

    Raises:
        ParameterError: it has left out another one, which nobody would do then.
    """
    told = values.get("gpu_augmentation", True)
    if isinstance(told, bool):
        return ops if told else ()
    for name in told:
        if name not in ops:
            there = f"this augmenter does: {listing(ops)}"
            raise ParameterError(f"op {name!r} was left to the device{suggestion(name, ops)}; {there}; name it in ops")
    return tuple(told)


def shows_gray(values: Values, channels: int) -> bool:
    """Return whether a row's three channels are one, shown three times: so is its noise, as a worker makes it."""
    return channels == 3 and not values.get("color", True)
