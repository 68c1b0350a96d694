from leaven import Component, hookimpl


@hookimpl
def leaven_worker():
    yield Component("boxes", "acme_misspelt_rooms:Boxes")
