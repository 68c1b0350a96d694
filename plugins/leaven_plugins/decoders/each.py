"""Many images through any decoder: through its own way for batches where it has one, else one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from leaven.protocols import Decoded, Decoder, DecodeRequest


def decode_each(decoder: Decoder, requests: Sequence[DecodeRequest]) -> Iterator[Decoded]:
    """Yield what is decoded of each request, in order; nothing is decoded before it is asked for.

    Raises:
        DecodeError: at the image that cannot be decoded.
    """
    batch = getattr(decoder, "decode_batch", None)
    if batch is not None:
        yield from batch(requests)
        return
    for data, color, region, min_scale in requests:
        yield decoder.decode(data, color=color, region=region, min_scale=min_scale)
