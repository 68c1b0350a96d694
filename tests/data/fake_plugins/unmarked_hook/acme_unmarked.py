from leaven import Component


def leaven_workers():
    yield Component("boxes", "acme_unmarked_rooms:Boxes")
