"""summary: what a network consists of, layer by layer, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
)
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._pytree import tree_map_only
from torch.utils.flop_counter import FlopCounterMode

from leaven.errors import LeavenError

if TYPE_CHECKING:
    from rich.table import Table

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """One module that has weights of its own, does work of its own, or has no modules within.

    Attributes:
        name: its path, ``""`` for the whole.
        kind: name of its class.
        shape: of its first output, when it was called last; ``None`` where it was not, or has none.
        parameters: number of its own weights; those that another layer above has already do not count again.
        flops: floating-point operations of its own, in all calls together.
    """

    name: str
    kind: str
    shape: Shape | None
    parameters: int
    flops: int


@dataclass(frozen=True)
class Summary:
    """All layers, in the order in which the module has them.

    Attributes:
        layers: one by one.
        parameters: number of all weights.
        trainable: number of those that gradients are computed for.
        flops: floating-point operations of one call, for the whole batch.
    """

    layers: tuple[Layer, ...]
    parameters: int
    trainable: int
    flops: int

    def __rich__(self) -> Table:
        """Return the table that rich prints."""
        from rich.table import Table

        table = Table("layer", "kind", "output", box=None, header_style="bold", show_footer=True)
        table.columns[0].footer = f"total ({self.trainable:,} trainable)"
        table.add_column("parameters", f"{self.parameters:,}", justify="right")
        table.add_column("FLOPs", f"{self.flops:,}", justify="right")
        for layer in self.layers:
            shape = "-" if layer.shape is None else " x ".join(map(str, layer.shape))
            table.add_row(layer.name or ".", layer.kind, shape, f"{layer.parameters:,}", f"{layer.flops:,}")
        return table

    def __str__(self) -> str:
        """Return the table as text."""
        from rich.console import Console

        console = Console(file=StringIO(), width=200)
        with console.capture() as captured:
            console.print(self)
        return "\n".join(line.rstrip() for line in captured.get().splitlines())


def summary(module: nn.Module, sample: Any) -> Summary:
    """Return what a module consists of, and what it does with a sample.

    It is called in evaluation mode with tensors that have shapes only, so that it costs neither memory nor time, and
    module, weights, statistics and chance stay as they are. Modules whose way depends on values of tensors, as by an
    ``if``, cannot be called so. A multiplication and an addition are two operations; convolutions, products of
    matrices and attention count, what is done to single values does not (:mod:`torch.utils.flop_counter`).

    Args:
        module: takes a sample dict, or a tensor.
        sample: what it is called with.

    Raises:
        LeavenError: the module needs the values of a tensor to go on.
    """
    module = getattr(module, "_orig_mod", module)  # what torch.compile was given
    trace = _Trace(FlopCounterMode(display=False))
    with _set_aside(module) as shapes_only:
        state: dict[str, Tensor] = {name: shapes_only.from_tensor(tensor) for name, tensor in _state(module).items()}
        with trace.counter, trace.hooked(module):
            functional_call(module, state, (tree_map_only(Tensor, shapes_only.from_tensor, sample),))
    parameters = list(module.parameters())
    return Summary(
        layers=tuple(_layers(module, trace)),
        parameters=sum(p.numel() for p in parameters),
        trainable=sum(p.numel() for p in parameters if p.requires_grad),
        flops=trace.counter.get_total_flops(),
    )


class _Trace:
    """Shapes and operations of modules, by their names, while they are called."""

    def __init__(self, counter: FlopCounterMode) -> None:
        self.counter = counter
        self.shapes: dict[str, Shape | None] = {}
        self.flops: dict[str, int] = {}
        self._entered: list[int] = []  # of each module that is being called: operations that do not count as its own

    @contextmanager
    def hooked(self, module: nn.Module) -> Iterator[None]:
        with ExitStack() as stack:
            for name, part in module.named_modules():
                stack.callback(part.register_forward_pre_hook(self._enter).remove)
                stack.callback(part.register_forward_hook(self._leaver(name)).remove)
            yield

    def _enter(self, module: nn.Module, inputs: Any) -> None:
        self._entered.append(self.counter.get_total_flops())

    def _leaver(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def leave(module: nn.Module, inputs: Any, output: Any) -> None:
            own = self.counter.get_total_flops() - self._entered.pop()
            self._entered = [others + own for others in self._entered]
            self.flops[name] = self.flops.get(name, 0) + own
            self.shapes[name] = _first_shape(output)

        return leave


def _layers(module: nn.Module, trace: _Trace) -> Iterator[Layer]:
    counted: set[nn.Parameter] = set()
    for name, part in module.named_modules():
        own = set(part.parameters(recurse=False)) - counted
        counted |= own
        flops = trace.flops.get(name, 0)
        if own or flops or not any(part.children()):
            parameters = sum(parameter.numel() for parameter in own)
            yield Layer(name, type(part).__name__, trace.shapes.get(name), parameters, flops)


def _first_shape(output: Any) -> Shape | None:
    """Return the shape of a tensor, of the first one of several, or of what a model has added to a sample last."""
    if isinstance(output, Mapping):
        output = list(output.values())[::-1]
    tensors = output if isinstance(output, (list, tuple)) else [output]
    return next((tuple(tensor.shape) for tensor in tensors if isinstance(tensor, Tensor)), None)


def _state(module: nn.Module) -> dict[str, Tensor]:
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


@contextmanager
def _set_aside(module: nn.Module) -> Iterator[FakeTensorMode]:
    """Have the module called without leaving a trace in it, or in its weights."""
    try:
        with (
            _in_eval(module),
            _attention_by_parts(),
            torch.no_grad(),
            FakeTensorMode(allow_non_fake_inputs=True) as shapes_only,
        ):
            yield shapes_only
    except (DataDependentOutputException, DynamicOutputShapeException) as error:
        raise LeavenError(
            f"summary: {type(module).__name__} needs values of a tensor, and is called with shapes only: {error}"
        ) from error


@contextmanager
def _attention_by_parts() -> Iterator[None]:
    """Have torch's attention done by products of matrices, which are counted; its fast ways on the CPU are not."""
    enabled = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(enabled)


@contextmanager
def _in_eval(module: nn.Module) -> Iterator[None]:
    """Set all modules to evaluation, and each to what it was afterwards."""
    modes = [(part, part.training) for part in module.modules()]
    try:
        module.eval()
        yield
    finally:
        for part, mode in modes:
            part.training = mode
