"""Files of ONNX, which many programs and devices run. They need ``leaven[export]``."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from leaven.errors import LeavenError, MissingPackageError
from leaven_plugins.commands.export.rebuilding import Plain
from leaven_plugins.commands.export.torch_file import graph_errors

_MOST = 1_900_000_000  # bytes: protobuf, which the format is made of, ends at 2 GiB


def write_onnx(network: Plain, image: Tensor, path: Path, any_rows: bool) -> None:
    """Write the network as seen with ``image``; ``any_rows``: for any number of rows.

    Raises:
        LeavenError: it cannot be written as a graph, or is too large.
        MissingPackageError: onnx or onnxscript is not installed.
    """
    for package in ("onnx", "onnxscript"):
        if importlib.util.find_spec(package) is None:
            raise MissingPackageError(f"{package} is not installed; to install it: pip install 'leaven[export]'")
    size = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    if size > _MOST:
        raise LeavenError(f"the weights have {size / 1e9:.1f} GB, and an ONNX file 2 GB at most; use --format torch")
    with graph_errors(any_rows), _quiet_exporter():
        torch.onnx.export(
            network,
            (image,),
            path,
            dynamo=True,
            external_data=False,
            verbose=False,
            input_names=[network.input_key],
            output_names=[network.output_key],
            dynamic_shapes=({0: "rows"},) if any_rows else None,
        )


def check_onnx(path: Path, images: list[Tensor]) -> tuple[str, list[Tensor]]:
    """Check the file and run it; return what has run it, and the outputs.

    Raises:
        LeavenError: the file is not valid, or cannot be run.
    """
    import onnx

    try:
        onnx.checker.check_model(str(path), full_check=True)
        if importlib.util.find_spec("onnxruntime") is None:
            return _run_by_opencv(path, images)
        return _run_by_onnxruntime(path, images)
    except Exception as error:  # three libraries with errors of their own
        raise LeavenError(f"the file cannot be run: {str(error).strip().splitlines()[0]}") from error


def _run_by_onnxruntime(path: Path, images: list[Tensor]) -> tuple[str, list[Tensor]]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    outputs = [session.run(None, {name: image.numpy()})[0] for image in images]
    return f"onnxruntime {onnxruntime.__version__}", [torch.from_numpy(output) for output in outputs]


def _run_by_opencv(path: Path, images: list[Tensor]) -> tuple[str, list[Tensor]]:
    import cv2

    network: Any = cv2.dnn.readNetFromONNX(str(path))
    outputs = []
    for image in images:
        network.setInput(image.numpy())
        outputs.append(torch.from_numpy(network.forward().copy()))
    return f"opencv {cv2.__version__}", outputs


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Keep away four lines that torchvision, of which nothing is needed, is not installed."""
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")
    logger.addFilter(_without_torchvision)
    try:
        yield
    finally:
        logger.removeFilter(_without_torchvision)


def _without_torchvision(record: logging.LogRecord) -> bool:
    return "torchvision is not installed" not in record.getMessage()
