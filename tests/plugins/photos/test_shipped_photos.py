from __future__ import annotations

from importlib.resources import files

import pytest

from leaven.errors import UnknownName
from leaven_plugins.decoders.opencv import OpenCVDecoder
from leaven_plugins.photos.shipped import NAMES, photo


@pytest.mark.parametrize("name", NAMES)
def test_a_photo_is_a_small_colour_image(name):
    data = photo(name)
    decoded = OpenCVDecoder().decode(data).image
    assert len(data) < 60_000
    assert decoded.shape == (300, 451, 3)
    assert decoded.std() > 20


def test_who_took_them_is_told():
    text = files("leaven_plugins.photos").joinpath("ATTRIBUTION").read_text("utf-8")
    for name in NAMES:
        assert f"{name}.jpg" in text
    assert "Stefan van der Walt" in text
    assert "CC0" in text


def test_every_file_is_a_photo_or_about_them():
    names = {entry.name for entry in files("leaven_plugins.photos").iterdir() if entry.name != "__pycache__"}
    assert names == {"__init__.py", "shipped.py", "ATTRIBUTION", *(f"{name}.jpg" for name in NAMES)}


def test_another_name_is_an_error():
    with pytest.raises(UnknownName, match="no photo 'chelsey', did you mean 'chelsea'"):
        photo("chelsey")
