"""autopad: by how much to pad so that a convolution keeps the size, divided by its stride."""

from __future__ import annotations

from collections.abc import Sequence

from leaven.errors import ParameterError

Numbers = int | Sequence[int]


def autopad(
    kernel: Numbers, stride: Numbers = 1, dilation: Numbers = 1, size: Sequence[int] | None = None
) -> tuple[int, ...]:
    """Return the padding of each side, in the order of ``torch.nn.functional.pad``.

    With it, ``size`` becomes ``ceil(size / stride)``. An odd number is shared so that the end gets one more than the
    beginning. Where the stride skips more than the kernel sees, nothing is padded.

    Args:
        kernel: size of the kernel along each dimension, or one number for one dimension, or for those of ``size``.
        stride: of each dimension, or one number for all.
        dilation: of each dimension, or one number for all.
        size: of what is padded. Without it, the answer holds for sizes that are multiples of the stride.

    Returns:
        Two numbers of at least 0 for each dimension, the last dimension first: left, right, top, bottom, front, back.

    Raises:
        ParameterError: a number below 1, or numbers for other dimensions than the kernel has.
    """
    count = _dimensions(kernel, size)
    kernels, strides, dilations = (
        _of_each(name, numbers, count)
        for name, numbers in (("kernel", kernel), ("stride", stride), ("dilation", dilation))
    )
    sizes = strides if size is None else _of_each("size", size, count)
    padding: list[int] = []
    for k, s, d, n in reversed(list(zip(kernels, strides, dilations, sizes, strict=True))):
        seen = (-(-n // s) - 1) * s + d * (k - 1) + 1  # from the first pixel to the last that the kernel sees
        total = max(seen - n, 0)
        padding += [total // 2, total - total // 2]
    return tuple(padding)


def _dimensions(kernel: Numbers, size: Sequence[int] | None) -> int:
    if not isinstance(kernel, int):
        return len(kernel)
    return 1 if size is None else len(size)


def _of_each(name: str, numbers: Numbers, count: int) -> tuple[int, ...]:
    each = (numbers,) * count if isinstance(numbers, int) else tuple(numbers)
    if len(each) != count:
        raise ParameterError(f"autopad: {name} is {numbers!r}; expected {count} numbers, one for each dimension")
    if min(each, default=1) < 1:
        raise ParameterError(f"autopad: {name} is {numbers!r}; expected numbers of at least 1")
    return each
