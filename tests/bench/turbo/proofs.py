"""Show that repacking loses nothing, and that every way to a part of a file gives the same pixels, on real photographs.

    python tests/bench/turbo/proofs.py [IMAGES [DRAWS]]

takes 1,000 images of the benchmark's corpus (made where it is not there yet), turns them into files of all kinds (grey,
4:4:4, 4:2:2, progressive, odd sizes, EXIF), and prints a table. Exits with 1 if anything differs.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import cv2
import numpy as np

from leaven.protocols import DecodeRequest, Drawing, Drawn
from leaven.registry.registry import default_registry
from leaven_plugins.commands.bench.peers.contest import Places
from leaven_plugins.commands.bench.peers.corpus import corpus
from leaven_plugins.commands.bench.peers.photographs import photographs
from leaven_turbo import _native
from leaven_turbo.decoder import TurboDecoder

INTERVAL = 4
SIZE = 224


@dataclass
class Proof:
    """What was found."""

    images: Counter[str] = field(default_factory=Counter)
    not_lossless: list[str] = field(default_factory=list)
    other_pixels: list[str] = field(default_factory=list)
    draws: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    bytes_before: int = 0
    bytes_after: int = 0
    bytes_of_indices: int = 0

    def add(self, other: Proof) -> None:
        """Take in what another one found."""
        for name, value in vars(other).items():
            mine = getattr(self, name)
            if isinstance(mine, Counter):
                mine.update(value)
            else:
                setattr(self, name, mine + value)


def turned(data: bytes, orientation: int) -> bytes:
    """Return the file with EXIF that says how it is to be turned."""
    entry = b"\x12\x01\x03\x00\x01\x00\x00\x00" + orientation.to_bytes(2, "little") + b"\0\0"
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + entry + b"\0\0\0\0"
    return data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:]


def variants(number: int, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the file itself and one of another kind, made of its pixels."""
    yield "as it is", data
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR
    kinds = {
        "grey": (cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), ()),
        "4:4:4": (pixels, (sampling, 0x111111)),
        "4:2:2": (pixels, (sampling, 0x211111)),
        "progressive": (pixels, (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)),
        "odd size": (pixels[: -1 - number % 15, : -1 - number % 13], ()),
        "4:4:0": (pixels, (sampling, 0x121111)),
        "optimised": (pixels, (cv2.IMWRITE_JPEG_OPTIMIZE, 1)),
        "EXIF": (pixels, ()),
    }
    name = list(kinds)[number % len(kinds)]
    image, options = kinds[name]
    made = cv2.imencode(".jpg", np.ascontiguousarray(image), [cv2.IMWRITE_JPEG_QUALITY, 90, *options])[1].tobytes()
    yield name, turned(made, 2 + number % 7) if name == "EXIF" else made


def drawn(decoder: TurboDecoder, data: bytes, index: bytes | None, matrix: np.ndarray, proof: Proof) -> np.ndarray:
    """Return what is drawn, and count by which way."""
    out = np.zeros((1, SIZE, SIZE, 3), np.uint8)
    scale = 1 / max(1.0, min(abs(matrix[0, 0]), abs(matrix[1, 1])))
    request = DecodeRequest(data, True, None, scale, index)
    (result,) = decoder.draw_batch([Drawing(request, matrix, 0, 0, 1, (0, 0, 0, 0))], out)
    assert isinstance(result, Drawn)
    proof.ways.update(decoder.tally())
    return out


def proved(number: int, original: bytes, draws: int) -> Proof:
    """Return what is found of one image of the corpus."""
    proof, decoder = Proof(), TurboDecoder()
    random = np.random.default_rng(number)
    for kind, data in variants(number, original):
        proof.images[kind] += 1
        repacked = _native.repack(data, INTERVAL, True, True, True)
        index = _native.make_index(repacked, INTERVAL)
        proof.bytes_before += len(data)
        proof.bytes_after += len(repacked)
        proof.bytes_of_indices += len(index)
        flags = cv2.IMREAD_UNCHANGED
        pixels = [cv2.imdecode(np.frombuffer(file, np.uint8), flags) for file in (data, repacked)]
        if not _native.same_coefficients(data, repacked) or not np.array_equal(*pixels):
            proof.not_lossless.append(f"{number} ({kind})")
        files: list[tuple[bytes, bytes | None]] = [(data, None), (repacked, None), (repacked, index)]
        if kind != "progressive":
            files.append((data, _native.make_index(data, INTERVAL)))
        info = decoder.info(data)
        for _ in range(draws):
            proof.draws += 1
            area, mirror = random.uniform(0.02, 1), random.choice([-1, 1])
            height, width = info.height * area**0.5, info.width * area**0.5
            y, x = random.uniform(0, info.height - height), random.uniform(0, info.width - width)
            step = mirror * width / SIZE
            matrix = np.array([[step, 0, x if mirror > 0 else x + width], [0, height / SIZE, y]])
            pictures = [drawn(decoder, *file, matrix, proof) for file in files]
            if not all(np.array_equal(picture, pictures[0]) for picture in pictures):
                proof.other_pixels.append(f"{number} ({kind})")
    return proof


def main(images: int, draws: int) -> bool:
    registry = default_registry()
    files = corpus(Places.of(None, None).corpora, "small", images, 0, photographs, registry).files
    whole = Proof()
    with ThreadPoolExecutor(2) as threads:
        for proof in threads.map(lambda each: proved(each[0], each[1].read_bytes(), draws), enumerate(files)):
            whole.add(proof)
    print("| what | found |\n|---|---|")
    print(f"| images | {sum(whole.images.values()):,}: {', '.join(f'{n} {k}' for k, n in whole.images.items())} |")
    print(f"| repacked with other coefficients or pixels | {len(whole.not_lossless)} {whole.not_lossless[:5]} |")
    print(f"| bytes after / before | {whole.bytes_after / whole.bytes_before:.4f} |")
    with_indices = (whole.bytes_after + whole.bytes_of_indices) / whole.bytes_before
    print(f"| the same with indices | {with_indices:.4f} |")
    print(f"| draws, each of all forms of the file | {whole.draws:,}: {dict(whole.ways)} |")
    print(f"| draws in which not all were equal | {len(whole.other_pixels)} {whole.other_pixels[:5]} |")
    return not whole.not_lossless and not whole.other_pixels


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:3]]
    sys.exit(not main(*(numbers + [1000, 5][len(numbers) :])))
