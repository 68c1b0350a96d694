"""Drawing: one pass over data, of which the beginning can be drawn again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from leaven.errors import LeavenError, StateError


def state_of(data: Any) -> Any:
    """Return the data's own state, ``None`` where it has none."""
    return data.state_dict() if hasattr(data, "state_dict") else None


def restore(data: Any, state: Any) -> None:
    """Let data go on from a state of its own; ``None`` for none.

    Raises:
        StateError: it has no place for one.
    """
    if state is None:
        return
    if not hasattr(data, "load_state_dict"):
        raise StateError("the snapshot has a state of the data, and this data takes none")
    data.load_state_dict(state)


class Drawing:
    """Draws what data yields, and counts.

    Args:
        data: can be iterated once for each pass. Where it has ``state_dict()`` and ``load_state_dict(state)``, its
            state from before the pass is kept, so that the same pass can be begun again.
        state: of an earlier drawing, whose pass is begun again.

    Attributes:
        count: how many items were drawn.
    """

    def __init__(self, data: Iterable[Any], state: Mapping[str, Any] | None = None) -> None:
        self.count = 0
        if state is not None:
            restore(data, state["before"])
        self._before = state_of(data) if state is None else state["before"]
        self._items: Iterator[Any] = iter(data)

    def draw(self) -> Any:
        """Return the next item.

        Raises:
            StopIteration: there is none.
        """
        item = next(self._items)
        self.count += 1
        return item

    def drawn_again(self, count: int) -> Iterator[Any]:
        """Yield the first ``count`` items.

        Raises:
            StateError: there are fewer.
        """
        for _ in range(count):
            try:
                yield self.draw()
            except StopIteration:
                raise StateError(f"the data has {self.count} items, and the snapshot is from after {count}") from None
            except LeavenError as error:
                raise StateError(f"the data cannot be gone through again: {error}") from error

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to draw the same again."""
        return {"count": self.count, "before": self._before}
