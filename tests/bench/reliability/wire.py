"""Messages that are none, to every socket that listens, while a loader runs: they are dropped, and that is all."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import zmq
from hashes import digits, hashes
from mutations import ANSWERS, mutated, streams
from showing import HERE, Row, Shown, present
from soak import memory

from leaven import TurboDataLoader, create
from leaven_plugins.transports.tcp.keys import WorkerKeys

WORKERS = 2
GROWTH = 20e6  # bytes by which a process may grow meanwhile
PATIENCE = 60.0
_RAW = 100  # connections that do not speak ZeroMQ's protocol
_PER_CONNECTION = 50  # messages over one connection of tcp, of which the first three are looked at


# ---- who attacks: a program of its own, so that its memory is not the loader's


def attack_folder(folder: str, number: int) -> None:
    """Send messages to the socket for answers; it is connected before its path is removed."""
    draws = random.Random(1)
    raw = [socket.socket(socket.AF_UNIX) for _ in range(_RAW)]
    with zmq.Context() as context, context.socket(zmq.PUSH) as push:
        push.set(zmq.IMMEDIATE, 1)
        push.set(zmq.LINGER, 2000)
        push.connect(f"ipc://{folder}/answers-0")
        for one in raw:
            one.connect(f"{folder}/answers-0")
        push.poll(5000, zmq.POLLOUT)
        print("connected", flush=True)
        sys.stdin.readline()
        for one, stream in zip(raw, streams(_RAW, draws), strict=True):
            with contextlib.suppress(OSError):  # it may have been sent away
                one.sendall(stream)
        for message in mutated(ANSWERS, number, draws):
            push.send_multipart([message] * (1 if draws.random() < 0.9 else draws.randrange(2, 4)))
    for one in raw:
        one.close()


def attack_address(endpoint: str, keys: str, number: int) -> None:
    """Send messages over tcp: without a protocol, without a key, with a wrong one, and with the right one."""
    draws = random.Random(2)
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    print("connected", flush=True)
    sys.stdin.readline()
    for stream in streams(_RAW, draws):
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 5) as raw:
            raw.sendall(stream)
    for pair in (None, zmq.curve_keypair()):
        if answer := _heard(endpoint, WorkerKeys(keys).loader, pair):
            print(f"got in without the right key: {answer!r}", flush=True)
    own = WorkerKeys(keys)
    noise = mutated(ANSWERS, 2 * number, draws)
    with zmq.Context() as context:
        for _ in range(number // _PER_CONNECTION):
            with context.socket(zmq.DEALER) as dealer:
                _dial(dealer, endpoint, own.loader, own.pair)
                dealer.set(zmq.LINGER, 2000)
                for _ in range(_PER_CONNECTION):
                    dealer.send_multipart([next(noise)] * (draws.random() < 0.1) + [next(noise)])


def _heard(endpoint: str, server: bytes, pair: tuple[bytes, bytes] | None) -> list[bytes] | None:
    """Return what the loader says to somebody without the right key."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as dealer:
        dealer.set(zmq.LINGER, 0)
        _dial(dealer, endpoint, server, pair)
        dealer.send(b"hello")
        return dealer.recv_multipart() if dealer.poll(1000) else None


def _dial(dealer: Any, endpoint: str, server: bytes, pair: tuple[bytes, bytes] | None) -> None:
    if pair is not None:
        dealer.set(zmq.CURVE_SERVERKEY, server)
        dealer.set(zmq.CURVE_PUBLICKEY, pair[0])
        dealer.set(zmq.CURVE_SECRETKEY, pair[1])
    dealer.connect(endpoint)


