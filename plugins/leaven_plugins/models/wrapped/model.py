"""Wrapped: any module that takes a tensor, as a model."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from leaven.errors import ParameterError
from leaven.registry.imports import import_named
from leaven_plugins.models.pixels import unit_range, weights_dtype


class Wrapped(nn.Module):
    """Hands one tensor of a sample to a module of any package, and adds what comes back to the sample.

    Args:
        module: ``"package.module:attribute"``, which is a class of modules, a function that returns one, or a module;
            or a module itself.
        params: keyword arguments of the class or function.
        scale: bring images to unit range first, in the dtype of the module's weights: integers of any depth are divided
            by the largest value of theirs. Otherwise the module gets the tensor as it is.
        input_key: key of the tensor.
        output_key: key of the module's output.

    Raises:
        ParameterError: there is no such attribute, it does not take ``params``, or what comes of it is not a module.
    """

    def __init__(
        self,
        module: str | nn.Module,
        params: Mapping[str, Any] | None = None,
        scale: bool = True,
        input_key: str = "image",
        output_key: str = "output",
    ) -> None:
        super().__init__()
        self.module = _made(module, params or {})
        self.scale = scale
        self.input_key = input_key
        self.output_key = output_key

    def forward(self, sample: dict[str, Any]) -> dict[str, Any]:
        """Return the sample with the module's output added."""
        image: Tensor = sample[self.input_key]
        if self.scale:
            image = unit_range(image, weights_dtype(self.module))
        return {**sample, self.output_key: self.module(image)}


def _made(module: str | nn.Module, params: Mapping[str, Any]) -> nn.Module:
    found = import_named(module, "wrapped: module") if isinstance(module, str) else module
    if isinstance(found, nn.Module):
        if params:
            raise ParameterError(f"wrapped: {module!r} is a module already, and takes no params: {', '.join(params)}")
        return found
    if not callable(found):
        raise ParameterError(f"wrapped: {module!r} is of type {type(found).__name__}, not a module or what makes one")
    _check_params(found, module, params)
    made = found(**params)
    if not isinstance(made, nn.Module):
        raise ParameterError(f"wrapped: {module!r} made an object of type {type(made).__name__}, not a torch.nn.Module")
    return made


def _check_params(factory: Any, target: Any, params: Mapping[str, Any]) -> None:
    try:
        signature = inspect.signature(factory)
    except ValueError:  # some that are written in C have none
        return
    try:
        signature.bind(**params)
    except TypeError as error:
        names = ", ".join(signature.parameters) or "nothing"
        raise ParameterError(f"wrapped: {target!r}: {error}; it takes: {names}") from error
