"""A dataset that writes down each sample that is read, and what may be done to samples, also in worker processes."""

from __future__ import annotations

import os


class Counted:
    """Sample ``i`` is ``{"key": "n<i>", "value": i, "blob": nbytes bytes}``; each read is a line of ``log``."""

    def __init__(self, log: str, size: int = 8, nbytes: int = 10, packed: bool = False):
        self.log = log
        self.size = size
        self.nbytes = nbytes
        self.packed = packed

    def __len__(self):
        return self.size

    def sample(self, index):
        fd = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            os.write(fd, f"{index}\n".encode())
        finally:
            os.close(fd)
        sample = {"key": self.key(index), "value": index, "blob": bytes([index]) * self.nbytes}
        if self.packed:
            from leaven.stream.wire import pack_sample

            return pack_sample(sample)
        return sample

    def key(self, index):
        return f"n{range(self.size)[index]}"

    def getitem_value(self, index, ctx=None):
        return index

    def getitem_double(self, index, ctx=None):
        return 2 * index

    def close(self):
        pass


class Whole(Counted):
    """Has all values at once as well."""

    def getall_value(self):
        return list(range(self.size))


def doubled(sample):
    return {**sample, "value": 2 * sample["value"]}
