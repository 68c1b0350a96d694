from leaven import Component, hookimpl


@hookimpl
def leaven_ops():
    yield Component("two", "acme_same_two_rooms:Op")
