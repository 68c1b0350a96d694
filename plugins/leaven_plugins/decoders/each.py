"""Many images through any decoder: through its own way for batches where it has one, else one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from leaven.errors import DecodeError
from leaven.protocols import Decoded, Decoder, DecodeRequest


def decode_each(decoder: Decoder, requests: Sequence[DecodeRequest]) -> Iterator[Decoded | Exception]:
    """Yield what is decoded of each request, in order, or the error in its place; one failure costs no other image.

    Nothing is decoded before it is asked for. ``MemoryError`` is raised.
    """
    if not has_own_way(decoder, "decode_batch"):
        return (_decoded(decoder, request) for request in requests)
    return _of_batch(decoder.decode_batch(requests), len(requests))  # type: ignore[attr-defined]


def has_own_way(decoder: Decoder, name: str) -> bool:
    """Return whether a decoder has a method ``name`` for batches that goes with its ``decode``.

    A subclass that overrides ``decode`` alone means all images, and not only those that come one by one.
    """
    if not hasattr(decoder, name):
        return False
    owners = [each for each in type(decoder).__mro__ if {name, "decode"} & set(vars(each))]
    return not owners or name in vars(owners[0]) or not any(name in vars(each) for each in owners)


def _decoded(decoder: Decoder, request: DecodeRequest) -> Decoded | Exception:
    data, color, region, min_scale, _ = request
    try:
        return decoder.decode(data, color=color, region=region, min_scale=min_scale)
    except MemoryError:
        raise
    except Exception as error:
        return error


def _of_batch(images: Iterable[Decoded | DecodeError], count: int) -> Iterator[Decoded | Exception]:
    given = 0
    problem: Exception | None = None
    try:
        for image in images:
            given += 1
            yield image
    except MemoryError:
        raise
    except Exception as error:
        problem = error
    for _ in range(given, count):
        yield problem or DecodeError(f"the decoder gave {given} images of a batch of {count}")
