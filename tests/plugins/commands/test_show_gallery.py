"""The gallery, and that the one in the documentation is complete."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from leaven import Registry
from leaven.cli.main import run
from leaven_plugins.commands.show.gallery import gallery_of, page_of, write_gallery

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
MAKE = "leaven --builtin-only show gallery --out docs/images/gallery --page docs/gallery.md"


@pytest.fixture(scope="module")
def registry():
    return Registry(builtin_only=True)


@pytest.fixture(scope="module")
def gallery(registry):
    return gallery_of(registry)


def pictures(gallery):
    return {"geometry.jpg"} | {entry.file for entry in gallery.entries if entry.picture is not None}


def test_everything_has_an_entry(gallery, registry):
    specs = {offer.spec for kind in ("op", "rng") for offer in registry.offers(kind)}
    assert {entry.offer.spec for entry in gallery.entries} == specs
    for entry in gallery.entries:
        assert (entry.picture is None) == bool(entry.reason), entry.offer.spec


def test_what_can_be_seen_has_a_picture(gallery):
    """A new op or RNG has to have an `example` where it shows nothing without; these here cannot be seen."""
    missing = {entry.offer.spec for entry in gallery.entries if entry.picture is None}
    unseen = {"op:nothing", "op:sampling", "op:to_chw", "op:to_float", "op:video"}
    assert missing <= unseen | {"rng:augmentation_val", "rng:no_augmentation", "rng:none"}


def test_pictures_are_no_empty_paper(gallery):
    for entry in gallery.entries:
        if entry.picture is not None:
            assert entry.picture.shape[2] == 3
            assert min(entry.picture.shape[:2]) > 80
            assert (entry.picture != 255).any(2).mean() > 0.2, entry.offer.spec


def test_presets_differ(gallery):
    shown = {entry.offer.name: entry.picture for entry in gallery.entries if entry.offer.kind == "rng"}
    assert not np.array_equal(shown["augmentation_train"], shown["augmentation_all"])
    assert not np.array_equal(shown["mixture"], shown["augmentation_train"])


def test_files_are_those_of_the_page(gallery, tmp_path):
    count = write_gallery(gallery, tmp_path / "images", tmp_path / "docs" / "page.md")
    files = {path.name for path in (tmp_path / "images").iterdir()}
    assert files == pictures(gallery)
    assert len(files) == count
    text = (tmp_path / "docs" / "page.md").read_text("utf-8")
    linked = re.findall(r"\]\(([^)]+)\)", text)
    assert {(tmp_path / "docs" / link).resolve() for link in linked} == set((tmp_path / "images").iterdir())


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["--builtin-only", "show", "gallery", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["out"], told["page"]) == ("gallery", "gallery.md")
    assert told["images"] == len(list(Path("gallery").iterdir()))
    assert "op:to_chw" in told["missing"]


# ---- the documentation


def test_the_documentation_has_all_pictures(gallery):
    files = {path.name: path for path in (DOCS / "images" / "gallery").iterdir()}
    assert set(files) == pictures(gallery), f"make them again: {MAKE}"
    for name, path in files.items():
        assert cv2.imread(str(path)) is not None, name
    assert sum(path.stat().st_size for path in files.values()) < 1.5e6


def test_the_documentation_has_the_page(gallery):
    page = (DOCS / "gallery.md").read_text("utf-8")
    assert page == page_of(gallery, "images/gallery"), f"make it again: {MAKE}"
    for entry in gallery.entries:
        assert f"### `{entry.offer.name}`\n" in page
