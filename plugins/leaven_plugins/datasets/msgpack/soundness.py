"""Whether the files of a dataset are what they should be: checksums, and that the parts of the index fit each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from leaven.errors import DatasetError, FormatError, printable
from leaven_plugins.datasets.findings import Finding
from leaven_plugins.datasets.msgpack.bloom import BloomFilter
from leaven_plugins.datasets.msgpack.columns import Columns
from leaven_plugins.datasets.msgpack.files import COLUMNS, FILTER, HASHES, KEYS, LEGACY, MD5, OFFSETS, beside
from leaven_plugins.datasets.msgpack.hashes import first_wrong_hash
from leaven_plugins.datasets.msgpack.index import open_index
from leaven_plugins.datasets.msgpack.keys import KeysFile
from leaven_plugins.datasets.msgpack.sums import read_sums, sum_of
from leaven_plugins.datasets.open_file import OpenFile

_CHUNK = 1 << 20  # offsets that are looked at together


def problems(data: Path) -> Iterator[Finding]:
    """Yield what is wrong with a data file and those beside it, of which all are read."""
    if not data.exists():
        return  # which opening it tells
    yield from _checksums(data)
    present = {suffix for suffix in (OFFSETS, KEYS, LEGACY) if beside(data, suffix).exists()}
    if {OFFSETS, KEYS} <= present:
        yield from _failing(beside(data, OFFSETS), "index", _anew(data), lambda: _check_offsets(data))
        keys = list(_failing(beside(data, KEYS), "index", _anew(data), lambda: _check_keys(data)))
        yield from keys or _helpers(data)
    elif LEGACY in present:
        advice = f"remove it, and run `leaven data index {data}`"
        yield from _failing(beside(data, LEGACY), "index", advice, lambda: _open_and_close(data))
    else:
        for suffix in (OFFSETS, KEYS):
            if suffix not in present:
                yield Finding("index", "is missing", _anew(data), str(beside(data, suffix)))
    yield from _failing(
        beside(data, COLUMNS), "columns", f"run `leaven data index {data}`", lambda: _check_columns(data)
    )


def _checksums(data: Path) -> Iterator[Finding]:
    """Yield each file that is not what the file of checksums says; lines about other datasets are left alone."""
    family = {data.name} | {data.name + suffix for suffix in (OFFSETS, KEYS, HASHES, FILTER, LEGACY)}
    try:
        sums = {name: md5 for name, md5 in read_sums(data).items() if name in family}
    except DatasetError as error:
        yield Finding("checksum", str(error), f"remove it and run `leaven data index {data}`", str(beside(data, MD5)))
        return
    for name, expected in sums.items():
        path = data.with_name(name)
        if path.exists() and (found := sum_of(path)) != expected:
            text = f"its MD5 is {found}, but {data.name}{MD5} says {expected}"
            yield Finding("checksum", text, _fetch(data) if path == data else _anew(data), str(path))
        elif not path.exists() and name not in (data.name + OFFSETS, data.name + KEYS):
            advice = f"run `leaven data index {data}`"
            yield Finding("checksum", f"is listed in {data.name}{MD5}, but missing", advice, str(path), warning=True)


def _helpers(data: Path) -> Iterator[Finding]:
    """Yield what is wrong with the hashes and the filter, by which keys are found."""
    for suffix, check in ((HASHES, _check_hashes), (FILTER, _check_filter)):
        if beside(data, suffix).exists():
            advice = f"remove it, and run `leaven data index {data}`"
            yield from _failing(beside(data, suffix), "index", advice, lambda check=check: check(data))  # type: ignore[misc]


def _failing(path: Path, kind: str, advice: str, check: Callable[[], None]) -> Iterator[Finding]:
    """Yield a finding if the check of a file raises."""
    try:
        check()
    except DatasetError as error:
        yield Finding(kind, str(error).removeprefix(f"{path}: "), advice, str(path))


def _check_offsets(data: Path) -> None:
    """Raise where offsets are not in order, or do not end where the data do."""
    path, size = beside(data, OFFSETS), data.stat().st_size
    file = OpenFile(path)
    try:
        if file.size < 8 or file.size % 8:
            raise FormatError(f"{path}: {file.size} bytes, which is not a whole number of offsets: cut off")
        last = 0
        for start in range(0, file.size, 8 * _CHUNK):
            part = np.frombuffer(file.read(min(8 * _CHUNK, file.size - start), start), ">u8")
            steps = np.concatenate([np.array([last], ">u8"), part])
            wrong = np.flatnonzero(steps[1:] < steps[:-1])
            if len(wrong) or (start == 0 and part[0] != 0):
                position = start // 8 + int(wrong[0] if len(wrong) else 0)
                value = int(part[position - start // 8])
                raise FormatError(f"{path}: offset {position}, at byte {8 * position}, is {value}: not in order")
            last = int(part[-1])
        if last != size:
            raise FormatError(f"{path}: ends at {last}, but {data.name} has {size} bytes: one is cut off or old")
    finally:
        file.close()


def _check_keys(data: Path) -> None:
    keys = KeysFile(beside(data, KEYS))
    try:
        expected = beside(data, OFFSETS).stat().st_size // 8 - 1
        found = sum(1 for _ in keys)
        if found != expected:
            raise FormatError(f"{beside(data, KEYS)}: {found} keys, where there are {expected} samples by {OFFSETS}")
    finally:
        keys.close()


def _check_hashes(data: Path) -> None:
    path, keys = beside(data, HASHES), KeysFile(beside(data, KEYS))
    try:
        wrong = first_wrong_hash(path, keys, keys.count)
    finally:
        keys.close()
    if wrong is not None:
        raise FormatError(f"{path}: the hash of key {wrong}, at byte {8 + 8 * wrong}, is that of another one")


def _check_filter(data: Path) -> None:
    path, keys = beside(data, FILTER), KeysFile(beside(data, KEYS))
    try:
        missing = BloomFilter.read(path).first_missing(keys)
    finally:
        keys.close()
    if missing is not None:
        raise FormatError(f"{path}: says that there is no key {printable(missing, 80)!r}, which there is")


def _check_columns(data: Path) -> None:
    if not beside(data, COLUMNS).exists():
        return
    try:
        index = open_index(data, data.stat().st_size)
    except DatasetError:  # which is told as what it is
        return
    index.close()
    Columns.check(data, len(index))


def _open_and_close(data: Path) -> None:
    open_index(data, data.stat().st_size).close()


def _anew(data: Path) -> str:
    return f"remove {data.name}{OFFSETS} and {data.name}{KEYS}, and run `leaven data index {data}`"


def _fetch(data: Path) -> str:
    return (
        f"get {data.name} again; where it was changed on purpose, remove {data.name}{MD5} and run `leaven data index`"
    )
