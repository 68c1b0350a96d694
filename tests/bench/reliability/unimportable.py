"""A worker whose module the loader can import, and worker processes cannot: as with a package that only one has."""

from __future__ import annotations

import os

from loader_parts import Echo

if "LEAVEN_WORKER" in os.environ:
    raise ImportError("libturbo.so.8: cannot open shared object file")


class Worker(Echo):
    """Like any other."""
