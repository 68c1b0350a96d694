"""Write the small JPEGs that the fuzzer starts from, of every kind: python files.py FOLDER."""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

import cv2
import numpy as np

SAMPLING = {"444": 0x111111, "422": 0x211111, "420": 0x221111, "411": 0x411111, "440": 0x121111}
KINDS = {
    "plain": (),
    "optimised": (cv2.IMWRITE_JPEG_OPTIMIZE, 1),
    "marked": (cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
    "rows": (cv2.IMWRITE_JPEG_RST_INTERVAL, 6),
    "progressive": (cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
}


def main(folder: Path) -> None:
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (9, 12, 3), np.uint8)
    picture = cv2.resize(small, (93, 70), interpolation=cv2.INTER_CUBIC)
    for (sampling, code), (kind, options) in product(SAMPLING.items(), KINDS.items()):
        settings = [cv2.IMWRITE_JPEG_QUALITY, 85, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, code, *options]
        cv2.imwrite(str(folder / f"{kind}-{sampling}.jpg"), picture, settings)
    for kind, options in KINDS.items():
        cv2.imwrite(str(folder / f"{kind}-grey.jpg"), picture[..., 0], [cv2.IMWRITE_JPEG_QUALITY, 70, *options])
    data = (folder / "plain-420.jpg").read_bytes()
    for orientation in range(2, 9):
        entry = b"\x12\x01\x03\x00\x01\x00\x00\x00" + orientation.to_bytes(2, "little") + b"\0\0"
        exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + entry + b"\0\0\0\0"
        turned = data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:]
        (folder / f"turned-{orientation}.jpg").write_bytes(turned)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
