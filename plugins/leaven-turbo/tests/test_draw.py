"""draw(): what it takes, and that no image of a batch depends on another."""

from __future__ import annotations

import struct
import sys
import threading
import time
from itertools import permutations
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

native = pytest.importorskip("leaven_turbo._native")

PLACE = 10


def jpeg(seed: int = 0, quality: int = 90, *options: int) -> bytes:
    few = np.random.default_rng(seed).integers(0, 256, (6, 7, 3), np.uint8)
    image = cv2.resize(few, (96, 64), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality, *options])[1].tobytes()


def without(data: bytes, code: int) -> bytes:
    """Leave out the markers of a kind before the first scan."""
    kept, at = data[:2], 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        kept += b"" if data[at + 1] == code else data[at:end]
        at = end
    return kept + data[at:]


def numbers_for(count: int) -> NDArray[np.float64]:
    return np.array([[3, 1.5, 2, 1.25, 1, 1, 9, 9, 9, 0, place] for place in range(count)], np.float64)


def drawn(jpegs: list[bytes]) -> list[tuple[str, bytes]]:
    out = np.zeros((len(jpegs), 40, 50, 3), np.uint8)
    outcomes = native.draw(jpegs, [None] * len(jpegs), numbers_for(len(jpegs)), out, 2**30, None, None)
    return [
        (outcome[0], b"" if outcome[0] else pixels.tobytes()) for outcome, pixels in zip(outcomes, out, strict=True)
    ]


