from __future__ import annotations

import pytest

from leaven.errors import TransportError
from leaven_plugins.transports.addresses import tcp_address


@pytest.mark.parametrize(
    "text", ["tcp://127.0.0.1:0", "tcp://127.9.9.9:5555", "tcp://localhost:80", "tcp://[::1]:5555"]
)
def test_loopback(text):
    assert tcp_address(text).is_loopback
    assert str(tcp_address(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "tcp://*:5555",
        "tcp://0.0.0.0:5555",
        "tcp://[::]:5555",
        "tcp://10.0.0.1:5555",
        "tcp://128.0.0.1:5555",
        "tcp://eth0:5555",
        "tcp://localhost.example.org:5555",
        "tcp://127.0.0.1.example.org:5555",
        "tcp://2130706433:5555",  # what some programs read as 127.0.0.1, and this one does not rely on
        "tcp://0x7f000001:5555",
        "tcp://127.1:5555",
    ],
)
def test_not_certainly_loopback(text):
    assert not tcp_address(text).is_loopback


@pytest.mark.parametrize(
    "text",
    ["", "127.0.0.1:1", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", "tcp://::1:5", "tcp://a:b", "ipc://x", "tcp://:5"],
)
def test_no_address(text):
    with pytest.raises(TransportError, match="not an address"):
        tcp_address(text)
