"""A batch as files: its arrays, and pictures of its images."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from leaven.errors import LeavenError


def save_batch(path: str | PathLike[str], sample: Mapping[str, Any], input_key: str = "image") -> list[Path]:
    """Write a batch, to look at it.

    There will be ``PATH.npz``, the same as ``PATH.h5`` where h5py is installed, and ``PATH_ROW.png`` for each image:
    its range becomes black to white; one with a depth is shown by its middle slice, one with three channels as RGB, of
    other numbers of channels the first.

    Args:
        path: without a suffix; its folder has to exist.
        sample: what is an array or a tensor is written.
        input_key: key of the images ``(rows, channels, height, width)`` or ``(rows, channels, depth, height, width)``.

    Returns:
        The files.

    Raises:
        LeavenError: there are no such images.
    """
    arrays = {key: array for key, value in sample.items() if (array := _array(value)) is not None}
    pictures = [_picture(image) for image in _images(arrays, input_key)]
    files = [Path(f"{path}.npz")]
    np.savez_compressed(files[0], **arrays)  # type: ignore[arg-type]
    if find_spec("h5py") is not None:
        files.append(Path(f"{path}.h5"))
        _write_h5(files[-1], arrays)
    for row, picture in enumerate(pictures):
        files.append(Path(f"{path}_{row}.png"))
        files[-1].write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    return files


def _images(arrays: Mapping[str, NDArray[Any]], key: str) -> NDArray[Any]:
    found = arrays.get(key)
    if found is None or found.ndim not in (4, 5) or not found.size:
        have = ", ".join(f"{name} {array.shape}" for name, array in arrays.items()) or "no arrays"
        raise LeavenError(f"no images (rows, channels, [depth,] height, width) as {key!r}; there are: {have}")
    return found


def _array(value: Any) -> NDArray[Any] | None:
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        return np.asarray(value.float() if value.dtype == torch.bfloat16 else value)
    return value if isinstance(value, np.ndarray) and value.dtype != object else None


def _picture(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Return an image as OpenCV has it, ``(height, width)`` or ``(height, width, 3)`` in BGR."""
    if image.ndim == 4:
        image = image[:, image.shape[1] // 2]
    chosen = (image[::-1].transpose(1, 2, 0) if len(image) == 3 else image[0]).astype(np.float64)
    finite = chosen[np.isfinite(chosen)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    scaled = np.nan_to_num((chosen - low) * (255 / (high - low) if high > low else 0), posinf=255, neginf=0)
    return np.ascontiguousarray(scaled.clip(0, 255).round().astype(np.uint8))


def _write_h5(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    with import_module("h5py").File(path, "w") as file:
        for key, array in arrays.items():
            file.create_dataset(key, data=array, compression="gzip" if array.ndim else None)
