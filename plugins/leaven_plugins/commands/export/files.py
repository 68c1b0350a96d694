"""Writing a network to a file, which gets its name once it was read again and gives the same results."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from leaven.errors import LeavenError
from leaven_plugins.commands.export.onnx_file import check_onnx, write_onnx
from leaven_plugins.commands.export.rebuilding import Plain, Rebuilt, example_of
from leaven_plugins.commands.export.torch_file import run_torch, write_torch
from leaven_plugins.snapshots.placing import file_in_place
from leaven_plugins.snapshots.safetensors import export_weights

Runner = Callable[[Path, list[Tensor]], tuple[str, list[Tensor]]]

_TOLERANCE = 1e-3
_ROWS = 4  # of the example where the file takes any number: torch.export takes 0 and 1 for special cases
_TRIED = (_ROWS, 1, 3)


def write_weights(network: Rebuilt, out: Path) -> None:
    """Write the weights as safetensors; the configuration is in the file's metadata.

    Raises:
        SnapshotError: it cannot be written.
        MissingPackageError: safetensors is not installed.
    """
    config = json.dumps(network.experiment.resolved())
    export_weights(out, network.plain.network.state_dict(), {"leaven.config": config})


def write_network(network: Rebuilt, out: Path, format_: str, rows: int | None) -> dict[str, Any]:
    """Write the network; return what its input and output are, and how much the file's results differ.

    Args:
        network: what to write.
        out: the file.
        format_: ``"torch"`` (``torch.export``) or ``"onnx"``.
        rows: how many rows it takes, ``None`` for any number.

    Raises:
        LeavenError: the network cannot be written in this format, or the file gives other results than the network.
        MissingPackageError: a package is missing.
    """
    image = example_of(network, rows or _ROWS)
    with torch.no_grad():
        output = _output(network.plain, image)
        write, run = _FORMATS[format_]
        with file_in_place(out) as temporary:
            write(network.plain, image, temporary, rows is None)
            checked_by, difference = _compare(network.plain, image, run, temporary, rows)
    return {
        "input": _port(network.plain.input_key, image, rows),
        "output": _port(network.plain.output_key, output, rows),
        "preprocessing": _preprocessing(image),
        "checked_by": checked_by,
        "difference": difference,
    }


_FORMATS: dict[str, tuple[Callable[[Plain, Tensor, Path, bool], None], Runner]] = {
    "torch": (write_torch, run_torch),
    "onnx": (write_onnx, check_onnx),
}


def _output(plain: Plain, image: Tensor) -> Tensor:
    try:
        output = plain(image)
    except KeyError as error:
        raise LeavenError(f"the network asks for or lacks a key {error}; only {plain.input_key!r} is given") from error
    if not isinstance(output, Tensor):
        raise LeavenError(f"the network's {plain.output_key!r} is a {type(output).__name__}; expected a tensor")
    return output


def _compare(plain: Plain, image: Tensor, run: Runner, path: Path, rows: int | None) -> tuple[str, float]:
    """Return what has run the file, and the largest difference to the network, relative to the largest output."""
    inputs = [image] if rows else [image[:count] for count in _TRIED]
    name, found = run(path, inputs)
    differences = [_difference(plain(one), other) for one, other in zip(inputs, found, strict=True)]
    difference = float(torch.tensor(differences).max())  # which passes on a NaN, as max() does not
    if not difference <= _TOLERANCE:  # a NaN is none either
        raise LeavenError(
            f"the file gives other results than the network: run by {name}, they differ by {difference:.1e} of the "
            f"largest output, where {_TOLERANCE:.0e} is allowed; nothing is written"
        )
    return name, difference


def _difference(expected: Tensor, found: Tensor) -> float:
    if expected.shape != found.shape:
        raise LeavenError(f"the file gives outputs of shape {tuple(found.shape)}, the network {tuple(expected.shape)}")
    wide = expected.double()
    largest = wide.abs().max().clamp_min(torch.finfo(torch.float32).tiny)
    return float((wide - found.double()).abs().max() / largest)


def _port(name: str, tensor: Tensor, rows: int | None) -> dict[str, Any]:
    return {"name": name, "shape": [rows, *tensor.shape[1:]], "dtype": str(tensor.dtype).removeprefix("torch.")}


def _preprocessing(image: Tensor) -> str:
    if image.is_floating_point():
        low, high = float(image.min()), float(image.max())
        return f"floats as the experiment's loader gives them; those tried are within {low:.3g} and {high:.3g}"
    return f"integers of 0 to {torch.iinfo(image.dtype).max} as they are; their scaling is in the file"
