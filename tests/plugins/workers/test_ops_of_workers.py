"""Which ops a worker takes, and what they are told about the image."""

from __future__ import annotations

import pytest

import leaven
from leaven.errors import ParameterError
from leaven.testing.tools import picture, png, run_worker
from leaven_plugins.workers.image import ImageWorker

IMAGE = ((3, 24, 32), "uint8")


@pytest.mark.parametrize("op", ["random_resized_crop", "center_crop", "resize"])
def test_an_op_that_changes_the_size_is_refused(op):
    made = leaven.create(f"op:{op}", size=(8, 8))
    with pytest.raises(ParameterError, match=f"'{op}' changes the size of an image: use it in Compose"):
        ImageWorker(IMAGE, ops=[made])


@pytest.mark.parametrize(
    ("spec", "target"), [("worker:segmentation", ((24, 32), "uint8", 255)), ("worker:saliency", ((24, 32), "float32"))]
)
def test_an_op_that_moves_the_image_is_refused_where_a_target_would_not_follow(spec, target):
    with pytest.raises(ParameterError, match=r"'flip' moves the image.*draw hmirror"):
        leaven.create(spec, image=IMAGE, target_image=target, ops=["flip"])
    leaven.create("worker:image", image=IMAGE, ops=["flip"])


class Asked:
    """Remembers what it was told of the image."""

    keys = ("asked",)
    infos = ()

    def draw(self, random, info):
        self.infos = (*self.infos, info)
        return {"asked": None}

    def applies(self, values):
        return False

    def apply(self, image, values, random):
        raise AssertionError("it does not apply")


def test_ops_are_told_the_size_of_what_they_work_on():
    asked = Asked()
    run_worker(leaven.create(ImageWorker, image=IMAGE, ops=[asked]), [{"image": png(picture(60, 90))}])
    assert [(info.height, info.width) for info in asked.infos] == [(24, 32)]
