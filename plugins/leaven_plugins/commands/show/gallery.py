"""The gallery: a picture of every op and RNG, and a page that lists them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from leaven.registry.offers import Offer
from leaven.registry.registry import Registry
from leaven.registry.toml import to_toml
from leaven_plugins.commands.show.augmenting import geometry_shots, headings
from leaven_plugins.commands.show.chart import chart
from leaven_plugins.commands.show.ends import DRAWS
from leaven_plugins.commands.show.examples import example_of, made_as_example
from leaven_plugins.commands.show.exhibits import (
    UNSEEN,
    USUAL_RNG,
    data_at,
    photo_studio,
    shots_of_offer,
)
from leaven_plugins.commands.show.lettering import Pixels
from leaven_plugins.commands.show.sheet import arranged, write_sheet
from leaven_plugins.commands.show.studio import PhotoStudio

_SIDE, _DRAWS, _EPOCHS = 140, 2, 5
_HEAD = """# Augmentations

<!-- Made by: leaven show gallery --out docs/images/gallery --page docs/gallery.md -->

What each op and each RNG does to one photo, with the parameters below its picture. A row shows one value of a draw: at
the low end of its range, the image as it is, at the high end, and as it is drawn. `leaven show augment IMAGE` makes the
same of an image of yours, `leaven show augment CONFIG` of a configuration.
"""


class Entry(NamedTuple):
    """One component: its picture, or why there is none."""

    offer: Offer
    picture: Pixels | None
    reason: str

    @property
    def file(self) -> str:
        """Name of the picture's file."""
        return f"{self.offer.kind}_{self.offer.name}.jpg"


class Gallery(NamedTuple):
    """The geometry, and all ops and RNGs."""

    geometry: Pixels
    entries: list[Entry]


def gallery_of(registry: Registry) -> Gallery:
    """Return the pictures of everything that is installed."""
    studio = _studio(registry, registry.find(USUAL_RNG, kind="rng"))
    geometry = [shot.line for shot in geometry_shots(studio, studio.everything_drawn(DRAWS), _DRAWS)]
    entries = [_op_entry(studio, offer, registry) for offer in registry.offers("op")]
    entries += [_rng_entry(offer, registry) for offer in registry.offers("rng")]
    return Gallery(chart([line._replace(remark=line.remark.partition(", ")[2]) for line in geometry], _HEADS), entries)


def write_gallery(gallery: Gallery, folder: Path, page: Path) -> int:
    """Write pictures and page; return the number of pictures.

    Raises:
        LeavenError: one cannot be written.
    """
    pictures = {entry.file: entry.picture for entry in gallery.entries if entry.picture is not None}
    for name, picture in {"geometry.jpg": gallery.geometry, **pictures}.items():
        write_sheet(folder / name, picture)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(page_of(gallery, os.path.relpath(folder, page.parent)), "utf-8")
    return len(pictures) + 1


def page_of(gallery: Gallery, folder: str) -> str:
    """Return the page as Markdown; ``folder`` is where it finds the pictures."""
    parts = [
        _HEAD,
        "## Geometry\n",
        "Of each image, before the ops, by what the RNG draws or `image_params` fixes.\n",
        f"![geometry]({folder}/geometry.jpg)\n",
        "## Ops\n",
        *_sections(gallery, "op", folder),
        "## RNGs and presets\n",
        "An image in its first epochs.\n",
        *_sections(gallery, "rng", folder),
    ]
    return "\n".join(parts)


_HEADS = headings(_DRAWS)


def _sections(gallery: Gallery, kind: str, folder: str) -> Iterator[str]:
    for entry in gallery.entries:
        if entry.offer.kind == kind:
            yield f"### `{entry.offer.name}`\n"
            yield f"{_sentence(entry.offer.component.summary)}\n"
            yield _parameters(entry.offer)
            if entry.picture is None:
                yield f"No picture: {entry.reason}.\n"
            else:
                yield f"![{entry.offer.name}]({folder}/{entry.file})\n"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def _parameters(offer: Offer) -> str:
    """Return the parameters of the example as they stand in a configuration."""
    table = {"use": offer.name, **_rounded(example_of(offer))}
    worker = {"worker": {"ops": [table]} if offer.kind == "op" else {"image_rng": table}}
    return f"```toml\n{to_toml(worker).removeprefix('[worker]').lstrip()}```\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.3g}")
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    return [_rounded(part) for part in value] if isinstance(value, (list, tuple)) else value


def _op_entry(studio: PhotoStudio, offer: Offer, registry: Registry) -> Entry:
    shots, reason = shots_of_offer(studio, offer, registry, _DRAWS)
    lines = [shot.line._replace(name=shot.line.remark, remark="") for shot in shots]
    if any(line.cells[0] for line in lines):
        return Entry(offer, chart(lines, _HEADS), reason)
    lines = [line._replace(cells=line.cells[1:]) for line in lines]  # it always does the same: there is no low end
    return Entry(offer, chart(lines, ("as it is", "with it")) if lines else None, reason)


def _rng_entry(offer: Offer, registry: Registry) -> Entry:
    studio = _studio(registry, offer)
    pictures = [studio.with_everything(epoch) for epoch in range(_EPOCHS)]
    if all(np.array_equal(picture, studio.plain()) for picture in pictures):
        return Entry(offer, None, UNSEEN)
    return Entry(offer, arranged(pictures, [f"epoch {epoch}" for epoch in range(_EPOCHS)], _EPOCHS), "")


def _studio(registry: Registry, offer: Offer) -> PhotoStudio:
    return photo_studio(registry, data_at(None), made_as_example(offer, registry), _SIDE)
