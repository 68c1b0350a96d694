"""Files of ``torch.export``: a graph with its weights, which torch runs without the network's code."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from leaven.errors import LeavenError


def write_torch(network: nn.Module, image: Tensor, path: Path, any_rows: bool) -> None:
    """Write the network as seen with ``image``; ``any_rows``: for any number of rows.

    Raises:
        LeavenError: it cannot be written as a graph.
    """
    shapes = ({0: torch.export.Dim("rows")},) if any_rows else None
    with graph_errors(any_rows), path.open("wb") as file:
        torch.export.save(torch.export.export(network, (image,), dynamic_shapes=shapes), file)


def run_torch(path: Path, images: list[Tensor]) -> tuple[str, list[Tensor]]:
    """Read the file and run it; return what has run it, and the outputs."""
    with graph_errors(False), path.open("rb") as file:
        network = torch.export.load(file).module()
        return f"torch {torch.__version__}", [network(image) for image in images]


@contextmanager
def graph_errors(any_rows: bool) -> Iterator[None]:
    """Turn the errors of torch's exporters into one of ours, and keep their talk to themselves.

    Raises:
        LeavenError: a graph cannot be made.
    """
    with warnings.catch_warnings():
        # torch 2.13 deprecates what its own copying of graphs does
        warnings.filterwarnings("ignore", message=r".*treespec, LeafSpec", category=FutureWarning)
        try:
            yield
        except Exception as error:  # torch's exporters raise many types, some of which are not public
            advice = (
                "; --batch N may be of help, for networks that do not work on any number of rows" if any_rows else ""
            )
            reason = str(error).strip().partition("\n")[0]
            raise LeavenError(f"the network cannot be written as a graph: {reason}{advice}") from error