def many_scans(count: int, height: int = 64, width: int = 64) -> bytes:
    """A progressive file of zeroes whose scans take a few bytes each: AC coefficients by runs of ended bands."""
    blocks = -(-height // 8) * -(-width // 8)
    runs = -(-blocks // (2**15 - 1))
    tables = [
        b"\xff\xc4" + struct.pack(">HB16sB", 20, kind, b"\1" + bytes(15), symbol)
        for kind, symbol in ((0, 0), (16, 0xE0))
    ]
    bits = "".join("0" + f"{max(min(blocks - n * 32767, 32767), 16384) - 16384:014b}" for n in range(runs))
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    dc = bytes(blocks // 8) + (bytes([255 >> blocks % 8]) if blocks % 8 else b"")
    made = b"\xff\xd8\xff\xdb" + struct.pack(">HB", 67, 0) + b"\1" * 64
    made += b"\xff\xc2" + struct.pack(">HBHHB3s", 11, 8, height, width, 1, b"\1\x11\0") + b"".join(tables)
    made += b"\xff\xda\0\x08\1\1\0\0\0\0" + dc
    bands = [(k, low) for low in range(13, -1, -1) for k in range(1, 64)][: count - 1]
    for k, low in bands:
        high = 0 if low == 13 else low + 1
        made += b"\xff\xda\0\x08\1\1\0" + bytes([k, k, high << 4 | low]) + data
    return made + b"\xff\xd9"


def test_no_image_depends_on_those_before():
    progressive = jpeg(0, 20, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    optimised = jpeg(1, 70, cv2.IMWRITE_JPEG_OPTIMIZE, 1, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    marked = jpeg(2, 95, cv2.IMWRITE_JPEG_RST_INTERVAL, 7)
    files = [
        progressive,
        optimised,
        jpeg(3, 95),
        marked,
        *(without(data, code) for data in (progressive, optimised, jpeg(3, 95), marked) for code in (0xDB, 0xC4, 0xDD)),
        progressive[:-200] + b"\xff\xd9",
        without(progressive, 0xE0),
    ]
    alone = [drawn([data])[0] for data in files]
    assert {status for status, _ in alone} == {"", "damaged"}
    for first, second in permutations(range(len(files)), 2):
        assert drawn([files[first], files[second]]) == [alone[first], alone[second]], (first, second)


def test_places_that_change_while_it_draws_lead_nowhere():
    """They are checked once, and then nobody can change them."""
    room = np.zeros((2, 40, 50, 3), np.uint8)
    count = 2000
    numbers = numbers_for(count)
    numbers[:, PLACE] = 0
    progress, done = np.zeros(3, np.int64), threading.Event()

    def move() -> None:
        while progress[0] == 0 and not done.is_set():
            time.sleep(0)
        numbers[:, PLACE] = 1

    mover = threading.Thread(target=move)
    mover.start()
    try:
        native.draw([jpeg()] * count, [None] * count, numbers, room[:1], 2**30, np.arange(count), progress)
    finally:
        done.set()
        mover.join()
    assert room[0].any()
    assert not room[1].any()


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({2: numbers_for(2).astype(np.float32)}, "float64"),
        ({2: numbers_for(2).astype(np.int64)}, "float64"),
        ({2: numbers_for(2).astype(">f8")}, "float64"),
        ({2: numbers_for(2).tobytes()}, "float64"),
        ({2: numbers_for(1)}, "float64"),
        ({5: np.zeros(2)}, "int64"),
        ({5: np.zeros(2, np.uint64)}, "int64"),
        ({5: np.zeros(4, np.int32)}, "int64"),
        ({5: np.zeros(1, np.int64)}, "int64"),
        ({6: np.zeros(3)}, "int64"),
        ({6: bytearray(24)}, "int64"),
        ({6: np.zeros(2, np.int64)}, "int64"),
        ({2: numbers_for(2) + 1}, "not a row"),
        ({2: numbers_for(2) + np.nan}, "not a row"),
    ],
)
def test_words_of_another_kind_are_refused(changed: dict[int, Any], match: str):
    out = np.zeros((2, 8, 8, 3), np.uint8)
    arguments = [[jpeg()] * 2, [None] * 2, numbers_for(2), out, 2**30, np.zeros(2, np.int64), np.zeros(3, np.int64)]
    for place, value in changed.items():
        arguments[place] = value
    with pytest.raises(ValueError, match=match):
        native.draw(*arguments)
    assert not out.any()


def test_progress_may_be_a_part_of_shared_memory():
    memory = memoryview(bytearray(80)).cast("q")
    out = np.zeros((1, 8, 8, 3), np.uint8)
    native.draw([jpeg()], [None], numbers_for(1), out, 2**30, np.array([41]), memory[3:6])
    assert list(memory[:4]) == [0, 0, 0, 42]
    assert memory[5] > 0


def test_files_have_to_be_there():
    out = np.zeros((2, 8, 8, 3), np.uint8)
    for jpegs, indices in (([jpeg(), None], [None] * 2), ([jpeg()] * 2, [None, "text"])):
        with pytest.raises(TypeError):
            native.draw(jpegs, indices, numbers_for(2), out, 2**30, None, None)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="no buffers by Python code")
def test_a_list_that_gets_shorter_meanwhile():
    class Shortening:
        def __buffer__(self, flags: int) -> memoryview:
            jpegs.clear()
            return memoryview(jpeg())

    jpegs: list[Any] = [Shortening(), jpeg()]
    with pytest.raises(IndexError):
        native.draw(jpegs, [None] * 2, numbers_for(2), np.zeros((2, 8, 8, 3), np.uint8), 2**30, None, None)


def test_a_great_many_scans_are_refused():
    out = np.zeros((1, 8, 8, 1), np.uint8)
    for count, expected in ((450, ("", "")), (600, ("damaged", "too many scans for an image of its size"))):
        ((status, *_, text),) = native.draw([many_scans(count)], [None], numbers_for(1), out, 2**30, None, None)
        assert (status, text) == expected


def test_no_memory_is_taken_for_pixels_that_a_file_cannot_hold():
    data = bytearray(many_scans(3))
    at = data.index(b"\xff\xc2")
    data[at + 5 : at + 9] = struct.pack(">HH", 65500, 65500)
    out = np.zeros((1, 8, 8, 1), np.uint8)
    ((status, *_, text),) = native.draw([bytes(data)], [None], numbers_for(1), out, 2**40, None, None)
    assert (status, text) == ("damaged", "far too short for the size that its header says")
