"""A worker."""

from leaven import Component, hookimpl


@hookimpl
def leaven_workers():
    yield Component("boxes", "acme_boxes.worker:BoxWorker", "images with boxes")
