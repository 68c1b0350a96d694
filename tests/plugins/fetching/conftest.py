"""A server of files on this machine, which fails as it is told to."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class FileServer(ThreadingHTTPServer):
    """Sends ``files``. What is to go wrong with a path is told by lists, of which each request takes an entry.

    Attributes:
        files: path -> content.
        authorizations: the header of that name, or None, of each request.
        requests: (path, the header Range or "") of each request.
        cut: path -> after how many bytes answers end.
        codes: path -> codes of answers that are errors.
        redirects: path -> where to.
        sent: path -> how often it, or a part of it, was sent.
        ranges: whether parts are sent.
        identities: whether answers have an ETag.
        lengths: whether answers tell their length.
        hang: path -> an answer that comes when ``released`` is set.
    """

    daemon_threads = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = {}
        self.requests = []
        self.authorizations = []
        self.cut = defaultdict(list)
        self.codes = defaultdict(list)
        self.sent = Counter()
        self.redirects = {}
        self.ranges = self.identities = self.lengths = True
        self.hang = set()
        self.released = threading.Event()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        """Say nothing of clients that have gone."""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, path = self.server, self.path.partition("?")[0]
        asked = self.headers["Range"] or ""
        server.requests.append((path, asked))
        server.authorizations.append(self.headers["Authorization"])
        if path in server.hang:
            server.released.wait(10)
            return
        if server.codes[path]:
            self.send_error(server.codes[path].pop(0))
        elif path in server.redirects:
            self.send_response(302)
            self.send_header("Location", server.redirects[path])
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif path not in server.files:
            self.send_error(404)
        else:
            self._send(server, path, asked)

    def _send(self, server, path, asked):
        content = server.files[path]
        etag = f'"{hashlib.md5(content).hexdigest()}"'
        if server.identities and self.headers["If-None-Match"] == etag:
            self.send_response(304)
            self.end_headers()
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and server.ranges else 0
        if start and start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if server.lengths:
            self.send_header("Content-Length", str(len(content) - start))
        if server.identities:
            self.send_header("ETag", etag)
        self.end_headers()
        server.sent[path] += 1
        end = start + server.cut[path].pop(0) if server.cut[path] else len(content)
        self.wfile.write(content[start:end])

    def log_message(self, *args):
        """Say nothing of what works, either."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with FileServer() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.released.set()
        made.shutdown()
        thread.join()


@pytest.fixture
def pauses():
    """The pauses that a transfer made, none of which takes any time."""
    return []
