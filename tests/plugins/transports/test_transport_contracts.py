from __future__ import annotations

from leaven.testing import TransportContract


class TestZeroMQ(TransportContract):
    spec = "transport:zeromq"


class TestInline(TransportContract):
    spec = "transport:inline"


class TestThreads(TransportContract):
    spec = "transport:threads"


class TestTcp(TransportContract):
    spec = "transport:tcp"
