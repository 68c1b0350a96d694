"""Files of labels: arrays of numpy, tensors of torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.errors import DatasetError, FormatError, MissingPackageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def load_array(path: Path) -> NDArray[Any]:
    """Return the array in a file: ``.npy``, or ``.pt`` and ``.pth`` with one tensor. No code in it is run.

    Raises:
        DatasetError: it cannot be read.
        FormatError: it is something else.
        MissingPackageError: torch is not installed, and it has a tensor.
    """
    read = _tensor if path.suffix in (".pt", ".pth") else _array
    try:
        return read(path)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from error
    except MissingPackageError:
        raise
    except Exception as error:  # whatever a damaged file makes of the readers
        reason = str(error).partition("\n")[0]
        raise FormatError(f"{path}: no array of numbers: {type(error).__name__}: {reason}") from error


def _array(path: Path) -> NDArray[Any]:
    found = np.load(path, allow_pickle=False)
    if not isinstance(found, np.ndarray):
        raise FormatError(f"several arrays ({', '.join(found)}) instead of one")
    return found


def _tensor(path: Path) -> NDArray[Any]:
    try:
        import torch
    except ImportError as error:
        raise MissingPackageError(f"{path}: tensors need torch: pip install torch", name="torch") from error
    found = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(found, torch.Tensor):
        raise FormatError(f"a {type(found).__name__} instead of a tensor")
    return np.asarray(found.float().numpy() if found.dtype.is_floating_point else found.numpy())
