from leaven import Component, hookimpl


@hookimpl
def leaven_ops():
    yield Component("one", "acme_same_one_rooms:Op")