@contextlib.contextmanager
def attacker() -> Iterator[subprocess.Popen[str]]:
    """Start the program; it waits to be told what to attack, and then for the word to begin."""
    command = [sys.executable, str(HERE / "wire.py"), "--attack"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def _tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


# ---- who is attacked


class Dropped(logging.Filter):
    """Counts what the loader says that it has dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def filter(self, record: logging.LogRecord) -> bool:
        self.count += "dropped" in record.getMessage()
        return False

    def __enter__(self) -> Dropped:
        for name in ("leaven.loader", "leaven.transport"):
            logging.getLogger(name).addFilter(self)
        return self

    def __exit__(self, *exc: object) -> None:
        for name in ("leaven.loader", "leaven.transport"):
            logging.getLogger(name).removeFilter(self)


def through(loader: TurboDataLoader, begin: Callable[[], None], over: Callable[[], bool]) -> dict[str, Any]:
    """Take batches, ``begin`` after some, until it is over; return whether they are right, and how processes grew."""
    found: list[str] = []
    pids: set[int] = set()
    before: dict[int, int] = {}
    for number, one in zip(count(), hashes(loader, 1 << 40)):
        found.append(one)
        if number == 20:
            pids = {os.getpid(), *(doing.pid for doing in loader.workers())}
            before = {pid: memory(pid) for pid in pids}
            begin()
        if number >= 60 and over():
            break
    grown = {pid: memory(pid) - before[pid] for pid in pids if Path(f"/proc/{pid}").exists()}
    with digits(0, "inline") as undisturbed:
        same = list(hashes(undisturbed, len(found))) == found
    return {"batches": len(found), "same": same, "alive": len(grown) == len(pids), "growth": max(grown.values())}


def attacked_folder(messages: int) -> dict[str, Any]:
    transport = create("transport:zeromq")
    with attacker() as process, Dropped() as dropped, digits(WORKERS, transport) as loader:
        _tell(process, f"folder {transport.address(0)['folder']} {messages}")
        return {**_under(process, loader), "dropped": dropped.count}


def attacked_address(messages: int) -> dict[str, Any]:
    transport = create("transport:tcp")
    with attacker() as process, Dropped() as dropped, digits(WORKERS, transport) as loader:
        _tell(process, f"address {transport.endpoint} {transport.run_keys} {messages}")
        return {**_under(process, loader), "dropped": dropped.count}


def _under(process: subprocess.Popen[str], loader: TurboDataLoader) -> dict[str, Any]:
    said: list[str] = []
    listener = threading.Thread(target=lambda: said.extend(process.stdout or ()), daemon=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "connected\n"
    listener.start()
    deadline = time.monotonic() + PATIENCE
    found = through(
        loader, lambda: _tell(process, "go"), lambda: process.poll() is not None or time.monotonic() > deadline
    )
    listener.join(PATIENCE)
    return {**found, "attacker": process.poll(), "said": said}


def attacked_workers(messages: int) -> dict[str, Any]:
    from mischief import Noisy

    transport = create(Noisy, count=messages)
    deadline = time.monotonic() + PATIENCE
    with digits(WORKERS, transport) as loader:
        begin = lambda: setattr(transport, "noisy", True)  # noqa: E731
        found = through(loader, begin, lambda: transport.quiet or time.monotonic() > deadline)
    return {**found, "attacker": 0 if transport.quiet else None, "said": []}


ATTACKS = {
    "the loader's socket for answers (ipc)": attacked_folder,
    "a worker's socket": attacked_workers,
    "the loader's tcp socket, without, with a wrong and with the right key": attacked_address,
}


def measure(messages: int = 10_000) -> Shown:
    rows, figures = [], {}
    for where, attack in ATTACKS.items():
        found = figures[where] = attack(messages)
        held = found["same"] and found["alive"] and found["growth"] < GROWTH and found["attacker"] == 0
        row = Row(
            f"{messages:,} mutated messages to {where}",
            "nothing crashes, the hash is the same, memory bounded" + ("; no key, no word" if "key" in where else ""),
            f"{found['batches']} batches meanwhile, hash {'equal' if found['same'] else 'DIFFERENT'}, a process grew "
            f"by {found['growth'] / 1e6:.1f} MB at most" + "".join(f", {line.strip()}" for line in found["said"]),
            held and not found["said"],
        )
        rows.append(row)
    return Shown("wire", rows, figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--attack", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.attack:
        print("up", flush=True)
        kind, *where, number = sys.stdin.readline().split()
        {"folder": attack_folder, "address": attack_address}[kind](*where, int(number))
    else:
        present(measure(options.messages))
