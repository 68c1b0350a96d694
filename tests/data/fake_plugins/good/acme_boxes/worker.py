"""A worker that takes components by name, in a list, and by default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import acme_nowhere
    from leaven.protocols import Op, Rng


class BoxWorker:
    """Keeps what it was given."""

    def __init__(
        self,
        image: tuple = ((3, 8, 8), "uint8"),
        image_rng: Rng | None = None,
        ops: Sequence[Op] = ("snow", {"use": "rain", "prob": 1.0}),
        main_op: Op | str = "rain",
        extra: acme_nowhere.Thing | None = None,
    ):
        self.image = image
        self.image_rng = image_rng
        self.ops = ops
        self.main_op = main_op
        self.extra = extra
