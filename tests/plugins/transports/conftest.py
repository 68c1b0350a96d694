"""Fixtures of transports."""

from __future__ import annotations

import pytest
import zmq


class Context(zmq.Context):
    """Holds on to its sockets, so that those that a test forgets are closed and not garbage."""

    held: list = []

    def socket(self, *args, **options):
        made = super().socket(*args, **options)
        self.held.append(made)
        return made


@pytest.fixture
def context():
    """A ZeroMQ context for the test's own sockets."""
    made = Context()
    yield made
    made.destroy(linger=0)
    Context.held.clear()
